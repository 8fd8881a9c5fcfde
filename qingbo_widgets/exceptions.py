"""Every error this package raises.

::

    QingboError
    ├── MissingApiKey               no key was found
    ├── InvalidRequest              refused here, before anything was sent (.problems); also a ValueError
    ├── ConnectionFailed            the service was not reached, or its answer did not come (.sent)
    ├── SubmissionUnconfirmed       it is not known whether the task exists (.idempotency_key)
    ├── DownloadFailed              the video could not be saved; the task itself is fine (.url)
    │   └── LinkExpired             the service has let go of the video
    ├── TaskFailed                  the service says that the task failed (.task_id .code)
    ├── TaskCancelled               the task was cancelled (.task_id)
    ├── WaitTimeout                 the time given to wait() is over, the task goes on; also a TimeoutError
    └── ServiceError                the service answered with an error (.status .code .message .param
                                    .retry_after)
        ├── BadRequest              400
        ├── AuthenticationFailed    401
        ├── InsufficientBalance     402
        ├── TaskNotFound            404
        ├── RateLimited             429
        └── ServerFault             5xx, or an answer that is not the service's (a gateway's HTML)

The text of each says what happened, whether money may have been spent, and what to do next.
None of them ever carries the API key.
"""

from __future__ import annotations

import copyreg
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from .i18n import tr

__all__ = [
    "AuthenticationFailed",
    "BadRequest",
    "ConnectionFailed",
    "DownloadFailed",
    "InsufficientBalance",
    "InvalidRequest",
    "LinkExpired",
    "MissingApiKey",
    "QingboError",
    "RateLimited",
    "ServerFault",
    "ServiceError",
    "SubmissionUnconfirmed",
    "TaskCancelled",
    "TaskFailed",
    "TaskNotFound",
    "WaitTimeout",
]


class QingboError(Exception):
    """The root: ``except QingboError`` catches everything this package raises on purpose."""


class MissingApiKey(QingboError):
    """No API key was given and none was found."""


class FieldProblem(Protocol):
    """What ``InvalidRequest`` needs of a problem: the field's name and a sentence about it."""

    @property
    def field(self) -> str: ...
    @property
    def message(self) -> str: ...


class InvalidRequest(QingboError, ValueError):
    """A request that the service would refuse; nothing was sent.

    Attributes:
        problems: one entry a problem, each with ``field`` and ``message``.
    """

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.message for problem in self.problems))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.problems,)


class ConnectionFailed(QingboError):
    """The service could not be reached, or the connection broke before a whole answer came.

    Attributes:
        sent: whether the service may have received the request. ``False`` is certain; ``True`` is possible.
    """

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class SubmissionUnconfirmed(QingboError):
    """A submission left this machine and no proof came back: the task may exist, and may have been billed.

    Attributes:
        idempotency_key: submit again with this key, and a service that knows the first task answers with it.
    """

    def __init__(self, message: str, *, idempotency_key: str | None = None) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


class DownloadFailed(QingboError):
    """The video could not be saved. The task is finished and paid for; downloading again costs nothing.

    Attributes:
        url: where the video was to come from.
        transient: whether the same download may well succeed a little later.
        retry_after: seconds the server asks to wait, ``None`` where it did not say.
        part: the whole video, if only its name could not be given to it.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str | None = None,
        transient: bool = False,
        retry_after: float | None = None,
        part: Path | None = None,
    ) -> None:
        super().__init__(message)
        self.url = url
        self.transient = transient
        self.retry_after = retry_after
        self.part = part


class LinkExpired(DownloadFailed):
    """The service no longer has the video: its links live for a limited time (24 hours)."""


class TaskFailed(QingboError):
    """The service ended the task without a video. Failed tasks are refunded by the service.

    Attributes:
        task_id: the task's id at the service.
        code: the service's word for the reason, for example ``task_failed``.
    """

    def __init__(self, message: str, *, task_id: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.task_id = task_id
        self.code = code


class TaskCancelled(QingboError):
    """The task was cancelled before it ran.

    Attributes:
        task_id: the task's id at the service.
    """

    def __init__(self, message: str, *, task_id: str = "") -> None:
        super().__init__(message)
        self.task_id = task_id


class WaitTimeout(QingboError, TimeoutError):
    """``wait(timeout)`` ran out. The task is still being followed; wait again at any time.

    Attributes:
        task_id: the task's id at the service, empty when it was not known yet.
    """

    def __init__(self, message: str, *, task_id: str = "") -> None:
        super().__init__(message)
        self.task_id = task_id


class ServiceError(QingboError):
    """The service answered with an error.

    Attributes:
        status: the HTTP status.
        code: the service's code, for example ``task_not_found``; ``None`` where it gave none.
        message: the service's own words.
        param: the request field that it complains of, if it named one.
        retry_after: seconds the service asks to wait, ``None`` where it did not say.
    """

    retry_after: float | None = None

    def __init__(
        self, message: str, *, status: int, code: str | None = None, param: str | None = None, hint: str = ""
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        named = f" ({code})" if code else ""
        about = f" [{param}]" if param and param not in message else ""
        text = f"{status}{named}: {message}{about}"
        if hint:
            is_whole = text.endswith((".", "!", "?", "。"))
            text = f"{text} {hint}" if is_whole else tr("{said}. {hint}").format(said=text, hint=hint)
        super().__init__(text)

    def __reduce__(self) -> tuple[object, ...]:
        # By the finished text, not through __init__, which would write it a second time.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class BadRequest(ServiceError):
    """400: the service does not take these parameters. Nothing was charged."""


class AuthenticationFailed(ServiceError):
    """401: the key is wrong, or not active."""


class InsufficientBalance(ServiceError):
    """402: the account cannot pay for the task. Nothing was charged."""


class TaskNotFound(ServiceError):
    """404: no such task, or somebody else's."""


class RateLimited(ServiceError):
    """429: too many requests for now."""


class ServerFault(ServiceError):
    """5xx, or an answer that is not the service's own; ``submit`` raises ``SubmissionUnconfirmed`` then."""
