"""How often all tasks together ask: never more than the user allows, nor than the workers can."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

__all__ = ["Pace"]

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
        limit: requests a second at most, ``None`` for no limit but the workers'.
        following: how many tasks are followed now.
    """

    def __init__(self, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit: float | None = None
        self.following = 0
        self._workers = self._free = workers
        self._clock = clock
        self._next = 0.0
        self._seconds = USUAL
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._count = 0
        self._alarm: asyncio.TimerHandle | None = None

    def floor(self, interval: float) -> float:
        """Seconds between two questions of one task at least, given that a person wants ``interval``."""
        possible = self._workers / self._seconds
        if self.limit is not None:
            possible = min(possible, self.limit)
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
    async def turn(self, *, patient: bool = False) -> AsyncIterator[None]:
        """Wait for one's turn, and have it for as long as the context lasts.

        Args:
            patient: whether to let those go first who are not.
        """
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (patient, self._count, turn))
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
            now = self._clock()
            if self.limit is not None and now < self._next:
                if self._alarm is None:
                    self._alarm = asyncio.get_running_loop().call_later(self._next - now, self._ring)
                return
            _, _, turn = heapq.heappop(self._waiting)
            if turn.cancelled():
                continue
            self._free -= 1
            if self.limit is not None:
                self._next = now + 1.0 / self.limit
            turn.set_result(None)

    def _ring(self) -> None:
        self._alarm = None
        self._give_turns()
