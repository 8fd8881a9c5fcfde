"""Where a task's traits and its row in the journal are written: together, and by its follower alone."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from ...exceptions import QingboError
from ...i18n import tr
from ...library.entry import Entry, IdTaken
from ...library.journal.damage import unwritten
from ...library.merging import is_ahead, merged
from ...library.saved_errors import row_of
from ...service.contract.snapshot import TaskSnapshot, TaskStatus
from ..task import Task
from .answers import changes_by, links_in
from .context import Context
from .restore import entry_of, state_of

__all__ = ["TaskRecord", "first_row"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds between two notes of a task's progress in the journal; only kernels that look on read them.
NOTED = 15.0


class TaskRecord:
    """Turns what happens to one task into changes of its traits, and what is news into its journal row.

    Lives on the monitor's thread, as its follower does.

    Args:
        task: the task.
        manager: gives the library, the monitor and the settings.
        is_written: whether the journal has a row of this task already.
        in_doubt: whether an earlier submission of it was never confirmed, so that it may exist.

    Attributes:
        is_written, in_doubt: as given, kept up to date.
        is_out: whether a request that submits the task may have reached the service.
    """

    def __init__(self, task: Task, manager: Context, *, is_written: bool, in_doubt: bool = False) -> None:
        self.task = task
        self.manager = manager
        self.is_written = is_written
        self.in_doubt = in_doubt
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
        changes = changes_by(snapshot, task, eta)
        if snapshot.status == TaskStatus.completed:
            self.links_are_fresh = bool(snapshot.videos)
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
        entry = self.entry(task_id=snapshot.task_id, status=str(snapshot.status))
        await self.manager.backlog.write(entry, self.manager.hold_seconds, self._written)

    def renew_links(self, snapshot: TaskSnapshot) -> None:
        """Take over the links of a completed task."""
        self.tell(**links_in(snapshot))
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

    def entry(self, **columns: Any) -> Entry:
        """Return the row as far as this kernel knows it, with these columns."""
        return replace(entry_of(self.task, self.manager.service), **columns)

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
            await manager.backlog.write(self.entry(**columns), manager.hold_seconds, self._written)
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

    async def read(self) -> datetime | None:
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
        known, waiting = self.entry(), self.manager.backlog.get(task.key)
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

    async def _journal(self, call: Any, /, *args: Any, due: float | None = None, **kwargs: Any) -> Any:
        return await self.manager.monitor.journal(call, *args, due=due, **kwargs)


def first_row(task: Task) -> Entry:
    """Return the row of a task that is about to be submitted."""
    return entry_of(task, task.manager.service)
