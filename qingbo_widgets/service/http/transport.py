"""HTTP: what is sent, what comes back, and what a failure means.

No error of ``requests`` leaves this module, and no traceback through its frames: IPython's ``%xmode Verbose``
shows their local variables. ``outcome_of`` returns what was raised, stripped, and ``call`` raises it again.
A submission starts on a connection of its own; a kept connection serves only what may be asked twice.
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

from ...exceptions import DownloadFailed, InvalidRequest, QingboError
from ...i18n import N_, tr
from ...system.flags import Flag
from ..contract.addresses import Address, addresses_of, is_inside
from ..contract.urls import host_of, is_loopback, is_private_host, is_web_url, pointed_to, without_query
from ..credentials import problem_with
from ..secrets.secret import Secret, hidden
from .answers import Answer, error_in, json_in
from .connections import NotAdmitted
from .failures import UNCONNECTED, cause_of, failure_of, outcome_of
from .framing import OutOfStep
from .sessions import Sessions

__all__ = ["Stream", "Transport"]

#: Bytes; an answer about a task has a few thousand.
_LONGEST_ANSWER = 256 * 1024
_CHUNK = 256 * 1024
_MOST_REDIRECTS = 5
_INSIDE = N_(
    "The link to the video leads into a network of your own, where the service has no business ({link})."
)
_ON_AND_ON = N_("The link to the video points on and on ({link}).")
_NO_URL = N_("The link to the video does not lead to an http(s) URL ({link}).")


class _Body(io.BytesIO):
    """A request's body that knows whether the connection has begun to take it.

    Until then no server can have acted on the request, whatever the failure is called.
    """

    taken = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.taken = True
        return super().read(size)


class Transport:
    """Sends requests with the key to one base URL, and opens downloads without the key.

    May be used from several threads; each has its own connection, which is kept alive.

    Args:
        key: the API key.
        base_url: https, or http on this machine's loopback.
        timeout: seconds to connect, seconds between two bytes of an answer.

    Raises:
        InvalidRequest: if the key must not be sent to ``base_url``.
    """

    def __init__(
        self, key: Secret, base_url: str | Secret, timeout: tuple[float, float] = (5.0, 30.0)
    ) -> None:
        base_url = hidden(base_url) or Secret("")  # the key itself may have been put here
        problem = problem_with(base_url)
        if problem is not None:
            raise InvalidRequest((problem,))
        self.base_url = base_url.reveal().rstrip("/")
        self._key = key
        self._timeout = timeout
        self._sessions = Sessions(key, self._may_have_key, self._may_reach)

    @property
    def closed(self) -> Flag:
        """Set by the next ``close()``."""
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
    ) -> dict[str, Any]:
        """Send one request and return the JSON object that the service answers.

        A POST is sent once. A GET whose kept-alive connection turns out to be dead is sent once more.

        Args:
            method: ``GET`` or ``POST``.
            path: below the base URL, quoted, with its leading slash.
            json: the body.
            headers: further headers.
            refused: the sentence for an error by which the service does not take the request.
            unclear: the sentence for an error after which the service may have acted, and the note on an
                interruption after which it may have.

        Raises:
            ConnectionFailed: no whole answer came; ``sent`` tells whether the request may have arrived.
            ServiceError: the service answered with an error, or with something that is not its own.
        """
        body = None if json is None else _Body(jsonlib.dumps(json).encode())
        outcome = outcome_of(lambda: self._answered(method, path, body, headers or {}, refused, unclear))
        if isinstance(outcome, BaseException):
            if body is not None and body.taken and unclear and not isinstance(outcome, QingboError):
                outcome.add_note(unclear)
            raise outcome
        return outcome

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[Stream]:
        """Open a download. The key is never sent; up to 5 redirects are followed, each judged as the link is.

        Args:
            url: an http(s) URL.
            headers: what to send.

        Raises:
            ConnectionFailed: the server was not reached or did not answer.
            DownloadFailed: the link, or what it points to, is not an http(s) URL, or points on and on.
        """
        opened = outcome_of(lambda: self._open(url, headers))
        if isinstance(opened, BaseException):
            raise opened
        try:
            yield Stream(opened.status_code, opened.headers, opened)
        finally:
            opened.close()

    def close(self) -> None:
        """Cut the connections of every thread, in mid-answer too; a later call opens new ones."""
        self._sessions.close()

    def _answered(
        self,
        method: str,
        path: str,
        body: _Body | None,
        headers: Mapping[str, str],
        refused: str,
        unclear: str,
    ) -> dict[str, Any]:
        answer = self._exchange(method, self.base_url + path, body, headers, unclear)
        found = json_in(answer, self._key) if 200 <= answer.status < 300 else None
        if found is None:
            raise error_in(answer, self._key, refused, unclear)
        return found

    def _exchange(
        self, method: str, url: str, body: _Body | None, headers: Mapping[str, str], unclear: str
    ) -> Answer:
        sending, closed = {"Accept": "application/json", **headers}, self.closed
        if body is not None:
            sending["Content-Type"] = "application/json"
        is_post = method == "POST"
        for is_last in (True,) if is_post else (False, True):
            session = self._sessions.with_key(fresh=is_post)
            try:
                with session.request(
                    method,
                    url,
                    data=body,
                    headers=sending,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                    proxies=_proxies(url),
                ) as response:
                    content = _whole(response, time.monotonic() + self._timeout[1])
                    return Answer(response.status_code, response.headers, content, url)
            except BaseException as error:
                session.close()  # whatever is still to come on its connection answers nothing
                cause = cause_of(error)
                is_broken = isinstance(cause, (urllib3_errors.ProtocolError, OutOfStep))
                if is_broken and not is_last and not closed.is_set():
                    continue
                sent = not isinstance(cause, UNCONNECTED) if body is None else body.taken
                raise failure_of(cause, url, sent=sent, unclear=unclear, is_question=not is_post) from None
        raise AssertionError("the last try returns or raises")

    def _open(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        link = url
        for _ in range(1 + _MOST_REDIRECTS):
            if not is_web_url(link):
                raise _no_video(_NO_URL, link, url)
            if self._is_inside(link):
                raise _no_video(_INSIDE, link, url)
            session = self._sessions.without_key()
            try:
                response = session.get(
                    link,
                    headers={"Accept-Encoding": "identity", **headers},
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                    proxies=_proxies(link),
                )
            except NotAdmitted:
                raise _no_video(_INSIDE, link, url) from None
            except BaseException as error:
                session.close()
                raise failure_of(cause_of(error), link, sent=True) from None
            if not response.is_redirect:
                return response
            response.close()
            link = pointed_to(link, response.headers["Location"])
        raise _no_video(_ON_AND_ON, link, url)

    def _is_inside(self, link: str) -> bool:
        """Return whether a service out there points at a machine in here, which others cannot reach.

        A proxy looks names up by itself, so they are looked up here too, as far as this machine can.
        """
        if is_private_host(self.base_url):
            return False
        return is_private_host(link) or not all(map(self._may_reach, addresses_of(host_of(link))))

    def _may_reach(self, peer: Address, own: Address | None = None) -> bool:
        """Return whether a request without the key may go to this address."""
        is_here = peer.is_loopback or peer == own
        if not (is_here or is_inside(peer)) or is_private_host(self.base_url):
            return True
        # A company's own gateway has an inner address under a common name; so has all the world behind a VPN
        # that answers every name with an address of its own.
        service = addresses_of(host_of(self.base_url))
        return bool(service) and all(
            address.is_loopback if is_here else is_inside(address) for address in service
        )

    def _may_have_key(self, peer: Address, _: Address | None) -> bool:
        """Return whether the key may go to this address: in the clear, only to this machine."""
        return peer.is_loopback or self.base_url.startswith("https:")


@dataclass(frozen=True)
class Stream:
    """A download that has begun.

    Attributes:
        status: the HTTP status.
        headers: the answer's headers; the mapping ignores case.
    """

    status: int
    headers: Mapping[str, str]
    _response: requests.Response
    _process: int = field(default_factory=os.getpid)

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            ConnectionFailed: it broke off.
        """
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
                raise OutOfStep  # a forked process takes no bytes from its parent's connection
            return self._response.raw.read1(_CHUNK, decode_content=False) or b""
        except BaseException as error:
            raise failure_of(cause_of(error), url, sent=True) from None


def _whole(response: requests.Response, deadline: float) -> bytes:
    content = bytearray()
    # read1 returns what has arrived; read would wait for a whole chunk, however slowly it drips.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        content += chunk
        if len(content) > _LONGEST_ANSWER:
            raise ValueError("the answer is too long")
        if time.monotonic() > deadline:
            raise TimeoutError("the answer took too long")
    return bytes(content)


def _proxies(url: str) -> dict[str, str] | None:
    # A proxy of the environment has no way to this machine's loopback. requests adds to the dictionary.
    return {"http": "", "https": ""} if is_loopback(url) else None


def _no_video(words: str, link: str, url: str) -> DownloadFailed:
    return DownloadFailed(tr(words).format(link=without_query(link)), url=url)
