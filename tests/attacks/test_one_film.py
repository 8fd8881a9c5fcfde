"""Attacks on the download of a paid film by several kernels: it is saved once, and completely."""

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

needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows cannot suspend a process")


class SlowHost(Service):
    """A service whose host sends the film slowly.

    Attributes:
        marks: the host's headers that identify the film, such as ``ETag``.
        downloads: the ``Range`` of each download that has started.
    """

    def __init__(self, **marks: str) -> None:
        super().__init__()
        self.marks = marks
        self.downloads: list[str] = []

    def serve(self, exchange: Exchange) -> bool:
        """Answer as the base class does, but send the film slowly."""
        if stage_of(exchange.request) != "download":
            return super().serve(exchange)
        range_ = exchange.request.headers.get("range", "")
        start = int(range_.removeprefix("bytes=").rstrip("-") or 0)
        headers = {"Content-Length": str(len(VIDEO) - start), **self.marks}
        if range_:
            headers["Content-Range"] = f"bytes {start}-{len(VIDEO) - 1}/{len(VIDEO)}"
        self.downloads.append(range_)
        exchange.send(206 if range_ else 200, headers, b"")
        for at in range(start, len(VIDEO), 3000):
            exchange.socket.sendall(VIDEO[at : at + 3000])
            if exchange.stopped.wait(0.01):
                return False
        return True


@contextmanager
def kernel(service: SlowHost, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a kernel that saves the task of the folder's journal, or submits one if there is none."""
    command = [sys.executable, "-c", KERNEL, f"{service.url}/v1", str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def part_size(folder: Path) -> int:
    """Return the size of the largest part in bytes."""
    return max((part.stat().st_size for part in folder.glob("*.part")), default=0)


@pytest.fixture(params=[{}, {"ETag": '"1"'}], ids=["unmarked", "marked"])
def service(request: pytest.FixtureRequest) -> Iterator[SlowHost]:
    """Yield a service with a slow host."""
    host = SlowHost(**request.param)
    with FaultServer(otherwise=host) as server:
        host.url = server.url
        yield host


@needs_signals
@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True], ids=["both live", "the second is killed"])
def test_a_suspended_kernel_does_not_damage_another_s_film(
    service: SlowHost, tmp_path: Path, killed: bool
) -> None:
    """A kernel that resumes, for example with its laptop, leaves the film of a second kernel intact."""
    folder = tmp_path / "videos"
    with kernel(service, folder) as first:
        until(lambda: part_size(folder) > 100_000)
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
        assert not list(folder.glob("*.part")), "a part was left behind"


@pytest.mark.slow
def test_a_dead_kernel_s_part_is_taken_over(service: SlowHost, tmp_path: Path) -> None:
    """The next kernel resumes a dead kernel's part if the host proves that the film is the same."""
    folder = tmp_path / "videos"
    with kernel(service, folder) as first:
        until(lambda: part_size(folder) > 100_000)
        first.kill()
        first.wait()
        with TaskManager(Client("sk-film-0123456789", f"{service.url}/v1"), Library(folder)) as manager:
            (task,) = manager.recover()
            path = task.wait(40).video_path
            assert path is not None
            assert path.read_bytes() == VIDEO
    assert [bool(range_) for range_ in service.downloads] == [False, bool(service.marks)]
    assert not list(folder.glob("*.part")), "a part was left behind"
