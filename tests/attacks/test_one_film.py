"""A paid film is saved once, and whole, whatever the kernels that want it do to each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qingbo_widgets import Client, Library, TaskManager
from tests.faults.film import film
from tests.faults.server import Exchange, FaultServer
from tests.faults.service import Service, stage_of
from tests.waiting import until

VIDEO = film(os.urandom(300_000))
KERNEL = """
import sys
import qingbo_widgets as qw

url, folder = sys.argv[1:]
client = qw.Client("sk-film-0123456789", url, timeout=(5.0, 5.0))
manager = qw.TaskManager(client, qw.Library(folder), poll_interval=0.05, hold_seconds=1.0)
(task,) = manager.recover() or [manager.submit(prompt="a paper boat")]
try:
    print("saved", task.wait().video_path, flush=True)
except qw.QingboError as error:
    print("error", error, flush=True)
sys.stdin.read()
"""

needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows cannot stop a process for a while")


class SlowHost(Service):
    """A service whose host sends the film slowly.

    Attributes:
        marks: what the host says of the film's identity.
        downloads: the ``Range`` of each download that has begun.
    """

    def __init__(self, **marks: str) -> None:
        super().__init__()
        self.marks = marks
        self.downloads: list[str] = []

    def serve(self, exchange: Exchange) -> bool:
        """Answer as a service does, but for the film."""
        if stage_of(exchange.request) != "download":
            return super().serve(exchange)
        asked = exchange.request.headers.get("range", "")
        start = int(asked.removeprefix("bytes=").rstrip("-") or 0)
        headers = {"Content-Length": str(len(VIDEO) - start), **self.marks}
        if asked:
            headers["Content-Range"] = f"bytes {start}-{len(VIDEO) - 1}/{len(VIDEO)}"
        self.downloads.append(asked)
        exchange.send(206 if asked else 200, headers, b"")
        for at in range(start, len(VIDEO), 3000):
            exchange.socket.sendall(VIDEO[at : at + 3000])
            if exchange.stopped.wait(0.01):
                return False
        return True


@contextmanager
def kernel(service: SlowHost, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A kernel that saves what the folder's journal has, or submits a task."""
    command = [sys.executable, "-c", KERNEL, f"{service.url}/v1", str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def grown(folder: Path) -> int:
    """The bytes of the largest part."""
    return max((part.stat().st_size for part in folder.glob("*.part")), default=0)


@pytest.fixture(params=[{}, {"ETag": '"1"'}], ids=["unmarked", "marked"])
def service(request: pytest.FixtureRequest) -> Iterator[SlowHost]:
    """A service with a slow host."""
    host = SlowHost(**request.param)
    with FaultServer(otherwise=host) as server:
        host.url = server.url
        yield host


@needs_signals
@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True], ids=["both live", "the second is killed"])
def test_a_kernel_that_was_asleep_writes_into_no_other_s_file(
    service: SlowHost, tmp_path: Path, killed: bool
) -> None:
    """A closed laptop in the middle of a download; a second kernel saves the film; the first one wakes."""
    folder = tmp_path / "videos"
    with kernel(service, folder) as first:
        until(lambda: grown(folder) > 100_000)
        first.send_signal(signal.SIGSTOP)
        with kernel(service, folder) as second:
            until(lambda: len(service.downloads) == 2)
            first.send_signal(signal.SIGCONT)
            until(lambda: list(folder.glob("*.mp4")))
            assert [path.read_bytes() == VIDEO for path in folder.glob("*.mp4")] == [True]
            if killed:
                second.kill()
            else:
                assert second.stdout is not None
                assert second.stdout.readline().startswith("saved")
            assert first.stdout is not None
            assert first.stdout.readline().startswith("saved")
    assert [path.read_bytes() == VIDEO for path in folder.glob("*.mp4")] == [True]
    assert [entry.status for entry in Library(folder).entries()] == ["completed"]
    if not killed:
        assert not list(folder.glob("*.part")), "nothing is left behind"


@pytest.mark.slow
def test_a_dead_kernel_s_part_is_taken_over(service: SlowHost, tmp_path: Path) -> None:
    """Killed in the middle: the next kernel goes on there, if the host proves that it is the same film."""
    folder = tmp_path / "videos"
    with kernel(service, folder) as first:
        until(lambda: grown(folder) > 100_000)
        first.kill()
        first.wait()
        with TaskManager(Client("sk-film-0123456789", f"{service.url}/v1"), Library(folder)) as manager:
            (task,) = manager.recover()
            path = task.wait(40).video_path
            assert path is not None
            assert path.read_bytes() == VIDEO
    assert [bool(asked) for asked in service.downloads] == [False, bool(service.marks)]
    assert not list(folder.glob("*.part")), "nothing is left behind"
