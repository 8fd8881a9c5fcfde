"""``Lifecycle``: the followed or done state of a task, and the waiters and callbacks of its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from ..system.flags import Flag

__all__ = ["Lifecycle"]


class Lifecycle:
    """State of a task that is followed until it is done and can be followed again later. Thread-safe.

    Args:
        run_callback: a function that runs a callback on a separate thread, where it may block.
    """

    def __init__(self, run_callback: Callable[[Callable[[], None]], object]) -> None:
        self._run_callback = run_callback
        self._done = Flag()
        self._ending = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._awaiting: list[Callable[[], None]] = []

    @property
    def is_done(self) -> bool:
        """True if nothing more happens without user action."""
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Block until the task is done, for ``seconds`` at most; return True if it is done."""
        return self._done.wait(seconds)

    async def until_done(self) -> None:
        """Wait in an event loop until the task is done."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is closed: no coroutine is waiting
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
        """Call ``callback`` once when the task is done, or at once if it is already done."""
        with self._ending:
            if not self.is_done:
                self._callbacks.append(callback)
                return
        self._run_callback(callback)

    def claim(self, condition: Callable[[], bool]) -> bool:
        """Claim a done task in order to follow it again; of several concurrent threads, one succeeds.

        Args:
            condition: must still be true for the task; checked under the lock.
        """
        with self._ending:
            if not (self.is_done and condition()):
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
            self._run_callback(callback)
