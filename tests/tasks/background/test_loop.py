"""``loop``: the single thread that follows all tasks."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from qingbo_widgets.library.journal.journal import Journal
from qingbo_widgets.tasks.background import loop as monitors
from qingbo_widgets.tasks.background.loop import TaskMonitor


def test_the_thread_is_there_before_it_is_needed(tmp_path):
    """``warm_up`` starts the thread, so that no click waits for it; a closed monitor never starts one."""
    monitor, before = TaskMonitor(Journal(tmp_path)), set(threading.enumerate())

    async def thread_of_coroutines() -> threading.Thread:
        return threading.current_thread()

    assert not monitor.was_used
    monitor.warm_up()
    assert monitor.was_used
    (thread,) = set(threading.enumerate()) - before
    assert monitor.start(thread_of_coroutines).result(timeout=10) is thread
    monitor.close()
    unused = TaskMonitor(Journal(tmp_path))
    unused.close()
    unused.warm_up()
    assert not unused.was_used


@pytest.mark.slow
def test_closing_lets_every_coroutine_have_its_last_word(tmp_path):
    """A hundred coroutines write during cancellation; closing twice interrupts none of them."""
    monitor, ended, began = TaskMonitor(Journal(tmp_path)), [], threading.Semaphore(0)

    async def story(number: int) -> None:
        began.release()
        try:
            await asyncio.sleep(60)
        finally:
            await monitor.journal(time.sleep, 0.01)
            ended.append(number)

    for number in range(100):
        monitor.start(story, number)
    for _ in range(100):
        assert began.acquire(timeout=10)
    monitor.close(patience=60)  # as in a script, which may wait
    monitor.close()
    assert sorted(ended) == list(range(100))


def test_a_call_to_the_journal_outlives_its_cancelled_caller(tmp_path):
    """A row that waits to be written when the manager closes is written."""
    monitor, written = TaskMonitor(Journal(tmp_path)), list[str]()
    waiting, is_cancelled, gate = threading.Event(), threading.Event(), threading.Event()

    async def story() -> None:
        asyncio.get_running_loop().call_soon(waiting.set)
        try:
            await monitor.journal(written.append, "not sent")
        finally:
            is_cancelled.set()

    monitor.start(monitor.journal, gate.wait, 30)
    monitor.start(story)
    assert waiting.wait(10)
    closing = threading.Thread(target=monitor.close, args=(30,))
    closing.start()
    assert is_cancelled.wait(10)
    gate.set()
    closing.join()
    assert written == ["not sent"]


@pytest.mark.parametrize(
    ("patience", "left"), [(0.05, 3600), (60.0, 30)], ids=["crawling", "a link dies soon"]
)
def test_slow_downloads_hold_up_no_others(tmp_path, monkeypatch, patience, left):
    """While a host sends byte by byte on every thread, a waiting download gets an extra thread."""
    monkeypatch.setattr(monitors, "PATIENCE", patience)
    monitor, gate = TaskMonitor(Journal(tmp_path)), threading.Event()
    later = time.time() + 24 * 3600
    crawling = [monitor.start(monitor.download, later, gate.wait, 20) for _ in range(12)]
    try:
        begun = monitor.start(monitor.download, time.time() + left, threading.get_ident)
        assert begun.result(timeout=10)
        assert not any(download.done() for download in crawling)
        gate.set()
        assert all(download.result(10) for download in crawling)
    finally:
        gate.set()
        monitor.close()
        monitor.join()
