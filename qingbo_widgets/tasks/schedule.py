"""When to ask next, and what to show until then: pure functions of what is known of a task.

One idea carries it. Every second for which a finished video goes unnoticed is a loss, and so is every
question; so **the next question comes when the lag to be expected has grown to the price of one**. The
expected lag after waiting ``d`` seconds is the integral of ``P(the task has ended by now + u)`` over ``u``
from 0 to ``d``. While the end is far this probability is nothing and questions are rare; around the end it is
large and they are dense. Where the end is equally likely at any moment, this is the classical rule for
inspecting what may have failed unnoticed: intervals of ``sqrt(2 × price / hazard)`` (Barlow, Hunter and
Proschan 1963; Keller 1974).

What is known of the end is a few weighted beliefs: what the task's own progress says, what earlier tasks of
its kind took, and, hardly weighted but never gone, that anything is possible. A belief that expected the end
by now and was wrong loses its weight by itself. So progress that is stuck at 99 % is first believed, and
then no more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

__all__ = [
    "Answer",
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
#: What a task is taken to need where nothing at all is known, in seconds, and how vague that is, as a share.
USUAL, VAGUENESS = 150.0, 0.2
#: Weight of "anything is possible" beside what progress says.
DOUBT = 0.04
#: How far durations of one kind are expected to scatter, as a share; worth as much as one task observed.
SCATTER = 0.35
#: Percentage points by which progress is expected to be off a straight line, likewise.
NOISE = 2.0
#: Answers that are kept; a few times as many as a task ordinarily needs.
KEPT = 48
#: The scale of a logistic distribution whose standard deviation is 1.
LOGISTIC = math.sqrt(3) / math.pi
#: The bar is drawn evenly up to this share of the way to the predicted end, then ever more slowly.
KNEE = 0.8


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that brought news of the progress.

    Attributes:
        time: when it came, in seconds on the caller's clock.
        progress: 1..100.
        before: when the answer before it came, which did not say this yet.
    """

    time: float
    progress: int
    before: float


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
        """The history after an answer.

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
        """The history after a question without a usable answer."""
        return replace(self, failures=self.failures + 1, retry_after=retry_after)


def next_delay(history: History, now: float) -> float:
    """Seconds until the service should be asked again.

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
    expectation = _Expectation(_beliefs(history, now), now)
    # A young task is asked soon whatever is expected of it, so that a short one is noticed quickly: after
    # 2, 4, 8, 16 s … at the default floor.
    least, most = history.floor, max(history.floor, min(elapsed, CEILING))
    if expectation.lag(most) <= price:
        return most
    delay = _first(lambda delay: expectation.lag(delay) >= price, least, most)
    # A question that comes just too early keeps the next one off for ``floor`` seconds. So where the end is
    # nearly certain, it is put off a little, to where the lag to be expected of the two is least.
    candidates = (min(delay + history.floor * eighth / 8.0, most) for eighth in range(9))
    return min(candidates, key=lambda delay: expectation.lag_of_two(delay, history.floor, price))


def predicted_end(history: History, now: float) -> float | None:
    """When the task is likely to end, as likely sooner as later, on the clock of ``now``.

    Returns:
        ``None`` where nothing can honestly be said: neither its progress nor its kind tells, or both were
        wrong.
    """
    beliefs = _beliefs(history, now)
    expectation = _Expectation(beliefs, now)
    if beliefs[-1].alive(now) > 0.5 * expectation.alive:
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
        """Percent to draw at ``now``, so that the bar moves between two answers too.

        It never falls from one moment or answer to the next, is never below what the service says, and stays
        below 100: only the service says that a task has ended.
        """
        way = max(now - self.since, 0.0) / self.span
        if way > KNEE:
            way = 1.0 - (1.0 - KNEE) * math.exp((KNEE - way) / (1.0 - KNEE))
        return self.shown + (99.0 - self.shown) * way

    def left(self, now: float) -> float | None:
        """Seconds that the task will probably still take."""
        return None if self.end is None else max(self.end - now, 0.0)


def outlook(history: History) -> Outlook:
    """What there is to show from the last answer on until the next."""
    since = next(time for time in (history.asked, history.watched, history.started) if time is not None)
    span = _Expectation(_beliefs(history, since), since).median()
    return Outlook(since, history.shown, span, predicted_end(history, since))


def predicted_progress(history: History, now: float) -> float:
    """Percent to draw at ``now``, as in ``Outlook``."""
    return outlook(history).progress(now)


def retry_delay(failures: int, retry_after: float | None = None) -> float:
    """Seconds to wait after ``failures`` failures in a row: 1, 2, 4, … 30, or more where that was asked for.

    Less is never waited: "try again in 0 s", said for hours, must not become a thousand questions a second.
    """
    return max(float(min(2 ** min(failures - 1, 5), 30)), retry_after or 0.0)


# ---------------------------------------------------------------------- what is believed of the end


@dataclass(frozen=True, slots=True)
class _Belief:
    """A logistic distribution of the moment of the end, and its weight among the beliefs."""

    weight: float
    end: float
    scale: float

    def alive(self, time: float) -> float:
        """Weight × P(the end is after ``time``)."""
        return self.weight * math.exp(-_softplus((time - self.end) / self.scale))

    def remaining(self, time: float) -> float:
        """The integral of ``alive`` from ``time`` on."""
        return self.weight * self.scale * _softplus((self.end - time) / self.scale)


class _Expectation:
    """What the beliefs say together, given that the task has not ended by ``now``."""

    def __init__(self, beliefs: Sequence[_Belief], now: float) -> None:
        self._beliefs = beliefs
        self._now = now
        self.alive = sum(belief.alive(now) for belief in beliefs)
        self._remaining = sum(belief.remaining(now) for belief in beliefs)

    def lag(self, delay: float) -> float:
        """Seconds that the end will on average have gone unnoticed, if the next question comes then."""
        later = sum(belief.remaining(self._now + delay) for belief in self._beliefs)
        return delay - (self._remaining - later) / self.alive

    def lag_of_two(self, delay: float, floor: float, price: float) -> float:
        """The lag, if a second question at ``price`` follows after ``floor`` where the first is too early."""
        return self.lag(delay + floor) + (floor + price) * self._alive(delay) / self.alive

    def median(self) -> float:
        """Seconds within which the task ends as likely as not."""
        bound = max(max(belief.end - self._now, 0.0) + 2.0 * belief.scale for belief in self._beliefs)
        return _first(lambda delay: self._alive(delay) <= 0.5 * self.alive, 0.0, bound)

    def _alive(self, delay: float) -> float:
        return sum(belief.alive(self._now + delay) for belief in self._beliefs)


def _beliefs(history: History, now: float) -> list[_Belief]:
    """The last one is always that anything is possible; it expects a long task to take longer still."""
    usual = max(USUAL, now - history.started)
    beliefs = [_Belief(1.0, history.started + usual, usual * VAGUENESS)]
    if history.durations:
        # Laplace's rule: after n tasks of a kind, the next is of another with probability 1 / (n + 2).
        beliefs = _beside(_by_habit(history), beliefs, doubt=1.0 / (len(history.durations) + 2.0))
    if history.answers:
        beliefs = _beside(_by_progress(history), beliefs, doubt=DOUBT)
    return beliefs


def _beside(belief: _Belief, others: list[_Belief], doubt: float) -> list[_Belief]:
    lessened = [replace(other, weight=other.weight * doubt) for other in others]
    return [replace(belief, weight=1.0 - doubt), *lessened]


def _by_habit(history: History) -> _Belief:
    """What earlier tasks say: their median, with the scatter that they show."""
    usual = max(median(history.durations), 0.1)
    count = len(history.durations)
    squares = sum(min(abs(duration / usual - 1.0), 1.0) ** 2 for duration in history.durations)
    scatter = math.sqrt((squares + SCATTER**2) / count * (1.0 + 1.0 / count))
    return _Belief(1.0, history.started + usual, usual * scatter * LOGISTIC)


def _by_progress(history: History) -> _Belief:
    """What the progress says: a straight line through its beginning, fitted to the answers.

    An answer tells that progress lies between what it says and the next step. Where steps are coarse, the
    time of the step tells more: it was not there at the answer before, so it is younger than that. How far
    the answers scatter around the line, tells how much to believe it.
    """
    began = history.started if history.began is None else history.began
    levels = sorted({0, *(answer.progress for answer in history.answers)})
    step = min(high - low for low, high in pairwise(levels))
    points = []
    for time, low, before in (
        (a.time - began, min(a.progress, 99), a.before - began) for a in history.answers
    ):
        time = max(time, 0.1)
        high = min(low + step, 100.0, low * time / before if before > 0.0 else 100.0)
        points.append((time, (low + high) / 2.0, ((high - low) / 4.0) ** 2 + NOISE**2))
    weight = sum(time * time / variance for time, _, variance in points)
    rate = sum(time * middle / variance for time, middle, variance in points) / weight
    misfit = sum((middle - rate * time) ** 2 / variance for time, middle, variance in points)
    error = math.sqrt((1.0 + misfit) / (1.0 + len(points)) / weight) / rate
    return _Belief(1.0, began + 100.0 / rate, 100.0 / rate * max(error, 0.002) * LOGISTIC)


def _softplus(x: float) -> float:
    """log(1 + exp(x)), without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _first(is_reached: Callable[[float], bool], low: float, high: float) -> float:
    """The least number between two at which something is reached that is then kept; ``high`` at most."""
    if is_reached(low):
        return low
    for _ in range(14):
        middle = (low + high) / 2.0
        if is_reached(middle):
            high = middle
        else:
            low = middle
    return high
