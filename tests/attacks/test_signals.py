"""Attacks by a signal handler that raises during a request, as a time limit or an interrupted cell does."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import qingbo_widgets
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from tests.faults.server import Exchange, FaultServer, Step, answer
from tests.service.leaks import shown_by

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send a signal to a thread")

#: The beginnings of the files whose frames a traceback may show: tests, package and ``contextlib``.
OWN = (str(Path(__file__).parents[2]), str(Path(qingbo_widgets.__file__).parent), contextlib.__file__)
KEY = "sk-sentinel-3e1f9c7a5b2d"


class TimeIsUp(BaseException):
    """An error as a test runner or a time-limit library raises it."""


class TooLong(Exception):
    """The same error as a subclass of ``Exception``."""


@pytest.fixture
def raise_during_request() -> Iterator[Callable[[type[BaseException]], Step]]:
    """Yield a function that returns a step: it raises an error in the waiting main thread, then answers."""
    before = signal.getsignal(signal.SIGUSR1)

    def step_that_raises(kind: type[BaseException]) -> Step:
        def handle(number: int, frame: object) -> None:
            raise kind

        signal.signal(signal.SIGUSR1, handle)

        def step(exchange: Exchange) -> bool:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            exchange.stopped.wait(0.05)
            return answer({"task_id": "late"})(exchange)

        return step

    yield step_that_raises
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, TimeIsUp, TooLong, TimeoutError, OSError])
@pytest.mark.parametrize("call", ["submit", "status", "cancel", "download"])
def test_the_error_of_a_handler_is_raised_unchanged(
    call: str,
    kind: type[BaseException],
    raise_during_request: Callable[[type[BaseException]], Step],
    tmp_path: Path,
) -> None:
    """The handler's error shows no frame with the key; a submission is unconfirmed; the next call works."""
    with (
        FaultServer(raise_during_request(kind), answer({"task_id": "task-2"})) as server,
        Client(KEY, server.url + "/v1") as client,
    ):
        calls = {
            "submit": lambda: client.submit(VideoRequest(prompt="x"), idempotency_key="k"),
            "status": lambda: client.status("task-1"),
            "cancel": lambda: client.cancel("task-1"),
            "download": lambda: client.download(server.url + "/v.mp4", tmp_path / "v.mp4"),
        }
        with pytest.raises(kind) as caught:
            calls[call]()
        assert type(caught.value) is kind
        assert KEY not in shown_by(caught.value)
        frames = {frame.f_code.co_filename for frame, _ in traceback.walk_tb(caught.value.__traceback__)}
        assert not [name for name in frames if not name.startswith(OWN)]
        assert caught.value.__context__ is None
        notes = " ".join(getattr(caught.value, "__notes__", ()))
        assert ("may exist" in notes) == (call == "submit"), f"the notes of the error: {notes!r}"
        assert client.status("task-2").task_id == "task-2"
        assert len(server.requests) == 2
        assert server.requests[0].connection != server.requests[1].connection
