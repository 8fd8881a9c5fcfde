"""How often all tasks together ask: never more than the user allows, nor than the workers can."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from math import inf

__all__ = ["QUESTION", "SUBMISSION", "TAKEN_UP", "Pace"]

#: In which order requests have their turns: questions about followed tasks, submissions, and the first
#: question about a task of another kernel, of which there may be thousands at once.
QUESTION, SUBMISSION, TAKEN_UP = range(3)

#: Share of what is possible that questions of followed tasks may take; the rest is for submissions.
SHARE = 0.7
#: Seconds that a request is taken to need before any was made.
USUAL = 0.2


class Pace:
    """Gives requests their turns. Lives on one event loop, as the monitor's coroutines do.

    A question that has to wait for a worker is late, and with it the news. So there are never more at work
    than workers; questions go before submissions; and ``floor`` spaces the questions of each task so widely
    that all tasks together ask no more than can be answered. With few tasks none of this is felt.

    Args:
        workers: how many requests can be under way at once.
        clock: seconds, monotonic.

    Attributes:
        following: how many tasks are followed now.
    """

    def __init__(self, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.following = 0
        self._limit: float | None = None
        self._workers = self._free = workers
        self._clock = clock
        self._last = -inf
        self._seconds = USUAL
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def limit(self) -> float | None:
        """Requests a second at most, ``None`` for no limit but the workers'. Can be set on any thread."""
        return self._limit

    @limit.setter
    def limit(self, limit: float | None) -> None:
        self._limit = limit
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._ring)

    def floor(self, interval: float) -> float:
        """Seconds between two questions of one task at least, given that a person wants ``interval``."""
        limit, possible = self._limit, self._workers / self._seconds
        if limit is not None:
            possible = min(possible, limit)
        return max(interval, self.following / (SHARE * possible))

    @contextmanager
    def follow(self) -> Iterator[None]:
        """One more task is followed, for as long as the context lasts."""
        self.following += 1
        try:
            yield
        finally:
            self.following -= 1

    @asynccontextmanager
    async def turn(self, order: int = QUESTION) -> AsyncIterator[None]:
        """Wait for one's turn, and have it for as long as the context lasts.

        Args:
            order: whose turn comes first; of one order, the request that came first.
        """
        self._loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = self._loop.create_future()
        self._count += 1
        heapq.heappush(self._waiting, (order, self._count, turn))
        self._give_turns()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._end_turn()
            raise
        began = self._clock()
        try:
            yield
        finally:
            self._seconds += 0.1 * (self._clock() - began - self._seconds)
            self._end_turn()

    def _end_turn(self) -> None:
        self._free += 1
        self._give_turns()

    def _give_turns(self) -> None:
        while self._waiting and self._free:
            limit, now = self._limit, self._clock()  # read once: another thread may change it
            begin = now if limit is None else self._last + 1.0 / limit
            if now < begin:
                if self._alarm is None and self._loop is not None:
                    self._alarm = self._loop.call_later(begin - now, self._ring)
                return
            _, _, turn = heapq.heappop(self._waiting)
            if turn.cancelled():
                continue
            self._free -= 1
            self._last = now
            turn.set_result(None)

    def _ring(self) -> None:
        """The time has come, or another limit."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._give_turns()
