"""``Client``: submit, status, cancel, download. Blocking, without task state, independent of Jupyter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from ..exceptions import (
    BadRequest,
    ConnectionFailed,
    InvalidRequest,
    QingboError,
    ServerFault,
    ServiceError,
    SubmissionUnconfirmed,
    TaskNotFound,
)
from ..i18n import N_, tr
from .contract.contracts import Contract
from .contract.error_codes import is_refusal
from .contract.mismatch import contract_in_answer
from .contract.models import dated
from .contract.pricing.answers import (
    Balance,
    read_balance,
    read_estimate,
    read_price_list,
    read_quote,
    refusal_in,
    tool_error_in,
)
from .contract.pricing.price import Price, PriceSource
from .contract.problem import Problem
from .contract.request import VideoRequest
from .contract.schema import Models
from .contract.snapshot import TaskSnapshot
from .contract.urls import web_link, without_query
from .credentials import find_api_key, find_base_url, find_contract, key_source
from .download.download import Download, OnProgress
from .http.answers import UNCLEAR, JsonAnswer, error_in
from .http.transport import Transport
from .key_check import NO_TASK, KeyCheck, Verdict, verdict_on
from .prefer import seconds_to_wait
from .priced import quoted_price
from .refusal import CORRECT, refusal_of
from .secrets.secret import Secret, as_secret
from .task_ids import valid_task_id

__all__ = ["NO_PRICES", "Client", "models"]

_MAY_EXIST = N_(
    "The task may exist anyway, and may be charged: check the service's dashboard before submitting it again."
)
_TASK_CONTINUES = N_("The task continues at the service.")
_NOT_CANCELLED = N_("A task can be cancelled only while it is queued; this one continues.")
NO_PRICES = N_("The documentation of contract {contract} states no prices and no balance.")
_NO_AMOUNT = N_("the response contains no amount.")
_MAY_BE_CANCELLED = N_("It is not known whether the task was cancelled: check its status.")
#: The answer to a request to the tools endpoint, and the version of its protocol.
_TOOLS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}


def _tool_call(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON-RPC request that calls a tool of the service."""
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": name, "arguments": arguments},
    }


def models(contract: str | None = None) -> Models:
    """Return the models of a contract, with the parameters of each.

    A connection made with ``connect(contract=…)`` does not change the default; its own models are
    ``manager.client.contract.models``.

    Args:
        contract: the contract's date; by default ``QINGBO_CONTRACT``, or that of the host of
            ``QINGBO_BASE_URL``, or 2026-04.

    Raises:
        InvalidRequest: there is no contract with that date.
    """
    contract = dated(contract)
    return find_contract(contract).models


class Client:
    """A blocking client of the service. Safe to use from several threads.

    Args:
        api_key: the key; by default ``QINGBO_API_KEY``, ``WAVE_API_KEY``, ``WAVEAPI_API_KEY`` or the keyring.
        base_url: the service's address; by default ``QINGBO_BASE_URL``, or the address in the contract. It
            must be https, except on this machine's loopback.
        contract: the date of the service's contract; by default ``QINGBO_CONTRACT``, or the one that the
            host of the address implies (2026-11 for api.qingbo.ai), or 2026-04.
        timeout: the connect timeout, and the longest pause within a response, both in seconds.

    Raises:
        MissingApiKey: no key was passed or found.
        InvalidRequest: the key must not be sent to ``base_url``, or the contract is unknown.
        TypeError: ``api_key`` is not a string.
    """

    def __init__(
        self,
        api_key: str | Secret | None = None,
        base_url: str | Secret | None = None,
        *,
        contract: str | None = None,
        timeout: tuple[float, float] = (5.0, 30.0),
    ) -> None:
        # Rebound, so that no later traceback can print the key, even if it was passed in another's place.
        api_key, base_url, contract = as_secret(api_key), as_secret(base_url), dated(contract)
        #: The contract used with the service.
        self.contract: Contract = find_contract(contract, base_url.reveal() if base_url else None)
        #: The contract that the server seems to speak, if its answers contradict ours.
        self.seen_contract: str | None = None
        #: Further arguments of the ``connect()`` that an error advises, as code.
        self.connect_arguments: tuple[str, ...] = ()
        #: Whether ``check_key`` was called.
        self.was_checked = False
        self._key, self._timeout = find_api_key(api_key), timeout
        self._transport = Transport(self._key, base_url or find_base_url(self.contract), timeout)

    @property
    def base_url(self) -> str:
        """The service's address, without a trailing slash."""
        return self._transport.base_url

    @property
    def key_refusal(self) -> str:
        """The service's message in its last refusal of the key; empty after an answer that proves the key."""
        return self._transport.key_refusal

    @property
    def key_source(self) -> str:
        """The place in which the key was found, as a sentence without the key."""
        return key_source(self._key)

    def check_key(self) -> KeyCheck:
        """Ask the service about a task that cannot exist, which it refuses to a wrong key. Submit nothing.

        Returns:
            Whether the service knows the key; no error is raised if it is not reached.
        """
        self.was_checked = True
        try:
            self._call(NO_TASK, "GET")
        except QingboError as error:
            return verdict_on(error)
        return KeyCheck(Verdict.unclear)

    def with_key(self, api_key: str | Secret | None) -> Client:
        """Return another client with another key, for the same address, contract and timeout.

        Args:
            api_key: the key; for a blank one, the environment and the keyring are searched.

        Raises:
            MissingApiKey: the key is malformed, or none was found.
        """
        api_key = as_secret(api_key)  # keep it out of tracebacks
        return self._like(api_key, self.contract.name)

    def with_contract(self, contract: str) -> Client:
        """Return another client with the same key, address and timeout that speaks this contract.

        Raises:
            InvalidRequest: there is no contract with that date.
        """
        client = self._like(self._key, contract)
        client.was_checked = self.was_checked
        return client

    def with_timeout(self, connecting: float, answering: float) -> Client:
        """Return another client with the same key, address and contract, and these timeouts in seconds."""
        return self._like(self._key, self.contract.name, (connecting, answering))

    def _like(self, key: Secret | None, contract: str, timeout: tuple[float, float] | None = None) -> Client:
        client = Client(key, self.base_url, contract=contract, timeout=timeout or self._timeout)
        client.connect_arguments = self.connect_arguments
        return client

    def payload(self, request: VideoRequest) -> dict[str, Any]:
        """Return the JSON body that ``submit`` would send for this request. Send nothing.

        Raises:
            InvalidRequest: the request has problems.
            TypeError: it is not a ``VideoRequest``.
        """
        if not isinstance(request, VideoRequest):
            request = as_secret(request)  # keep the text out of tracebacks: it may be a key
            raise TypeError(tr('request must be a VideoRequest, such as VideoRequest("kling-v3", "A koi")'))
        problems = request.problems(self.contract.name)
        if problems:
            raise InvalidRequest(problems)
        return self.contract.encode(request)

    def submit(
        self, request: VideoRequest, *, idempotency_key: str | None = None, wait: float | None = None
    ) -> TaskSnapshot:
        """Submit a task (``POST /tasks``). This costs money and is never retried automatically.

        Args:
            request: the request to submit.
            idempotency_key: sent with the request, so that a service that supports it returns the first task
                for a second submission.
            wait: seconds, 1 to 60, for which the service may hold the response back until the task has ended;
                the snapshot then has the result, or else the state after that time. Contract 2026-11 only.

        Raises:
            InvalidRequest: the request has problems, or ``wait`` has; nothing was sent.
            ConnectionFailed: the service was not reached (``sent`` is ``False``); nothing was sent.
            SubmissionUnconfirmed: the request was sent but no usable response arrived; the task may exist.
            ServiceError: the service refused the request; no task was created.
            TypeError: ``request`` is not a ``VideoRequest``.
        """
        request = request if isinstance(request, VideoRequest) else as_secret(request)
        payload = self.payload(request)
        seconds = seconds_to_wait(wait, self.contract)
        message, task_id, refusal = "", "", None
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        if seconds:
            headers["Prefer"] = f"wait={seconds}"
        try:
            answer = self._transport.call(
                "POST",
                "/tasks",
                json=payload,
                headers=headers,
                refused=tr(CORRECT),
                unclear=tr(_MAY_EXIST),
                patience=seconds,
                is_submission=True,
            )
            return self._decode(answer, tr(CORRECT), tr(_MAY_EXIST), is_submission=True)
        except ConnectionFailed as error:
            if not error.sent:
                raise
            message = str(error)
        except (BadRequest, TaskNotFound) as error:  # 404: about the model, for no task exists yet
            refusal = refusal_of(error, payload, self.contract, self.base_url, self.connect_arguments)
            self.seen_contract = refusal.contract or self.seen_contract
        except ServiceError as error:
            if not isinstance(error, ServerFault) and error.status not in UNCLEAR:
                raise
            message, task_id = str(error), getattr(error, "task_id", "")
        if refusal is not None:
            raise refusal
        raise SubmissionUnconfirmed(message, idempotency_key=idempotency_key, task_id=task_id)

    def status(self, task_id: str) -> TaskSnapshot:
        """Return the current state of a task (``GET /tasks/{task_id}``). Safe to call any number of times.

        Raises:
            InvalidRequest: ``task_id`` is not a valid id.
            ConnectionFailed: no response arrived.
            ServiceError: the service answered with an error, for example ``TaskNotFound``.
        """
        return self._call(valid_task_id(task_id), "GET", unclear=tr(_TASK_CONTINUES))

    def cancel(self, task_id: str) -> TaskSnapshot:
        """Cancel a task that is still queued (``POST /tasks/{task_id}/cancel``).

        Returns:
            A snapshot with little more than the id and the status; ``raw`` contains the
            refunded quota, if the service reports it.

        Raises:
            InvalidRequest: ``task_id`` is not a valid id.
            ConnectionFailed: no response arrived.
            ServiceError: the service answered with an error, ``BadRequest`` if the task is already running.
        """
        task_id = valid_task_id(task_id)
        return self._call(task_id, "POST", "/cancel", tr(_NOT_CANCELLED), tr(_MAY_BE_CANCELLED))

    def download(
        self,
        url: str,
        path: str | Path,
        on_progress: OnProgress | None = None,
        *,
        max_bytes: int = 2 * 1024**3,
        film: str | None = None,
    ) -> Path:
        """Save a finished video. The key is not sent.

        An interrupted transfer resumes where it stopped, as long as at least every fourth attempt receives
        data. If it fails, the next ``download`` resumes from the partial file that this one left.

        Args:
            url: a link from ``TaskSnapshot.videos``.
            path: the file to write, in a folder that exists; ``~`` is expanded. Meanwhile, each download
                has its own ``<path>.<8 digits>.part`` and ``.etag`` beside it.
            on_progress: called with the number of bytes received and the total (``None`` while unknown).
            max_bytes: the largest file to accept.
            film: a name that all links to the same video share, used to find its partial file; by default the
                link without its query.

        Raises:
            InvalidRequest: ``url`` is not an http(s) URL.
            LinkExpired: the server no longer has the video (documentation: links are valid for 24 hours in
                contract 2026-04, for 7 days in 2026-11).
            DownloadFailed: the video could not be saved; the task is not affected.
        """
        link = web_link(url)
        if link is None:
            shown = without_query(url) if isinstance(url, str) else repr(url)
            message = tr("url: {url:.80} is not the link to a video.").format(url=shown)
            raise InvalidRequest((Problem("url", message),))
        path = Path(path).expanduser()
        return Download(self._transport, link, path, on_progress, max_bytes=max_bytes, film=film).run()

    def balance(self) -> Balance:
        """Return the money of the account (``GET /dashboard/billing/balance``).

        Raises:
            QingboError: the contract documents no balance.
            ConnectionFailed: no response arrived.
            ServiceError: the service answered with an error, or with no balance.
        """
        self._check_money()
        answer = self._transport.call("GET", "/dashboard/billing/balance")
        balance = read_balance(answer.content)
        if balance is None:
            raise error_in(answer, self._key, reason=tr(_NO_AMOUNT))
        return balance

    def quote(self, request: VideoRequest) -> Price:
        """Return the service's own price of a request (``POST /waveapi/quote``). The key is not sent.

        The documentation calls the route public, and does not prove that it answers.

        Returns:
            The price; an unknown one with the reason, if the service refuses to quote this request.

        Raises:
            InvalidRequest: the request has problems; nothing was sent.
            QingboError: the contract documents no prices.
            ConnectionFailed: no response arrived.
            ServiceError: the service answered with an error, or with no price.
        """
        self._check_money()
        payload, now = self.payload(request), datetime.now(UTC)
        try:
            answer = self._transport.call("POST", "/waveapi/quote", json=payload, is_public=True)
        except ServiceError as error:  # the documentation does not say with which status a quote is refused
            if not is_refusal(error.code):
                raise
            return Price(as_of=now, reason=error.message)
        if reason := refusal_in(answer.content):
            return Price(as_of=now, reason=reason)
        return self._priced(request, read_quote(answer.content), answer, PriceSource.quote, now)

    def estimate(self, request: VideoRequest) -> Price:
        """Return the price of a request from the service's tools endpoint (``estimate_cost``). It is free.

        Raises:
            InvalidRequest: the request has problems; nothing was sent.
            QingboError: the contract documents no prices.
            ConnectionFailed: no response arrived.
            ServiceError: the service answered with an error, or with no price.
        """
        self._check_money()
        body, now = self.payload(request), datetime.now(UTC)
        arguments = {"model": body.pop("model"), "input": body}
        answer = self._transport.call(
            "POST", "/mcp", json=_tool_call("estimate_cost", arguments), headers=_TOOLS
        )
        if reason := tool_error_in(answer.content):
            raise BadRequest(reason, status=answer.status)
        return self._priced(request, read_estimate(answer.content), answer, PriceSource.estimate, now)

    def price_list(self) -> dict[str, object]:
        """Return the ``price_config`` of each model of the account (``GET /models``).

        Raises:
            QingboError: the contract documents no prices.
            ConnectionFailed: no response arrived.
            ServiceError: the service answered with an error.
        """
        self._check_money()
        return read_price_list(self._transport.call("GET", "/models").content)

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_transport"):  # in the traceback of an error in __init__
            return "Client(unfinished)"
        return f"Client(base_url={self.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            tr("A Client holds the API key and cannot be pickled; create a new one where it is needed.")
        )

    def _check_money(self) -> None:
        if not self.contract.terms.quota_per_dollar:
            raise QingboError(tr(NO_PRICES).format(contract=self.contract.name))

    def _priced(
        self,
        request: VideoRequest,
        usd: Decimal | None,
        answer: JsonAnswer,
        origin: PriceSource,
        now: datetime,
    ) -> Price:
        if usd is None:
            raise error_in(answer, self._key, reason=tr(_NO_AMOUNT))
        return quoted_price(request, usd, self.contract.models, origin, now)

    def _decode(
        self,
        answer: JsonAnswer,
        refused: str,
        unclear: str,
        *,
        asked: str = "",
        is_submission: bool = False,
    ) -> TaskSnapshot:
        """Return the snapshot in an answer with the status 200, which may report an error all the same.

        Raises:
            ServiceError: the answer is not about a task.
        """
        seen = contract_in_answer(self.contract, self.base_url, answer.content)
        self.seen_contract = seen or self.seen_contract
        try:
            return self.contract.decode(answer.content, asked)
        except ValueError as error:
            reason = str(error)
        raise error_in(answer, self._key, refused, unclear, is_submission=is_submission, reason=reason)

    def _call(
        self, task_id: str, method: str, action: str = "", refused: str = "", unclear: str = ""
    ) -> TaskSnapshot:
        path = f"/tasks/{quote(task_id, safe='')}{action}"
        answer = self._transport.call(method, path, refused=refused, unclear=unclear)
        snapshot = self._decode(answer, refused, unclear, asked=task_id)
        if snapshot.task_id != task_id:
            reason = tr("the response is about another task, {task}.").format(task=snapshot.task_id)
            raise ServerFault(reason, status=200, hint=unclear)
        return snapshot
