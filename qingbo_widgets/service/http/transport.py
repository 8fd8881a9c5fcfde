"""HTTP transport: requests to the service, with the key, and downloads, without it.

No error of ``requests`` leaves this module, and no traceback through its frames: IPython's ``%xmode Verbose``
prints their local variables. ``outcome_of`` returns a raised error without its traceback, and ``call`` raises
it again. A submission opens a new connection; a kept-alive one is used only for requests that are safe to
repeat.
"""

from __future__ import annotations

import io
import json as jsonlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3.exceptions as urllib3_errors
from requests.cookies import RequestsCookieJar, extract_cookies_to_jar

from ...exceptions import AuthenticationFailed, DownloadFailed, InvalidRequest, QingboError, TaskNotFound
from ...i18n import N_, tr
from ...system.flags import Flag
from ..contract.addresses import Address, addresses_of, is_private_address
from ..contract.envelope import find_task
from ..contract.urls import (
    host_of,
    is_private_host,
    redirect_target,
    request_target,
    web_link,
    without_query,
)
from ..credentials import base_url_problem
from ..secrets.secret import Secret, as_secret
from .answers import LONGEST_ANSWER, Answer, JsonAnswer, error_in, json_in
from .connections import TARGET, ForbiddenAddress
from .failures import cause_of, failure_of, is_unsent, outcome_of
from .framing import OutOfSync
from .proxies import proxies_for
from .sessions import Sessions

__all__ = ["Stream", "Transport"]

#: Bytes. A gateway may put the whole video into a status.
_LONGEST_STATUS = 48 * 1024**2
_CHUNK = 256 * 1024
_MOST_REDIRECTS = 5
_INTERNAL = N_("The link to the video leads into your own network, so it was not opened ({link}).")
_TOO_MANY_REDIRECTS = N_("The link to the video redirects too many times ({link}).")
_NO_URL = N_("The link to the video does not lead to an http(s) URL ({link}).")


class _Body(io.BytesIO):
    """A request's body that records whether the connection has begun to read it.

    Until then no server can have acted on the request, whatever the failure.
    """

    is_read = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.is_read = True
        return super().read(size)


class Transport:
    """A transport that sends requests with the key to one base URL, and opens downloads without the key.

    It is thread-safe; each thread has its own connection, which is kept alive.

    Args:
        key: the API key.
        base_url: https, or http on this machine's loopback.
        timeout: seconds to connect, and seconds between two bytes of an answer.

    Raises:
        InvalidRequest: if the key must not be sent to ``base_url``.
    """

    def __init__(
        self, key: Secret, base_url: str | Secret, timeout: tuple[float, float] = (5.0, 30.0)
    ) -> None:
        base_url = as_secret(base_url) or Secret("")  # the key itself may have been put here
        problem = base_url_problem(base_url)
        if problem is not None:
            raise InvalidRequest((problem,))
        #: The service's message in its last refusal of the key; empty after an answer that proves it.
        self.key_refusal = ""
        self.base_url = base_url.reveal().rstrip("/")
        self._key = key
        self._timeout = timeout
        self._sessions = Sessions(key, self._may_have_key, self._may_reach)

    @property
    def closed(self) -> Flag:
        """The flag that the next ``close()`` sets."""
        return self._sessions.closed

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        refused: str = "",
        unclear: str = "",
        patience: float = 0.0,
        is_submission: bool = False,
        is_public: bool = False,
    ) -> JsonAnswer:
        """Send one request and return the service's answer, which has a JSON object.

        A POST is sent once. A GET whose kept-alive connection turns out to be dead is sent once more.

        Args:
            method: ``GET`` or ``POST``.
            path: below the base URL, quoted, with its leading slash.
            json: the body.
            headers: further headers.
            refused: the sentence for an error with which the service rejects the request.
            unclear: the sentence for an error after which the service may have acted, and the note on an
                interruption after which it may have.
            patience: seconds for which the service may hold its answer back, beyond the timeout.
            is_submission: whether the request makes a task, so that nothing was charged if it is refused.
            is_public: whether the path is beside the API, below the base URL without its ``/v1``, and the key
                is not sent.

        Raises:
            ConnectionFailed: no complete answer arrived; ``sent`` is True if the request may have arrived.
            ServiceError: the service answered with an error, or the answer is not the service's own.
        """
        body = None if json is None else _Body(jsonlib.dumps(json).encode())
        outcome = outcome_of(
            lambda: self._answered(
                method,
                path,
                body,
                headers or {},
                refused,
                unclear,
                patience,
                is_submission=is_submission,
                is_public=is_public,
            )
        )
        if not is_public:
            self._note_refusal(outcome)
        if isinstance(outcome, BaseException):
            if body is not None and body.is_read and unclear and not isinstance(outcome, QingboError):
                outcome.add_note(unclear)
            raise outcome
        return outcome

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[Stream]:
        """Open a download. The key is never sent; up to 5 redirects are followed, each checked like the link.

        Args:
            url: an http(s) URL.
            headers: the headers to send.

        Raises:
            ConnectionFailed: the server was not reached or did not answer.
            DownloadFailed: the link or a redirect is not an http(s) URL, or there are too many redirects.
        """
        opened = outcome_of(lambda: self._open(url, headers))
        if isinstance(opened, BaseException):
            raise opened
        try:
            yield Stream(opened.status_code, opened.headers, opened)
        finally:
            opened.close()

    def close(self) -> None:
        """Shut down the connections of every thread, even in mid-answer; a later call opens new ones."""
        self._sessions.close()

    def _note_refusal(self, outcome: object) -> None:
        """Remember whether the service accepted the key; an answer with the status 200 may be a gateway's."""
        if isinstance(outcome, AuthenticationFailed) and not 200 <= outcome.status < 300:
            self.key_refusal = outcome.message
        elif isinstance(outcome, JsonAnswer | TaskNotFound):
            self.key_refusal = ""

    def _answered(
        self,
        method: str,
        path: str,
        body: _Body | None,
        headers: Mapping[str, str],
        refused: str,
        unclear: str,
        patience: float,
        *,
        is_submission: bool,
        is_public: bool,
    ) -> JsonAnswer:
        base_url = self.base_url.removesuffix("/v1") if is_public else self.base_url
        answer = self._exchange(
            method, base_url + path, body, headers, unclear, patience, sends_key=not is_public
        )
        content = json_in(answer, self._key) if 200 <= answer.status < 300 else None
        if content is None:
            raise error_in(answer, self._key, refused, unclear, is_submission=is_submission)
        answer = JsonAnswer(answer.status, answer.headers, answer.body, answer.url, content)
        # Some gateways report an error with the status 200. In the answer to a GET, it may be the state of
        # the task that the answer names.
        if (
            content.get("success") is False
            and "task_id" not in content
            and (method != "GET" or find_task(content) is None)
        ):
            raise error_in(answer, self._key, refused, unclear, is_submission=is_submission)
        return answer

    def _exchange(
        self,
        method: str,
        url: str,
        body: _Body | None,
        headers: Mapping[str, str],
        unclear: str,
        patience: float,
        *,
        sends_key: bool,
    ) -> Answer:
        connecting, reading = self._timeout[0], self._timeout[1] + patience
        all_headers, closed = {"Accept": "application/json", **headers}, self.closed
        if body is not None:
            all_headers["Content-Type"] = "application/json"
        is_post = method == "POST"
        for is_last in (True,) if is_post else (False, True):
            session = self._sessions.with_key(fresh=is_post) if sends_key else self._sessions.without_key()
            try:
                with session.request(
                    method,
                    url,
                    data=body,
                    headers=all_headers,
                    timeout=(connecting, reading),
                    allow_redirects=False,
                    stream=True,
                    proxies=proxies_for(url),
                ) as response:
                    longest = LONGEST_ANSWER if is_post else _LONGEST_STATUS
                    content = _read_all(response, time.monotonic() + reading, longest)
                    return Answer(response.status_code, response.headers, content, url)
            except BaseException as error:
                session.close()  # bytes still to arrive on its connection belong to no request
                cause = cause_of(error)
                is_broken = isinstance(cause, (urllib3_errors.ProtocolError, OutOfSync))
                if is_broken and not is_last and not closed.is_set():
                    continue
                sent = not is_unsent(cause) if body is None else body.is_read
                raise failure_of(cause, url, sent=sent, unclear=unclear, is_read_only=not is_post) from None
        raise AssertionError("the last try returns or raises")

    def _open(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        """Return the answer to a download, behind its redirects."""
        given, cookies = url, RequestsCookieJar()
        for _ in range(1 + _MOST_REDIRECTS):
            if (link := web_link(given)) is None:
                raise _bad_link(_NO_URL, given, url)
            if self._is_internal(link):
                raise _bad_link(_INTERNAL, link, url)
            session = self._sessions.without_key()
            try:
                response = session.get(
                    link,
                    headers={"Accept-Encoding": "identity", TARGET: request_target(link), **headers},
                    cookies=cookies,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                    proxies=proxies_for(link),
                )
            except ForbiddenAddress:
                raise _bad_link(_INTERNAL, link, url) from None
            except BaseException as error:
                session.close()
                raise failure_of(cause_of(error), link, sent=True) from None
            if not response.is_redirect:
                return response
            # Some hosts set a cookie with the redirect and require it at the target. It goes only to hosts
            # that may have it (RFC 6265), and is forgotten with this request.
            extract_cookies_to_jar(cookies, response.request, response.raw)  # type: ignore[no-untyped-call]
            response.close()
            given = redirect_target(link, response.headers["Location"])
        raise _bad_link(_TOO_MANY_REDIRECTS, given, url)

    def _is_internal(self, link: str) -> bool:
        """Return whether a public service links to a machine of this network, which others cannot reach.

        A proxy resolves names itself, so they are also resolved here, as far as this machine can.
        """
        if is_private_host(self.base_url):
            return False
        return is_private_host(link) or not all(map(self._may_reach, addresses_of(host_of(link))))

    def _may_reach(self, peer: Address, own: Address | None = None) -> bool:
        """Return whether a request without the key may go to this address."""
        is_this_machine = peer.is_loopback or peer == own
        if not (is_this_machine or is_private_address(peer)) or is_private_host(self.base_url):
            return True
        # A company's gateway may have a public name and an internal address; behind a VPN that resolves
        # every name to an address of its own, so has every host.
        service = addresses_of(host_of(self.base_url))
        return bool(service) and all(
            address.is_loopback if is_this_machine else is_private_address(address) for address in service
        )

    def _may_have_key(self, peer: Address, _: Address | None) -> bool:
        """Return whether the key may go to this address: unencrypted, only to this machine."""
        return peer.is_loopback or self.base_url.startswith("https:")


@dataclass(frozen=True)
class Stream:
    """An open download.

    Attributes:
        status: the HTTP status.
        headers: the headers of the answer; the mapping ignores case.
    """

    status: int
    headers: Mapping[str, str]
    _response: requests.Response
    _process: int = field(default_factory=os.getpid)

    @property
    def is_chunked(self) -> bool:
        """True if the body marks its own end."""
        return bool(self._response.raw.chunked)

    def chunks(self, *, reads_on: bool = False) -> Iterator[bytes]:
        """Yield the body as it arrives.

        Args:
            reads_on: whether to read on behind the announced length until the server closes the connection,
                which serves only this request.

        Raises:
            ConnectionFailed: the connection broke off.
        """
        if reads_on and not self.is_chunked:
            raw: Any = self._response.raw
            raw.enforce_content_length, raw.length_remaining = False, None
            raw._fp.length = None
        while True:
            chunk = outcome_of(self._next)
            if isinstance(chunk, BaseException):
                raise chunk
            if not chunk:
                return
            yield chunk

    def _next(self) -> bytes:
        url = self._response.url
        try:
            if self._process != os.getpid():
                raise OutOfSync  # a forked process must not read from its parent's connection
            return self._response.raw.read1(_CHUNK, decode_content=False) or b""
        except BaseException as error:
            raise failure_of(cause_of(error), url, sent=True) from None


def _read_all(response: requests.Response, deadline: float, longest: int) -> bytes:
    content = bytearray()
    # read1 returns the bytes that have arrived; read would wait for a whole chunk, however slow the server.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        content += chunk
        if len(content) > longest:
            raise ValueError("the answer is too long")
        if time.monotonic() > deadline:
            raise TimeoutError("the answer took too long")
    return bytes(content)


def _bad_link(message: str, link: str, url: str) -> DownloadFailed:
    return DownloadFailed(tr(message).format(link=without_query(link)), url=url)
