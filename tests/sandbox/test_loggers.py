"""Tests of the sandbox beside another server in one process: the other's logs stay, its own do not appear."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import qingbo_widgets as qw

ACCESS, ERROR = "uvicorn.access", "uvicorn.error"


def _hello(request: Request) -> PlainTextResponse:
    del request
    return PlainTextResponse("hello")


def _broken(request: Request) -> PlainTextResponse:
    raise LookupError("a mistake of the user's own")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """Yield the file in which the process logs all that uvicorn's loggers are given."""
    path = tmp_path / "uvicorn.log"
    handler = logging.FileHandler(path, encoding="utf-8")
    loggers = [logging.getLogger(name) for name in (ACCESS, ERROR)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    yield path
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)
    handler.close()


@pytest.fixture
def app() -> Iterator[str]:
    """Yield the address of a user's server in this process, started as with ``uvicorn.run``."""
    routes = [Route("/hello", _hello), Route("/broken", _broken)]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive(), "the user's server has ended"
        assert time.monotonic() < end, "the user's server does not start"
        time.sleep(0.005)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def test_a_server_beside_the_sandbox_logs_as_before(no_proxy: None, log: Path, app: str) -> None:
    """Its accesses and errors are logged, with the sandbox running and after it; the sandbox logs nothing."""
    with qw.Sandbox(speed=50, draft=True) as sandbox:
        client = qw.Client(sandbox.api_key, sandbox.base_url)
        for address in (f"{sandbox.base_url}/no/such/page", f"{app}/hello", f"{app}/broken"):
            requests.get(address, timeout=10)
        with pytest.raises(qw.TaskNotFound):
            client.status("task-unknown")
        client.close()
        port = sandbox.base_url.split(":")[2].partition("/")[0]
    requests.get(f"{app}/hello?after=1", timeout=10)
    logged = log.read_text(encoding="utf-8")
    assert "GET /hello HTTP" in logged, f"the access is not logged:\n{logged}"
    assert "GET /hello?after=1" in logged, f"the access after the sandbox is not logged:\n{logged}"
    assert "a mistake of the user's own" in logged, f"the error is not logged:\n{logged}"
    assert "Traceback" in logged
    for own in ("/no/such/page", "task-unknown", f":{port} "):
        assert own not in logged, f"the sandbox logs into the user's log:\n{logged}"


def test_the_sandbox_leaves_levels_and_handlers_alone(no_proxy: None) -> None:
    """A host that configures its own logging finds it unchanged."""
    loggers = [logging.getLogger(name) for name in ("uvicorn", ACCESS, ERROR, "")]

    def state() -> list[object]:
        return [
            (logger.level, logger.disabled, logger.propagate, list(logger.handlers)) for logger in loggers
        ]

    before = state()
    with qw.Sandbox(speed=50, draft=True):
        assert state() == before
    assert state() == before
