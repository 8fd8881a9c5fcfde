"""The result of a check of the key: a status request that costs nothing, for a task that cannot exist."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from ..exceptions import AuthenticationFailed, QingboError, ServerFault, ServiceError, TaskNotFound
from ..i18n import N_, tr

__all__ = ["NO_TASK", "KeyCheck", "Verdict", "refusal_text", "verdict_on"]

#: The id of a task that no account can have: it has the form of the service's ids, and the year 1970.
NO_TASK = "task-wave0000000000000b000000000"
#: Parts of codes and messages about a task that does not exist, where the status is not 404.
_ABSENT = ("not_found", "not found", "not_exist", "not exist", "不存在")
#: A key that is wrong, switched off, expired, or has used up its own quota: the status is the same.
_REFUSED = N_('The service does not accept this key. Its response: "{words}"')
_UNKNOWN = N_("The key could not be checked. {reason}")


class Verdict(Enum):
    """The verdict of the service's answer on a key."""

    known = "known"
    refused = "refused"
    unclear = "unclear"


@dataclass(frozen=True)
class KeyCheck:
    """The result of a check.

    Attributes:
        verdict: whether the service knows the key; ``unclear`` if it was not reached, or its answer is about
            something else.
        message: the reason in a sentence, without the key; empty if the key is known.
    """

    verdict: Verdict
    message: str = ""


def refusal_text(words: str) -> str:
    """Return the sentence about a key that the service answered with 401 or 403.

    Args:
        words: the service's own message.
    """
    return tr(_REFUSED).format(words=words)


def verdict_on(error: QingboError) -> KeyCheck:
    """Return the verdict on the key of an error that answers a status request for ``NO_TASK``."""
    if isinstance(error, TaskNotFound):
        return KeyCheck(Verdict.known)
    if isinstance(error, ServiceError) and not isinstance(error, ServerFault):
        # A gateway that answers 200 may speak of a key of its own.
        is_refused = isinstance(error, AuthenticationFailed) and not 200 <= error.status < 300
        if is_refused or error.status == HTTPStatus.FORBIDDEN:
            return KeyCheck(Verdict.refused, refusal_text(error.message))
    if isinstance(error, ServiceError) and _is_about_the_task(error):
        return KeyCheck(Verdict.known)
    return KeyCheck(Verdict.unclear, tr(_UNKNOWN).format(reason=error))


def _is_about_the_task(error: ServiceError) -> bool:
    """Return whether an error says that there is no such task, with another status than 404."""
    text = f"{error.code or ''} {error.message}".lower()
    is_of_the_service = error.code is not None and (error.status < 300 or error.status in (400, 410, 422))
    return is_of_the_service and any(part in text for part in _ABSENT)
