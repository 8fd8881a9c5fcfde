"""Polling schedule and predicted progress: pure functions of a task's history.

The schedule follows one rule. Every second for which a finished video goes unnoticed has a cost, and so has
every poll; therefore **the next poll is due when the expected lag has grown to the price of a poll**. The
expected lag after waiting ``d`` seconds is the integral of ``P(the task has ended by now + u)`` over ``u``
from 0 to ``d``. While the end is far off, this probability is near zero and polls are rare; around the end it
is large and polls are dense. If the end is equally likely at any moment, this is the classical rule for
inspecting a unit that may have failed unnoticed: intervals of ``sqrt(2 × price / hazard)`` (Barlow, Hunter
and Proschan 1963; Keller 1974). ``expectation`` provides the distribution of the end time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .expectation import Answer, Expectation, beliefs, first_where

__all__ = [
    "Forecast",
    "History",
    "forecast",
    "next_delay",
    "predicted_end",
    "predicted_progress",
    "retry_delay",
]

#: Price of a poll as a share of ``floor``: 42 ms of lag for a minimum interval of 2 s.
PRICE = 1 / 48
#: Minimum price in seconds of lag, so that a low floor does not cause ever more polls.
LEAST_PRICE = 1 / 61
#: Factor on the price when there is no information about the end: most polls would be pointless.
BLIND = 1.5
#: Seconds after which lag costs less and less: after a long wait, a little more does not matter.
LONG = 300.0
#: Maximum seconds between two polls, however long the task takes.
CEILING = 60.0
#: Maximum number of stored responses; a few times as many as a task usually needs.
MAX_ANSWERS = 48
#: The percent that the bar of a task in the queue stays below, and the bar of any other task.
QUEUED, ENDING = 10.0, 99.0
#: The bar moves evenly up to this share of the way to the predicted end, then ever more slowly.
KNEE = 0.8


@dataclass(frozen=True, slots=True)
class History:
    """The schedule's input for one task; times in seconds on one clock of the caller's choice.

    Attributes:
        started: submission time.
        durations: seconds that earlier tasks of this kind took.
        floor: minimum seconds between two polls.
        followed_since: the time at which following began, if later; the bar starts there.
        answers: the last few dozen responses that changed the progress, oldest first.
        began: the last time at which the task was in the service's queue; progress is counted from there.
        last_response: arrival time of the last response.
        shown: percent on the bar at that time.
        failures: number of consecutive polls without a usable response.
        retry_after: seconds that the service requested to wait, or ``None``.
    """

    started: float
    durations: tuple[float, ...] = ()
    floor: float = 2.0
    followed_since: float | None = None
    answers: tuple[Answer, ...] = ()
    began: float | None = None
    last_response: float | None = None
    shown: float = 0.0
    failures: int = 0
    retry_after: float | None = None

    def answered(self, time: float, progress: int, *, queued: bool = False) -> History:
        """Return the history after a response.

        Args:
            time: its arrival time.
            progress: percent, 0..100; a response with unchanged progress is not stored.
            queued: true if the service has not begun the task yet.
        """
        answers, last = self.answers, self.answers[-1].progress if self.answers else 0
        if not queued and 0 < progress != last:
            before = self.started if self.last_response is None else self.last_response
            answers = (*answers, Answer(time, progress, before))[-MAX_ANSWERS:]
        return replace(
            self,
            answers=answers,
            began=time if queued else self.began,
            last_response=time,
            shown=max(predicted_progress(self, time), min(float(progress), ENDING)),
            failures=0,
            retry_after=None,
        )

    @property
    def is_queued(self) -> bool:
        """True until a response says that the service has begun the task."""
        return self.began == self.last_response

    def failed(self, retry_after: float | None = None) -> History:
        """Return the history after a poll without a usable response."""
        return replace(self, failures=self.failures + 1, retry_after=retry_after)


def next_delay(history: History, now: float) -> float:
    """Return the seconds until the next poll.

    Args:
        history: the history of the task.
        now: the current time, in seconds on the clock of the history.

    Returns:
        At least ``history.floor``, and at least the wait that the service requested.
    """
    if history.failures:
        return max(history.floor, retry_delay(history.failures, history.retry_after))
    elapsed = now - history.started
    price = max(PRICE * history.floor, LEAST_PRICE) * max(1.0, elapsed / LONG)
    if not (history.answers or history.durations):
        price *= BLIND
    expectation = _expectation(history, now)
    # A young task is polled soon whatever the prediction, so that the end of a short one is noticed quickly:
    # after 2, 4, 8, 16 s … at the default floor.
    least, most = history.floor, max(history.floor, min(elapsed, CEILING))
    if expectation.lag(most) <= price:
        return most
    delay = first_where(lambda delay: expectation.lag(delay) >= price, least, most)
    # A poll just before the end blocks the next one for ``floor`` seconds. So if the end is nearly certain,
    # the poll is postponed a little, to the time at which the expected lag of the two is least.
    candidates = (min(delay + history.floor * eighth / 8.0, most) for eighth in range(9))
    return min(candidates, key=lambda delay: expectation.lag_of_two(delay, history.floor, price))


def predicted_end(history: History, now: float) -> float | None:
    """Return the median of the predicted end time, on the clock of ``now``.

    Returns:
        ``None`` if there is no honest estimate: neither its progress nor its kind allows one, or both were
        wrong.
    """
    expectation = _expectation(history, now)
    if expectation.is_a_guess:
        return None
    return now + expectation.median()


@dataclass(frozen=True, slots=True)
class Forecast:
    """The prediction to show until the next response; times in seconds on the clock of the history.

    Attributes:
        since: arrival time of the last response, or the time at which following began.
        shown: percent on the bar at that time.
        span: seconds from then to the likely end.
        end: the predicted end, or ``None`` if there is no honest estimate.
        most: the percent that the bar stays below; it stops at ``shown`` if that is more.
    """

    since: float
    shown: float
    span: float
    end: float | None
    most: float = ENDING

    def progress(self, now: float) -> float:
        """Return the percent to draw at ``now``, so that the bar also moves between two responses.

        It never decreases over time or at a response, is never below the value that the service reports, and
        stays below 100, because only the service reports the end of a task.
        """
        way = max(now - self.since, 0.0) / self.span
        if way > KNEE:
            way = 1.0 - (1.0 - KNEE) * math.exp((KNEE - way) / (1.0 - KNEE))
        return self.shown + max(self.most - self.shown, 0.0) * way

    def left(self, now: float) -> float | None:
        """Return the estimated seconds that remain at ``now``."""
        return None if self.end is None else max(self.end - now, 0.0)


def forecast(history: History) -> Forecast:
    """Return the prediction to show from the last response until the next."""
    since = next(
        time for time in (history.last_response, history.followed_since, history.started) if time is not None
    )
    span = _expectation(history, since).median()
    most = QUEUED if history.is_queued else ENDING
    return Forecast(since, history.shown, span, predicted_end(history, since), most)


def predicted_progress(history: History, now: float) -> float:
    """Return the percent to draw at ``now``, as in ``Forecast``."""
    return forecast(history).progress(now)


def _expectation(history: History, now: float) -> Expectation:
    began = history.started if history.began is None else history.began
    return Expectation(beliefs(history.started, history.durations, history.answers, began, now), now)


def retry_delay(failures: int, retry_after: float | None = None) -> float:
    """Return the seconds to wait after consecutive failures: 1, 2, 4, … 30, or more if requested.

    The wait is never shorter: a service that sends "try again in 0 s" for hours must not be polled a thousand
    times a second.
    """
    return max(float(min(2 ** min(failures - 1, 5), 30)), retry_after or 0.0)
