"""A flag is an event that no interrupt can jam."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any

from qingbo_widgets.system import flags
from qingbo_widgets.system.flags import Flag

#: The files at whose lines an interrupt comes.
TRACED = (flags.__file__, threading.__file__, __file__)


class Stop(BaseException):
    """As an interrupt raises it."""


def interrupted(act: Callable[[], object], moment: int) -> bool:
    """Act, and raise at the so-many-th call, line or return; return whether there were so many.

    On a thread of its own: what is raised in the middle of a handler may leave Python with that error.
    """
    left = moment

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in TRACED:  # the collector's callbacks, which run at any moment
            return None
        left -= 1
        if left == 0:
            sys.settrace(None)
            raise Stop
        return trace

    def run() -> None:
        sys.settrace(trace)
        try:
            act()
        except Stop:
            pass
        finally:
            sys.settrace(None)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return left <= 0


def test_an_interrupt_anywhere_jams_nothing() -> None:
    """At any line of ``wait``: the flag can be set right after, where an event of Python stays locked."""
    flag = Flag()
    for moment in count(1):
        flag.clear()
        if not interrupted(lambda: flag.wait(0.001), moment):
            break
        setting = threading.Thread(target=flag.set, daemon=True)
        setting.start()
        setting.join(10)
        assert not setting.is_alive(), f"interrupted at step {moment}, it can never be set again"
        assert flag.wait(0)
    assert moment > 10, "the wait was not traced"


def test_setting_ends_every_wait() -> None:
    """Of several threads, and of those that come later, until it is cleared."""
    flag, ended = Flag(), []
    waiting = [threading.Thread(target=lambda: ended.append(flag.wait(30))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    flag.set()
    for thread in waiting:
        thread.join(30)
    assert ended == [True] * 3
    assert flag.wait()
    assert flag.is_set()
    flag.clear()
    assert not flag.is_set()


def test_the_time_is_up() -> None:
    """Nothing has set it."""
    begun = time.monotonic()
    assert not Flag().wait(0.05)
    assert time.monotonic() - begun >= 0.05
    assert not Flag().wait(0)
