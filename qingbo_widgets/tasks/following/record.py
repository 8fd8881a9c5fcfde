"""Where a task's traits and its row in the journal are written: together, and by its follower alone."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ...exceptions import QingboError, TaskCancelled, TaskFailed
from ...i18n import tr
from ...library.entry import Entry, IdTaken
from ...library.journal.damage import unwritten
from ...library.merging import is_ahead, merged
from ...library.saved_errors import row_of
from ...service.contract.snapshot import TaskSnapshot, TaskStatus
from ..background.writer import URGENT
from ..task import Task
from .context import Context
from .lease import claim, hold
from .restore import entry_of, state_of

__all__ = ["HandedOver", "TaskRecord", "first_row"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds between two notes of a task's progress in the journal; only kernels that look on read them.
NOTED = 15.0


class HandedOver(Exception):
    """This kernel gave no sign of life for too long, in a closed laptop say; another follows the task now."""


class TaskRecord:
    """Turns what happens to one task into changes of its traits, and what is news into its journal row.

    Lives on the monitor's thread, as its follower does.

    Args:
        task: the task.
        manager: gives the library, the monitor and the settings.
        is_written: whether the journal has a row of this task already.
        in_doubt: whether an earlier submission of it was never confirmed, so that it may exist.
        known_at: when it was submitted last as far as this kernel knows, for one that is submitted again.

    Attributes:
        is_out: whether a request that submits the task may have reached the service.
    """

    def __init__(
        self,
        task: Task,
        manager: Context,
        *,
        is_written: bool,
        in_doubt: bool = False,
        known_at: datetime | None = None,
    ) -> None:
        self.task = task
        self.manager = manager
        self.is_written = is_written
        self.in_doubt = in_doubt
        self._known_at = known_at
        self.is_out = False
        #: Whether the task's links came from the service in this very run.
        self.links_are_fresh = False
        #: The message that the row could not be written, while that is so.
        self._unwritten = ""
        self._woken = asyncio.Event()
        self._noted = -NOTED

    def tell(self, **changes: Any) -> None:
        """Set traits of the task, all together; that its row is not written stays on show while it is so."""
        if changes.get("message") == "":
            changes["message"] = self._unwritten
        self.task.set_traits(**changes)

    async def apply(self, snapshot: TaskSnapshot, eta: float | None = None) -> None:
        """Turn one answer into one change of the traits, and into the journal if it is news.

        Raises:
            IdTaken: as in ``write``.
        """
        task = self.task
        if task.status.is_ended:
            return  # an answer that was under way while the task was cancelled
        before = (task.status, task.progress, task.task_id)
        changes: dict[str, Any] = {
            "task_id": task.task_id or snapshot.task_id,
            "model": snapshot.model or task.model,
            "status": snapshot.status,
            "progress": max(task.progress, snapshot.progress),
            "created_at": snapshot.created_at or task.created_at,
            "eta": eta,
        }
        if snapshot.status.is_ended:
            changes |= {"completed_at": snapshot.completed_at or datetime.now(UTC), "eta": None}
        if snapshot.status == TaskStatus.completed:
            changes |= {"progress": 100, **_links(snapshot)}
            self.links_are_fresh = bool(snapshot.videos)
        elif snapshot.status == TaskStatus.failed:
            changes["error"] = _failure(snapshot)
        elif snapshot.status == TaskStatus.cancelled:
            changes["error"] = TaskCancelled(tr("The task was cancelled."), task_id=task.task_id)
        self.tell(**changes)
        is_news = (task.status, task.task_id) != (before[0], before[2]) or not self.is_written
        if is_news or (task.progress != before[1] and time.monotonic() - self._noted >= NOTED):
            self._noted = time.monotonic()
            logger.info("Task %s: %s, %d %%", task.task_id, task.status, task.progress)
            names = ("task_id", "model", "progress", "created_at", "completed_at", "error")
            columns = {name: changes[name] for name in names if name in changes}
            await self.write(status=task.status, cost=snapshot.cost, **columns)

    async def note(self, snapshot: TaskSnapshot) -> None:
        """Write the id that the service has given the task, before it is shown.

        Raises:
            IdTaken: it is that of another submission.
            Exception: the journal's; the row is written later, see ``Backlog``.
        """
        entry = self._entry(task_id=snapshot.task_id, status=str(snapshot.status))
        await self.manager.backlog.write(entry, self.manager.hold_seconds, self._written)

    def renew_links(self, snapshot: TaskSnapshot) -> None:
        """Take over the links of a completed task."""
        self.tell(**_links(snapshot))
        self.links_are_fresh = True

    async def sleep(self, seconds: float) -> None:
        """Sleep until the time is over, or until ``wake``."""
        self._woken.clear()
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return

    def wake(self) -> None:
        """End the sleep: there is something to do."""
        self._woken.set()

    # ------------------------------------------------------------------ the row

    async def open(self) -> None:
        """Write the task's first row, or claim the one it has for another submission.

        Raises:
            HandedOver: another kernel follows the task, or the service has taken it already.
            OSError, sqlalchemy.exc.SQLAlchemyError, QingboError: the journal cannot be written.
        """
        if self.is_written:
            await self.claim()
            return
        manager, row = self.manager, self._entry()
        hold = {"holder": manager.holder, "seconds": manager.hold_seconds}
        await self._journal(manager.library.add, row, due=URGENT, **hold)
        self.is_written = True

    async def claim(self) -> None:
        """Make sure, right before a submission leaves, that the task is ours and has its row.

        The journal may be another one by now: the folder was moved, or put back from a backup. Without a row
        a paid task could be lost, so it is written anew; where that fails, nothing may be sent.

        Raises:
            HandedOver, OSError, sqlalchemy.exc.SQLAlchemyError, QingboError: as in ``open``.
        """
        manager = self.manager
        held = (manager.library, self._entry(), manager.holder, manager.hold_seconds, manager.sightings)
        if not await self._journal(claim, *held, due=URGENT):
            raise HandedOver
        self.is_written = True

    async def claim_again(self) -> None:
        """Claim it once more after a wait, unless another kernel has submitted it meanwhile.

        While this one slept, in a closed laptop say, the user may have submitted the task from there. It may
        be charged then, even if that was not confirmed and that kernel holds it no more.

        Raises:
            HandedOver, OSError, sqlalchemy.exc.SQLAlchemyError, QingboError: as in ``open``.
        """
        row = await self._journal(self.manager.library.get, self.task.key, due=URGENT)
        if row is not None and row.submitted_at not in (None, self.task.submitted_at):
            raise HandedOver
        await self.claim()

    async def write(self, **columns: Any) -> None:
        """Bring the row up to what is known of the task.

        A journal that fails now must not keep the video from the user, who sees a message. The row is written
        later, see ``Backlog``.

        Args:
            **columns: what the row gets and the task's traits do not have, or not yet.

        Raises:
            IdTaken: the task's id is new to its row, and that of another submission.
        """
        if columns.get("error") is not None:
            columns["error"] = row_of(columns["error"])
        if "status" in columns:
            columns["status"] = str(columns["status"])
        manager, task = self.manager, self.task
        try:
            await manager.backlog.write(self._entry(**columns), manager.hold_seconds, self._written)
        except IdTaken:
            raise
        except Exception as failure:
            named = task.task_id or task.key
            is_explained = isinstance(failure, QingboError)
            logger.error("The journal row of %s was not written", named, exc_info=not is_explained)
            message = unwritten(manager.library.journal.place, failure)
            if task.task_id:
                text = tr(
                    "{error} It is tried again and again while this kernel runs. Keep the id, {task_id}: "
                    "resume(id) finds the task again."
                )
                message = text.format(error=message, task_id=task.task_id)
            self._unwritten = message
            self.tell(message=message)
        else:
            self._written()

    def _written(self) -> None:
        """Take back the message that the row could not be written."""
        self.is_written = True
        message, self._unwritten = self._unwritten, ""
        if message and self.task.message == message:
            self.tell(message="")

    async def look_for_row(self) -> None:
        """Find out whether there is a row by now, after ``open`` was cut off."""
        with suppress(Exception):  # the journal is closed or gone; then there is nothing to be written either
            self.is_written = await self._journal(self.manager.library.get, self.task.key) is not None

    async def take_over(self) -> bool:
        """Wait until no other kernel holds the task, or it has ended, showing what its journal says.

        Where the journal cannot be written the task is followed all the same, so that its state is seen. It
        cannot be submitted then, so nothing can be paid for twice.

        Returns:
            Whether another kernel has held it meanwhile, and may have submitted it, or has submitted it since
            this one has last known.
        """
        was_held = False
        while not await self._is_ours():
            was_held = True
            await self._read()
            ended = self.task.status in (TaskStatus.failed, TaskStatus.cancelled) and self.task.task_id
            if self.task.video_path is not None or ended:
                return was_held
            await self._tell_whose()
            await self.sleep(self.manager.poll_interval)
        submitted_at = await self._read()
        if self._known_at is None or submitted_at in (None, self._known_at):
            return was_held
        self.task.submitted_at = submitted_at  # what is done with the task from now on, is done with this one
        return True

    async def hold(self) -> bool:
        """Become the one kernel that follows the task; ``False`` if another one does."""
        manager = self.manager
        held = (manager.library, self.task.key, manager.holder, manager.hold_seconds, manager.sightings)
        return bool(await self._journal(hold, *held))

    async def keep(self) -> None:
        """Make sure, before something that must not be done twice, that the task is still ours.

        Raises:
            HandedOver: it is not.
        """
        if self.is_written and not await self._is_ours():
            raise HandedOver

    async def _is_ours(self) -> bool:
        manager, key = self.manager, self.task.key
        try:
            if manager.library.journal.read_only:  # it takes no name, but it may have another kernel's
                holding = await self._journal(manager.library.holding, key)
                if holding is None:
                    return True
                holder, until = holding
                return not manager.sightings.is_believed(key, holder, until, manager.hold_seconds)
            if await self.hold():
                return True
            # No kernel holds a row that there is not: it was never written, or the folder was removed.
            self.is_written = await self._journal(manager.library.get, key) is not None
            return not self.is_written
        except Exception as error:  # a journal that cannot be written is no other kernel
            named = self.task.task_id or key
            logger.warning("Task %s: not held", named, exc_info=not isinstance(error, QingboError))
            return True

    async def _tell_whose(self) -> None:
        manager, key = self.manager, self.task.key
        holding = await self._journal(manager.library.holding, key)
        if holding is not None:
            holder, until = holding
            seconds = manager.sightings.seconds_left(key, holder, until, manager.hold_seconds)
            text = tr(
                "Another kernel follows this task. Should it give no more sign of life, this one takes over "
                "in {seconds:.0f} s."
            )
            self.tell(message=text.format(seconds=seconds))

    async def release(self) -> None:
        """Let other kernels follow the task."""
        try:
            await self._journal(self.manager.library.release, self.manager.holder, self.task.key)
        except Exception:  # the journal is closed or gone; the hold runs out by itself
            logger.debug("Task %s: not released", self.task.task_id, exc_info=True)

    async def _read(self) -> datetime | None:
        """Show what the row says, except where this kernel knows more, which is then written.

        Returns:
            When the task was submitted, by its row.
        """
        library, task = self.manager.library, self.task
        try:
            row: Entry | None = await self._journal(library.get, task.key)
        except Exception as error:  # out of reach: what is known goes on being followed
            is_explained = isinstance(error, QingboError)
            logger.warning("Task %s: its row was not read", task.key, exc_info=not is_explained)
            return None
        known, waiting = self._entry(), self.manager.backlog.get(task.key)
        if row is None:
            if known.task_id:  # the folder was moved, or its journal is from before the task
                await self.write()
            return None
        self.is_written = True
        # Of two that are equally far the row is later, unless this kernel still tries to write.
        entry = merged(known, row) if waiting is None else merged(row, merged(known, waiting))
        self.tell(message="", **state_of(entry, library))
        if is_ahead(entry, row):
            await self.write()
        return row.submitted_at

    def _entry(self, **columns: Any) -> Entry:
        return replace(entry_of(self.task, self.manager.service), **columns)

    async def _journal(self, call: Any, /, *args: Any, due: float | None = None, **kwargs: Any) -> Any:
        return await self.manager.monitor.journal(call, *args, due=due, **kwargs)


def first_row(task: Task) -> Entry:
    """Return the row of a task that is about to be submitted."""
    return entry_of(task, task.manager.service)


def _links(snapshot: TaskSnapshot) -> dict[str, Any]:
    expiries = [video.expires_at for video in snapshot.videos if video.expires_at is not None]
    return {
        "video_urls": tuple(video.url for video in snapshot.videos),
        "expires_at": min(expiries, default=None),
    }


def _failure(snapshot: TaskSnapshot) -> TaskFailed:
    reason = snapshot.error
    words = reason.message if reason and reason.message else tr("the service gave no reason")
    code = reason.code if reason else None
    told = tr("The task {task} failed ({code}): {reason}") if code else tr("The task {task} failed: {reason}")
    told = told.format(task=snapshot.task_id, code=code, reason=words)
    return TaskFailed(told, task_id=snapshot.task_id, code=code)
