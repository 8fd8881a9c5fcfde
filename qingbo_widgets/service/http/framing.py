"""Answer framing: checks that no answer is taken for the answer to another request.

``http.client`` skips only the interim answer 100, accepts two headers that contradict each other, and ignores
bytes that a server sends after an answer. After each of these, the next request would read the wrong answer.
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

__all__ = ["CheckedResponse", "OutOfSync", "is_idle", "shut"]

#: Interim answers. A gateway sends one every few seconds while it waits; each may take the whole timeout.
_MOST_INTERIM = 20


class OutOfSync(Exception):
    """The bytes on a connection do not match the request. Nothing read from it can be trusted."""


class CheckedResponse(http.client.HTTPResponse):
    """An answer to one request, without interim answers, with an unambiguous length, and without the key.

    Attributes:
        secret: the key, which the head may echo and HTTP libraries would log.
    """

    secret: ClassVar[Secret] = Secret("")

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = _Reader(self.fp.detach(), sock)  # for the checks in its close()

    def begin(self, **limits: Any) -> None:
        """Read the head of the final answer, after any interim ones (RFC 9110, 15.2).

        Args:
            limits: keyword arguments that newer versions of http.client pass.

        Raises:
            OutOfSync: the answer switches protocols, does not arrive, or has two lengths.
        """
        for _ in range(_MOST_INTERIM):
            super().begin(**limits)
            if not 100 <= self.status < 200:
                self._check_length()
                self._clean()
                return
            if self.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                raise OutOfSync
            # begin() reads the next answer only if there are no headers yet.
            self.headers = self.msg = None  # type: ignore[assignment]
        raise OutOfSync

    def _check_length(self) -> None:
        # RFC 9112, 6.3: a message with both headers, or with two lengths, may be an attempt at smuggling.
        lengths = {value.strip() for value in self.headers.get_all("Content-Length", ())}
        codings = [value.strip().lower() for value in self.headers.get_all("Transfer-Encoding", ())]
        if codings and (lengths or codings != ["chunked"]):
            raise OutOfSync
        is_number = all(value.isascii() and value.isdigit() for value in lengths)
        # Without a number, the answer ends with its connection. But http.client accepts +5 and 1_0 as one.
        if len(lengths) > 1 or (not is_number and self.length is not None):
            raise OutOfSync

    def _clean(self) -> None:
        headers = self.headers
        if headers.defects or headers.get_payload():
            # A line is not a header: urllib3 would log it, and the headers after it are lost.
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
    """A reader of one answer that shuts the connection down if more than that answer has arrived."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__(raw)
        self._socket = sock
        self._process = os.getpid()

    def close(self) -> None:
        # A forked process must not touch the connection: it belongs to the parent.
        if not self.closed and self._process == os.getpid():
            excess = b""
            with suppress(OSError, ValueError), _non_blocking(self._socket):
                excess = self.peek(1)
            if excess:
                shut(self._socket)
        super().close()


def is_idle(sock: socket.socket) -> bool:
    """Return whether nothing has arrived on the socket: no answer may precede its request.

    Raises:
        ConnectionResetError: the server has closed the connection.
    """
    # Not select(): over TLS, the pending bytes may be a session ticket, or may be in TLS's own buffer.
    try:
        with _non_blocking(sock):
            unexpected = sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    if not unexpected:
        raise ConnectionResetError  # closed by the server
    return False


def shut(sock: object) -> None:
    """Shut a connection down in both directions, even if another thread is waiting on it."""
    if isinstance(sock, socket.socket):  # TLS inside a proxy's TLS has a different class
        with suppress(OSError):  # the connection is closed already
            # Not the method of the TLS socket, which must not be used from another thread.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


@contextmanager
def _non_blocking(sock: socket.socket) -> Iterator[None]:
    timeout = sock.gettimeout()
    sock.settimeout(0)
    try:
        yield
    finally:
        sock.settimeout(timeout)
