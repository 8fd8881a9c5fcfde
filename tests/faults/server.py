"""A scripted HTTP server on a real socket: the n-th step of its script answers the n-th request.

It produces the faults of badly behaved servers: half an answer, a reset, an HTML page, a wrong length.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.listener import Listener

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
    """A received request. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        """The body, parsed as JSON."""
        return json.loads(self.body)


@dataclass
class Exchange:
    """The arguments of a step: the request, the socket for the answer, and the event that ends the test."""

    request: Received
    socket: socket.socket
    stopped: threading.Event = field(repr=False)

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send a status line, headers and a body unchanged; no length is added."""
        head = f"HTTP/1.1 {status} Scripted\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        self.socket.sendall(head.encode("latin-1") + b"\r\n" + body)


#: A function that answers one request and returns whether the connection is kept.
Step = Callable[[Exchange], bool]


def answer(body: object = b"", status: int = 200, **headers: str) -> Step:
    """Return a step that sends a complete answer.

    Args:
        body: bytes, or a value to encode as JSON.
        status: the status code.
        headers: the headers, with underscores for hyphens: ``Retry_After="3"`` is ``Retry-After: 3``.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    wire_headers = {"Content-Length": str(len(content))} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }

    def step(exchange: Exchange) -> bool:
        exchange.send(status, wire_headers, content)
        return True

    return step


def html(text: str, status: int = 502) -> Step:
    """Return a step that sends a gateway's HTML page."""
    return answer(text.encode(), status, Content_Type="text/html")


def redirect(location: str, status: int = 302) -> Step:
    """Return a step that redirects to another location."""
    return answer(b"", status, Location=location)


def close(exchange: Exchange) -> bool:
    """Read the request and close the connection."""
    return False


def reset(exchange: Exchange) -> bool:
    """Read the request and reset the connection (RST)."""
    exchange.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def silence(exchange: Exchange) -> bool:
    """Read the request and send nothing until the server stops."""
    exchange.stopped.wait()
    return False


def partial(body: bytes, sent: int, **headers: str) -> Step:
    """Announce all of ``body``, send its first ``sent`` bytes and close the connection."""
    wire_headers = {"Content-Length": str(len(body))} | {k.replace("_", "-"): v for k, v in headers.items()}

    def step(exchange: Exchange) -> bool:
        exchange.send(200, wire_headers, body[:sent])
        return False

    return step


def unannounced(body: bytes, **headers: str) -> Step:
    """Send ``body`` without its length and close the connection, so that a cut is undetectable."""
    wire_headers = {k.replace("_", "-"): v for k, v in headers.items()}

    def step(exchange: Exchange) -> bool:
        exchange.send(200, wire_headers, body)
        return False

    return step


def drip(body: bytes, interval: float) -> Step:
    """Send ``body`` byte by byte, ``interval`` seconds apart, so that no read timeout expires."""

    def step(exchange: Exchange) -> bool:
        exchange.send(200, {"Content-Length": str(len(body))}, b"")
        for byte in body:
            if exchange.stopped.wait(interval):
                return False
            exchange.socket.sendall(bytes((byte,)))
        return True

    return step


def file(content: bytes, *, cut_at: int | None = None, ranges: bool = True, **headers: str) -> Step:
    """Send a file as a file server does: whole, or from ``Range`` on if ``If-Range`` matches.

    Args:
        content: the file.
        cut_at: the byte of the file before which the connection is closed.
        ranges: whether the server supports ranges.
        headers: ``ETag`` and the like; ``If-Range`` is compared with ``ETag``, else with ``Last-Modified``.
    """
    wire_headers = {k.replace("_", "-"): v for k, v in headers.items()}
    tag = wire_headers.get("ETag", wire_headers.get("Last-Modified"))

    def step(exchange: Exchange) -> bool:
        requested = re.fullmatch(r"bytes=(\d+)-", exchange.request.headers.get("range", ""))
        start, status, sent_headers = 0, 200, dict(wire_headers)
        if requested and ranges and exchange.request.headers.get("if-range") == tag:
            start, status = int(requested[1]), 206
            sent_headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        sent_headers["Content-Length"] = str(len(content) - start)
        exchange.send(status, sent_headers, content[start:cut_at])
        return cut_at is None

    return step


class FaultServer(Listener):
    """A scripted server: ``with FaultServer(step, step, …) as server``; steps may be added while it runs.

    Args:
        script: the steps.
        otherwise: the step for requests beyond the end of the script; by default the answer is 599, so that
            a test detects a request too many.
        port: the port to listen on; 0 for any free port.

    Attributes:
        url: the URL of the server.
        requests: the received requests, in order.
    """

    def __init__(self, *script: Step, otherwise: Step | None = None, port: int = 0) -> None:
        super().__init__(port)
        self.requests: list[Received] = []
        self._script = list(script)
        self.otherwise = otherwise or answer(b"the script is over", 599)
        self._lock = threading.Lock()

    def then(self, *steps: Step) -> FaultServer:
        """Append steps to the script and return the server."""
        self._script += steps
        return self

    def serve(self, connection: socket.socket, number: int) -> None:
        """Answer the requests of a connection by the script."""
        with connection, connection.makefile("rb") as stream:
            try:
                while (request := _read(stream, number)) is not None:
                    with self._lock:
                        self.requests.append(request)
                        step = self._script.pop(0) if self._script else self.otherwise
                    if not step(Exchange(request, connection, self.stopped)):
                        return
            except OSError:  # the client closed the connection first
                return


def _read(stream: Any, number: int) -> Received | None:
    if stream.peek(1)[:1] == b"\x16":  # the start of a TLS handshake, which a plain server cannot answer
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
