"""An event for threads that an interrupt may hit at any moment."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue

__all__ = ["Flag"]


class Flag:
    """An event like ``threading.Event``, for waits that "Stop" or Ctrl+C may cut short.

    The event's lock is taken in Python code. An interrupt between two of its lines leaves it locked, and the
    thread that sets the event, which may be the one that follows all tasks, waits for ever. Here a waiter has
    a queue of its own, which is written in C, and there is no lock.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: list[SimpleQueue[None]] = []

    def is_set(self) -> bool:
        """Tell whether it is set."""
        return self._is_set

    def set(self) -> None:
        """Set it, and end every wait. Never blocks."""
        self._is_set = True
        for waiter in tuple(self._waiting):
            waiter.put(None)

    def clear(self) -> None:
        """Set it no more."""
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, for so many seconds at most; return whether it was."""
        waiter: SimpleQueue[None] = SimpleQueue()
        self._waiting.append(waiter)
        try:
            if self._is_set:  # looked at last: whatever sets it from now on knows the waiter
                return True
            with suppress(Empty):
                waiter.get(timeout=timeout)
                return True
            return self._is_set
        finally:
            self._waiting.remove(waiter)
