"""``Flag``: an event that an interrupt cannot leave locked."""

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

#: The files in whose lines an interrupt is raised.
TRACED = (flags.__file__, threading.__file__, __file__)


class Stop(BaseException):
    """The exception that simulates an interrupt."""


def interrupted(act: Callable[[], object], moment: int) -> bool:
    """Call a function, raise at its n-th call, line or return event, and return whether there were n.

    It runs on its own thread, because an exception within a signal handler may end Python.
    """
    remaining = moment

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal remaining
        if frame.f_code.co_filename not in TRACED:  # garbage collection callbacks, which run at any time
            return None
        remaining -= 1
        if remaining == 0:
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
    return remaining <= 0


def test_an_interrupt_anywhere_leaves_no_lock() -> None:
    """After an interrupt at any line of ``wait`` the flag can be set, unlike ``threading.Event``."""
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
    """``set`` ends the waits of all threads, and later waits too, until the flag is cleared."""
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


def test_a_wait_times_out() -> None:
    """``wait`` returns False at its timeout if the flag was not set."""
    begun = time.monotonic()
    assert not Flag().wait(0.05)
    assert time.monotonic() - begun >= 0.05
    assert not Flag().wait(0)
