"""Submission of a task: once, and again only if the service certainly did not accept it."""

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
from ...library.journal.damage import short_reason, write_failed_message
from ...service.contract.error_codes import WINDOW_EXCEEDED
from ...service.contract.snapshot import TaskSnapshot, TaskStatus
from ...system.times import local_time
from ..background.rate import SUBMISSION
from ..resubmission import contract_refusal, is_key_forgotten
from ..schedule import retry_delay
from .ownership import HandedOver, Ownership
from .reconcile import PATIENCE, is_id_of_another_task
from .record import TaskRecord
from .restore import refusal_in_doubt, unconfirmed

__all__ = ["submit"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds for which a rate-limited submission is retried before it fails.
RATE_LIMIT_PATIENCE = 300.0
_ANOTHER = N_(
    "The service returned the id of another task ({id}), so this one is not confirmed. It may exist, and "
    "may be charged: check the service's dashboard before submitting it again."
)
_FORGOTTEN = N_(
    "The task was first submitted at {when}, and its idempotency key may be forgotten. It was not sent "
    "again: that could create a second task, which is charged too."
)


async def submit(
    record: TaskRecord,
    ownership: Ownership,
    is_cancelled: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
    *,
    waits: bool = True,
) -> None:
    """Submit the task; retry until the service has accepted it, has refused it, or the outcome is unknown.

    Args:
        record: the task; its row is on disk before the request is sent.
        ownership: the hold of this kernel on the task.
        is_cancelled: returns whether the user has cancelled in the meantime.
        clock: a monotonic clock, in seconds.
        waits: whether a rate-limited submission is repeated here; otherwise the caller does that, unless the
            task is in doubt, which it remains in the meantime.

    Raises:
        TaskCancelled: cancelled before anything was sent.
        SubmissionUnconfirmed: the request was sent and not confirmed; the task may exist.
        asyncio.CancelledError: the manager was closed; see ``record.may_have_been_sent``.
        ConnectionFailed, ServiceError: the service was unreachable or refused; no task was created.
        QingboError: the journal cannot be written; nothing was sent.
        HandedOver: another kernel took the task over while this one slept.
    """
    task, manager = record.task, record.manager
    assert record.sent is not None
    record.set_traits(status=TaskStatus.submitting, error=None, message="")
    if record.in_doubt:
        _check_contract(record)
    else:
        task.contract = manager.client.contract.name  # of a task that was refused under another one, too
    await _write_row(record, ownership.open)
    began, failures = clock(), 0
    while True:
        record.may_have_been_sent = False
        try:
            async with manager.monitor.pace.turn(SUBMISSION):
                _check(is_cancelled)
                # The laptop may have been closed, or the folder moved, between the click and this turn.
                await _write_row(record, ownership.claim_again)
                _check(is_cancelled)
                _check_key(record)
                snapshot = await _send(record)
            record.set_traits(message="")
            await _confirm(record, snapshot)
            return
        except (SubmissionUnconfirmed, ServerFault) as error:
            raise unconfirmed(error, task.key) from None
        except (RateLimited, ConnectionFailed) as error:
            _check(is_cancelled)
            failures += 1
            retry_after, patience = getattr(error, "retry_after", None), manager.submit_patience
            if isinstance(error, RateLimited):
                patience = max(patience, RATE_LIMIT_PATIENCE)
                if not waits and not record.in_doubt:
                    raise
            left = patience - (clock() - began)
            if retry_after is None and getattr(error, "code", None) == WINDOW_EXCEEDED:
                raise  # it can last for hours, and trying every few seconds would not end it
            if left < max(retry_after or 0.0, retry_delay(1)):
                raise
            delay = min(retry_delay(failures, retry_after), left)
            logger.info("Task %s: %s Trying again in %.0f s", task.key[:8], error, delay)
            record.set_traits(message=_waiting(error, delay, in_doubt=record.in_doubt))
            await record.sleep(delay)
        except (QingboError, HandedOver):
            raise
        except Exception as error:
            if task.task_id:
                raise
            # A bug of ours in reading the answer does not prove that the service did not accept the task.
            what = tr(
                "The request was sent, but the service's response was not understood ({reason}). The task "
                "may exist, and may be charged."
            )
            raise unconfirmed(what.format(reason=short_reason(error)), task.key) from None


def _waiting(error: QingboError, delay: float, *, in_doubt: bool) -> str:
    """Return the message before another try, ``delay`` seconds later."""
    if not in_doubt:
        text = tr("{error} Nothing has been charged yet; trying again in {delay:.0f} s.")
        return text.format(error=error, delay=delay)
    return refusal_in_doubt(error, tr("Trying again in {delay:.0f} s.").format(delay=delay))


def _check(is_cancelled: Callable[[], bool]) -> None:
    if is_cancelled():
        raise TaskCancelled(tr("Cancelled before anything was sent."))


def _check_key(record: TaskRecord) -> None:
    """Check that the service still knows the key of a submission that is in doubt, unless the user pays anew.

    Between the click and this turn, the machine may have slept for a day.

    Raises:
        SubmissionUnconfirmed: it does not, so another submission would make a second task.
    """
    task = record.task
    if record.in_doubt and not record.may_charge_again and is_key_forgotten(task):
        when = local_time(task.first_submitted_at or task.submitted_at)
        raise SubmissionUnconfirmed(tr(_FORGOTTEN).format(when=when))


def _check_contract(record: TaskRecord) -> None:
    """Check that a submission in doubt is repeated under its own contract.

    Another kernel, with another contract, may have submitted the task between the click and this moment.

    Raises:
        SubmissionUnconfirmed: it would not be.
    """
    spoken = record.manager.client.contract.name
    if (reason := contract_refusal(record.task, spoken)) is not None:
        raise SubmissionUnconfirmed(reason, idempotency_key=record.task.key)


async def _confirm(record: TaskRecord, snapshot: TaskSnapshot) -> None:
    """Apply the answer to a submission, unless its id belongs to another submission.

    An answer from a cache, or one to another request, has such an id. The journal detects that when it writes
    the id. A slow journal must not hide the id, because it may be the only trace of the task.

    Raises:
        SubmissionUnconfirmed: the id belongs to another submission.
        asyncio.CancelledError: the manager was closed; the task keeps the id.
    """
    task, id_taken = record.task, SubmissionUnconfirmed(tr(_ANOTHER).format(id=snapshot.task_id))
    if is_id_of_another_task(task, record.manager, snapshot.task_id):
        raise id_taken
    writing = asyncio.ensure_future(record.write_id(snapshot))
    writing.add_done_callback(_error_of)  # else asyncio warns that the exception was never retrieved
    try:
        await asyncio.wait({writing}, timeout=PATIENCE)
    except asyncio.CancelledError:  # the manager writes the row on close
        if not is_id_of_another_task(task, record.manager, snapshot.task_id):
            record.set_traits(task_id=snapshot.task_id, status=snapshot.status)
        raise
    if isinstance(_error_of(writing), IdTaken) or is_id_of_another_task(
        task, record.manager, snapshot.task_id
    ):
        raise id_taken
    try:
        await record.apply(snapshot)
    except IdTaken:
        record.set_traits(task_id="", status=TaskStatus.submitting)
        raise id_taken from None


def _error_of(step: asyncio.Future[None]) -> BaseException | None:
    return step.exception() if step.done() and not step.cancelled() else None


async def _send(record: TaskRecord) -> TaskSnapshot:
    """Send the request; if the manager is closed meanwhile, record whether it may have been sent."""
    client, task = record.manager.client, record.task
    call = record.manager.monitor.call(client.submit, record.sent, idempotency_key=task.key)
    record.may_have_been_sent = True
    try:
        return await asyncio.wrap_future(call)
    except asyncio.CancelledError:
        record.may_have_been_sent = not call.cancel()  # a call that no thread has started is never sent
        raise


async def _write_row(record: TaskRecord, step: Callable[[], Awaitable[None]]) -> None:
    """Await a write of the task's row, without which nothing may be sent.

    Raises:
        HandedOver: another kernel follows the task.
        QingboError: the journal cannot be written.
    """
    try:
        await step()
    except HandedOver:
        raise
    except Exception as error:
        text = tr("{error} Nothing was sent, because a task that is not recorded could be lost.")
        place = record.manager.library.journal.place
        raise QingboError(text.format(error=write_failed_message(place, error))) from None
