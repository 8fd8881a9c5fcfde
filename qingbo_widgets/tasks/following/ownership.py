"""``Ownership``: which kernel follows a task, so that it is submitted and saved once."""

from __future__ import annotations

import logging
from datetime import datetime

from ...exceptions import QingboError
from ...i18n import tr
from ...service.contract.snapshot import TaskStatus
from ..background.writer import URGENT
from .lease import claim, hold
from .record import TaskRecord

__all__ = ["HandedOver", "Ownership"]

logger = logging.getLogger("qingbo_widgets")


class HandedOver(Exception):
    """This kernel gave no sign of life for too long, in a closed laptop say; another follows the task now."""


class Ownership:
    """The hold of this kernel on one task, which the journal keeps, and other kernels respect.

    Lives on the monitor's thread, as the task's follower does.

    Args:
        record: the task and its journal row.
        known_at: when it was submitted last as far as this kernel knows, for one that is submitted again.
    """

    def __init__(self, record: TaskRecord, *, known_at: datetime | None = None) -> None:
        self._record = record
        self._task = record.task
        self._manager = record.manager
        self._known_at = known_at

    async def open(self) -> None:
        """Write the task's first row, or claim the one it has for another submission.

        Raises:
            HandedOver: another kernel follows the task, or the service has taken it already.
            OSError, sqlalchemy.exc.SQLAlchemyError, QingboError: the journal cannot be written.
        """
        if self._record.is_written:
            await self._claim()
            return
        manager, row = self._manager, self._record.entry()
        held = {"holder": manager.holder, "seconds": manager.hold_seconds}
        await manager.monitor.journal(manager.library.add, row, due=URGENT, **held)
        self._record.is_written = True

    async def claim_again(self) -> None:
        """Claim it once more after a wait, unless another kernel has submitted it meanwhile.

        While this one slept, in a closed laptop say, the user may have submitted the task from there. It may
        be charged then, even if that was not confirmed and that kernel holds it no more.

        Raises:
            HandedOver, OSError, sqlalchemy.exc.SQLAlchemyError, QingboError: as in ``open``.
        """
        manager, task = self._manager, self._task
        row = await manager.monitor.journal(manager.library.get, task.key, due=URGENT)
        if row is not None and row.submitted_at not in (None, task.submitted_at):
            raise HandedOver
        await self._claim()

    async def take_over(self) -> bool:
        """Wait until no other kernel holds the task, or it has ended, showing what its journal says.

        Where the journal cannot be written the task is followed all the same, so that its state is seen. It
        cannot be submitted then, so nothing can be paid for twice.

        Returns:
            Whether another kernel has held it meanwhile, and may have submitted it, or has submitted it since
            this one has last known.
        """
        task, was_held = self._task, False
        while not await self._is_ours():
            was_held = True
            await self._record.read()
            ended = task.status in (TaskStatus.failed, TaskStatus.cancelled) and task.task_id
            if task.video_path is not None or ended:
                return was_held
            await self._tell_whose()
            await self._record.sleep(self._manager.poll_interval)
        submitted_at = await self._record.read()
        if self._known_at is None or submitted_at in (None, self._known_at):
            return was_held
        task.submitted_at = submitted_at  # what is done with the task from now on, is done with this one
        return True

    async def keep(self) -> None:
        """Make sure, before something that must not be done twice, that the task is still ours.

        Raises:
            HandedOver: it is not.
        """
        if self._record.is_written and not await self._is_ours():
            raise HandedOver

    async def release(self) -> None:
        """Let other kernels follow the task."""
        manager = self._manager
        try:
            await manager.monitor.journal(manager.library.release, manager.holder, self._task.key)
        except Exception:  # the journal is closed or gone; the hold runs out by itself
            logger.debug("Task %s: not released", self._task.task_id, exc_info=True)

    async def _claim(self) -> None:
        """Make sure, right before a submission leaves, that the task is ours and has its row.

        The journal may be another one by now: the folder was moved, or put back from a backup. Without a row
        a paid task could be lost, so it is written anew; where that fails, nothing may be sent.

        Raises:
            HandedOver, OSError, sqlalchemy.exc.SQLAlchemyError, QingboError: as in ``open``.
        """
        manager, row = self._manager, self._record.entry()
        held = (manager.library, row, manager.holder, manager.hold_seconds, manager.sightings)
        if not await manager.monitor.journal(claim, *held, due=URGENT):
            raise HandedOver
        self._record.is_written = True

    async def _is_ours(self) -> bool:
        """Hold the task if it is free; return whether no other kernel holds it."""
        manager, key = self._manager, self._task.key
        try:
            if manager.library.journal.read_only:  # it takes no name, but it may have another kernel's
                holding = await manager.monitor.journal(manager.library.holding, key)
                if holding is None:
                    return True
                holder, until = holding
                return not manager.sightings.is_believed(key, holder, until, manager.hold_seconds)
            if await self._hold():
                return True
            # No kernel holds a row that there is not: it was never written, or the folder was removed.
            self._record.is_written = await manager.monitor.journal(manager.library.get, key) is not None
            return not self._record.is_written
        except Exception as error:  # a journal that cannot be written is no other kernel
            named = self._task.task_id or key
            logger.warning("Task %s: not held", named, exc_info=not isinstance(error, QingboError))
            return True

    async def _hold(self) -> bool:
        """Become the one kernel that follows the task; ``False`` if another one does."""
        manager = self._manager
        held = (manager.library, self._task.key, manager.holder, manager.hold_seconds, manager.sightings)
        return bool(await manager.monitor.journal(hold, *held))

    async def _tell_whose(self) -> None:
        """Show that another kernel follows the task, and when this one will take over."""
        manager, key = self._manager, self._task.key
        holding = await manager.monitor.journal(manager.library.holding, key)
        if holding is not None:
            holder, until = holding
            seconds = manager.sightings.seconds_left(key, holder, until, manager.hold_seconds)
            text = tr(
                "Another kernel follows this task. Should it give no more sign of life, this one takes over "
                "in {seconds:.0f} s."
            )
            self._record.tell(message=text.format(seconds=seconds))
