"""When to ask next, and what to show until then: pure functions of what is known of a task.

One idea carries it. Every second for which a finished video goes unnoticed is a loss, and so is every
question; so **the next question comes when the lag to be expected has grown to the price of one**. The
expected lag after waiting ``d`` seconds is the integral of ``P(the task has ended by now + u)`` over ``u``
from 0 to ``d``. While the end is far this probability is nothing and questions are rare; around the end it is
large and they are dense. Where the end is equally likely at any moment, this is the classical rule for
inspecting what may have failed unnoticed: intervals of ``sqrt(2 × price / hazard)`` (Barlow, Hunter and
Proschan 1963; Keller 1974). When the end is expected, ``expectation`` says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .expectation import Answer, Expectation, beliefs, first_where

__all__ = [
    "History",
    "Outlook",
    "next_delay",
    "outlook",
    "predicted_end",
    "predicted_progress",
    "retry_delay",
]

#: What a question costs, as a share of ``floor``: where 2 s lie between questions at least, 42 ms of lag.
PRICE = 1 / 48
#: What it costs at least, in seconds of lag, so that a low floor does not mean ever more questions.
LEAST_PRICE = 1 / 61
#: How many times as much it costs where nothing tells of the end: most questions would be in vain.
BLIND = 1.5
#: Seconds after which lag costs less and less: who has waited long does not mind a little longer.
LONG = 300.0
#: Seconds between two questions at most, however long the task takes.
CEILING = 60.0
#: Answers that are kept; a few times as many as a task ordinarily needs.
KEPT = 48
#: The bar is drawn evenly up to this share of the way to the predicted end, then ever more slowly.
KNEE = 0.8


@dataclass(frozen=True, slots=True)
class History:
    """Everything the schedule knows of one task; times in seconds on one clock of the caller's choice.

    Attributes:
        started: when the task was submitted.
        durations: how many seconds earlier tasks of this kind took.
        floor: never ask more often than every so many seconds.
        watched: when following it began, where that is later: the bar starts then.
        answers: those that brought news of the progress, oldest first; the last few dozen.
        began: when it was last known to be waiting in the service's queue; progress is counted from there.
        asked: when the last answer came.
        shown: percent on the bar at that moment.
        failures: how many questions in a row had no usable answer.
        retry_after: seconds the service asked to wait, ``None`` where it did not.
    """

    started: float
    durations: tuple[float, ...] = ()
    floor: float = 2.0
    watched: float | None = None
    answers: tuple[Answer, ...] = ()
    began: float | None = None
    asked: float | None = None
    shown: float = 0.0
    failures: int = 0
    retry_after: float | None = None

    def answered(self, time: float, progress: int, *, queued: bool = False) -> History:
        """Return the history after an answer.

        Args:
            time: when it came.
            progress: percent, 0..100; one that brings no news is not kept.
            queued: whether the task is not being worked on yet.
        """
        answers, last = self.answers, self.answers[-1].progress if self.answers else 0
        if not queued and 0 < progress != last:
            before = self.started if self.asked is None else self.asked
            answers = (*answers, Answer(time, progress, before))[-KEPT:]
        return replace(
            self,
            answers=answers,
            began=time if queued else self.began,
            asked=time,
            shown=max(predicted_progress(self, time), min(float(progress), 99.0)),
            failures=0,
            retry_after=None,
        )

    def failed(self, retry_after: float | None = None) -> History:
        """Return the history after a question without a usable answer."""
        return replace(self, failures=self.failures + 1, retry_after=retry_after)


def next_delay(history: History, now: float) -> float:
    """Return the seconds until the service should be asked again.

    Args:
        history: what is known of the task.
        now: the time, in seconds on the clock of the history.

    Returns:
        At least ``history.floor``; what the service asked for where it asked for more.
    """
    if history.failures:
        return max(history.floor, retry_delay(history.failures, history.retry_after))
    elapsed = now - history.started
    price = max(PRICE * history.floor, LEAST_PRICE) * max(1.0, elapsed / LONG)
    if not (history.answers or history.durations):
        price *= BLIND
    expectation = _expectation(history, now)
    # A young task is asked soon whatever is expected of it, so that a short one is noticed quickly: after
    # 2, 4, 8, 16 s … at the default floor.
    least, most = history.floor, max(history.floor, min(elapsed, CEILING))
    if expectation.lag(most) <= price:
        return most
    delay = first_where(lambda delay: expectation.lag(delay) >= price, least, most)
    # A question that comes just too early keeps the next one off for ``floor`` seconds. So where the end is
    # nearly certain, it is put off a little, to where the lag to be expected of the two is least.
    candidates = (min(delay + history.floor * eighth / 8.0, most) for eighth in range(9))
    return min(candidates, key=lambda delay: expectation.lag_of_two(delay, history.floor, price))


def predicted_end(history: History, now: float) -> float | None:
    """Return when the task is likely to end, as likely sooner as later, on the clock of ``now``.

    Returns:
        ``None`` where nothing can honestly be said: neither its progress nor its kind tells, or both were
        wrong.
    """
    expectation = _expectation(history, now)
    if expectation.is_a_guess:
        return None
    return now + expectation.median()


@dataclass(frozen=True, slots=True)
class Outlook:
    """What there is to show until the next answer; times in seconds on the clock of the history.

    Attributes:
        since: when the last answer came, or following began.
        shown: percent on the bar at that moment.
        span: seconds from then to the likely end.
        end: the end as far as it can honestly be told, else ``None``.
    """

    since: float
    shown: float
    span: float
    end: float | None

    def progress(self, now: float) -> float:
        """Return the percent to draw at ``now``, so that the bar moves between two answers too.

        It never falls from one moment or answer to the next, is never below what the service says, and stays
        below 100: only the service says that a task has ended.
        """
        way = max(now - self.since, 0.0) / self.span
        if way > KNEE:
            way = 1.0 - (1.0 - KNEE) * math.exp((KNEE - way) / (1.0 - KNEE))
        return self.shown + (99.0 - self.shown) * way

    def left(self, now: float) -> float | None:
        """Return the seconds that the task will probably still take."""
        return None if self.end is None else max(self.end - now, 0.0)


def outlook(history: History) -> Outlook:
    """Return what there is to show from the last answer on until the next."""
    since = next(time for time in (history.asked, history.watched, history.started) if time is not None)
    span = _expectation(history, since).median()
    return Outlook(since, history.shown, span, predicted_end(history, since))


def predicted_progress(history: History, now: float) -> float:
    """Return the percent to draw at ``now``, as in ``Outlook``."""
    return outlook(history).progress(now)


def _expectation(history: History, now: float) -> Expectation:
    began = history.started if history.began is None else history.began
    return Expectation(beliefs(history.started, history.durations, history.answers, began, now), now)


def retry_delay(failures: int, retry_after: float | None = None) -> float:
    """Return the seconds to wait after so many failures in a row: 1, 2, 4, … 30, or more if asked for.

    Less is never waited: "try again in 0 s", said for hours, must not become a thousand questions a second.
    """
    return max(float(min(2 ** min(failures - 1, 5), 30)), retry_after or 0.0)
