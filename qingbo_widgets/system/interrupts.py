"""Sections that an interrupt must not break, and waits that it may end.

"Stop" in a notebook and Ctrl+C raise at any line of the main thread. Between the line that registers a task
and the line that starts following it, that would leave a task that never ends. Inside a future or a queue, it
would leave a lock that is never released.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from .flags import Flag

__all__ = ["has_ended", "outcome", "uninterrupted"]

T = TypeVar("T")

Handler = Callable[[int, FrameType | None], Any]

#: Signals whose handlers commonly raise: interrupts, requests to terminate, time limits.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGBREAK")
_SIGNALS = tuple(int(getattr(signal, name)) for name in _NAMES if hasattr(signal, name))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Defer Python's signal handlers to the end of the block. Only for short sections.

    Python runs signal handlers on the main thread only, so on other threads this does nothing.
    """
    section = _Section()
    try:
        if threading.current_thread() is threading.main_thread():
            section.begin()
        yield
    finally:
        section.end()


class _Section:
    """The saved handlers of a section and the signals that arrived during it."""

    def __init__(self) -> None:
        self._handlers: dict[int, Handler] = {}
        self._arrived: list[int] = []
        self._is_over = False

    def begin(self) -> None:
        """Record each signal instead of calling its handler, which is saved for later."""
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):
                # Saved first: a signal between these two lines raises, and end() restores the handlers.
                self._handlers[number] = handler
                signal.signal(number, self._record)

    def end(self) -> None:
        """Restore the handlers and call them for the deferred signals."""
        # From here on a handler may raise; ``_record`` calls a handler that is not restored yet.
        self._is_over = True
        try:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
        finally:
            self._deliver()

    def _deliver(self) -> None:
        if self._arrived:
            try:
                signal.raise_signal(self._arrived.pop(0))
            finally:
                self._deliver()

    def _record(self, number: int, frame: FrameType | None) -> None:
        if self._is_over:
            self._handlers[number](number, frame)
        else:
            self._arrived.append(number)


def outcome(future: Future[T], timeout: float | None = None) -> T:
    """Wait for a future for at most ``timeout`` seconds; return its result or raise its error.

    Raises:
        TimeoutError: the future did not end in time.
    """
    if not has_ended(future, timeout):
        raise TimeoutError
    with uninterrupted():
        return future.result()


def has_ended(future: Future[Any], timeout: float | None) -> bool:
    """Wait for the end of a future for at most ``timeout`` seconds; return whether it ended."""
    ended = Flag()
    with uninterrupted():
        future.add_done_callback(lambda _: ended.set())
    return ended.wait(None if timeout is None else max(timeout, 0.0))
