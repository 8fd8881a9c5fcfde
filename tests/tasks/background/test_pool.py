"""``pool``: blocking calls on daemon threads."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from qingbo_widgets.exceptions import QingboError
from qingbo_widgets.tasks.background.pool import DaemonPool


def test_a_call_gives_its_result_or_its_error():
    """The future has the return value or the exception of the call."""
    pool = DaemonPool(2, "test")
    assert pool.submit(lambda: 6 * 7).result(5) == 42
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 / 0).result(5)
    pool.shutdown()


def test_no_more_threads_than_allowed_and_none_before_the_first_call():
    """Twenty calls share three threads; no thread starts before the first call."""
    pool = DaemonPool(3, "counted")
    assert not [thread for thread in threading.enumerate() if thread.name == "counted"]
    gate = threading.Event()
    calls = [pool.submit(gate.wait, 5) for _ in range(20)]
    assert len([thread for thread in threading.enumerate() if thread.name == "counted"]) == 3
    gate.set()
    assert all(call.result(5) for call in calls)
    pool.shutdown()


def test_idle_threads_are_reused():
    """Consecutive calls need one thread, however many are allowed."""
    pool = DaemonPool(8, "reused")
    names = set()
    for _ in range(10):
        names.add(pool.submit(threading.get_ident).result(5))
        deadline = time.monotonic() + 5
        while not pool._idle._value and time.monotonic() < deadline:
            time.sleep(0.001)
    assert len(names) == 1
    pool.shutdown()


def test_after_shutdown_nothing_is_taken_and_the_threads_end():
    """A closed pool refuses calls and leaves no thread behind."""
    pool = DaemonPool(2, "closed")
    pool.submit(int).result(5)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(int)
    assert not [thread for thread in threading.enumerate() if thread.name == "closed"]


def test_a_call_under_way_does_not_hold_up_the_end_of_the_interpreter():
    """The interpreter exits even while a request is waiting for its response."""
    script = (
        "import time; from qingbo_widgets.tasks.background.pool import DaemonPool\n"
        "DaemonPool(1, 'slow').submit(time.sleep, 60)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], timeout=20, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_is_due_first_begins_first():
    """Calls begin in order of their due time, and equal ones in order of submission."""
    pool = DaemonPool(1, "ordered")
    gate = threading.Event()
    begun: list[Any] = []
    pool.submit(gate.wait, 5)
    calls = [
        pool.submit_by(due, begun.append, name) for due, name in ((30, "c"), (10, "a"), (20, "b"), (10, "d"))
    ]
    gate.set()
    for call in calls:
        call.result(5)
    assert begun == ["a", "d", "b", "c"]
    pool.shutdown()


def test_a_worker_is_added_for_what_waits_only():
    """An extra worker starts up to a limit, takes the most urgent call, and ends when none is waiting."""
    pool, gate, begun = DaemonPool(1, "added"), threading.Event(), threading.Semaphore(0)

    def threads() -> int:
        return len([thread for thread in threading.enumerate() if thread.name == "added"])

    def crawl() -> bool:
        begun.release()
        return gate.wait(20)

    slow = [pool.submit_by(due, crawl) for due in (0, 30, 20, 10)]
    assert begun.acquire(timeout=5)
    pool.add_worker(2)
    assert begun.acquire(timeout=5)
    assert [call.running() for call in slow] == [True, False, False, True]
    pool.add_worker(2)
    assert threads() == 2
    gate.set()
    assert all(call.result(5) for call in slow)
    deadline = time.monotonic() + 5
    while threads() > 1 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert threads() == 1
    pool.add_worker(9)
    assert threads() == 1
    pool.shutdown()


def test_a_growing_pool_lets_no_call_wait_for_another():
    """Twenty blocking calls all run at once; the extra threads end afterwards and start again."""
    pool = DaemonPool(2, "growing", grows=True)

    def threads() -> int:
        return len([thread for thread in threading.enumerate() if thread.name == "growing"])

    for _ in range(3):
        together = threading.Barrier(20)
        calls = [pool.submit(together.wait, 20) for _ in range(20)]
        assert sorted(call.result(20) for call in calls) == list(range(20))
        deadline = time.monotonic() + 5
        while (threads() > 2 or pool._idle._value != 2) and time.monotonic() < deadline:
            time.sleep(0.001)
        assert (threads(), pool._idle._value) == (2, 2)
    pool.shutdown()
    assert threads() == 0


def test_a_system_without_threads_runs_a_call_once_or_refuses_it(monkeypatch):
    """A refused call never runs; with an existing thread, a call waits for it."""
    pool = DaemonPool(2, "scarce", grows=True)
    ran: list[Any] = []

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(QingboError, match="cannot start another thread"):
            pool.submit(ran.append, "refused")
    gate = threading.Event()
    first = pool.submit(gate.wait, 20)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        second = pool.submit(ran.append, "later")
    gate.set()
    assert first.result(5)
    second.result(5)
    assert ran == ["later"]
    pool.shutdown()
