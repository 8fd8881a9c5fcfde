"""Submitting a task: once, and again only where the service surely did not take it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from ...exceptions import (
    ConnectionFailed,
    QingboError,
    RateLimited,
    ServerFault,
    SubmissionUnconfirmed,
    TaskCancelled,
)
from ...i18n import N_, tr
from ...library.entry import IdTaken
from ...library.journal.damage import in_short, unwritten
from ...service.contract.snapshot import TaskSnapshot, TaskStatus
from ..background.rate import SUBMISSION
from ..schedule import retry_delay
from .ownership import HandedOver, Ownership
from .reconcile import PATIENCE, is_of_another_here
from .record import TaskRecord
from .restore import unconfirmed

__all__ = ["submit"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds for which a rate limit is waited out before the submission is given up.
RATE_LIMIT_PATIENCE = 300.0
_ANOTHER = N_(
    "The service answered with the id {id}, which is that of another task of this library, so this task was "
    "not confirmed. It may exist, and may be charged: look at the service's dashboard before submitting it "
    "again."
)


async def submit(
    record: TaskRecord,
    ownership: Ownership,
    is_cancelled: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Until the service has taken the task, has refused it, or nobody can tell which.

    Args:
        record: the task, whose row is on disk before the request leaves.
        ownership: the hold of this kernel on the task.
        is_cancelled: whether a person has cancelled meanwhile.
        clock: seconds, monotonic.

    Raises:
        TaskCancelled: cancelled while nothing had been sent.
        SubmissionUnconfirmed: the request left and no proof came back; the task may exist.
        asyncio.CancelledError: the manager was closed; ``record.is_out`` tells whether the request was out.
        ConnectionFailed, ServiceError: the service was not reached, or refused; nothing was made.
        QingboError: the journal cannot be written; nothing was sent.
        HandedOver: another kernel has taken the task over, while this one slept.
    """
    task, manager = record.task, record.manager
    assert task.request is not None
    record.tell(status=TaskStatus.submitting, error=None, message="")
    await _written_down(record, ownership.open)
    began, failures = clock(), 0
    while True:
        record.is_out = False
        try:
            async with manager.monitor.pace.turn(SUBMISSION):
                _check(is_cancelled)
                # A closed laptop or a moved folder may have come between the click and this turn.
                await _written_down(record, ownership.claim_again)
                _check(is_cancelled)
                snapshot = await _send(record)
            record.tell(message="")
            await _confirm(record, snapshot)
            return
        except (SubmissionUnconfirmed, ServerFault) as error:
            raise unconfirmed(error, task.key) from None
        except (RateLimited, ConnectionFailed) as error:
            _check(is_cancelled)
            failures += 1
            wanted, patience = getattr(error, "retry_after", None), manager.submit_patience
            if isinstance(error, RateLimited):
                patience = max(patience, RATE_LIMIT_PATIENCE)
            left = patience - (clock() - began)
            if left < max(wanted or 0.0, retry_delay(1)):
                raise
            delay = min(retry_delay(failures, wanted), left)
            logger.info("Task %s: %s Trying again in %.0f s", task.key[:8], error, delay)
            told = tr("{error} Nothing is charged yet; trying again in {delay:.0f} s.")
            record.tell(message=told.format(error=error, delay=delay))
            await record.sleep(delay)
        except (QingboError, HandedOver):
            raise
        except Exception as error:
            if task.task_id:
                raise
            # A mistake of ours about an answer is no proof that the service did not take the task.
            what = tr(
                "The service was asked, and its answer was not understood ({reason}). The task may exist, "
                "and may be charged."
            )
            raise unconfirmed(what.format(reason=in_short(error)), task.key) from None


def _check(is_cancelled: Callable[[], bool]) -> None:
    if is_cancelled():
        raise TaskCancelled(tr("Cancelled before anything was sent."))


async def _confirm(record: TaskRecord, snapshot: TaskSnapshot) -> None:
    """Take over the answer to a submission, unless its id is that of another one.

    An answer out of a cache, or one that was meant for another request, has such an id. The journal finds
    that out as it writes the id. One that is slow must not hide it: it may be all that is left of the task.

    Raises:
        SubmissionUnconfirmed: it is the id of another one.
        asyncio.CancelledError: the manager is closed; the id is kept.
    """
    task, another = record.task, SubmissionUnconfirmed(tr(_ANOTHER).format(id=snapshot.task_id))
    if is_of_another_here(task, record.manager, snapshot.task_id):
        raise another
    writing = asyncio.ensure_future(record.note(snapshot))
    writing.add_done_callback(_trouble_of)  # else asyncio complains that it was not asked for
    try:
        await asyncio.wait({writing}, timeout=PATIENCE)
    except asyncio.CancelledError:  # the row is written with the manager's last words
        if not is_of_another_here(task, record.manager, snapshot.task_id):
            record.tell(task_id=snapshot.task_id, status=snapshot.status)
        raise
    if isinstance(_trouble_of(writing), IdTaken) or is_of_another_here(
        task, record.manager, snapshot.task_id
    ):
        raise another
    try:
        await record.apply(snapshot)
    except IdTaken:
        record.tell(task_id="", status=TaskStatus.submitting)
        raise another from None


def _trouble_of(step: asyncio.Future[None]) -> BaseException | None:
    return step.exception() if step.done() and not step.cancelled() else None


async def _send(record: TaskRecord) -> TaskSnapshot:
    """Send the request, and note whether it may have left where the manager is closed meanwhile."""
    client, task = record.manager.client, record.task
    call = record.manager.monitor.call(client.submit, task.request, idempotency_key=task.key)
    record.is_out = True
    try:
        return await asyncio.wrap_future(call)
    except asyncio.CancelledError:
        record.is_out = not call.cancel()  # one that no thread has begun with never leaves
        raise


async def _written_down(record: TaskRecord, step: Callable[[], Awaitable[None]]) -> None:
    """Await the writing of the task's row, without which nothing may be sent.

    Raises:
        HandedOver: another kernel follows the task.
        QingboError: the journal cannot be written.
    """
    try:
        await step()
    except HandedOver:
        raise
    except Exception as error:
        text = tr("{error} Nothing was sent: a task that is not written down could be lost.")
        place = record.manager.library.journal.place
        raise QingboError(text.format(error=unwritten(place, error))) from None
