"""Tasks that are submitted while their manager is closed, and calls of several threads at once."""

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
    """A manager that asks often."""
    client = qw.Client("some-key", f"{server.url}/v1", timeout=(2, 2))
    return qw.TaskManager(client, qw.Library(folder), poll_interval=0.05)


def at_once(act: Callable[[], object], threads: int = 8) -> list[str]:
    """Call it on so many threads at the same moment; return the type of what each raised."""
    barrier, found = threading.Barrier(threads), []

    def run() -> None:
        barrier.wait()
        try:
            act()
            found.append("done")
        except Exception as error:
            found.append(type(error).__name__)

    running = [threading.Thread(target=run) for _ in range(threads)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # a thread is put aside after every few steps
    try:
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(30)
    finally:
        sys.setswitchinterval(interval)
    assert len(found) == threads, "a call that never came back"
    return found


def close_while_submitting(folder: Path, rounds: int) -> int:
    """Close a manager in the midst of submissions, so many times; return how many tasks there were."""
    count = 0
    service = Service()
    service.faults["status"] = [service.saying(status="processing", progress=40)] * 100_000
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        for number in range(rounds):
            place = folder / str(number % 5)
            manager = manager_of(server, place)
            tasks: list[Any] = []

            def go(manager: qw.TaskManager = manager, tasks: list[Any] = tasks) -> None:
                while True:
                    try:
                        tasks.append(manager.submit(prompt="koi"))
                    except qw.QingboError:
                        return

            threads = [threading.Thread(target=go) for _ in range(2)]
            for thread in threads:
                thread.start()
            threading.Event().wait(0.01 + 0.001 * (number % 11))
            manager.close()
            for thread in threads:
                thread.join(10)
            end = time.monotonic() + 10
            while (open_ := [task for task in tasks if not task.is_done]) and time.monotonic() < end:
                time.sleep(0.01)
            assert open_ == [], "neither sent nor refused"
            rows = {row.key: row for row in manager.library.entries()}
            sent = {task.key: task for task in tasks if task.key in service.keys}
            for task in tasks:
                row = rows.get(task.key)
                if task.key in sent:
                    assert row is not None, "paid, and unknown to the journal"
                    assert row.status != "failed", "paid, and written down as never sent"
                    assert "nothing was charged" not in str(task.error)
                else:
                    assert task.status in ("failed", "unconfirmed", "submitting")
                    assert row is None or row.status in ("failed", "unconfirmed", "submitting")
            count += len(tasks)
    return count


@pytest.mark.slow
def test_a_submission_that_meets_the_end_is_sent_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each task is done, and what its row says is true: never paid and written down as failed."""
    monkeypatch.setattr("qingbo_widgets.tasks.closing.in_notebook", lambda: True)
    assert close_while_submitting(tmp_path, 6) > 20


@pytest.mark.slow
@pytest.mark.attack
@pytest.mark.timeout(600)
def test_thousands_of_submissions_meet_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As above, for minutes, without any patience."""
    monkeypatch.setattr("qingbo_widgets.tasks.closing.in_notebook", lambda: True)
    assert close_while_submitting(tmp_path, 150) > 2000


@pytest.mark.slow
def test_one_of_many_threads_submits_again(tmp_path: Path) -> None:
    """A task that was refused: one request more, and seven errors that say so."""
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
    """A video that is to be saved again is fetched once."""
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


def test_cancel_from_many_threads_asks_once(tmp_path: Path) -> None:
    """Eight clicks on Cancel are one request, and all have its answer."""
    service, asked = Service(), []
    service.faults["status"] = [service.saying(status="queued", progress=0)] * 10_000

    def cancelling(exchange: Exchange) -> bool:
        if exchange.request.path.endswith("/cancel"):
            asked.append(exchange.request.path)
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
        assert len(asked) == 1
        assert task.status == "cancelled"
        manager.close()


@pytest.mark.slow
@pytest.mark.parametrize("what", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_an_observer_that_wants_to_end_everything_ends_nothing(
    tmp_path: Path, what: type[BaseException]
) -> None:
    """``sys.exit()`` in an observer and in a callback: all tasks get their videos all the same."""
    service = Service()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        manager = manager_of(server, tmp_path)

        def leave(_: object) -> None:
            raise what("out")

        tasks = [manager.submit(prompt=str(number)) for number in range(3)]
        tasks[0].observe(leave)
        tasks[0].on_end(leave)
        manager.monitor.call_soon(sys.exit, 3)  # what no guard of ours stands around
        assert all(task.wait(20).video_path for task in tasks)
        assert manager.submit(prompt="one more").wait(20).video_path is not None
        manager.close()
