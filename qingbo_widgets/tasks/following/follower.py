"""The life cycle of one task, from top to bottom: submit, follow, save.

A follower is a coroutine on the monitor's thread. It never blocks: requests, downloads and journal access run
on the monitor's pools.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future

from ...exceptions import (
    InvalidRequest,
    QingboError,
    SubmissionUnconfirmed,
    TaskCancelled,
    TaskFailed,
    TaskNotFound,
)
from ...i18n import N_, tr
from ...library.journal.damage import short_reason
from ...service.contract.snapshot import TaskStatus
from .others import find_others, save_others
from .ownership import HandedOver, Ownership
from .polling import Polling, is_accepted, proves_absence
from .record import TaskRecord
from .restore import interrupted, refusal_in_doubt, unconfirmed
from .saving import save
from .submission import submit
from .uploading import release, upload

__all__ = ["Follower"]

logger = logging.getLogger("qingbo_widgets")

CLOSED = N_(
    "This task is no longer followed, because its manager was closed. It continues at the service; "
    "qw.connect() follows it again."
)
CLOSED_MEANWHILE = N_(
    "The manager was closed while this task was being submitted. The task may exist, and may be charged."
)
NOT_SENT = N_(
    "The manager was closed before this task was sent, so nothing was charged. Call qw.connect() and submit "
    "it again."
)
NOT_SENT_AGAIN = N_("The manager was closed before this task was sent again. Call qw.connect() to continue.")
HELD_BACK = N_("The sweep was paused before this task was sent, so nothing was charged. resume() submits it.")
HELD_BACK_AGAIN = N_("The sweep was paused before this task was sent again. resume() submits it.")
OTHER_SANDBOX = N_(
    "The task {task} belongs to a sandbox of contract {contract:.20}, but this one uses {spoken}. "
    'connect(sandbox=True, contract="{contract:.20}") follows it.'
)
SANDBOX_ENDED = N_(
    "The sandbox of this task ended with its kernel, so the task is lost. Nothing was charged. Generate it "
    "again."
)


class Follower:
    """The follower of one task: runs until the task needs the user or is done.

    Args:
        record: the task and its journal row.
        ownership: the hold of this kernel on the task.
        submitted: resolved once the submission is over, whether or not the service accepted the task.
        may_submit: whether the user has requested a submission; without that the task is never submitted.
        is_claimed: whether this kernel has just written the row, with a hold on it, for this submission.
        waits: whether a submission that the service answers with 429 is repeated for some minutes.
        may_send: called right before the request is sent; ``False`` holds it back.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        record: TaskRecord,
        ownership: Ownership,
        submitted: Future[None],
        *,
        may_submit: bool,
        is_claimed: bool = False,
        waits: bool = True,
        may_send: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._record = record
        self._ownership = ownership
        self._may_submit = may_submit
        self._is_claimed = is_claimed
        self._waits = waits
        self._may_send = may_send
        self._clock = clock
        self._submitted = submitted
        self._is_cancelled = False
        self._cancelling: asyncio.Task[None] | None = None
        self._polling = Polling(record, clock)

    async def run(self) -> None:
        """Submit, follow, save; then save the other videos of a task that has several."""
        task = self._record.task
        try:
            await self._run()
            if task.saves_others:
                await save_others(self._record, self._ownership, self._clock)
        finally:
            await self._ownership.release()
            task.set_traits(saves_others=False)

    async def _run(self) -> None:
        """Submit, follow, save. In every case the task ends up settled, with the reason in its traits."""
        record, task = self._record, self._record.task
        try:
            if record.manager.monitor.is_closed:
                raise asyncio.CancelledError
            while not await self._run_once():
                self._may_submit = False  # the outcome of the submission is in the row of the other kernel
        except QingboError as error:
            await self._end_with(error)
        except asyncio.CancelledError:
            await self._cut_off()
            raise
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            # A full disk under the journal, or a bug of ours: report it, and keep the other tasks running.
            logger.exception("Following the task %s failed", task.task_id or task.key)
            await self._end_with(QingboError(f"{type(error).__name__}: {short_reason(error)}"))
        finally:
            self._end_submission()
            try:
                await release(record)  # before a script finds the task done, and ends
            finally:
                task.lifecycle.settle()

    async def _run_once(self) -> bool:
        """Submit, follow, save; return ``False`` if another kernel has taken the task over."""
        record, task = self._record, self._record.task
        try:
            if record.is_written and not self._is_claimed:
                if await self._ownership.take_over():
                    self._may_submit = False  # the user clicked before the other kernel had its answer
                if not task.task_id and task.status in (TaskStatus.unconfirmed, TaskStatus.submitting):
                    record.in_doubt = record.is_written  # another kernel may have submitted it and died
            self._is_claimed = False
            if is_new := not task.task_id:
                if not self._may_submit:
                    raise task.error or interrupted(task.key)
                await self._submit()
            self._end_submission()
            self._check_sandbox()
            if not task.status.is_ended:
                with record.manager.monitor.pace.follow():
                    await self._polling.run(poll_at_once=not is_new)
            if task.status == TaskStatus.completed and task.video_path is None:
                await save(record, self._ownership, self._clock)
            await find_others(record)
            record.set_traits(saves_others=record.others is not None)
        except HandedOver:
            return False
        return True

    def _check_sandbox(self) -> None:
        """Raise an error if the task needs a sandbox of another contract, where alone its id is known.

        Raises:
            QingboError: it does; its state and its row stay as they are.
        """
        task, manager = self._record.task, self._record.manager
        needs_server = not task.status.is_ended or (
            task.status == TaskStatus.completed and task.video_path is None
        )
        spoken = manager.client.contract.name
        if manager.is_sandbox and needs_server and task.contract != spoken:
            text = tr(OTHER_SANDBOX).format(task=task.task_id, contract=task.contract, spoken=spoken)
            raise QingboError(text)

    async def _submit(self) -> None:
        def is_cancelled() -> bool:
            return self._is_cancelled or not self._may_send()

        try:
            self._record.sent = await upload(self._record, self._ownership, is_cancelled)
            await submit(self._record, self._ownership, is_cancelled, self._clock, waits=self._waits)
        except TaskCancelled:
            if self._is_cancelled:
                raise
            text = tr(HELD_BACK_AGAIN) if self._record.in_doubt else tr(HELD_BACK)
            raise QingboError(text) from None

    async def cancel(self) -> None:
        """Cancel the task at the service, or before it is submitted. Concurrent calls share one request.

        Raises:
            ServiceError, ConnectionFailed: the cancel request failed; the task is still followed.
            QingboError: it is unknown whether the service has the task.
        """
        if self._cancelling is None or self._cancelling.done():
            self._cancelling = asyncio.ensure_future(self._cancel())
        await asyncio.shield(self._cancelling)

    def hurry(self) -> None:
        """Ask a service that could not be reached again now, or as soon as that is decent."""
        self._polling.hurry()

    def wake(self) -> None:
        """Ask the service at once, instead of at the planned time."""
        self._record.wake()

    async def _cancel(self) -> None:
        record, task = self._record, self._record.task
        if not task.task_id and not task.is_done:
            self._is_cancelled = True
            record.wake()
            submitted = asyncio.wrap_future(self._submitted)
            # Another kernel may have submitted it and still hold it; the id then arrives through the row.
            while not task.task_id and not submitted.done():
                await asyncio.wait({submitted}, timeout=record.manager.poll_interval)
        if task.status == TaskStatus.unconfirmed:
            message = tr(
                "The service has not confirmed this task, so it has no id yet and cannot be cancelled. "
                "check() asks the service, at no cost."
            )
            raise QingboError(message)
        if task.status == TaskStatus.cancelled or not task.task_id:
            return
        monitor = record.manager.monitor
        async with monitor.pace.turn():
            snapshot = await monitor.request(record.manager.client.cancel, task.task_id)
        await record.apply(snapshot)
        record.wake()

    def _end_submission(self) -> None:
        if not self._submitted.done():
            self._submitted.set_result(None)

    async def _cut_off(self) -> None:
        """Show and write what closing the manager means for this task."""
        record, task = self._record, self._record.task
        if task.video_path is not None:
            return  # only its other videos are missing, which the next kernel saves
        if task.task_id or not self._may_submit:
            record.set_traits(error=QingboError(tr(CLOSED)), eta=None, message="")
        elif record.may_have_been_sent:  # the next kernel reads "submitting" alike
            doubt = unconfirmed(tr(CLOSED_MEANWHILE), task.key)
            record.set_traits(status=TaskStatus.unconfirmed, error=doubt, eta=None, message="")
        else:
            await record.check_row()
            await self._end_with(QingboError(tr(NOT_SENT_AGAIN) if record.in_doubt else tr(NOT_SENT)))

    async def _end_with(self, error: QingboError) -> None:
        """Set the status and error of a task that stopped without a video; write both to the journal."""
        record, task = self._record, self._record.task
        if task.video_path is not None:  # what went wrong concerns its other videos
            logger.warning("Task %s: %s", task.task_id, error)
            record.set_traits(message=str(error))
            return
        status = task.status
        if record.in_doubt and not task.task_id and not isinstance(error, SubmissionUnconfirmed):
            error = unconfirmed(refusal_in_doubt(error), task.key)
        if isinstance(error, SubmissionUnconfirmed):
            status = TaskStatus.unconfirmed
        elif isinstance(error, TaskCancelled):
            status = TaskStatus.cancelled
        elif not task.task_id or (
            isinstance(error, TaskNotFound | InvalidRequest) and not is_accepted(record)
        ):
            status = TaskStatus.failed
        elif proves_absence(record, error) and not status.is_ended:
            status, error = TaskStatus.failed, TaskFailed(tr(SANDBOX_ENDED), task_id=task.task_id)
        logger.warning("Task %s: %s", task.task_id or task.key[:8], error)
        record.set_traits(status=status, error=error, message="", eta=None, download=None)
        if record.is_written:  # last, so that a message about an unwritable journal stays
            await record.write(status=status, error=error)
