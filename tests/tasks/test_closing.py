"""Closing a manager in the middle of its work leaves nothing behind."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import qingbo_widgets as qw
from tests.faults.server import Exchange, FaultServer, silence
from tests.faults.service import VIDEO, Service
from tests.waiting import until


def open_files() -> set[str]:
    """Return the open files and sockets of this process."""
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("counts open files through /proc, which this system does not have")
    names = set()
    for entry in folder.iterdir():
        try:
            names.add(f"{entry.name} {entry.readlink()}")
        except FileNotFoundError:
            continue  # the descriptor that reads the folder
    return names


def half(exchange: Exchange) -> bool:
    """Send half of the video, then stop responding."""
    exchange.send(200, {"Content-Length": str(len(VIDEO))}, VIDEO[:9999])
    return silence(exchange)


@pytest.fixture(autouse=True)
def in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend to be a kernel, which restarts at once; a script may wait for its submissions."""
    monkeypatch.setattr("qingbo_widgets.tasks.closing.in_notebook", lambda: True, raising=False)


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_closing_leaves_no_thread_no_file_and_no_socket(tmp_path: Path) -> None:
    """Three tasks hang: in submission, in a poll, and in a download. Closing waits for none of them."""
    service = Service()
    threads = set(threading.enumerate())
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        before = open_files()
        manager = qw.TaskManager(
            qw.Client("some-key", f"{server.url}/v1"), qw.Library(tmp_path / "videos"), poll_interval=0.05
        )
        service.faults["download"] = [half]
        downloading = manager.submit(prompt="downloading")
        until(lambda: downloading.download)
        service.faults["status"] = [silence]
        manager.submit(prompt="asked about")
        until(lambda: not service.faults["status"])
        service.faults["submit"] = [silence]
        manager.submit(prompt="submitting")
        until(lambda: not service.faults["submit"])

        manager.close()
        until(lambda: not [t for t in set(threading.enumerate()) - threads if t.name.startswith("qingbo")])
        ours = {name for name in open_files() - before if "socket" not in name}
        assert ours == set()
        until(
            lambda: all(
                thread in threads for thread in threading.enumerate() if thread.name == "qingbo-request"
            )
        )
    assert {name.split()[1] for name in open_files()} <= {name.split()[1] for name in before}
    assert not list((tmp_path / "videos").glob("*.part"))
    rows = {row.prompt: row.status for row in qw.Library(tmp_path / "videos").entries()}
    assert rows == {"downloading": "completed", "asked about": "queued", "submitting": "submitting"}


@pytest.mark.parametrize(("in_notebook", "seconds"), [(True, 0.5), (False, 10.0)])
def test_closing_waits_for_pending_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_notebook: bool, seconds: float
) -> None:
    """A kernel restarts at once; a script waits until everything is written."""
    monkeypatch.setattr("qingbo_widgets.tasks.closing.in_notebook", lambda: in_notebook)
    manager = qw.TaskManager(qw.Client("some-key", "http://127.0.0.1:9/v1"), qw.Library(tmp_path))
    waited: list[float] = []
    monkeypatch.setattr(manager.monitor, "close", waited.append)
    manager.close()
    assert waited[0] == seconds


def test_a_response_during_shutdown_is_saved(tmp_path: Path) -> None:
    """A kernel exits during a submission: the id that still arrives is saved, and the task is confirmed."""
    service = Service()
    received, proceed = threading.Event(), threading.Event()

    def late(exchange: Exchange) -> bool:
        received.set()
        proceed.wait(5)
        return service.serve(exchange)

    service.faults["submit"] = [late]
    with FaultServer(otherwise=service) as server:
        manager = qw.TaskManager(qw.Client("some-key", f"{server.url}/v1"), qw.Library(tmp_path / "videos"))
        manager.submit(prompt="koi")
        assert received.wait(5)
        threading.Timer(0.05, proceed.set).start()
        manager.close()
    (row,) = qw.Library(tmp_path / "videos").entries()
    assert row.task_id == "task-1"
    assert row.status == "queued"
