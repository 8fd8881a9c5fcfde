"""The number of tasks that an account may have at once, learned from the service's 429s.

The service documents neither that number nor the answer to one task too many, and a 429 may just as well
limit the rate of requests. So the queue learns: after a refusal it sends another one when a task has ended or
a pause is over, one at a time, and the pauses grow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from math import inf

__all__ = ["FIRST_PAUSE", "LONGEST_PAUSE", "Places"]

#: Seconds before the next attempt after a refusal; twice as many after each further one.
FIRST_PAUSE = 5.0
#: Maximum seconds between two attempts, unless the service requests more.
LONGEST_PAUSE = 300.0


class Places:
    """The places of an account as far as they are known.

    Args:
        clock: a monotonic clock in seconds.

    Attributes:
        limit: the number of this sweep's tasks that the account takes at once, ``None`` while unknown.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit: int | None = None
        self._clock = clock
        self._lock = threading.Lock()
        #: Consecutive refusals above the limit, and below it or while nothing runs.
        self._above = self._below = 0
        self._next = self._requested = -inf

    @property
    def pause(self) -> float:
        """Seconds until the next attempt; 0 if it may be made now."""
        return max(self._next - self._clock(), 0.0)

    def room(self, in_flight: int) -> int | None:
        """Return how many submissions may begin; ``None`` if the account sets no limit.

        Args:
            in_flight: the number of submissions that are not answered yet.
        """
        with self._lock:
            if self.limit is None and not self._below:
                return None
            return 0 if self._clock() < self._next else max(1 - in_flight, 0)

    def refuse(self, running: int, retry_after: float | None) -> None:
        """Record a 429.

        Args:
            running: the number of other tasks of the sweep that the service has, or may have.
            retry_after: seconds that the service requested to wait, or ``None``.
        """
        with self._lock:
            now = self._clock()
            # Of several submissions in flight, the first refusal has set the pause.
            is_new = now >= self._next
            if retry_after is not None or not running:
                self._below += is_new or not self._below
                self.limit = self.limit if running else None
            elif self.limit is None or running >= self.limit:
                self._above += is_new or not self._above
                self.limit = running
            else:  # the limit has become lower, or the service is late to notice that a task has ended
                self._above, self.limit = 1, running
            self._requested = max(self._requested, now + (retry_after or 0.0))
            self._next = max(self._next, self._requested, now + _pause(max(self._above, self._below)))

    def accept(self, running: int) -> None:
        """Record an accepted submission.

        Args:
            running: the number of tasks that the service has now.
        """
        with self._lock:
            self._below = 0
            if self.limit is None:
                self._above = 0
            elif running > self.limit:
                self.limit, self._above = running, 0
            elif running == self.limit:
                self._next = max(self._next, self._clock() + _pause(self._above))

    def free(self) -> None:
        """Record the end of a task: the account has a place again."""
        with self._lock:
            self._next = max(min(self._next, self._clock()), self._requested)
            self._below = min(self._below, 1)


def _pause(refusals: int) -> float:
    return min(FIRST_PAUSE * 2.0 ** (max(refusals, 1) - 1), LONGEST_PAUSE)
