"""A signal's handler that raises while a request waits: a time limit, a cell that is interrupted."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from tests.faults.server import Exchange, FaultServer, Step, answer
from tests.service.leaks import shown_by

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows delivers no signals to a thread")

#: Whose frames a traceback may show: the tests', the package's, and the context manager's between them.
OWN = (str(Path(__file__).parents[2]), contextlib.__file__)
KEY = "sk-sentinel-3e1f9c7a5b2d"


class TimeIsUp(BaseException):
    """As a test runner or a library of time limits raises it."""


class TooLong(Exception):
    """The same, of a more common kind."""


@pytest.fixture
def ring() -> Iterator[Callable[[type[BaseException]], Step]]:
    """A step that raises an error in the main thread, which waits for the answer; the answer comes later."""
    before = signal.getsignal(signal.SIGUSR1)

    def ringing(kind: type[BaseException]) -> Step:
        def handle(number: int, frame: object) -> None:
            raise kind

        signal.signal(signal.SIGUSR1, handle)

        def step(exchange: Exchange) -> bool:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            exchange.stopped.wait(0.05)
            return answer({"task_id": "late"})(exchange)

        return step

    yield ringing
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, TimeIsUp, TooLong, TimeoutError, OSError])
@pytest.mark.parametrize("call", ["submit", "status", "cancel", "download"])
def test_what_a_handler_raises_comes_out_alone(
    call: str, kind: type[BaseException], ring: Callable[[type[BaseException]], Step], tmp_path: Path
) -> None:
    """Itself, and no frame that knows the key; a submission is in doubt; the next call is right."""
    with (
        FaultServer(ring(kind), answer({"task_id": "task-2"})) as server,
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
        assert ("may exist" in notes) == (call == "submit"), f"the user reads: {notes!r}"
        assert client.status("task-2").task_id == "task-2"
        assert len(server.requests) == 2
        assert server.requests[0].connection != server.requests[1].connection
