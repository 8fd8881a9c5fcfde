"""How a task ages: queued, processing, ended. Pure functions of the clock: nothing has to be waited for.

The pace is that of the real service, roughly: some seconds in the queue, then a progress that creeps, leaps
and stands still. A `Timeline` is drawn once from the request and a seed; `Timeline.at` reads it at any time.
"""

from __future__ import annotations

import bisect
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .request import is_pro, lengths_of

FAILS_AFTER = 0.4
"""The part of its working time that a failing task takes before it says so."""


@dataclass(frozen=True)
class Timeline:
    """The plan of one task's life, in seconds since it was created.

    Attributes:
        starts: When it leaves the queue.
        ends: When it is completed, provided that its video has been drawn by then.
        times: Where the progress changes its pace; rising, from `starts` to `ends`.
        progress: The progress in percent at each of `times`; never falling, from 0 to 99.
    """

    starts: float
    ends: float
    times: tuple[float, ...]
    progress: tuple[float, ...]

    @property
    def fails(self) -> float:
        """When the task ends if it fails."""
        return self.starts + FAILS_AFTER * (self.ends - self.starts)

    def at(self, age: float) -> int:
        """The progress in percent, 0 to 99, of a task that is still queued or processing.

        Args:
            age: Seconds since the task was created.
        """
        index = bisect.bisect_right(self.times, age)
        if index == 0:
            return 0
        if index == len(self.times):
            return int(self.progress[-1])
        (left, right), (low, high) = self.times[index - 1 : index + 1], self.progress[index - 1 : index + 1]
        return int(low + (high - low) * (age - left) / (right - left))


def timeline(body: Mapping[str, Any], seed: object, speed: float = 1.0) -> Timeline:
    """Plan the life of a task.

    Args:
        body: The valid submit body. Longer videos and `pro` take longer: 20 to 60 s in all.
        seed: Equal seeds give equal plans.
        speed: How many times faster than the real service.
    """
    dice = random.Random(str(seed))
    starts = dice.uniform(2.0, 3.0) / speed
    work = (
        dice.uniform(16.0, 18.5)
        * (0.55 + 0.09 * sum(lengths_of(body)))
        * (1.5 if is_pro(body) else 1.0)
        / speed
    )
    times, progress = [0.0], [0.0]
    while times[-1] < 1 and progress[-1] < 95:
        gait = dice.choice(("creep", "creep", "leap", "stand"))
        step = dice.uniform(0.06, 0.2) * (0.1 if gait == "leap" else 1.0)
        times.append(times[-1] + step)
        progress.append(progress[-1] + {"creep": 90 * step, "leap": dice.uniform(8, 22), "stand": 0}[gait])
    # The last stretch stands still at the top, as the real ones do while the file is stored.
    stretch, height = 0.97 / times[-1], dice.uniform(91, 99) / max(progress[-1], 1.0)
    return Timeline(
        starts,
        starts + work,
        (*(starts + work * stretch * time for time in times), starts + work),
        (*(height * value for value in progress), height * progress[-1]),
    )
