"""Answers: where one begins and ends, so that none is taken for the answer to another request.

``http.client`` skips the interim answer 100 only, reads on where two headers contradict each other, and drops
what a server sends behind an answer. After each of these, the next request would read a foreign answer.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

from ..secrets.secret import Secret

__all__ = ["CheckedResponse", "OutOfStep", "is_silent", "shut"]

#: A gateway sends one every few seconds while it waits. Each may take as long as the whole timeout.
_MOST_INTERIM = 20


class OutOfStep(Exception):
    """The bytes on a connection cannot be matched to the request. Nothing read from it is to be believed."""


class CheckedResponse(http.client.HTTPResponse):
    """The answer to one request: without interim answers, of a clear length, and without the key.

    Attributes:
        secret: the key, which the head may echo and http libraries would log.
    """

    secret: ClassVar[Secret] = Secret("")

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = _Reader(self.fp.detach(), sock)  # for its close()

    def begin(self, **limits: Any) -> None:
        """Read the head of the answer itself, behind any interim ones (RFC 9110, 15.2).

        Args:
            limits: what newer versions of http.client pass.

        Raises:
            OutOfStep: the answer switches protocols, does not come, or has two lengths.
        """
        for _ in range(_MOST_INTERIM):
            super().begin(**limits)
            if not 100 <= self.status < 200:
                self._check_length()
                self._clean()
                return
            if self.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                raise OutOfStep
            # Without headers, begin() reads the next answer.
            self.headers = self.msg = None  # type: ignore[assignment]
        raise OutOfStep

    def _check_length(self) -> None:
        # RFC 9112, 6.3: a message with both, or with two lengths, may be meant to smuggle in another.
        lengths = {value.strip() for value in self.headers.get_all("Content-Length", ())}
        codings = [value.strip().lower() for value in self.headers.get_all("Transfer-Encoding", ())]
        if codings and (lengths or codings != ["chunked"]):
            raise OutOfStep
        is_number = all(value.isascii() and value.isdigit() for value in lengths)
        # Without a number, the answer ends with its connection. But http.client has read +5 and 1_0 as one.
        if len(lengths) > 1 or (not is_number and self.length is not None):
            raise OutOfStep

    def _clean(self) -> None:
        headers = self.headers
        if headers.defects or headers.get_payload():
            # A line that is no header. urllib3 would log it, and the headers behind it are lost.
            headers.defects = []
            headers.set_payload("")
            self.will_close = True
        self.reason = self.secret.hide_in(self.reason)
        items = [(name, str(value)) for name, value in headers.items()]
        hidden = [(self.secret.hide_in(name), self.secret.hide_in(value)) for name, value in items]
        if hidden != items:
            for name in headers:
                del headers[name]
            for name, value in hidden:
                headers[name] = value


class _Reader(io.BufferedReader):
    """Reads one answer, and ends the connection where more than that answer has come."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__(raw)
        self._socket = sock
        self._process = os.getpid()

    def close(self) -> None:
        # A forked process has inherited the connection, which is still its parent's.
        if not self.closed and self._process == os.getpid():
            more = b""
            with suppress(OSError, ValueError), _without_waiting(self._socket):
                more = self.peek(1)
            if more:
                shut(self._socket)
        super().close()


def is_silent(sock: socket.socket) -> bool:
    """Return whether nothing waits to be read: no answer can have come before its request.

    Raises:
        ConnectionResetError: the server has closed the connection.
    """
    # Reading, and not select(): over TLS, what waits may be a session ticket, or wait in TLS's own buffer.
    try:
        with _without_waiting(sock):
            unasked = sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    if not unasked:
        raise ConnectionResetError  # closed by the server
    return False


def shut(sock: object) -> None:
    """End a connection for both sides, also one on which another thread waits."""
    if isinstance(sock, socket.socket):  # TLS within the TLS of a proxy is not one
        with suppress(OSError):  # it has ended by itself
            # Not the method of a TLS socket, which is not made for another thread's connection.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


@contextmanager
def _without_waiting(sock: socket.socket) -> Iterator[None]:
    timeout = sock.gettimeout()
    sock.settimeout(0)
    try:
        yield
    finally:
        sock.settimeout(timeout)
