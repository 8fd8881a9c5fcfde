"""The life of a task: queued, processing, ended. Pure functions of the clock, so nothing needs to wait.

A task takes about as long as one of the real service: some seconds in the queue, then a progress that is
uneven from step to step but never far from the share of the time that has passed, because newcomers judge
the progress bar by the sandbox. A ``Timeline`` is computed once from the order and a seed; ``Timeline.at``
evaluates it at any time.
"""

from __future__ import annotations

import bisect
import random
from dataclasses import dataclass

from .order import Order

FAILS_AFTER = 0.4
"""The fraction of its processing time after which a failing task fails."""
_STEPS = 12
"""The number of steps in which the progress changes its pace."""
_UNEVENNESS = 3.0
"""The maximum of percent between the progress after a step and the share of the time."""
_EFFORT = {720: 1.0, 1080: 1.5, 2160: 2.0}
"""Factors of the processing time, by pixels of the shorter side."""


@dataclass(frozen=True)
class Timeline:
    """The plan of one task's life, in seconds since it was created.

    Attributes:
        starts: the time at which the task leaves the queue.
        ends: the time at which it is completed, if its video has been drawn by then.
        times: the times at which the progress changes its pace; increasing, from ``starts`` to ``ends``.
        progress: the progress in percent at each of ``times``; never decreasing, from 0 to 99.
    """

    starts: float
    ends: float
    times: tuple[float, ...]
    progress: tuple[float, ...]

    @property
    def fails(self) -> float:
        """The time at which the task ends if it fails."""
        return self.starts + FAILS_AFTER * (self.ends - self.starts)

    def at(self, age: float) -> int:
        """Return the progress in percent, 0 to 99, of a task that is still queued or processing.

        Args:
            age: seconds since the task was created.
        """
        index = bisect.bisect_right(self.times, age)
        if index == 0:
            return 0
        if index == len(self.times):
            return int(self.progress[-1])
        (left, right), (low, high) = self.times[index - 1 : index + 1], self.progress[index - 1 : index + 1]
        return int(low + (high - low) * (age - left) / (right - left))


def timeline(order: Order, seed: object, speed: float = 1.0) -> Timeline:
    """Plan the life of a task.

    Args:
        order: the video. Longer and larger ones take longer: 20 s for 5 s of 720p, 90 s for 30 s of 1080p.
        seed: equal seeds give equal plans.
        speed: factor by which the task is faster than one of the real service.
    """
    rng = random.Random(str(seed))
    starts = rng.uniform(2.0, 3.0) / speed
    work = rng.uniform(16.0, 18.5) * (0.55 + 0.09 * order.seconds) * _EFFORT[order.short_side] / speed
    shares = [step / _STEPS for step in range(_STEPS + 1)]
    within = [99 * share + rng.uniform(-_UNEVENNESS, _UNEVENNESS) for share in shares[1:-1]]
    times = tuple(starts + work * share for share in shares)
    return Timeline(starts, starts + work, times, (0.0, *within, 99.0))
