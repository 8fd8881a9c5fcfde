"""The life of one task, told from top to bottom: submit, follow, save.

A follower is a coroutine on the monitor's thread. It blocks never: requests, downloads and the journal run on
the monitor's pools.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime

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
from ...library.journal.damage import in_short
from ...service.contract.snapshot import TaskStatus
from ..background.rate import QUESTION, TAKEN_UP
from ..schedule import History, next_delay, outlook
from .outage import Trouble
from .ownership import HandedOver, Ownership
from .record import TaskRecord
from .restore import interrupted, unconfirmed
from .saving import save
from .submission import submit

__all__ = ["Follower"]

logger = logging.getLogger("qingbo_widgets")

CLOSED = N_(
    "Its manager was closed, so this task is no longer followed. It goes on at the service; qw.connect() "
    "picks it up again."
)
CLOSED_MEANWHILE = N_(
    "Its manager was closed while this task was being submitted. The task may exist, and may be charged."
)
NOT_SENT = N_(
    "Its manager was closed before anything was sent, so nothing was charged. Call qw.connect() and submit "
    "it again."
)
STILL_IN_DOUBT = N_(
    "{error} It is still not known what became of the first submission: that task may exist, and may be "
    "charged."
)
HELD_BACK = N_("Its sweep was paused before anything was sent, so nothing was charged. go_on() submits it.")
SANDBOX_ENDED = N_(
    "The sandbox that had this task ended with its kernel, and the task with it. Nothing was charged: "
    "generate it again."
)


class Follower:
    """Follows one task until nothing more will happen by itself.

    Args:
        record: the task and its journal row.
        ownership: the hold of this kernel on the task.
        submitted: done when the service has taken the task, or will not.
        may_submit: whether a person has asked to submit it; only then is it ever submitted.
        is_claimed: whether its row was written a moment ago, held by this kernel, for a submission.
        may_leave: asked right before the request leaves; ``False`` holds it back.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        record: TaskRecord,
        ownership: Ownership,
        submitted: Future[None],
        *,
        may_submit: bool,
        is_claimed: bool = False,
        may_leave: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._record = record
        self._ownership = ownership
        self._may_submit = may_submit
        self._is_claimed = is_claimed
        self._may_leave = may_leave
        self._clock = clock
        self._submitted = submitted
        self._is_cancelled = False
        self._cancelling: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Submit, follow, save; whatever happens, the task is settled at the end and says why."""
        record, task = self._record, self._record.task
        try:
            if record.manager.monitor.is_cut_off:
                raise asyncio.CancelledError
            while not await self._lived():
                self._may_submit = False  # what became of the submission, the other kernel knows
        except QingboError as error:
            await self._end_with(error)
        except asyncio.CancelledError:
            await self._cut_off()
            raise
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            # A full disk under the journal, or a mistake of ours: tell it, and keep the other tasks going.
            logger.exception("Following the task %s failed", task.task_id or task.key)
            await self._end_with(QingboError(f"{type(error).__name__}: {in_short(error)}"))
        finally:
            self._submission_is_over()
            task.lifecycle.settle()
            await self._ownership.release()

    async def _lived(self) -> bool:
        """Submit, follow, save. ``False`` when another kernel has taken the task over meanwhile."""
        record, task = self._record, self._record.task
        try:
            if record.is_written and not self._is_claimed:
                if await self._ownership.take_over():
                    self._may_submit = False  # the user asked before the other kernel had its answer
                if not task.task_id and task.status in (TaskStatus.unconfirmed, TaskStatus.submitting):
                    record.in_doubt = record.is_written  # another kernel may have submitted it and died
            self._is_claimed = False
            if is_new := not task.task_id:
                if not self._may_submit:
                    raise task.error or interrupted(task.key)
                await self._submit()
            self._submission_is_over()
            if not task.status.is_ended:
                with record.manager.monitor.pace.follow():
                    await self._follow(ask_at_once=not is_new)
            if task.status == TaskStatus.completed and task.video_path is None:
                await save(record, self._ownership, self._clock)
        except HandedOver:
            return False
        return True

    async def _submit(self) -> None:
        try:
            await submit(
                self._record,
                self._ownership,
                lambda: self._is_cancelled or not self._may_leave(),
                self._clock,
            )
        except TaskCancelled:
            if self._is_cancelled:
                raise
            raise QingboError(tr(HELD_BACK)) from None

    async def cancel(self) -> None:
        """Cancel the task at the service, or before it gets there. Calls at the same time are one.

        Raises:
            ServiceError, ConnectionFailed: as the service answers; the task is followed on.
            QingboError: nobody knows whether the service has the task.
        """
        if self._cancelling is None or self._cancelling.done():
            self._cancelling = asyncio.ensure_future(self._cancel())
        await asyncio.shield(self._cancelling)

    async def _cancel(self) -> None:
        record, task = self._record, self._record.task
        if not task.task_id and not task.is_done:
            self._is_cancelled = True
            record.wake()
            submitted = asyncio.wrap_future(self._submitted)
            # Another kernel may have submitted it, and goes on holding it; its row brings the id.
            while not task.task_id and not submitted.done():
                await asyncio.wait({submitted}, timeout=record.manager.poll_interval)
        if task.status == TaskStatus.unconfirmed:
            told = tr(
                "The service has not confirmed this task, so that there is no id to cancel it by. check() "
                "finds out what became of it, and costs nothing."
            )
            raise QingboError(told)
        if task.status == TaskStatus.cancelled or not task.task_id:
            return
        monitor = record.manager.monitor
        async with monitor.pace.turn():
            snapshot = await monitor.request(record.manager.client.cancel, task.task_id)
        await record.apply(snapshot)
        record.wake()

    def _submission_is_over(self) -> None:
        if not self._submitted.done():
            self._submitted.set_result(None)

    async def _follow(self, *, ask_at_once: bool) -> None:
        """Ask until the service says how the task ended, however long that takes."""
        record, task, manager = self._record, self._record.task, self._record.manager
        record.tell(error=None)  # before anything is awaited: a cancellation may end it meanwhile
        history = await self._known(is_new=not ask_at_once)
        pace = manager.monitor.pace
        trouble: Trouble | None = None
        order = TAKEN_UP if ask_at_once else QUESTION
        task.outlook = outlook(history)
        if not ask_at_once and not task.status.is_ended:
            await record.sleep(next_delay(history, self._clock()))
        while not task.status.is_ended:
            try:
                async with pace.turn(order):
                    order = QUESTION
                    snapshot = await manager.monitor.request(manager.client.status, task.task_id)
            except (ConnectionFailed, ServiceError) as error:
                if task.status.is_ended:  # cancelled while this question was under way
                    break
                history = history.failed(getattr(error, "retry_after", None))
                delay = next_delay(history, self._clock())
                trouble = trouble or Trouble(self._clock)
                told = trouble.tell(error, delay, is_taken=self._is_taken and not self._is_proof(error))
                logger.info("Task %s: %s Asking again in %.0f s", task.task_id, error, delay)
                record.tell(eta=None, message=told)
            else:
                if trouble is not None:
                    trouble = None
                    record.tell(message="")
                now = self._clock()
                if task.request is None and snapshot.created_at is not None:
                    history = replace(history, started=now - _age(snapshot.created_at))
                history = replace(history, floor=pace.floor(manager.poll_interval)).answered(
                    now, snapshot.progress, queued=snapshot.status == TaskStatus.queued
                )
                task.outlook = outlook(history)
                await record.apply(snapshot, eta=task.outlook.left(now))
                delay = next_delay(history, now)
            if not task.status.is_ended:
                await record.sleep(delay)

    async def _known(self, *, is_new: bool) -> History:
        """What is known of the task before it is asked about, and of its kind."""
        task, manager, now = self._record.task, self._record.manager, self._clock()
        durations: tuple[float, ...] = ()
        if task.request is not None:
            try:
                durations = await manager.monitor.journal(
                    manager.library.durations, task.request, service=manager.service
                )
            except Exception:  # a schedule is no reason not to follow
                logger.debug("Task %s: no durations in the journal", task.task_id, exc_info=True)
        started = now if is_new else now - _age(task.submitted_at)
        floor = manager.monitor.pace.floor(manager.poll_interval)
        return History(started, durations, floor, watched=now, shown=float(min(task.progress, 99)))

    @property
    def _is_taken(self) -> bool:
        """Tell whether the service has taken the task; an id that the user has typed proves nothing."""
        return self._record.is_written or self._record.task.request is not None

    def _is_proof(self, error: QingboError) -> bool:
        """Whether "not found" means that there is no such task.

        Of the service it may mean another key, or a machine that has not heard of it yet; a sandbox has
        nothing but its memory.
        """
        return isinstance(error, TaskNotFound) and self._record.manager.is_sandbox

    async def _cut_off(self) -> None:
        """The manager was closed: show and write down what that means for this task."""
        record, task = self._record, self._record.task
        if task.task_id or not self._may_submit:
            record.tell(error=QingboError(tr(CLOSED)), eta=None, message="")
        elif record.is_out:  # the row says "submitting", of which the next kernel makes the same
            doubt = unconfirmed(tr(CLOSED_MEANWHILE), task.key)
            record.tell(status=TaskStatus.unconfirmed, error=doubt, eta=None, message="")
        else:
            await record.look_for_row()
            await self._end_with(QingboError(tr(NOT_SENT)))

    async def _end_with(self, error: QingboError) -> None:
        """No video, or not yet: say so on the task and in the journal."""
        record, task = self._record, self._record.task
        status = task.status
        if record.in_doubt and not task.task_id and not isinstance(error, SubmissionUnconfirmed):
            error = unconfirmed(tr(STILL_IN_DOUBT).format(error=error), task.key)
        if isinstance(error, SubmissionUnconfirmed):
            status = TaskStatus.unconfirmed
        elif isinstance(error, TaskCancelled):
            status = TaskStatus.cancelled
        elif not task.task_id or (isinstance(error, TaskNotFound | InvalidRequest) and not self._is_taken):
            status = TaskStatus.failed
        elif self._is_proof(error) and not status.is_ended:
            status, error = TaskStatus.failed, TaskFailed(tr(SANDBOX_ENDED), task_id=task.task_id)
        logger.warning("Task %s: %s", task.task_id or task.key[:8], error)
        record.tell(status=status, error=error, message="", eta=None, download=None)
        if record.is_written:  # last, so that the message of a journal that cannot be written stays
            await record.write(status=status, error=error)


def _age(moment: datetime) -> float:
    """Seconds that have passed since, never negative: clocks differ."""
    return max((datetime.now(UTC) - moment).total_seconds(), 0.0)
