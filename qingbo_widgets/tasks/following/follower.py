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
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ...exceptions import (
    ConnectionFailed,
    InvalidRequest,
    QingboError,
    ServiceError,
    SubmissionUnconfirmed,
    TaskCancelled,
    TaskFailed,
    TaskNotFound,
)
from ...i18n import N_, tr
from ...library.journal.damage import short_reason
from ...service.contract.snapshot import TaskStatus
from ..background.rate import POLL, RECOVERY
from ..schedule import History, forecast, next_delay
from .others import find_others, save_others
from .outage import Outage
from .ownership import HandedOver, Ownership
from .record import TaskRecord
from .restore import interrupted, refusal_in_doubt, unconfirmed
from .saving import save
from .submission import submit

__all__ = ["Follower"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds. The end of the account's spending limit can be days away, and the task ends long before.
LONGEST_PAUSE = 3600.0
#: Seconds between two requests to a service that cannot be reached, however often the user asks for one.
HURRY_AFTER = 2.0
CLOSED = N_(
    "Its manager was closed, so this task is no longer followed. It continues at the service; qw.connect() "
    "follows it again."
)
CLOSED_MEANWHILE = N_(
    "Its manager was closed while this task was being submitted. The task may exist, and may be charged."
)
NOT_SENT = N_(
    "Its manager was closed before anything was sent, so nothing was charged. Call qw.connect() and submit "
    "it again."
)
NOT_SENT_AGAIN = N_("Its manager was closed before anything was sent again. Call qw.connect() to go on.")
HELD_BACK = N_("Its sweep was paused before anything was sent, so nothing was charged. resume() submits it.")
HELD_BACK_AGAIN = N_("Its sweep was paused before anything was sent again. resume() submits it.")
OTHER_SANDBOX = N_(
    "The task {task} is one of a sandbox of contract {contract:.20}, and this sandbox speaks {spoken}, so it "
    'is not followed here. connect(sandbox=True, contract="{contract:.20}") finds out what became of it.'
)
SANDBOX_ENDED = N_(
    "The sandbox that had this task ended with its kernel, and the task with it. Nothing was charged: "
    "generate it again."
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
        self._may_hurry_at = 0.0

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
                    await self._follow(poll_at_once=not is_new)
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
        try:
            await submit(
                self._record,
                self._ownership,
                lambda: self._is_cancelled or not self._may_send(),
                self._clock,
                waits=self._waits,
            )
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
        wait = self._record.task.next_try
        if wait is None or not wait.is_away:
            return
        rest = max(self._may_hurry_at - self._clock(), 0.0)
        soon = datetime.now(UTC) + timedelta(seconds=rest)
        if soon < wait.at:
            self._record.task.set_traits(next_try=wait._replace(at=soon))
            asyncio.get_running_loop().call_later(rest, self._record.wake)

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
                "The service has not confirmed this task, so there is no id to cancel it by. check() "
                "finds out what became of it, and costs nothing."
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

    async def _follow(self, *, poll_at_once: bool) -> None:
        """Poll the service until the task has ended, however long that takes."""
        record, task, manager = self._record, self._record.task, self._record.manager
        record.set_traits(error=None)  # before the first await: a cancellation may end the task during one
        history = await self._initial_history(is_new=not poll_at_once)
        pace = manager.monitor.pace
        outage: Outage | None = None
        order = RECOVERY if poll_at_once else POLL
        task.forecast = forecast(history)
        if not poll_at_once and not task.status.is_ended:
            await record.sleep(next_delay(history, self._clock()))
        while not task.status.is_ended:
            try:
                async with pace.turn(order):
                    order = POLL
                    snapshot = await record.ask()
            except (ConnectionFailed, ServiceError) as error:
                if task.status.is_ended:  # cancelled while this request was running
                    break
                history = history.failed(min(getattr(error, "retry_after", None) or 0.0, LONGEST_PAUSE))
                delay = next_delay(history, self._clock())
                outage = outage or Outage(self._clock)
                message, next_try = outage.explain(
                    error, delay, is_taken=self._is_accepted and not self._proves_absence(error)
                )
                logger.info("Task %s: %s Asking again in %.0f s", task.task_id, error, delay)
                self._may_hurry_at = self._clock() + max(HURRY_AFTER, history.floor)
                record.set_traits(eta=None, message=message, next_try=next_try)
            else:
                if outage is not None:
                    outage = None
                    record.set_traits(message="")
                now = self._clock()
                if task.request is None and snapshot.created_at is not None:
                    history = replace(history, started=now - _age(snapshot.created_at))
                history = replace(history, floor=pace.floor(manager.poll_interval)).answered(
                    now, snapshot.progress, queued=snapshot.status == TaskStatus.queued
                )
                expected = forecast(history)
                await record.apply(snapshot, eta=expected.left(now))
                task.forecast = expected  # together with its status: a queued task is not half done
                delay = next_delay(history, now)
            if not task.status.is_ended:
                await record.sleep(delay)

    async def _initial_history(self, *, is_new: bool) -> History:
        """Return the initial history: the age of the task, and the durations of similar tasks."""
        task, manager, now = self._record.task, self._record.manager, self._clock()
        durations: tuple[float, ...] = ()
        if task.request is not None:
            try:
                durations = await manager.monitor.journal(
                    manager.library.durations, task.request, service=manager.service
                )
            except Exception:  # the task can be followed without them
                logger.debug("Task %s: no durations in the journal", task.task_id, exc_info=True)
        started = now if is_new else now - _age(task.submitted_at)
        floor = manager.monitor.pace.floor(manager.poll_interval)
        return History(started, durations, floor, followed_since=now, shown=float(min(task.progress, 99)))

    @property
    def _is_accepted(self) -> bool:
        """True if the service has accepted the task; an id that the user typed proves nothing."""
        return self._record.is_written or self._record.task.request is not None

    def _proves_absence(self, error: QingboError) -> bool:
        """Return whether an error proves that the task does not exist.

        From the service, "not found" may also mean another API key, or a machine that the task has not
        reached yet. From a sandbox it is proof, because a sandbox keeps its tasks only in memory.
        """
        return isinstance(error, TaskNotFound) and self._record.manager.is_sandbox

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
        elif not task.task_id or (isinstance(error, TaskNotFound | InvalidRequest) and not self._is_accepted):
            status = TaskStatus.failed
        elif self._proves_absence(error) and not status.is_ended:
            status, error = TaskStatus.failed, TaskFailed(tr(SANDBOX_ENDED), task_id=task.task_id)
        logger.warning("Task %s: %s", task.task_id or task.key[:8], error)
        record.set_traits(status=status, error=error, message="", eta=None, download=None)
        if record.is_written:  # last, so that a message about an unwritable journal stays
            await record.write(status=status, error=error)


def _age(moment: datetime) -> float:
    """Return the seconds since a moment, at least 0 because clocks differ."""
    return max((datetime.now(UTC) - moment).total_seconds(), 0.0)
