"""What is left of a manager when it is closed in the middle of everything: nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import qingbo_widgets as qw
from tests.faults.server import Exchange, FaultServer, silence
from tests.faults.service import VIDEO, Service
from tests.waiting import until


def open_files() -> set[str]:
    """What this process has open: files and sockets."""
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("counts open files through /proc, which this system does not have")
    names = set()
    for entry in folder.iterdir():
        try:
            names.add(f"{entry.name} {entry.readlink()}")
        except FileNotFoundError:
            continue  # the one that reads the folder
    return names


def half(exchange: Exchange) -> bool:
    """Begins to send the video, and falls silent."""
    exchange.send(200, {"Content-Length": str(len(VIDEO))}, VIDEO[:9999])
    return silence(exchange)


@pytest.fixture(autouse=True)
def in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel is restarted at once; a script may take its time for what it has submitted."""
    monkeypatch.setattr("qingbo_widgets.tasks.closing.in_notebook", lambda: True, raising=False)


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_closing_leaves_no_thread_no_file_and_no_socket(tmp_path: Path) -> None:
    """Three tasks hang: submitting, asked about, downloading. Closing waits for none of them."""
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
def test_what_is_still_to_be_written_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_notebook: bool, seconds: float
) -> None:
    """A kernel restarts at once; a script takes its time, and leaves nothing to be written."""
    monkeypatch.setattr("qingbo_widgets.tasks.closing.in_notebook", lambda: in_notebook)
    manager = qw.TaskManager(qw.Client("some-key", "http://127.0.0.1:9/v1"), qw.Library(tmp_path))
    waited: list[float] = []
    monkeypatch.setattr(manager.monitor, "close", waited.append)
    manager.close()
    assert waited[0] == seconds


def test_an_answer_that_comes_in_the_last_moment_is_written_down(tmp_path: Path) -> None:
    """The kernel ends while a submission is out: the id that still comes is kept, and nothing is in doubt."""
    service = Service()
    asked, go_on = threading.Event(), threading.Event()

    def late(exchange: Exchange) -> bool:
        asked.set()
        go_on.wait(5)
        return service.serve(exchange)

    service.faults["submit"] = [late]
    with FaultServer(otherwise=service) as server:
        manager = qw.TaskManager(qw.Client("some-key", f"{server.url}/v1"), qw.Library(tmp_path / "videos"))
        manager.submit(prompt="koi")
        assert asked.wait(5)
        threading.Timer(0.05, go_on.set).start()
        manager.close()
    (row,) = qw.Library(tmp_path / "videos").entries()
    assert row.task_id == "task-1"
    assert row.status == "queued"
