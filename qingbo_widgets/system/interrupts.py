"""Sections that an interrupt must not cut in two, and waits that it may.

"Stop" in a notebook and Ctrl+C raise at any line of the main thread. Between the line that registers a task
and the one that starts following it, that would leave a task which nothing ever ends. Within a future or a
queue, it would leave a lock that nothing ever releases.
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

#: Those for which programs have handlers that raise: an interrupt, a request to end, a time limit.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGBREAK")
_SIGNALS = tuple(int(getattr(signal, name)) for name in _NAMES if hasattr(signal, name))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off what Python's signal handlers do until the end. For sections that take no time.

    Python runs them on the main thread only, so there is nothing to do on any other.
    """
    section = _Section()
    try:
        if threading.current_thread() is threading.main_thread():
            section.begin()
        yield
    finally:
        section.end()


class _Section:
    """The handlers of a section, and the signals that have arrived in it."""

    def __init__(self) -> None:
        self._handlers: dict[int, Handler] = {}
        self._arrived: list[int] = []
        self._is_over = False

    def begin(self) -> None:
        """Note each signal down instead of calling its handler, which is kept for later."""
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):
                # Kept first: a signal between these two lines raises, and what was put off is put back.
                self._handlers[number] = handler
                signal.signal(number, self._note)

    def end(self) -> None:
        """Put the handlers back, and let them do what was put off."""
        # From here on a handler may raise; one that is not back yet is called all the same, by ``_note``.
        self._is_over = True
        try:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
        finally:
            self._catch_up()

    def _catch_up(self) -> None:
        if self._arrived:
            try:
                signal.raise_signal(self._arrived.pop(0))
            finally:
                self._catch_up()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._is_over:
            self._handlers[number](number, frame)
        else:
            self._arrived.append(number)


def outcome(future: Future[T], timeout: float | None = None) -> T:
    """Wait for a future, for so many seconds at most, and return its result or raise its error.

    Raises:
        TimeoutError: the time is over.
    """
    if not has_ended(future, timeout):
        raise TimeoutError
    with uninterrupted():
        return future.result()


def has_ended(future: Future[Any], timeout: float | None) -> bool:
    """Wait for the end of a future, for so many seconds at most; return whether it has come."""
    ended = Flag()
    with uninterrupted():
        future.add_done_callback(lambda _: ended.set())
    return ended.wait(None if timeout is None else max(timeout, 0.0))
