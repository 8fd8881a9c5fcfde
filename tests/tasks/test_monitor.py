"""``tasks.monitor``: the one thread on which all tasks are followed."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from qingbo_widgets.tasks.journal import Journal
from qingbo_widgets.tasks.monitor import TaskMonitor


@pytest.mark.slow
def test_closing_lets_every_coroutine_have_its_last_word(tmp_path):
    """A hundred coroutines write something down when cancelled; closing twice cuts none of them off."""
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
    monitor.close(patience=60)  # as a script does, which can take its time
    monitor.close()
    assert sorted(ended) == list(range(100))
