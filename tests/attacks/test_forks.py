"""Attacks by a fork while tasks are running: the child gets errors, and the parent loses nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.tasks.background.image_checks import image_reports
from tests.faults.server import FaultServer
from tests.faults.service import Service

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture
def service() -> Any:
    """Yield a service whose tasks keep running until ``faults`` is cleared."""
    service = Service()
    service.faults["status"] = [service.status_with(status="processing", progress=40)] * 10_000
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        yield service


def child(manager: qw.TaskManager, sweep: qw.Sweep, task: qw.Task, url: str, answers: Any) -> None:
    """Try every action with the parent's objects in a child; then submit with a manager of its own."""
    actions = {
        "submit": lambda: manager.submit(prompt="child"),
        "generate": lambda: qw.generate("child"),
        "resume": lambda: manager.resume(task.task_id),
        "wait": lambda: task.wait(10),
        "on_end": lambda: task.on_end(print),
        "cancel": task.cancel,
        "follow again": task.follow_again,
        "recover": manager.recover,
        "sweep": sweep.start,
        "wait for a sweep": lambda: sweep.wait(10),
    }
    began, outcomes = time.monotonic(), {}
    for name, act in actions.items():
        try:
            act()
            outcomes[name] = "done"
        except qw.QingboError as error:
            outcomes[name] = "refused" if "qw.connect()" in str(error) else str(error)
    outcomes["rows"] = str(len(manager.library.entries()))
    manager.close()
    outcomes["in time"] = str(time.monotonic() - began < 8)
    own = qw.connect("some-key", base_url=url, library="childs")
    outcomes["own"] = str(own is not manager and own.submit(prompt="own") in own.tasks)
    own.close()
    answers.put(outcomes)


EXPECTED = dict.fromkeys(
    (
        "submit",
        "generate",
        "resume",
        "wait",
        "on_end",
        "cancel",
        "follow again",
        "recover",
        "sweep",
        "wait for a sweep",
    ),
    "refused",
) | {"rows": "1", "in time": "True", "own": "True"}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["multiprocessing", "os.fork"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_is_refused_and_does_not_end_the_parents_task(
    service: Service, workdir: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeated children get errors from every action, and the parent's task still ends with its video."""
    monkeypatch.setenv("QINGBO_API_KEY", "some-key")
    manager = qw.connect("some-key", base_url=f"{service.url}/v1", library="videos")
    manager.poll_interval = 0.05
    sweep = qw.sweep(["koi in a sweep"], name="koi", ask_above=0, manager=manager)
    task = manager.submit(prompt="koi")
    while not task.task_id:
        time.sleep(0.01)
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        answers = context.SimpleQueue()
        if how == "multiprocessing":
            process = context.Process(target=child, args=(manager, sweep, task, f"{service.url}/v1", answers))
            process.start()
            outcomes = answers.get()
            process.join(30)
        else:
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    child(manager, sweep, task, f"{service.url}/v1", answers)
                    code = 0
                finally:
                    sys.stdout.flush()
                    _exit_child(code)
            outcomes = answers.get()
            assert os.waitpid(pid, 0)[1] == 0
        assert outcomes == EXPECTED
        holder, _ = manager.library.current_hold(task.key) or ("", None)
        assert holder == manager.holder, "the end of the child has released the parent's task"
    service.faults["status"].clear()
    assert task.wait(30).video_path is not None
    assert [row.prompt for row in manager.library.entries()] == ["koi"]
    manager.close()


def generate(prompt: str) -> str:
    """Submit on the parent's manager, in a worker."""
    try:
        return str(qw.generate(prompt).task_id)
    except qw.QingboError as error:
        return str(error)


def generate_anew(prompt: str) -> str:
    """Connect in a worker, to the parent's library, and make a video."""
    manager = qw.connect("some-key", base_url=os.environ["QINGBO_BASE_URL"], library="videos")
    manager.poll_interval = 0.05
    return manager.submit(prompt=prompt).wait(60).video_path.name


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Pool", "ProcessPoolExecutor"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_workers_of_a_pool(workdir: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers get an error that names ``connect``; after it, each makes its video beside the parent's."""
    with FaultServer(otherwise=Service()) as server:
        server.otherwise.url = server.url  # type: ignore[attr-defined]  # a Service
        monkeypatch.setenv("QINGBO_BASE_URL", f"{server.url}/v1")
        manager = qw.connect("some-key", library="videos")
        manager.poll_interval = 0.05
        task = manager.submit(prompt="koi of the parent")
        context = multiprocessing.get_context("fork")
        with context.Pool(2) if kind == "Pool" else ProcessPoolExecutor(2, context) as pool:
            refused = list(pool.map(generate, ["a koi", "a carp"]))
            names = list(pool.map(generate_anew, ["a koi", "a carp"]))
        assert all("Call qw.connect() here" in text for text in refused), refused
        assert sorted(name.rpartition("-")[0] for name in names) == ["a-carp", "a-koi"]
        assert task.wait(60).video_path is not None
        assert {entry.prompt for entry in manager.library.entries()} == {
            "koi of the parent",
            "a koi",
            "a carp",
        }
        manager.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_children_of_a_busy_process_never_hang(service: Service, workdir: Path) -> None:
    """A child connects, submits and checks images, even if a thread of its parent holds a lock."""
    manager = qw.connect("some-key", base_url=f"{service.url}/v1", library="videos")
    stop, image = threading.Event(), "http://127.0.0.1:1/koi.png"  # no server is there
    image_reports.check(image, service.url, lambda: None)

    def busy() -> None:
        while not stop.wait(0.01):
            manager.submit(prompt="koi")
            manager.library.entries()
            image_reports.check(f"{image}?{time.monotonic()}", service.url, lambda: None)

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for number in range(12):
            pid = os.fork()
            if pid == 0:
                signal.alarm(30)  # its end shows a child that hangs
                code = 1
                try:
                    own = qw.connect("some-key", base_url=f"{service.url}/v1", library="videos")
                    own.submit(prompt="carp").on_end(print)
                    checked = threading.Event()
                    image_reports.check(f"{image}?{number}", service.url, checked.set)
                    code = 0 if checked.wait(20) else 2
                    own.close()
                finally:
                    os._exit(code)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, "a child hung, or raised"
    finally:
        stop.set()
        thread.join()
        manager.close()


def _exit_child(code: int) -> None:
    """Exit as a script does, with its finalizers, but without pytest, which would end the parent's run."""
    import atexit

    atexit._run_exitfuncs()
    os._exit(code)
