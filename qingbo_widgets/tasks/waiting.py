"""Waits for the end of a task, and for the outcome of a step on the monitor's thread.

A program that runs a notebook without a page keeps only what the running cell sends. So the cell that waits
keeps the displays of all cells up to date.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import TYPE_CHECKING

from .. import late
from ..exceptions import QingboError
from ..system.interrupts import outcome, uninterrupted

if TYPE_CHECKING:
    from .background.loop import TaskMonitor
    from .lifecycle import Lifecycle
    from .terminal import ProgressLine

__all__ = ["TICK", "await_or_report", "until_done", "update_displays", "wait_until_done"]

#: Seconds between two updates while a wait blocks; Kernel → Interrupt ends the wait at once.
TICK = 0.1
#: Seconds between two updates of the displays while a cell awaits a task.
_DISPLAYS_EVERY = 1.0
#: The tasks that the main thread awaits: several with ``asyncio.gather``.
_awaited: list[Lifecycle] = []
#: Held while a cell that awaits a task draws its line: those of several tasks would overwrite each other.
_drawing = threading.Lock()


def update_displays(*, is_over: bool = False) -> None:
    """Update the displays of all cells from the cell that waits, if no page shows them.

    Does nothing on another thread, whose messages would not belong to that cell.

    Args:
        is_over: whether the wait ends now; otherwise the displays are updated at most once a second. Of
            several tasks that are awaited together, the last one counts: to draw all of them at each end
            would take most of the time.
    """
    if threading.current_thread() is threading.main_thread():
        is_last = is_over and not _awaited
        (late.redraw_displays if is_last else late.send_displays).call_if_imported()


def wait_until_done(lifecycle: Lifecycle, timeout: float | None, line: ProgressLine | None) -> bool:
    """Block until a task is done; return ``False`` if the timeout expires first.

    Args:
        lifecycle: the state of the task.
        timeout: maximum seconds to wait, ``None`` for no limit.
        line: the line that shows its progress meanwhile.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        while not lifecycle.wait(_next_tick(deadline)):
            if line is not None:
                line.update()
            update_displays()
            if deadline is not None and time.monotonic() >= deadline:
                return False
    finally:
        if line is not None:
            line.end()
    return True


async def until_done(lifecycle: Lifecycle, line: ProgressLine | None) -> None:
    """Wait in an event loop until a task is done.

    Args:
        lifecycle: the state of the task.
        line: the line that shows its progress meanwhile, unless that of another task is shown.
    """
    line = line if line is not None and _drawing.acquire(blocking=False) else None
    is_counted = threading.current_thread() is threading.main_thread()
    if is_counted:
        _awaited.append(lifecycle)
    try:
        while True:
            if line is not None:
                line.update()
            try:
                async with asyncio.timeout(_DISPLAYS_EVERY):
                    return await lifecycle.until_done()
            except TimeoutError:
                update_displays()
    finally:
        if is_counted:
            _awaited.remove(lifecycle)
        if line is not None:
            line.end()
            _drawing.release()


def await_or_report(
    future: Future[None], monitor: TaskMonitor, report: Callable[[BaseException], None], *, wait: bool
) -> None:
    """Wait for a step on the monitor's thread and raise its error, or report the error later.

    Args:
        future: the outcome of the step.
        monitor: the monitor, on whose own thread a wait would block the step for ever.
        report: called with the error on that thread, if there is no wait.
        wait: whether to wait, on any other thread.

    Raises:
        QingboError: the error of the step, or the monitor was closed.
    """
    if wait and not monitor.is_current_thread:
        try:
            outcome(future)
        except CancelledError:
            monitor.check_open()
            raise
        return

    def show_failure(ended: Future[None]) -> None:
        error = None if ended.cancelled() else ended.exception()
        if error is not None:
            with suppress(QingboError):  # the manager was closed, which its tasks already show
                monitor.call_soon(report, error)

    with uninterrupted():
        future.add_done_callback(show_failure)


def _next_tick(deadline: float | None) -> float:
    return TICK if deadline is None else max(0.0, min(TICK, deadline - time.monotonic()))
