"""``TaskRecord``: the traits of a task and its journal row, written together and only by its follower."""

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
from ...library.journal.damage import write_failed_message
from ...library.merging import is_ahead, merged
from ...library.other_videos import OtherVideos
from ...library.saved_errors import row_of
from ...service.contract.own_links import without_own_links
from ...service.contract.request import VideoRequest
from ...service.contract.snapshot import TaskSnapshot, TaskStatus, Video
from ..task import Task
from .answers import changes_from, costs_in, links_in, note_on
from .context import Context
from .restore import entry_of, state_of

__all__ = ["TaskRecord", "first_row"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds between two writes of a task's progress; only other kernels that show the task read it.
PROGRESS_INTERVAL = 15.0


class TaskRecord:
    """The traits and the journal row of one task: every change sets the traits, relevant ones also the row.

    Used on the monitor's thread, like the task's follower.

    Args:
        task: the task.
        manager: the source of the library, the monitor and the settings.
        is_written: whether the journal already has a row of this task.
        in_doubt: whether an earlier submission was never confirmed, so that the task may exist.
        may_charge_again: whether the user has agreed to a second task that is charged too.

    Attributes:
        is_written, in_doubt, may_charge_again: the arguments, kept up to date.
        may_have_been_sent: whether a request that submits the task may have reached the service.
        sent: the request as it is submitted, with links to its files; ``None`` before that.
    """

    def __init__(
        self,
        task: Task,
        manager: Context,
        *,
        is_written: bool,
        in_doubt: bool = False,
        may_charge_again: bool = False,
    ) -> None:
        self.task = task
        self.manager = manager
        self.is_written = is_written
        self.in_doubt = in_doubt
        self.may_charge_again = may_charge_again
        self.may_have_been_sent = False
        self.sent: VideoRequest | None = None
        #: Whether the task's links were received from the service in this run.
        self.links_are_fresh = False
        #: The videos in the last answer that has some; what it has in place of a link is in no trait or row.
        self.videos: tuple[Video, ...] = ()
        #: The task's videos, if it has several and not all are saved.
        self.others: OtherVideos | None = None
        #: The message about an error in the last answer; empty if it has none.
        self._note = ""
        #: The message that the row could not be written; empty once it is written.
        self.unwritten = ""
        self._woken = asyncio.Event()
        self._progress_written_at = -PROGRESS_INTERVAL

    def set_traits(self, **changes: Any) -> None:
        """Set traits of the task at once; an empty message does not hide an unwritten row."""
        if changes.get("message") == "":
            changes["message"] = self.unwritten
        self.task.set_traits(**changes)

    async def ask(self) -> TaskSnapshot:
        """Return the state of the task at the service, without the user's own videos.

        Raises:
            ServiceError, ConnectionFailed: the status request failed.
        """
        manager, task = self.manager, self.task
        snapshot: TaskSnapshot = await manager.monitor.request(manager.client.status, task.task_id)
        return without_own_links(snapshot, self._as_sent())

    def _as_sent(self) -> VideoRequest | None:
        """Return the request with the links that its files had when it was sent, as far as they are known."""
        request = self.task.request
        return self.sent or (None if request is None else self.manager.inputs.as_sent(request, self.task.key))

    async def apply(self, snapshot: TaskSnapshot, eta: float | None = None) -> None:
        """Apply an answer to the traits in one change, and write the row if something relevant changed.

        Raises:
            IdTaken: see ``write``.
        """
        task = self.task
        if task.status.is_ended:
            return  # an answer to a request that was running while the task was cancelled
        before = (task.status, task.progress, task.task_id)
        changes = changes_from(snapshot, task, eta)
        if (note := note_on(snapshot)) != self._note:
            self._note = changes["message"] = note
        if snapshot.status == TaskStatus.completed:
            self._take_videos(snapshot)
        self.set_traits(**changes)
        is_news = (task.status, task.task_id) != (before[0], before[2]) or not self.is_written
        if is_news or (
            task.progress != before[1] and time.monotonic() - self._progress_written_at >= PROGRESS_INTERVAL
        ):
            self._progress_written_at = time.monotonic()
            logger.info("Task %s: %s, %d %%", task.task_id, task.status, task.progress)
            names = ("task_id", "model", "progress", "created_at", "completed_at", "error")
            columns = {name: changes[name] for name in names if name in changes}
            await self.write(status=task.status, **columns)

    async def write_id(self, snapshot: TaskSnapshot) -> None:
        """Write the id that the service gave the task, before it is shown.

        Raises:
            IdTaken: the id belongs to another submission.
            Exception: the journal's error; the row is written later, see ``Backlog``.
        """
        entry = self.entry(task_id=snapshot.task_id, status=str(snapshot.status))
        await self.manager.backlog.write(entry, self.manager.hold_seconds, self._written)

    def renew_links(self, snapshot: TaskSnapshot) -> None:
        """Set the links of a completed task from an answer, and its cost, which may be settled by now."""
        self.set_traits(**links_in(snapshot), **costs_in(snapshot, self.task))
        self._take_videos(snapshot)

    def _take_videos(self, snapshot: TaskSnapshot) -> None:
        self.links_are_fresh = bool(snapshot.videos)
        self.videos = snapshot.videos

    async def sleep(self, seconds: float) -> None:
        """Sleep for a time, or until ``wake`` is called."""
        self._woken.clear()
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return

    def wake(self) -> None:
        """End the current ``sleep`` early."""
        self._woken.set()

    # ------------------------------------------------------------------ the row

    def entry(self, **columns: Any) -> Entry:
        """Return the row as known to this kernel, with these columns replaced."""
        return replace(entry_of(self.task, self.manager.service), **columns)

    async def write(self, **columns: Any) -> None:
        """Write the state of the task in this kernel to its row.

        A journal that fails now must not cost the user the video: the task shows a message, and the row is
        written later, see ``Backlog``.

        Args:
            **columns: values that the task's traits lack, or do not have yet.

        Raises:
            IdTaken: the task's id is not in the row yet, and belongs to another submission.
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
            name = task.task_id or task.key
            is_explained = isinstance(failure, QingboError)
            logger.error("The journal row of %s was not written", name, exc_info=not is_explained)
            message = write_failed_message(manager.library.journal.place, failure)
            if task.task_id:
                text = tr(
                    "{error} Writing is retried while this kernel runs. Keep the id, {task_id}: resume(id) "
                    "finds the task again."
                )
                message = text.format(error=message, task_id=task.task_id)
            self.unwritten = message
            self.set_traits(message=message)
        else:
            self._written()

    def _written(self) -> None:
        """Mark the row as written and clear the message that it could not be."""
        self.is_written = True
        message, self.unwritten = self.unwritten, ""
        if message and self.task.message == message:
            self.set_traits(message="")

    async def check_row(self) -> None:
        """Check whether the row exists, after ``Ownership.open`` was cancelled."""
        with suppress(Exception):  # the journal is closed or gone, so nothing can be written either
            self.is_written = await self._call_journal(self.manager.library.get, self.task.key) is not None

    async def read(self) -> datetime | None:
        """Show the row's state; write the row instead if the state of this kernel is more advanced.

        Returns:
            The submission time in the row; ``None`` if there is no row or it cannot be read.
        """
        library, task = self.manager.library, self.task
        try:
            row: Entry | None = await self._call_journal(library.get, task.key)
        except Exception as error:  # unreachable: continue with the state of this kernel
            is_explained = isinstance(error, QingboError)
            logger.warning("Task %s: the journal row was not read", task.key, exc_info=not is_explained)
            return None
        known, waiting = self.entry(), self.manager.backlog.get(task.key)
        if row is None:
            if known.task_id:  # the folder was moved, or its journal is older than the task
                await self.write()
            return None
        self.is_written = True
        task.set_submission_times(None, row.first_submitted_at)
        # If both are equally advanced, the row is newer, unless this kernel still has to write its own.
        entry = merged(known, row) if waiting is None else merged(row, merged(known, waiting))
        task.contract = entry.contract  # another kernel may have submitted it under its own
        self.set_traits(message="", **state_of(entry, library))
        if is_ahead(entry, row):
            await self.write()
        return row.submitted_at

    async def _call_journal(self, call: Any, /, *args: Any, due: float | None = None, **kwargs: Any) -> Any:
        return await self.manager.monitor.journal(call, *args, due=due, **kwargs)


def first_row(task: Task) -> Entry:
    """Return the journal row of a task that is about to be submitted."""
    return entry_of(task, task.manager.service)
