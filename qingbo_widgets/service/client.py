"""``Client``: submit, status, cancel, download. It blocks, keeps no state of tasks and knows no Jupyter."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from ..exceptions import (
    BadRequest,
    ConnectionFailed,
    InvalidRequest,
    ServerFault,
    ServiceError,
    SubmissionUnconfirmed,
    TaskNotFound,
)
from ..i18n import N_, tr
from .contract.contracts import Contract
from .contract.problem import Problem
from .contract.request import VideoRequest
from .contract.schema import Models
from .contract.snapshot import TaskSnapshot
from .contract.urls import is_web_url, without_query
from .credentials import find_api_key, find_base_url, find_contract
from .download.download import Download, OnProgress
from .http.answers import UNCLEAR
from .http.transport import Transport
from .secrets.known_keys import hide_in, holds_key
from .secrets.secret import Secret, hidden

__all__ = ["Client", "models"]

_NOT_TAKEN = N_("Nothing was charged. Correct the request and submit it again.")
_MAY_EXIST = N_(
    "The task may exist all the same, and may be charged: look at the service's dashboard before submitting "
    "it again."
)
_GOES_ON = N_("The task goes on at the service.")
_NOT_CANCELLED = N_("A task can be cancelled while it is queued; this one goes on.")
_MAY_BE_CANCELLED = N_("It is not known whether the task was cancelled: ask for its status.")


def models(contract: str | None = None) -> Models:
    """Return the models of a contract, and what each takes.

    Args:
        contract: its date; else ``QINGBO_CONTRACT``, or 2026-04.

    Raises:
        InvalidRequest: there is no contract of that date.
    """
    return find_contract(contract).models


class Client:
    """Speaks to the service, one blocking call at a time. May be used from several threads.

    Args:
        api_key: the key; else ``QINGBO_API_KEY``, ``WAVE_API_KEY``, ``WAVEAPI_API_KEY``, or the keyring.
        base_url: the service's address; else ``QINGBO_BASE_URL``, or the contract's own. Only https, except
            on this machine's loopback.
        contract: the date of the service's contract; else ``QINGBO_CONTRACT``, or 2026-04.
        timeout: seconds to connect, and seconds of silence in an answer.

    Raises:
        MissingApiKey: no key was given or found.
        InvalidRequest: the key must not be sent to ``base_url``, or the contract is not known.
        TypeError: ``api_key`` is no text.
    """

    def __init__(
        self,
        api_key: str | Secret | None = None,
        base_url: str | Secret | None = None,
        *,
        contract: str | None = None,
        timeout: tuple[float, float] = (5.0, 30.0),
    ) -> None:
        # Rebound, so that no traceback from here on can print the key, even where base_url should be.
        api_key, base_url = hidden(api_key), hidden(base_url)
        #: The contract that is spoken with the service.
        self.contract: Contract = find_contract(contract)
        self._transport = Transport(find_api_key(api_key), base_url or find_base_url(self.contract), timeout)

    @property
    def base_url(self) -> str:
        """The service's address, without a trailing slash."""
        return self._transport.base_url

    def payload(self, request: VideoRequest) -> dict[str, Any]:
        """The JSON body that ``submit`` sends for this request; nothing is sent.

        Raises:
            InvalidRequest: the request has problems.
        """
        problems = request.problems(self.contract.name)
        if problems:
            raise InvalidRequest(problems)
        return self.contract.encode(request)

    def submit(self, request: VideoRequest, *, idempotency_key: str | None = None) -> TaskSnapshot:
        """Submits a task. This costs money, and is never sent twice by itself (``POST /tasks``).

        Args:
            request: what to make.
            idempotency_key: sent along, so that a service that knows it answers a second submission with the
                first task.

        Raises:
            InvalidRequest: the request has problems; nothing was sent.
            ConnectionFailed: the service was not reached (``sent`` is ``False``); nothing was sent.
            SubmissionUnconfirmed: the request left and no usable answer came back; the task may exist.
            ServiceError: the service refused; nothing was made.
        """
        payload = self.payload(request)
        doubt, refusal = "", None
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        try:
            answer = self._transport.call(
                "POST",
                "/tasks",
                json=payload,
                headers=headers,
                refused=tr(_NOT_TAKEN),
                unclear=tr(_MAY_EXIST),
            )
            return self.contract.decode(answer)
        except ConnectionFailed as error:
            if not error.sent:
                raise
            doubt = str(error)
        except TaskNotFound as error:  # a model's, say: there is no task yet that could be unknown
            refusal = BadRequest(
                error.message, status=error.status, code=error.code, param=error.param, hint=tr(_NOT_TAKEN)
            )
        except ServiceError as error:
            if not isinstance(error, ServerFault) and error.status not in UNCLEAR:
                raise
            doubt = str(error)
        except ValueError as error:
            doubt = tr("The service accepted the request, but {reason}. {advice}")
            doubt = doubt.format(reason=error, advice=tr(_MAY_EXIST))
        if refusal is not None:
            raise refusal
        raise SubmissionUnconfirmed(doubt, idempotency_key=idempotency_key)

    def status(self, task_id: str) -> TaskSnapshot:
        """Asks how a task stands (``GET /tasks/{task_id}``). May be asked as often as one likes.

        Raises:
            InvalidRequest: ``task_id`` cannot be one.
            ConnectionFailed: no answer came.
            ServiceError: the service answered with an error, ``TaskNotFound`` for one.
        """
        return self._about(task_id, "GET", f"/tasks/{_segment(task_id)}", unclear=tr(_GOES_ON))

    def cancel(self, task_id: str) -> TaskSnapshot:
        """Cancels a task that is still queued; its quota is refunded (``POST /tasks/{task_id}/cancel``).

        Returns:
            A snapshot with little more than the id and the status; ``raw`` tells what was refunded.

        Raises:
            InvalidRequest: ``task_id`` cannot be one.
            ConnectionFailed: no answer came.
            ServiceError: the service answered with an error, ``BadRequest`` when the task already runs.
        """
        path = f"/tasks/{_segment(task_id)}/cancel"
        return self._about(task_id, "POST", path, tr(_NOT_CANCELLED), tr(_MAY_BE_CANCELLED))

    def download(
        self,
        url: str,
        path: str | Path,
        on_progress: OnProgress | None = None,
        *,
        max_bytes: int = 2 * 1024**3,
        film: str | None = None,
    ) -> Path:
        """Saves a finished video. The key is not sent.

        An interrupted transfer goes on where it stopped, as long as every fourth try at least brings
        something; and the next ``download`` goes on with what this one has left.

        Args:
            url: a link out of ``TaskSnapshot.videos``.
            path: the file to write, in a folder that exists; ``~`` is the home. Meanwhile
                ``<path>.<8 digits>.part`` and ``.etag`` stand beside it, of each download its own.
            on_progress: called with the bytes received, and the bytes in all (``None`` while unknown).
            max_bytes: the largest file to accept.
            film: a name of the video that all links to it share, by which what was left is found again; by
                default the link without its query.

        Raises:
            InvalidRequest: ``url`` is not an http(s) URL.
            LinkExpired: the server has the video no longer (documentation: links live for 24 hours).
            DownloadFailed: it could not be saved; the task is not affected.
        """
        if not is_web_url(url):
            shown = without_query(url) if isinstance(url, str) else repr(url)
            told = tr("url: {url:.80} is not the link to a video.").format(url=shown)
            raise InvalidRequest((Problem("url", told),))
        path = Path(path).expanduser()
        return Download(self._transport, url, path, on_progress, max_bytes=max_bytes, film=film).run()

    def close(self) -> None:
        """Closes the connections; a later call opens new ones."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client(base_url={self.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A Client holds the API key and is not written down; make a new one where it is needed."
        )

    def _about(
        self, task_id: str, method: str, path: str, refused: str = "", unclear: str = ""
    ) -> TaskSnapshot:
        answer = self._transport.call(method, path, refused=refused, unclear=unclear)
        try:
            snapshot = self.contract.decode(answer)
            if snapshot.task_id == task_id:
                return snapshot
            lack = tr("the answer is about another task, {task}.").format(task=snapshot.task_id)
        except ValueError as error:
            lack = tr("{reason}.").format(reason=error)
        raise ServerFault(lack, status=200, hint=unclear)


def _segment(task_id: str) -> str:
    # "." and ".." would climb out of /tasks even when quoted.
    is_one = isinstance(task_id, str) and task_id.strip(". ") != "" and task_id.isprintable()
    if not is_one or holds_key(task_id):  # pasted in the wrong place; addresses are logged
        told = tr("task_id: {task_id!r:.80} is not the id of a task.").format(task_id=hide_in(task_id))
        raise InvalidRequest((Problem("task_id", told),))
    return quote(task_id, safe="")
