"""The life of a task: queued, processing, ended. Pure functions of the clock, so nothing needs to wait.

The pace is roughly that of the real service: some seconds in the queue, then a progress that creeps, leaps
and stalls. A ``Timeline`` is computed once from the order and a seed; ``Timeline.at`` evaluates it at any
time.
"""

from __future__ import annotations

import bisect
import random
from dataclasses import dataclass

from .order import Order

FAILS_AFTER = 0.4
"""The fraction of its processing time after which a failing task fails."""
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
    times, progress = [0.0], [0.0]
    while times[-1] < 1 and progress[-1] < 95:
        pace = rng.choice(("creep", "creep", "leap", "stall"))
        step = rng.uniform(0.06, 0.2) * (0.1 if pace == "leap" else 1.0)
        times.append(times[-1] + step)
        progress.append(progress[-1] + {"creep": 90 * step, "leap": rng.uniform(8, 22), "stall": 0}[pace])
    # Near the end the progress stalls, like that of real tasks while the file is stored.
    time_scale, progress_scale = 0.97 / times[-1], rng.uniform(91, 99) / max(progress[-1], 1.0)
    return Timeline(
        starts,
        starts + work,
        (*(starts + work * time_scale * time for time in times), starts + work),
        (*(progress_scale * value for value in progress), progress_scale * progress[-1]),
    )
