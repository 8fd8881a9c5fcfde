"""The errors of requests, tasks and downloads.

::

    QingboError
    ├── MissingApiKey               no key was found
    ├── InvalidRequest              refused before anything was sent (.problems); also a ValueError
    ├── ConnectionFailed            the service was not reached, or did not answer (.sent)
    ├── SubmissionUnconfirmed       the task may or may not exist (.idempotency_key .task_id)
    ├── UploadFailed                a file did not reach a place where the service can read it (.transient)
    ├── DownloadFailed              the video could not be saved; the task itself is fine (.url)
    │   └── LinkExpired             the service no longer has the video
    ├── TaskFailed                  the service reported that the task failed (.task_id .code)
    ├── TaskCancelled               the task was cancelled (.task_id)
    ├── BudgetExceeded              the task would exceed a budget; nothing was sent (.price .left …)
    ├── WaitTimeout                 wait(timeout) ran out, the task continues; also a TimeoutError
    └── ServiceError                the service answered with an error (.status .code .message .param
                                    .retry_after .contract .advice)
        ├── BadRequest              400
        ├── AuthenticationFailed    401
        ├── InsufficientBalance     402
        ├── TaskNotFound            404
        ├── RateLimited             429 (.reset_at)
        └── ServerFault             5xx, or an answer from a gateway (HTML) instead of the service

The text of each error states what happened, whether money may have been spent, and what to do next.
No error ever contains the API key.
"""

from __future__ import annotations

import copyreg
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from . import late
from .i18n import sentences

__all__ = [
    "AuthenticationFailed",
    "BadRequest",
    "BudgetExceeded",
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
    "UploadFailed",
    "WaitTimeout",
]


class QingboError(Exception):
    """The base class: ``except QingboError`` catches every error that this package raises on purpose.

    In IPython, its traceback ends at the user's own line.
    """

    #: Whether a notebook shows the lines that led to the error: where the text says it all, it does not.
    _shows_frames = True

    def _render_traceback_(self) -> list[str]:
        lines: list[str] = late.rendered_traceback(self, with_frames=self._shows_frames)
        return lines


class MissingApiKey(QingboError):
    """No API key was passed and none was found."""

    _shows_frames = False


class FieldProblem(Protocol):
    """The part of a problem that ``InvalidRequest`` needs: the field's name and a sentence about it."""

    @property
    def field(self) -> str: ...
    @property
    def message(self) -> str: ...


class InvalidRequest(QingboError, ValueError):
    """A request that the service would refuse; nothing was sent.

    Attributes:
        problems: one entry per problem, each with ``field`` and ``message``.
    """

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.message for problem in self.problems))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.problems,)


class ConnectionFailed(QingboError):
    """The service could not be reached, or the connection broke before the whole answer arrived.

    Attributes:
        sent: ``False`` if the service certainly did not receive the request; ``True`` if it may have.
    """

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class SubmissionUnconfirmed(QingboError):
    """A submission was sent but not confirmed: the task may exist, and may have been billed.

    Attributes:
        idempotency_key: the key of the submission. If it is submitted again with the same key, a service that
            knows the first task returns that one.
        task_id: the id of a task in the answer, if that was an error with an id; or empty.
    """

    def __init__(self, message: str, *, idempotency_key: str | None = None, task_id: str = "") -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key
        self.task_id = task_id


class UploadFailed(QingboError):
    """A local file could not be uploaded to a place where the service can read it.

    Attributes:
        transient: whether the same upload is likely to succeed a little later.
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class DownloadFailed(QingboError):
    """The video could not be saved. The task is finished and paid for; downloading again costs nothing.

    Attributes:
        url: the URL that the video was downloaded from.
        transient: whether the same download is likely to succeed a little later.
        retry_after: seconds to wait as requested by the server, ``None`` if it set no delay.
        part: the file with the whole video, if only renaming it failed.
        patience: seconds after which another try is hopeless; ``None`` for as long as the link is valid.
        room: bytes that the folder must be able to take before another try, if it could not be written.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str | None = None,
        transient: bool = False,
        retry_after: float | None = None,
        part: Path | None = None,
        patience: float | None = None,
        room: int | None = None,
    ) -> None:
        super().__init__(message)
        self.url = url
        self.transient = transient
        self.retry_after = retry_after
        self.part = part
        self.patience = patience
        self.room = room


class LinkExpired(DownloadFailed):
    """The service no longer has the video: its links are valid for a limited time."""


class TaskFailed(QingboError):
    """The service ended the task without a video. The text says what is known about a refund.

    Attributes:
        task_id: the task's id at the service.
        code: the service's error code, for example ``task_failed``.
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


class BudgetExceeded(QingboError):
    """The task would exceed a budget, so nothing was sent or charged. Amounts are in US dollars.

    Attributes:
        budget: the limit.
        spent: what the tasks that it counts have cost.
        frozen: what is reserved for those that have not ended.
        price: what this task would cost at most; ``None`` if that is not known.
        left: what the budget still allows.
    """

    def __init__(
        self,
        message: str,
        *,
        budget: Decimal = Decimal(0),
        spent: Decimal = Decimal(0),
        frozen: Decimal = Decimal(0),
        price: Decimal | None = None,
        left: Decimal = Decimal(0),
    ) -> None:
        super().__init__(message)
        self.budget, self.spent, self.frozen = budget, spent, frozen
        self.price, self.left = price, left


class WaitTimeout(QingboError, TimeoutError):
    """``wait(timeout)`` ran out. The task is still being followed; wait again at any time.

    Attributes:
        task_id: the task's id at the service, empty if not known yet.
    """

    def __init__(self, message: str, *, task_id: str = "") -> None:
        super().__init__(message)
        self.task_id = task_id


class ServiceError(QingboError):
    """The service answered with an error.

    Attributes:
        status: the HTTP status.
        code: the service's error code, for example ``task_not_found``; ``None`` if it sent none.
        message: the service's own error message.
        param: the request field that the error is about, if the service named one.
        advice: the next step in a sentence, without what it says about the cost of this request; or empty.
        retry_after: seconds to wait as requested by the service, ``None`` if it set no delay.
        contract: the date of the contract that the server seems to speak, if it refused a submission because
            the connection speaks another one; else ``None``.
    """

    advice: str = ""
    retry_after: float | None = None
    contract: str | None = None

    def __init__(
        self, message: str, *, status: int, code: str | None = None, param: str | None = None, hint: str = ""
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        code_text = f" ({code})" if code else ""
        param_text = f" [{param}]" if param and param not in message else ""
        super().__init__(sentences(f"{status}{code_text}: {message}{param_text}", hint))

    def __reduce__(self) -> tuple[object, ...]:
        # Restore the finished text; __init__ would prepend the status again.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class BadRequest(ServiceError):
    """400: the service does not accept these parameters, or has no such model. Nothing was charged."""


class AuthenticationFailed(ServiceError):
    """401: the key is wrong or inactive."""


class InsufficientBalance(ServiceError):
    """402: the account cannot pay for the task. Nothing was charged."""


class TaskNotFound(ServiceError):
    """404: there is no such task, or it belongs to another account."""


class RateLimited(ServiceError):
    """429: too many requests at the moment, or the account's spending limit for a period is used up.

    Attributes:
        reset_at: the time (UTC) at which such a limit ends, ``None`` if the service did not state it.
    """

    reset_at: datetime | None = None


class ServerFault(ServiceError):
    """5xx, or a response from a gateway; ``submit`` raises ``SubmissionUnconfirmed`` instead.

    Attributes:
        task_id: the id of a task in the answer to a submission, which then is no refusal; or empty.
    """

    task_id: str = ""
