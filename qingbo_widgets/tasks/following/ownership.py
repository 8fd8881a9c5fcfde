"""``Ownership``: the hold of this kernel on a task, so that the task is submitted and saved only once."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from ...exceptions import QingboError
from ...i18n import tr
from ...library.entry import Entry
from ...library.saved_errors import row_of
from ...service.contract.snapshot import TaskStatus
from ..background.writer import URGENT
from .lease import claim, hold
from .record import TaskRecord

__all__ = ["HandedOver", "Ownership"]

logger = logging.getLogger("qingbo_widgets")


class HandedOver(Exception):
    """Raised if another kernel follows the task, because this one did not renew its hold (it slept, say)."""


class Ownership:
    """The hold of this kernel on one task: stored in the journal, respected by other kernels.

    Used on the monitor's thread, like the task's follower.

    Args:
        record: the task and its journal row.
        last_submitted_at: for a task that is submitted again, the time of the last submission that this
            kernel has recorded.
    """

    def __init__(self, record: TaskRecord, *, last_submitted_at: datetime | None = None) -> None:
        self._record = record
        self._task = record.task
        self._manager = record.manager
        self._last_submitted_at = last_submitted_at

    async def open(self) -> None:
        """Write the task's first row, or claim its existing row for another submission.

        Raises:
            HandedOver: another kernel follows the task, or the service has already accepted it.
            OSError, sqlalchemy.exc.SQLAlchemyError, QingboError: the journal cannot be written.
        """
        if self._record.is_written:
            await self.claim_again()
            return
        await self._add(self._record.entry())

    async def _add(self, row: Entry) -> None:
        manager = self._manager
        held = {"holder": manager.holder, "seconds": manager.hold_seconds}
        await manager.monitor.journal(manager.library.add, row, due=URGENT, **held)
        self._record.is_written = True

    async def open_unsent(self, error: QingboError) -> None:
        """Write the task's first row as that of a task that was not sent, before a step that takes long.

        ``open`` then makes it the row of a submission.

        Args:
            error: what happened if this kernel dies meanwhile.

        Raises:
            HandedOver, OSError, sqlalchemy.exc.SQLAlchemyError, QingboError: see ``open``.
        """
        columns: dict[str, Any] = {"status": str(TaskStatus.failed), "error": row_of(error)}
        if self._record.is_written:
            await self._manager.monitor.journal(
                partial(self._manager.library.update, self._task.key, **columns), due=URGENT
            )
        else:
            await self._add(replace(self._record.entry(), **columns))

    async def claim_again(self) -> None:
        """Claim the task again after a wait, unless another kernel has submitted it in the meantime.

        While this kernel slept, in a closed laptop say, the user may have submitted the task from another
        one. That submission may be charged, even if it was not confirmed and its kernel no longer holds the
        task.

        Raises:
            HandedOver, OSError, sqlalchemy.exc.SQLAlchemyError, QingboError: see ``open``.
        """
        manager, task = self._manager, self._task
        row = await manager.monitor.journal(manager.library.get, task.key, due=URGENT)
        known = (None, self._last_submitted_at, task.submitted_at)
        if row is not None and row.submitted_at not in known:
            raise HandedOver
        if row is not None:  # the claim replaces both times in the row
            task.set_submission_times(None, row.first_submitted_at)
        await self._claim()

    async def take_over(self) -> bool:
        """Wait until no other kernel holds the task, or the task has ended, and show the journal's state.

        If the journal cannot be written, the task is followed anyway, so that the user sees its state. It
        cannot be submitted then, so nothing can be paid for twice.

        Returns:
            Whether another kernel held the task during the wait, and so may have submitted it, or has
            submitted it after the last submission that this kernel has recorded.
        """
        task, was_held = self._task, False
        while not await self._is_ours():
            was_held = True
            await self._record.read()
            ended = task.status in (TaskStatus.failed, TaskStatus.cancelled) and task.task_id
            if task.video_path is not None or ended:
                return was_held
            await self._show_holder()
            await self._record.sleep(self._manager.poll_interval)
        submitted_at = await self._record.read()
        if self._last_submitted_at is None or submitted_at in (None, self._last_submitted_at):
            return was_held
        task.set_submission_times(submitted_at, None)
        return True

    async def keep(self) -> None:
        """Check that the task is still ours, before a step that must not be done twice.

        Raises:
            HandedOver: another kernel holds it.
        """
        if self._record.is_written and not await self._is_ours():
            raise HandedOver

    async def release(self) -> None:
        """Release the hold, so that other kernels can follow the task."""
        manager = self._manager
        try:
            await manager.monitor.journal(manager.library.release, manager.holder, self._task.key)
        except Exception:  # the journal is closed or gone; the hold expires by itself
            logger.debug("Task %s: not released", self._task.task_id, exc_info=True)

    async def _claim(self) -> None:
        """Check, right before a submission is sent, that the task is ours and has a row.

        The journal may have been replaced: the folder was moved, or restored from a backup. Without a row a
        paid task could be lost, so a missing row is written again; if that fails, nothing may be sent.

        Raises:
            HandedOver, OSError, sqlalchemy.exc.SQLAlchemyError, QingboError: see ``open``.
        """
        manager, row = self._manager, self._record.entry()
        held = (manager.library, row, manager.holder, manager.hold_seconds, manager.observed_holds)
        if not await manager.monitor.journal(claim, *held, due=URGENT):
            raise HandedOver
        self._record.is_written = True

    async def _is_ours(self) -> bool:
        """Hold the task if it is free; return whether no other kernel holds it."""
        manager, key = self._manager, self._task.key
        try:
            if manager.library.journal.read_only:  # it cannot take our hold, but may contain another kernel's
                holding = await manager.monitor.journal(manager.library.current_hold, key)
                if holding is None:
                    return True
                holder, until = holding
                return not manager.observed_holds.is_valid(key, holder, until, manager.hold_seconds)
            if await self._hold():
                return True
            # A missing row is held by no kernel: it was never written, or the folder was removed.
            self._record.is_written = await manager.monitor.journal(manager.library.get, key) is not None
            return not self._record.is_written
        except Exception as error:  # an unwritable journal is not another kernel
            name = self._task.task_id or key
            logger.warning("Task %s: could not be held", name, exc_info=not isinstance(error, QingboError))
            return True

    async def _hold(self) -> bool:
        """Hold the task for this kernel; return ``False`` if another one holds it."""
        manager = self._manager
        held = (manager.library, self._task.key, manager.holder, manager.hold_seconds, manager.observed_holds)
        return bool(await manager.monitor.journal(hold, *held))

    async def _show_holder(self) -> None:
        """Show that another kernel follows the task, and when this one would take over."""
        manager, key = self._manager, self._task.key
        holding = await manager.monitor.journal(manager.library.current_hold, key)
        if holding is not None:
            holder, until = holding
            seconds = manager.observed_holds.seconds_left(key, holder, until, manager.hold_seconds)
            text = tr(
                "Another kernel follows this task. If that kernel stops responding, this one takes over in "
                "{seconds:.0f} s."
            )
            self._record.set_traits(message=text.format(seconds=seconds))
