"""Polling of the service about one task until it has ended, through outages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ...exceptions import ConnectionFailed, QingboError, ServiceError, TaskNotFound
from ...service.contract.snapshot import TaskSnapshot, TaskStatus
from ..background.rate import POLL, RECOVERY
from ..schedule import History, forecast, next_delay
from .outage import Outage
from .record import TaskRecord

__all__ = ["Polling", "is_accepted", "proves_absence"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds. The end of the account's spending limit can be days away, and the task ends long before.
LONGEST_PAUSE = 3600.0
#: Seconds between two requests to a service that cannot be reached, however often the user asks for one.
HURRY_AFTER = 2.0


class Polling:
    """The status requests about one task.

    Args:
        record: the task and its journal row.
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, record: TaskRecord, clock: Callable[[], float]) -> None:
        self._record = record
        self._clock = clock
        self._history: History  # since ``run``
        self._outage: Outage | None = None
        self._may_hurry_at = 0.0

    async def run(self, *, poll_at_once: bool) -> None:
        """Poll the service until the task has ended, however long that takes."""
        record, task, pace = self._record, self._record.task, self._record.manager.monitor.pace
        record.set_traits(error=None)  # before the first await: a cancellation may end the task during one
        self._history, self._outage = await self._initial_history(is_new=not poll_at_once), None
        order = RECOVERY if poll_at_once else POLL
        task.forecast = forecast(self._history)
        if not poll_at_once and not task.status.is_ended:
            await record.sleep(next_delay(self._history, self._clock()))
        while not task.status.is_ended:
            try:
                async with pace.turn(order):
                    order = POLL
                    snapshot = await record.ask()
            except (ConnectionFailed, ServiceError) as error:
                if task.status.is_ended:  # cancelled while this request was running
                    break
                delay = self._after_failure(error)
            else:
                delay = await self._after_answer(snapshot)
            if not task.status.is_ended:
                await record.sleep(delay)

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

    def _after_failure(self, error: ConnectionFailed | ServiceError) -> float:
        """Show that a request failed, and return the seconds until the next one."""
        record, pause = self._record, getattr(error, "retry_after", None) or 0.0
        self._history = self._history.failed(min(pause, LONGEST_PAUSE))
        self._outage = self._outage or Outage(self._clock)
        delay = next_delay(self._history, self._clock())
        is_taken = is_accepted(record) and not proves_absence(record, error)
        message, next_try = self._outage.explain(error, delay, is_taken=is_taken)
        logger.info("Task %s: %s Asking again in %.0f s", record.task.task_id, error, delay)
        self._may_hurry_at = self._clock() + max(HURRY_AFTER, self._history.floor)
        record.set_traits(eta=None, message=message, next_try=next_try)
        return delay

    async def _after_answer(self, snapshot: TaskSnapshot) -> float:
        """Apply a snapshot to the task, and return the seconds until the next request."""
        record, task, manager, now = self._record, self._record.task, self._record.manager, self._clock()
        if self._outage is not None:
            self._outage = None
            record.set_traits(message="")
        history = self._history
        if task.request is None and snapshot.created_at is not None:
            history = replace(history, started=now - _age(snapshot.created_at))
        self._history = replace(history, floor=manager.monitor.pace.floor(manager.poll_interval)).answered(
            now, snapshot.progress, queued=snapshot.status == TaskStatus.queued
        )
        expected = forecast(self._history)
        await record.apply(snapshot, eta=expected.left(now))
        task.forecast = expected  # together with its status: a queued task is not half done
        return next_delay(self._history, now)

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


def is_accepted(record: TaskRecord) -> bool:
    """Return whether the service has accepted the task; an id that the user typed proves nothing."""
    return record.is_written or record.task.request is not None


def proves_absence(record: TaskRecord, error: QingboError) -> bool:
    """Return whether an error proves that the task does not exist.

    From the service, "not found" may also mean another API key, or a machine that the task has not reached
    yet. From a sandbox it is proof, because a sandbox keeps its tasks only in memory.
    """
    return isinstance(error, TaskNotFound) and record.manager.is_sandbox


def _age(moment: datetime) -> float:
    """Return the seconds since a moment, at least 0 because clocks differ."""
    return max((datetime.now(UTC) - moment).total_seconds(), 0.0)
