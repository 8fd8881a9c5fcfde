"""The conditions for sending a submission again: its contract, and the age of its idempotency key.

A submission whose outcome is unknown may be sent again if the service answers the same key with the first
task. It does so only under the same contract, and only while it remembers the key.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..service.contract.problem import assigned
from ..service.contract.request import VideoRequest
from ..service.contract.snapshot import TaskStatus
from ..service.contract.switching import defaults_between
from ..service.contract.terms import terms_of
from ..system.times import local_time
from .labels import Labelled, labels_of

__all__ = [
    "KEY_MARGIN",
    "Submission",
    "check",
    "contract_refusal",
    "defaults_warning",
    "first_unconfirmed",
    "is_key_forgotten",
    "key_remembered_until",
    "unconfirmed_advice",
]

#: The time by which a submission must precede the moment at which the service forgets its key, and by which
#: the first one may lie in the future, because the clock of another machine is not quite the same.
KEY_MARGIN = timedelta(minutes=10)
_FORGOTTEN = N_(
    "The task {task} was submitted at {when}; the service recognises a repetition for {hours:.0f} hours "
    'only, so submitting again may charge twice. Use check("id from the dashboard"), or '
    "submit_again(may_charge_again=True)."
)
_IN_FUTURE = N_(
    "The task {task} was submitted at {when}, a time in the future, so submitting it again may charge twice."
    ' Use check("id from the dashboard"), or submit_again(may_charge_again=True).'
)
_OTHER_CONTRACT = N_(
    "The task {task} was submitted under contract {contract:.20}, not {spoken}: submitting it here may "
    'charge twice. Use check("id from the dashboard"), or connect(contract="{contract:.20}") and submit '
    "again."
)
_BY_ID = N_(
    'If the dashboard shows it, follow it with check("its id"). submit_again() sends the same idempotency '
    "key ({key})."
)
_BY_KNOWN_ID = N_(
    "If it exists, check({task_id!r}) follows it at no cost. submit_again() sends the same idempotency key "
    "({key})."
)
_OTHER_DEFAULTS = N_(
    "The task {task} was created under contract {contract:.20} and is now submitted under {spoken}, which "
    "has other defaults. For the video that you meant, use submit(task.request, {changes})."
)


class Submission(Labelled, Protocol):
    """The last submission of a task.

    Attributes:
        contract: the date of the contract under which it was made.
        submitted_at: its time, UTC.
        first_submitted_at: the time of the first submission that it repeats, UTC; ``None`` if it is one.
        request: what was submitted, if that is known.
    """

    contract: str
    submitted_at: datetime
    first_submitted_at: datetime | None
    request: VideoRequest | None


def first_unconfirmed(task: Submission) -> datetime | None:
    """Return when the first submission was sent that another one would repeat; ``None`` if there is none."""
    return _first(task) if task.status == TaskStatus.unconfirmed else None


def key_remembered_until(task: Submission) -> datetime | None:
    """Return the time, UTC, until which the service answers another submission with the first task.

    ``None`` if the contract does not document the key.
    """
    remembered = terms_of(task.contract).remembers_keys
    return None if remembered is None else _first(task) + remembered - KEY_MARGIN


def is_key_forgotten(task: Submission) -> bool:
    """Return whether the service may no longer know the key of the first submission.

    Another submission would then make a second task. ``False`` if the contract does not document the key.
    """
    if (end := key_remembered_until(task)) is None:
        return False
    return _is_from_the_future(task) or datetime.now(UTC) > end


def unconfirmed_advice(key: str, task_id: str) -> str:
    """Return the sentences at the end of the error of an unconfirmed task: what to call next.

    Args:
        key: the idempotency key of the task.
        task_id: the id in the error response; empty if it had none.
    """
    return tr(_BY_KNOWN_ID if task_id else _BY_ID).format(key=key, task_id=task_id)


def check(task: Submission, spoken: str, *, may_charge_again: bool = False) -> None:
    """Raise an error unless the service treats another submission as a repetition of the first.

    A task that the service has refused does not exist there, so it may be submitted under any contract.

    Args:
        task: the task.
        spoken: the contract of the connection.
        may_charge_again: whether the user has agreed to a second task that is charged too.

    Raises:
        QingboError: the submission is unconfirmed, and was made under another contract than that of the
            connection, in which its body may have another meaning and its idempotency key none; or the
            service may have forgotten its key.
    """
    if task.status != TaskStatus.unconfirmed:
        return
    if (reason := contract_refusal(task, spoken)) is not None:
        raise QingboError(reason)
    if is_key_forgotten(task) and not may_charge_again:
        message = tr(_IN_FUTURE if _is_from_the_future(task) else _FORGOTTEN)
        hours = (terms_of(task.contract).remembers_keys or timedelta()).total_seconds() / 3600
        raise QingboError(message.format(when=local_time(_first(task)), hours=hours, **labels_of(task)))


def contract_refusal(task: Submission, spoken: str) -> str | None:
    """Return why an unconfirmed submission cannot be repeated under a contract; ``None`` if it can.

    Args:
        task: the task.
        spoken: the contract of the connection.
    """
    if task.contract == spoken:
        return None
    return tr(_OTHER_CONTRACT).format(contract=task.contract, spoken=spoken, **labels_of(task))


def defaults_warning(task: Submission, spoken: str) -> str:
    """Return the warning that the request of a refused task means another video under a contract.

    Empty if it means the same.

    Args:
        task: the task.
        spoken: the contract of the connection.
    """
    if task.request is None or task.task_id or task.status != TaskStatus.failed:
        return ""
    changes = defaults_between(task.request, task.contract, spoken)
    named = {"contract": task.contract, "spoken": spoken, "changes": assigned(changes)}
    return tr(_OTHER_DEFAULTS).format(**named, **labels_of(task)) if changes else ""


def _first(task: Submission) -> datetime:
    return task.first_submitted_at or task.submitted_at


def _is_from_the_future(task: Submission) -> bool:
    """Return whether the time of the first submission is from a clock that was ahead, and proves nothing."""
    return _first(task) - datetime.now(UTC) > KEY_MARGIN
