"""Tests of answer framing on a real socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from qingbo_widgets.service.http.framing import CheckedResponse, OutOfSync, is_idle
from qingbo_widgets.service.secrets.secret import Secret

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Yield the client's and the server's end of a connection."""
    client, server = socket.socketpair()
    with client, server:
        client.settimeout(5)
        yield client, server


def read(line: tuple[socket.socket, socket.socket], *pieces: bytes) -> tuple[int, bytes]:
    """Return the status and the body that a client reads when a server sends these bytes."""
    client, server = line
    server.sendall(b"".join(pieces))
    with CheckedResponse(client, method="POST") as response:
        response.begin()
        return response.status, response.read()


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_an_interim_answer_is_no_answer(line: tuple[socket.socket, socket.socket], status: int) -> None:
    """Any number of interim answers is skipped, with their headers."""
    interim = b"HTTP/1.1 %d Wait\r\nContent-Length: 9\r\nLink: </a>\r\n\r\n" % status
    assert read(line, interim * 3, GOOD) == (200, b"{}")
    assert is_idle(line[0])


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 102 Wait\r\n\r\n" * 99,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0_2\r\n\r\n",
    ],
)
def test_an_answer_without_a_clear_end_is_not_believed(
    line: tuple[socket.socket, socket.socket], head: bytes
) -> None:
    """An answer that two readers could delimit differently is rejected."""
    with pytest.raises(OutOfSync):
        read(line, head, GOOD)


def test_the_same_length_twice_is_one(line: tuple[socket.socket, socket.socket]) -> None:
    """A repeated ``Content-Length`` with the same value is accepted, because some proxies repeat it."""
    doubled = GOOD.replace(b"Content-Length: 2\r\n", b"Content-Length: 2\r\n" * 2)
    assert read(line, doubled) == (200, b"{}")


@pytest.mark.parametrize("rest", [GOOD, b"\r\n", b"x"])
def test_bytes_after_an_answer_end_the_connection(
    line: tuple[socket.socket, socket.socket], rest: bytes
) -> None:
    """Excess bytes close the connection: they would be taken for the next answer, or for its beginning."""
    assert read(line, GOOD, rest) == (200, b"{}")
    with pytest.raises(ConnectionResetError):
        is_idle(line[0])
    assert line[1].recv(1) == b""


def test_a_whole_answer_leaves_the_connection(line: tuple[socket.socket, socket.socket]) -> None:
    """A complete answer keeps the connection open, with its timeout, for the next request."""
    assert read(line, GOOD) == (200, b"{}")
    assert is_idle(line[0])
    line[0].sendall(b"next")
    assert line[1].recv(4) == b"next"
    assert line[0].gettimeout() == 5


def test_an_unrequested_answer_is_detected(line: tuple[socket.socket, socket.socket]) -> None:
    """Bytes that precede the request are detected, and so is a closed connection."""
    assert is_idle(line[0])
    line[1].sendall(GOOD)
    assert not is_idle(line[0])
    line[0].recv(1000)
    line[1].close()
    with pytest.raises(ConnectionResetError):
        is_idle(line[0])


def test_a_line_that_is_no_header_costs_the_connection_only(
    line: tuple[socket.socket, socket.socket],
) -> None:
    """A line that is no header leaves the answer valid, and nothing for a library to log."""
    client, server = line
    server.sendall(GOOD.replace(b"\r\n\r\n", b"\r\nnonsense\r\nX-Lost: 1\r\n\r\n"))
    with CheckedResponse(client) as response:
        response.begin()
        assert (response.status, response.read(), response.will_close) == (200, b"{}", True)
        assert response.headers.defects == []
        assert not response.headers.get_payload()


def test_a_head_does_not_carry_the_key(line: tuple[socket.socket, socket.socket]) -> None:
    """The key is hidden in the head before a library sees it; every other header is unchanged."""

    class Keyed(CheckedResponse):
        secret = Secret("sk-sentinel-0123")

    line[1].sendall(
        b"HTTP/1.1 200 for sk-sentinel-0123\r\n"
        b"A: 1\r\nB: x=%73k-sentinel-0123;\r\nA: 2\r\nContent-Length: 0\r\n\r\n"
    )
    with Keyed(line[0]) as response:
        response.begin()
        assert response.reason == "for <hidden>"
        assert response.headers.items() == [
            ("A", "1"),
            ("B", "x=<hidden>;"),
            ("A", "2"),
            ("Content-Length", "0"),
        ]


def test_another_processs_answer_is_left_alone(
    line: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forked process that closes its parent's connection leaves its bytes, state and timeout unchanged."""
    client, server = line
    server.sendall(GOOD + b"rest")
    response = CheckedResponse(client)
    response.begin()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    response.close()
    server.sendall(b"more")
    assert (client.recv(4), client.gettimeout()) == (b"more", 5)
