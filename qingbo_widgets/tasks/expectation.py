"""Estimate of a task's end time: a mixture of its progress, the durations of its kind, and a vague prior.

The end time is modelled as a few weighted distributions: one extrapolates the task's own progress, one is
fitted to earlier tasks of its kind, and a vague prior has a small weight that never vanishes. A distribution
that predicted an earlier end loses its weight automatically once that time has passed. So progress that is
stuck at 99 % is trusted at first, and then no longer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

__all__ = ["Answer", "Belief", "Expectation", "beliefs", "first_where"]

#: Mean of the vague prior, in seconds, and its scale relative to the mean.
USUAL, VAGUENESS = 150.0, 0.2
#: Weight of the prior relative to the extrapolation of progress.
DOUBT = 0.04
#: Expected relative scatter of durations of one kind; it counts as much as one observed task.
SCATTER = 0.35
#: Expected deviation of progress from a straight line, in percentage points; counts as one observation.
NOISE = 2.0
#: The scale of a logistic distribution whose standard deviation is 1.
LOGISTIC = math.sqrt(3) / math.pi


class Answer(NamedTuple):
    """A status response that changed the progress.

    Attributes:
        time: its arrival time, in seconds on the caller's clock.
        progress: 1..100.
        before: arrival time of the previous response, which did not report this progress yet.
    """

    time: float
    progress: int
    before: float


class Belief(NamedTuple):
    """A logistic distribution of the end time, with its weight in the mixture."""

    weight: float
    end: float
    scale: float

    def alive(self, time: float) -> float:
        """Return weight × P(the end is after ``time``)."""
        return self.weight * math.exp(-_softplus((time - self.end) / self.scale))

    def remaining(self, time: float) -> float:
        """Return the integral of ``alive`` from ``time`` on."""
        return self.weight * self.scale * _softplus((self.end - time) / self.scale)


class Expectation:
    """The mixture of all beliefs, given that the task has not ended by ``now``."""

    def __init__(self, beliefs: Sequence[Belief], now: float) -> None:
        self._beliefs = beliefs
        self._now = now
        self.alive = sum(belief.alive(now) for belief in beliefs)
        self._remaining = sum(belief.remaining(now) for belief in beliefs)

    @property
    def is_a_guess(self) -> bool:
        """True if the vague prior, the last of the beliefs, outweighs all others."""
        return self._beliefs[-1].alive(self._now) > 0.5 * self.alive

    def lag(self, delay: float) -> float:
        """Return the expected seconds between the end and the next poll, which comes after ``delay``."""
        later = sum(belief.remaining(self._now + delay) for belief in self._beliefs)
        return delay - (self._remaining - later) / self.alive

    def lag_of_two(self, delay: float, floor: float, price: float) -> float:
        """Return the lag if an early poll is followed by a second one ``floor`` later, at ``price``."""
        return self.lag(delay + floor) + (floor + price) * self._alive(delay) / self.alive

    def median(self) -> float:
        """Return the median of the remaining seconds."""
        bound = max(max(belief.end - self._now, 0.0) + 2.0 * belief.scale for belief in self._beliefs)
        return first_where(lambda delay: self._alive(delay) <= 0.5 * self.alive, 0.0, bound)

    def _alive(self, delay: float) -> float:
        return sum(belief.alive(self._now + delay) for belief in self._beliefs)


def beliefs(
    started: float, durations: Sequence[float], answers: Sequence[Answer], began: float, now: float
) -> list[Belief]:
    """Return the beliefs about the end time; the last one is always the vague prior.

    The prior expects a task that has run for long to take even longer.

    Args:
        started: submission time.
        durations: seconds that earlier tasks of its kind took.
        answers: the responses that changed its progress.
        began: the time from which progress is counted.
        now: the current time.
    """
    usual = max(USUAL, now - started)
    result = [Belief(1.0, started + usual, usual * VAGUENESS)]
    if durations:
        # Laplace's rule: after n tasks of a kind, the next one differs with probability 1 / (n + 2).
        result = _mix(_from_durations(started, durations), result, doubt=1.0 / (len(durations) + 2.0))
    if answers:
        result = _mix(_from_progress(began, answers), result, doubt=DOUBT)
    return result


def _mix(belief: Belief, others: list[Belief], doubt: float) -> list[Belief]:
    discounted = [other._replace(weight=other.weight * doubt) for other in others]
    return [belief._replace(weight=1.0 - doubt), *discounted]


def _from_durations(started: float, durations: Sequence[float]) -> Belief:
    """Return a belief from earlier tasks: their median, with their observed scatter."""
    usual = max(median(durations), 0.1)
    count = len(durations)
    squares = sum(min(abs(duration / usual - 1.0), 1.0) ** 2 for duration in durations)
    scatter = math.sqrt((squares + SCATTER**2) / count * (1.0 + 1.0 / count))
    return Belief(1.0, started + usual, usual * scatter * LOGISTIC)


def _from_progress(began: float, answers: Sequence[Answer]) -> Belief:
    """Return a belief from progress: a straight line through its beginning, fitted to the responses.

    A response means that progress lies between the reported value and the next step. If steps are coarse,
    their timing is more precise: the step came after the previous response, which did not report it yet.
    The scatter of the responses around the line determines the width of the belief.
    """
    levels = sorted({0, *(answer.progress for answer in answers)})
    step = min(high - low for low, high in pairwise(levels))
    points = []
    for answer in answers:
        time, low, before = max(answer.time - began, 0.1), min(answer.progress, 99), answer.before - began
        high = min(low + step, 100.0, low * time / before if before > 0.0 else 100.0)
        points.append((time, (low + high) / 2.0, ((high - low) / 4.0) ** 2 + NOISE**2))
    weight = sum(time * time / variance for time, _, variance in points)
    rate = sum(time * middle / variance for time, middle, variance in points) / weight
    misfit = sum((middle - rate * time) ** 2 / variance for time, middle, variance in points)
    error = math.sqrt((1.0 + misfit) / (1.0 + len(points)) / weight) / rate
    return Belief(1.0, began + 100.0 / rate, 100.0 / rate * max(error, 0.002) * LOGISTIC)


def _softplus(x: float) -> float:
    """Return log(1 + exp(x)), without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def first_where(is_reached: Callable[[float], bool], low: float, high: float) -> float:
    """Return the smallest number from ``low`` to ``high`` that meets a monotonic condition, or ``high``."""
    if is_reached(low):
        return low
    for _ in range(14):
        middle = (low + high) / 2.0
        if is_reached(middle):
            high = middle
        else:
            low = middle
    return high
