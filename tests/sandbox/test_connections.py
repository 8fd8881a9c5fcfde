"""Tests of connections to the sandbox: slow clients and unfinished requests do not block others."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from qingbo_widgets.sandbox import Sandbox, connections
from qingbo_widgets.sandbox.connections import most_connections

HEAD = b"POST /v1/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\n"
BODY = HEAD + b"Content-Length: 100\r\n\r\n{"
MANY = """
import socket, sys, time
address, number = ("127.0.0.1", int(sys.argv[1])), int(sys.argv[2])
sockets = []
for _ in range(number):
    sockets.append(socket.create_connection(address, timeout=30))
    sockets[-1].sendall(sys.argv[3].encode())
print("open", flush=True)
sys.stdin.read()
"""


def port_of(sandbox: Sandbox) -> int:
    """Return the port of a sandbox."""
    return urlsplit(sandbox.base_url).port or 0


def answer(sandbox: Sandbox) -> int:
    """Return the HTTP status of a valid request."""
    key = {"Authorization": f"Bearer {sandbox.api_key}"}
    return requests.get(f"{sandbox.base_url}/models", headers=key, timeout=10).status_code


@pytest.fixture(params=[HEAD, BODY, b""], ids=["half a head", "half a body", "nothing"])
def crowded(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Sandbox]:
    """Yield a sandbox to which another process has 1,100 connections with unfinished requests."""
    arguments = [str(port_of(sandbox)), "1100", request.param.decode()]
    with subprocess.Popen(
        [sys.executable, "-c", MANY, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"open\n"
            yield sandbox
        finally:
            child.stdin.close()


@pytest.mark.slow
def test_unfinished_requests_do_not_exhaust_open_files(crowded: Sandbox, tmp_path: Path) -> None:
    """The kernel can open files and answer other requests despite many unfinished requests."""
    assert answer(crowded) == 200
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    if Path("/proc/self/fd").exists():
        assert len(list(Path("/proc/self/fd").iterdir())) < 3 * most_connections()


@pytest.mark.parametrize("sent", [b"", HEAD, BODY])
def test_a_request_has_a_time_limit(sandbox: Sandbox, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection is closed if its request takes too long, even if bytes still arrive."""
    monkeypatch.setattr(connections, "PATIENCE", 0.2)
    with closing(socket.create_connection(("127.0.0.1", port_of(sandbox)), timeout=10)) as slow:
        slow.sendall(sent)
        end, ended = time.monotonic() + 10, False
        slow.settimeout(0.05)
        while not ended and time.monotonic() < end:
            try:
                ended = slow.recv(1000) == b""
            except TimeoutError:
                slow.sendall(b"X: y\r\n" if sent == HEAD else b" " if sent else b"")
            except ConnectionError:
                ended = True
    assert ended, "the sandbox still waits for the unfinished request"


@pytest.mark.slow
def test_an_active_connection_outlives_the_time_limit_of_one_request(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection stays open while each of its requests is within the time limit."""
    monkeypatch.setattr(connections, "PATIENCE", 0.3)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {sandbox.api_key}"
        end = time.monotonic() + 0.8
        while time.monotonic() < end:
            assert session.get(f"{sandbox.base_url}/models", timeout=10).status_code == 200


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such limit for sockets")
def test_few_files_allow_few_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of connections depends on the limit of open files, which is 256 on macOS."""
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 1024))
    assert most_connections() == 64
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert most_connections() == 128
