"""``Lifecycle``: whether a task is being followed or done, and what waits for its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from ..system.flags import Flag

__all__ = ["Lifecycle"]


class Lifecycle:
    """A task is followed until it is done, and can be followed again then. Safe to use from many threads.

    Args:
        call_back: runs a callback on a thread of its own, where it may block.
    """

    def __init__(self, call_back: Callable[[Callable[[], None]], object]) -> None:
        self._call_back = call_back
        self._done = Flag()
        self._ending = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._awaiting: list[Callable[[], None]] = []

    @property
    def is_done(self) -> bool:
        """Whether nothing more happens by itself."""
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Block until the task is done, for so long at most; return whether it is."""
        return self._done.wait(seconds)

    async def until_done(self) -> None:
        """Wait in an event loop until the task is done."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody awaits any more
                loop.call_soon_threadsafe(ended.set)

        with self._ending:
            self._awaiting.append(wake)
            is_done = self.is_done
        try:
            if not is_done:
                await ended.wait()
        finally:
            with self._ending:
                self._awaiting.remove(wake)

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call once when the task is done; at once if it is already."""
        with self._ending:
            if not self.is_done:
                self._callbacks.append(callback)
                return
        self._call_back(callback)

    def claim(self, may: Callable[[], bool]) -> bool:
        """Take a task that is done, to follow it again; of several threads at once, one has it.

        Args:
            may: whether the task is still of the kind; checked under the lock.
        """
        with self._ending:
            if not (self.is_done and may()):
                return False
            self._done.clear()
        return True

    def settle(self) -> None:
        """Mark the task as done: wake every waiter and run the callbacks."""
        with self._ending:
            self._done.set()
            callbacks, self._callbacks = self._callbacks, []
            for wake in self._awaiting:
                wake()
        for callback in callbacks:
            self._call_back(callback)
