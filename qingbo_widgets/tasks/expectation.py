"""When a task is expected to end, from all that is known of it: its progress, its kind, and doubt.

What is known of the end is a few weighted beliefs: what the task's own progress says, what earlier tasks of
its kind took, and, hardly weighted but never gone, that anything is possible. A belief that expected the end
by now and was wrong loses its weight by itself. So progress that is stuck at 99 % is first believed, and
then no more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

__all__ = ["Answer", "Belief", "Expectation", "beliefs", "first_where"]

#: What a task is taken to need where nothing at all is known, in seconds, and how vague that is, as a share.
USUAL, VAGUENESS = 150.0, 0.2
#: Weight of "anything is possible" beside what progress says.
DOUBT = 0.04
#: How far durations of one kind are expected to scatter, as a share; worth as much as one task observed.
SCATTER = 0.35
#: Percentage points by which progress is expected to be off a straight line, likewise.
NOISE = 2.0
#: The scale of a logistic distribution whose standard deviation is 1.
LOGISTIC = math.sqrt(3) / math.pi


class Answer(NamedTuple):
    """An answer that brought news of the progress.

    Attributes:
        time: when it came, in seconds on the caller's clock.
        progress: 1..100.
        before: when the answer before it came, which did not say this yet.
    """

    time: float
    progress: int
    before: float


class Belief(NamedTuple):
    """A logistic distribution of the moment of the end, and its weight among the beliefs."""

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
    """The beliefs together, given that the task has not ended by ``now``."""

    def __init__(self, beliefs: Sequence[Belief], now: float) -> None:
        self._beliefs = beliefs
        self._now = now
        self.alive = sum(belief.alive(now) for belief in beliefs)
        self._remaining = sum(belief.remaining(now) for belief in beliefs)

    @property
    def is_a_guess(self) -> bool:
        """Return whether "anything is possible", the last of the beliefs, outweighs all others."""
        return self._beliefs[-1].alive(self._now) > 0.5 * self.alive

    def lag(self, delay: float) -> float:
        """Return the seconds for which the end will on average go unnoticed until the next question."""
        later = sum(belief.remaining(self._now + delay) for belief in self._beliefs)
        return delay - (self._remaining - later) / self.alive

    def lag_of_two(self, delay: float, floor: float, price: float) -> float:
        """Return the lag with a second question at ``price``, ``floor`` later, should the first be early."""
        return self.lag(delay + floor) + (floor + price) * self._alive(delay) / self.alive

    def median(self) -> float:
        """Return the seconds within which the task ends as likely as not."""
        bound = max(max(belief.end - self._now, 0.0) + 2.0 * belief.scale for belief in self._beliefs)
        return first_where(lambda delay: self._alive(delay) <= 0.5 * self.alive, 0.0, bound)

    def _alive(self, delay: float) -> float:
        return sum(belief.alive(self._now + delay) for belief in self._beliefs)


def beliefs(
    started: float, durations: Sequence[float], answers: Sequence[Answer], began: float, now: float
) -> list[Belief]:
    """Return the beliefs of the end, the last of which is always that anything is possible.

    That one expects a long task to take longer still.

    Args:
        started: when the task was submitted.
        durations: how many seconds earlier tasks of its kind took.
        answers: those that brought news of its progress.
        began: from when its progress is counted.
        now: the time.
    """
    usual = max(USUAL, now - started)
    found = [Belief(1.0, started + usual, usual * VAGUENESS)]
    if durations:
        # Laplace's rule: after n tasks of a kind, the next is of another with probability 1 / (n + 2).
        found = _beside(_by_habit(started, durations), found, doubt=1.0 / (len(durations) + 2.0))
    if answers:
        found = _beside(_by_progress(began, answers), found, doubt=DOUBT)
    return found


def _beside(belief: Belief, others: list[Belief], doubt: float) -> list[Belief]:
    lessened = [other._replace(weight=other.weight * doubt) for other in others]
    return [belief._replace(weight=1.0 - doubt), *lessened]


def _by_habit(started: float, durations: Sequence[float]) -> Belief:
    """Believe earlier tasks: their median, with the scatter that they show."""
    usual = max(median(durations), 0.1)
    count = len(durations)
    squares = sum(min(abs(duration / usual - 1.0), 1.0) ** 2 for duration in durations)
    scatter = math.sqrt((squares + SCATTER**2) / count * (1.0 + 1.0 / count))
    return Belief(1.0, started + usual, usual * scatter * LOGISTIC)


def _by_progress(began: float, answers: Sequence[Answer]) -> Belief:
    """Believe the progress: a straight line through its beginning, fitted to the answers.

    An answer tells that progress lies between what it says and the next step. Where steps are coarse, the
    time of the step tells more: it was not there at the answer before, so it is younger than that. How far
    the answers scatter around the line, tells how much to believe it.
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
    """Return the least number between two from which on something is reached; ``high`` at most."""
    if is_reached(low):
        return low
    for _ in range(14):
        middle = (low + high) / 2.0
        if is_reached(middle):
            high = middle
        else:
            low = middle
    return high
