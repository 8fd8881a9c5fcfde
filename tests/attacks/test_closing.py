"""Attacks by submissions while the manager closes, and by calls from several threads at once."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw
from tests.faults.server import Exchange, FaultServer, answer, silence
from tests.faults.service import Service

REFUSED = answer({"error": {"message": "no", "code": "invalid"}}, 400)


def manager_of(server: FaultServer, folder: Path) -> qw.TaskManager:
    """Return a manager with a short poll interval."""
    client = qw.Client("some-key", f"{server.url}/v1", timeout=(2, 2))
    return qw.TaskManager(client, qw.Library(folder), poll_interval=0.05)


def at_once(act: Callable[[], object], threads: int = 8) -> list[str]:
    """Call a function on many threads at the same moment; return "done" or the error's type for each."""
    barrier, outcomes = threading.Barrier(threads), []

    def run() -> None:
        barrier.wait()
        try:
            act()
            outcomes.append("done")
        except Exception as error:
            outcomes.append(type(error).__name__)

    running = [threading.Thread(target=run) for _ in range(threads)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # switch threads after every few instructions
    try:
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(30)
    finally:
        sys.setswitchinterval(interval)
    assert len(outcomes) == threads, "a call did not return"
    return outcomes


def close_while_submitting(folder: Path, rounds: int) -> int:
    """Close a manager during submissions, in each round; return the number of tasks."""
    count = 0
    service = Service()
    service.faults["status"] = [service.status_with(status="processing", progress=40)] * 100_000
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        for number in range(rounds):
            library_folder = folder / str(number % 5)
            manager = manager_of(server, library_folder)
            tasks: list[Any] = []

            def submit_until_closed(manager: qw.TaskManager = manager, tasks: list[Any] = tasks) -> None:
                while True:
                    try:
                        tasks.append(manager.submit(prompt="koi"))
                    except qw.QingboError:
                        return

            threads = [threading.Thread(target=submit_until_closed) for _ in range(2)]
            for thread in threads:
                thread.start()
            threading.Event().wait(0.01 + 0.001 * (number % 11))
            manager.close()
            for thread in threads:
                thread.join(10)
            end = time.monotonic() + 10
            while (unfinished := [task for task in tasks if not task.is_done]) and time.monotonic() < end:
                time.sleep(0.01)
            assert unfinished == [], "these submissions were neither sent nor refused"
            rows = {row.key: row for row in manager.library.entries()}
            sent = {task.key: task for task in tasks if task.key in service.keys}
            for task in tasks:
                row = rows.get(task.key)
                if task.key in sent:
                    assert row is not None, "the task was paid for and is not in the journal"
                    assert row.status != "failed", "the task was paid for and is recorded as never sent"
                    assert "nothing was charged" not in str(task.error)
                else:
                    assert task.status in ("failed", "unconfirmed", "submitting")
                    assert row is None or row.status in ("failed", "unconfirmed", "submitting")
            count += len(tasks)
    return count


@pytest.mark.slow
def test_a_submission_during_close_is_sent_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every task is done, and its row is correct: no paid task is recorded as failed."""
    monkeypatch.setattr("qingbo_widgets.tasks.closing.in_notebook", lambda: True)
    assert close_while_submitting(tmp_path, 6) > 3, "nothing was submitted while it closed"


@pytest.mark.slow
@pytest.mark.attack
@pytest.mark.timeout(600)
def test_thousands_of_submissions_during_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same holds over minutes of submissions."""
    monkeypatch.setattr("qingbo_widgets.tasks.closing.in_notebook", lambda: True)
    assert close_while_submitting(tmp_path, 150) > 2000


@pytest.mark.slow
def test_one_of_many_threads_submits_again(tmp_path: Path) -> None:
    """Eight threads that submit a refused task again send one request; the other seven get an error."""
    service = Service()
    service.faults["submit"] = [REFUSED, silence]
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        manager = manager_of(server, tmp_path)
        task = manager.submit(prompt="koi")
        with pytest.raises(qw.BadRequest):
            task.wait(10)
        assert sorted(at_once(task.submit_again)) == ["QingboError"] * 7 + ["done"]
        with pytest.raises(qw.SubmissionUnconfirmed):
            task.wait(10)
        assert sum(request.method == "POST" for request in server.requests) == 2
        manager.close()


def test_one_of_many_threads_saves_again(tmp_path: Path) -> None:
    """Eight threads that save a video again download it once."""
    service = Service()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        manager = manager_of(server, tmp_path)
        task = manager.submit(prompt="koi")
        task.wait(20)
        follow, followed = manager.follow, []
        manager.follow = lambda task, **more: (followed.append(task), follow(task, **more))[1]  # type: ignore
        task.set_traits(video_path=None)
        assert at_once(task.retry_download) == ["done"] * 8
        task.wait(20)
        assert len(followed) == 1
        manager.close()


def test_cancel_from_many_threads_sends_one_request(tmp_path: Path) -> None:
    """Eight clicks on Cancel send one request, and all get its answer."""
    service, cancel_paths = Service(), []
    service.faults["status"] = [service.status_with(status="queued", progress=0)] * 10_000

    def cancelling(exchange: Exchange) -> bool:
        if exchange.request.path.endswith("/cancel"):
            cancel_paths.append(exchange.request.path)
            threading.Event().wait(0.2)
            return answer({"task_id": exchange.request.path.split("/")[3], "status": "cancelled"})(exchange)
        return service(exchange)

    with FaultServer(otherwise=cancelling) as server:
        service.url = server.url
        manager = manager_of(server, tmp_path)
        task = manager.submit(prompt="koi")
        while not task.task_id:
            time.sleep(0.005)
        assert at_once(task.cancel) == ["done"] * 8
        assert len(cancel_paths) == 1
        assert task.status == "cancelled"
        manager.close()


@pytest.mark.slow
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_an_observer_that_raises_system_exit_ends_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    """All tasks get their videos although an observer and a callback raise ``SystemExit`` and the like."""
    service = Service()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        manager = manager_of(server, tmp_path)

        def exit_(_: object) -> None:
            raise error("out")

        tasks = [manager.submit(prompt=str(number)) for number in range(3)]
        tasks[0].observe(exit_)
        tasks[0].on_end(exit_)
        manager.monitor.call_soon(sys.exit, 3)  # a call without an error handler of its own
        assert all(task.wait(20).video_path for task in tasks)
        assert manager.submit(prompt="one more").wait(20).video_path is not None
        manager.close()
