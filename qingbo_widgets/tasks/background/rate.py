"""Rate limit for the requests of all tasks: the user's limit and the workers' capacity."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from math import inf

__all__ = ["POLL", "RECOVERY", "SUBMISSION", "RateLimiter"]

#: Priorities of requests: polls of followed tasks, submissions, and the first poll of a task of another
#: kernel, of which there may be thousands at once.
POLL, SUBMISSION, RECOVERY = range(3)

#: Share of the capacity that polls of followed tasks may use; the rest is for submissions.
SHARE = 0.7
#: Assumed seconds per request before the first one was measured.
USUAL = 0.2


class RateLimiter:
    """Rate limiter that gives requests their turns. Belongs to one event loop, the monitor's.

    A poll that has to wait for a worker delays its result. So there are never more running requests than
    workers; polls go before submissions; and ``floor`` spaces the polls of each task so widely that all tasks
    together send no more than the workers can process. With few tasks, this has no noticeable effect.

    Args:
        workers: maximum number of running requests.
        clock: a monotonic clock in seconds.

    Attributes:
        following: number of followed tasks.
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
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def limit(self) -> float | None:
        """The maximum requests per second; ``None`` if only the workers set it. Settable on any thread."""
        return self._limit

    @limit.setter
    def limit(self, limit: float | None) -> None:
        self._limit = limit
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: no request is waiting
                self._loop.call_soon_threadsafe(self._wake)

    def floor(self, interval: float) -> float:
        """Return the minimum seconds between two polls of one task, if the user has set ``interval``."""
        limit, possible = self._limit, self._workers / self._seconds
        if limit is not None:
            possible = min(possible, limit)
        return max(interval, self.following / (SHARE * possible))

    @contextmanager
    def follow(self) -> Iterator[None]:
        """Count one more followed task while the context is open."""
        self.following += 1
        try:
            yield
        finally:
            self.following -= 1

    @asynccontextmanager
    async def turn(self, order: int = POLL) -> AsyncIterator[None]:
        """Wait for a turn and hold it while the context is open.

        Args:
            order: the priority, lowest first; equal ones in order of arrival.
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
                if self._timer is None and self._loop is not None:
                    self._timer = self._loop.call_later(begin - now, self._wake)
                return
            _, _, turn = heapq.heappop(self._waiting)
            if turn.cancelled():
                continue
            self._free -= 1
            self._last = now
            turn.set_result(None)

    def _wake(self) -> None:
        """Give turns again, because the timer fired or the limit changed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._give_turns()
