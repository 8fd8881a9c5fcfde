"""HTTP: what is sent, what comes back, and what a failure means.

Nothing of ``requests`` comes out of it: a traceback that passes through its frames prints the key (IPython's
``%xmode Verbose`` shows their local variables). So a failure is caught, put into words, and raised as an
error of ours after the ``except`` block, where no foreign traceback hangs on it.
"""

from __future__ import annotations

import io
import json as jsonlib
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions as urllib3_errors
from requests.exceptions import RequestException

from ..exceptions import ConnectionFailed, DownloadFailed, InvalidRequest
from ..i18n import N_, tr
from .answers import Answer, error_in, json_in
from .credentials import Secret, hidden, problem_with
from .sessions import Sessions
from .urls import is_loopback, is_private_host, is_web_url, pointed_to, without_query

__all__ = ["Stream", "Transport"]

#: Bytes; an answer about a task has a few thousand.
_LONGEST_ANSWER = 4 * 1024**2
_CHUNK = 256 * 1024
_MOST_REDIRECTS = 5
_UNCONNECTED = (urllib3_errors.NewConnectionError, urllib3_errors.ConnectTimeoutError)

#: What each failure means to a person, the more particular first.
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (
        urllib3_errors.NameResolutionError,
        N_("{host} was not found: its name could not be looked up. Is this machine online?"),
    ),
    (urllib3_errors.NewConnectionError, N_("{host} refused the connection or cannot be reached.")),
    (urllib3_errors.ConnectTimeoutError, N_("{host} did not accept the connection in time.")),
    (urllib3_errors.SSLError, N_("{host} could not prove who it is, or broke the encryption (TLS).")),
    (
        urllib3_errors.ProxyError,
        N_("{host} was not reached: the proxy named in the environment did not help."),
    ),
    (TimeoutError, N_("{host} did not answer in time.")),
    (urllib3_errors.TimeoutError, N_("{host} did not answer in time.")),
    (urllib3_errors.ProtocolError, N_("{host} closed the connection before its answer was whole.")),
    (Exception, N_("{host} was asked, or answered, in a way that cannot be read.")),
)
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
        self._sessions = Sessions(key)

    @property
    def closed(self) -> threading.Event:
        """Is set by the next ``close``."""
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
        """Sends one request and returns the JSON object that the service answers.

        A POST is sent once. A GET whose kept-alive connection turns out to be dead is sent once more.

        Args:
            method: ``GET`` or ``POST``.
            path: below the base URL, quoted, with its leading slash.
            json: the body.
            headers: further headers.
            refused: the sentence for an error by which the service does not take the request.
            unclear: the sentence for an error after which nobody knows whether the service has acted.

        Raises:
            ConnectionFailed: no whole answer came; ``sent`` tells whether the request may have arrived.
            ServiceError: the service answered with an error, or with something that is not its own.
        """
        outcome = self._exchange(method, path, json, headers or {}, unclear)
        if isinstance(outcome, BaseException):
            raise outcome
        body = json_in(outcome, self._key) if 200 <= outcome.status < 300 else None
        if body is None:
            raise error_in(outcome, self._key, refused, unclear)
        return body

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[Stream]:
        """Opens a download. The key is never sent; up to 5 redirects are followed.

        Args:
            url: an http(s) URL.
            headers: what to send.

        Raises:
            ConnectionFailed: the server was not reached or did not answer.
            DownloadFailed: the link, or what it points to, is not an http(s) URL, or points on and on.
        """
        opened = self._open(url, headers)
        if isinstance(opened, BaseException):
            raise opened
        try:
            yield Stream(opened.status_code, opened.headers, opened)
        finally:
            opened.close()

    def close(self) -> None:
        """Cuts the connections of every thread, in mid-answer too; a later call opens new ones."""
        self._sessions.close()

    def _exchange(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        unclear: str,
    ) -> Answer | ConnectionFailed | KeyboardInterrupt:
        url = self.base_url + path
        sending = {"Accept": "application/json", **headers}
        body, closed = None, self.closed
        if json is not None:
            body = _Body(jsonlib.dumps(json).encode())
            sending["Content-Type"] = "application/json"
        for is_last in (True,) if method == "POST" else (False, True):
            try:
                with self._sessions.with_key().request(
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
            except KeyboardInterrupt:
                # Raised anew by the caller: a traceback through the frames below would print the key.
                return KeyboardInterrupt()
            except Exception as error:  # whatever it is, its traceback would print the key
                cause = _cause(error)
                broken = isinstance(cause, urllib3_errors.ProtocolError)
                if broken and not is_last and not closed.is_set():
                    continue
                sent = not isinstance(cause, _UNCONNECTED) if body is None else body.taken
                return _failure(cause, url, sent=sent, unclear=unclear)
        raise AssertionError("the last try returns")

    def _open(
        self, url: str, headers: Mapping[str, str]
    ) -> requests.Response | ConnectionFailed | DownloadFailed:
        link = url
        for _ in range(1 + _MOST_REDIRECTS):
            if not is_web_url(link) or self._is_inside(link):
                break
            try:
                response = self._sessions.without_key().get(
                    link,
                    headers={"Accept-Encoding": "identity", **headers},
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                    proxies=_proxies(link),
                )
            except Exception as error:
                return _failure(_cause(error), link, sent=True)
            if not response.is_redirect:
                return response
            response.close()
            link = pointed_to(link, response.headers["Location"])
        words = tr(_INSIDE) if self._is_inside(link) else tr(_ON_AND_ON) if is_web_url(link) else tr(_NO_URL)
        return DownloadFailed(words.format(link=without_query(link)), url=url)

    def _is_inside(self, link: str) -> bool:
        """Whether a service out there points at a machine in here, which others cannot reach."""
        return is_private_host(link) and not is_private_host(self.base_url)


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

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives.

        Raises:
            ConnectionFailed: it broke off.
        """
        while True:
            chunk = self._next()
            if isinstance(chunk, ConnectionFailed):
                raise chunk
            if not chunk:
                return
            yield chunk

    def _next(self) -> bytes | ConnectionFailed:
        try:
            return self._response.raw.read1(_CHUNK, decode_content=False) or b""
        except Exception as error:
            return _failure(_cause(error), self._response.url, sent=True)


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


def _cause(error: Exception) -> Exception:
    """The failure itself, out of what requests and urllib3 wrap around it."""
    if isinstance(error, RequestException) and error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    if isinstance(error, urllib3_errors.MaxRetryError) and error.reason is not None:
        error = error.reason
    return error


def _failure(cause: Exception, url: str, *, sent: bool, unclear: str = "") -> ConnectionFailed:
    words = next(tr(words) for kind, words in _WORDS if isinstance(cause, kind))
    after = unclear if sent else tr("Nothing was sent.")
    return ConnectionFailed(f"{words.format(host=urlsplit(url).hostname)} {after}".rstrip(), sent=sent)
