"""An event that stays usable if an interrupt hits a waiting thread."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue

__all__ = ["Flag"]


class Flag:
    """An event like ``threading.Event``, for waits that "Stop" or Ctrl+C may interrupt.

    ``threading.Event`` takes its lock in Python code. An interrupt between two of those lines leaves it
    locked, and the thread that sets the event, possibly the one that follows all tasks, waits forever. Here
    each waiter has its own queue, which is implemented in C, and there is no lock.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._waiters: list[SimpleQueue[None]] = []

    def is_set(self) -> bool:
        """Return whether the flag is set."""
        return self._is_set

    def set(self) -> None:
        """Set the flag and end every wait. Never block."""
        self._is_set = True
        for waiter in tuple(self._waiters):
            waiter.put(None)

    def clear(self) -> None:
        """Reset the flag."""
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the flag is set, for at most ``timeout`` seconds; return whether it was set."""
        waiter: SimpleQueue[None] = SimpleQueue()
        self._waiters.append(waiter)
        try:
            if self._is_set:  # checked after registering: a later set() finds the waiter
                return True
            with suppress(Empty):
                waiter.get(timeout=timeout)
                return True
            return self._is_set
        finally:
            self._waiters.remove(waiter)
