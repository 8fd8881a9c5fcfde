"""An HTTP server on a real socket that does to the n-th request what the n-th step of its script says.

For faults that no well-behaved server commits: half an answer, a reset, a page of HTML, a length that lies.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Exchange",
    "FaultServer",
    "Received",
    "Step",
    "answer",
    "close",
    "drip",
    "file",
    "html",
    "partial",
    "redirect",
    "reset",
    "silence",
    "unannounced",
]


@dataclass(frozen=True)
class Received:
    """A request as it came. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass
class Exchange:
    """What a step works with: the request, the socket to answer on, and the end of the test."""

    request: Received
    socket: socket.socket
    stopped: threading.Event = field(repr=False)

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Sends a status line, headers and a body as they are; no length is added."""
        head = f"HTTP/1.1 {status} Scripted\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        self.socket.sendall(head.encode("latin-1") + b"\r\n" + body)


#: Answers one request; returns whether the connection is kept.
Step = Callable[[Exchange], bool]


def answer(body: object = b"", status: int = 200, **headers: str) -> Step:
    """A whole answer; anything but bytes goes as JSON. ``Retry_After="3"`` is the header ``Retry-After``."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Content-Length": str(len(content))} | {k.replace("_", "-"): v for k, v in headers.items()}

    def step(exchange: Exchange) -> bool:
        exchange.send(status, named, content)
        return True

    return step


def html(text: str, status: int = 502) -> Step:
    """A gateway's page."""
    return answer(text.encode(), status, Content_Type="text/html")


def redirect(location: str, status: int = 302) -> Step:
    """An answer that points elsewhere."""
    return answer(b"", status, Location=location)


def close(exchange: Exchange) -> bool:
    """Takes the request and hangs up."""
    return False


def reset(exchange: Exchange) -> bool:
    """Takes the request and resets the connection (RST)."""
    exchange.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def silence(exchange: Exchange) -> bool:
    """Takes the request and says nothing for as long as the server lives."""
    exchange.stopped.wait()
    return False


def partial(body: bytes, sent: int, **headers: str) -> Step:
    """Announces all of ``body``, sends its first bytes and hangs up."""
    named = {"Content-Length": str(len(body))} | {k.replace("_", "-"): v for k, v in headers.items()}

    def step(exchange: Exchange) -> bool:
        exchange.send(200, named, body[:sent])
        return False

    return step


def unannounced(body: bytes, **headers: str) -> Step:
    """Sends ``body`` without its length and hangs up: whether that is all of it, who knows."""
    named = {k.replace("_", "-"): v for k, v in headers.items()}

    def step(exchange: Exchange) -> bool:
        exchange.send(200, named, body)
        return False

    return step


def drip(body: bytes, interval: float) -> Step:
    """Sends ``body`` byte by byte, ``interval`` seconds apart, never quite silent."""

    def step(exchange: Exchange) -> bool:
        exchange.send(200, {"Content-Length": str(len(body))}, b"")
        for byte in body:
            if exchange.stopped.wait(interval):
                return False
            exchange.socket.sendall(bytes((byte,)))
        return True

    return step


def file(content: bytes, *, cut_at: int | None = None, ranges: bool = True, **headers: str) -> Step:
    """A file as a server of files sends it: whole, or from ``Range`` on if ``If-Range`` still holds.

    Args:
        content: the file.
        cut_at: hang up before this byte of the file.
        ranges: whether it knows ranges at all.
        headers: ``ETag`` and the like; ``If-Range`` is compared with ``ETag``, else with ``Last-Modified``.
    """
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    tag = named.get("ETag", named.get("Last-Modified"))

    def step(exchange: Exchange) -> bool:
        asked = re.fullmatch(r"bytes=(\d+)-", exchange.request.headers.get("range", ""))
        start, status, own = 0, 200, dict(named)
        if asked and ranges and exchange.request.headers.get("if-range") == tag:
            start, status = int(asked[1]), 206
            own["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        own["Content-Length"] = str(len(content) - start)
        exchange.send(status, own, content[start:cut_at])
        return cut_at is None

    return step


class FaultServer:
    """The server. ``with FaultServer(step, step, …) as server``; steps may be added while it runs.

    Args:
        script: the steps.
        otherwise: what is done to a request beyond the end of the script; by default it is answered 599, so
            that a test notices a request too many.
        port: where to listen; 0 for any free port.

    Attributes:
        url: where it listens.
        requests: what came, in order.
    """

    def __init__(self, *script: Step, otherwise: Step | None = None, port: int = 0) -> None:
        self.requests: list[Received] = []
        self._script = list(script)
        self.otherwise = otherwise or answer(b"the script is over", 599)
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def then(self, *steps: Step) -> FaultServer:
        """Adds to the script."""
        self._script += steps
        return self

    def __enter__(self) -> FaultServer:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        # A shutdown wakes the threads that wait on these sockets; each closes its own.
        for waiting in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(connection)
            self._start(self._serve, connection, len(self._sockets))

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while (request := _read(stream, number)) is not None:
                    with self._lock:
                        self.requests.append(request)
                        step = self._script.pop(0) if self._script else self.otherwise
                    if not step(Exchange(request, connection, self._stopped)):
                        return
            except OSError:  # the client hung up first
                return


def _read(stream: Any, number: int) -> Received | None:
    if stream.peek(1)[:1] == b"\x16":  # the start of a TLS handshake, to which a plain server has no answer
        return None
    first = stream.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers = {}
    while (line := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Received(first[0], first[1], headers, body, number)
