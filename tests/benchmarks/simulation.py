"""Our schedule and the polling rules of peers on a virtual clock.

A task takes ``T`` seconds, by default uniformly distributed from 60 to 300, and is polled by a rule. The
measures are the mean lag (seconds from the end of a task to the response that reports it) and the number of
polls. Everything is seeded: the same tasks for every rule, the same figures in every run. The durations are
stratified, one from each of ``count`` equal parts of the range, so that a sample is not off by chance.

The theoretical limit: without progress and history, a rule that polls at the rate r(t) makes ``∫ S r dt``
polls and has a lag of ``∫ f / (2 r) dt``, where f is the density and S the survival function of ``T``. By the
Cauchy-Schwarz inequality their product is at least ``½ (∫ √(S f) dt)²``; for T uniform on 60 … 300 s this is
``½ (⅔ √240)²`` = 53.3 (see ``least_product``), reached with r ∝ 1/√S by a rule that *knows* the distribution
of the durations. A fixed interval has 90. Therefore a lag of 1.1 s costs at least 48 polls, and 40 polls cost
a lag of at least 1.33 s: no rule gets below both 1.1 s and 40 polls.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from statistics import fmean, median

from qingbo_widgets.tasks.schedule import History, next_delay, predicted_end, predicted_progress

__all__ = [
    "KINDS",
    "PASTS",
    "RULES",
    "DisplayErrors",
    "Outcome",
    "VirtualTask",
    "display_errors",
    "fixed",
    "follow",
    "least_product",
    "measure",
    "median_or_none",
    "ours",
    "quantile",
    "tasks",
]

#: Kinds of reported progress. Only the first three are usable.
KINDS = ("linear", "noisy", "stepwise", "queued", "eased", "stuck", "absent")
#: Kinds of history in the library: none; five similar tasks; twenty tasks of anything from 60 to 300 s.
PASTS = ("none", "some", "vague")


@dataclass(frozen=True)
class VirtualTask:
    """A task with a known course.

    Attributes:
        seconds: duration of the task.
        progress: function from a time to the service's report: percent, and whether the task is queued.
        durations: durations of earlier tasks in the library.
    """

    seconds: float
    progress: Callable[[float], tuple[int, bool]] = field(repr=False)
    durations: tuple[float, ...] = ()


def tasks(
    kind: str, past: str = "none", *, count: int, seed: int = 1, span: tuple[float, float] = (60.0, 300.0)
) -> Iterator[VirtualTask]:
    """Yield tasks with a kind of progress and a kind of history; equal seeds give equal tasks.

    The duration of task ``k`` of ``n`` lies in the ``k``-th of ``n`` equal parts of ``span``.

    Args:
        kind: one of ``KINDS``.
        past: one of ``PASTS``.
        count: number of tasks.
        seed: seed of the random numbers.
        span: shortest and longest duration, in seconds.
    """
    low, high = span
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        seconds = low + (number + chance.random()) / count * (high - low)
        durations = _durations(past, seconds, span, chance)
        yield VirtualTask(seconds, _progress(kind, seconds, chance), durations)


def _durations(
    past: str, seconds: float, span: tuple[float, float], chance: random.Random
) -> tuple[float, ...]:
    """Return five durations that scatter by 15 % like this one, twenty random ones, or none."""
    if past == "some":
        usual = seconds * math.exp(chance.gauss(0.0, 0.15))
        return tuple(usual * math.exp(chance.gauss(0.0, 0.15)) for _ in range(5))
    return tuple(chance.uniform(*span) for _ in range(20)) if past == "vague" else ()


def _progress(kind: str, seconds: float, chance: random.Random) -> Callable[[float], tuple[int, bool]]:
    if kind == "linear":
        return lambda time: (int(100 * time / seconds), False)
    if kind == "noisy":  # off by 4 points in either direction
        return lambda time: (min(max(int(100 * time / seconds + chance.gauss(0.0, 4.0)), 0), 99), False)
    if kind == "stepwise":
        step = chance.choice((5, 10, 20, 25, 33))
        return lambda time: (int(100 * time / seconds) // step * step, False)
    if kind == "queued":  # is queued for up to 40 % of its time, as its status reports, and then linear
        wait = chance.uniform(0.05, 0.4) * seconds
        return lambda time: (max(int(100 * (time - wait) / (seconds - wait)), 0), time < wait)
    if kind == "eased":  # fast at first, slower and slower towards the end
        return lambda time: (min(int(100 * (1 - (1 - time / seconds) ** 2)), 99), False)
    if kind == "stuck":  # reaches 85 to 99 % early and stays there
        most, share = chance.randint(85, 99), chance.uniform(0.3, 0.9)
        return lambda time: (int(min(most, most * time / (seconds * share))), False)
    if kind == "absent":
        return lambda _: (0, False)
    raise ValueError(f"no such kind of progress: {kind}")


#: A polling rule: yields the seconds to wait before each poll of a task.
Rule = Callable[[VirtualTask], Iterator[float]]


@dataclass
class DisplayErrors:
    """The errors of the bar and the ETA over the course of tasks.

    Attributes:
        eta_errors: |displayed ETA - actual end|, as a share of the duration, at each moment with an ETA.
        bar_errors: |percent on the bar - percent of the time passed|, in points, at each moment.
        falls: number of times that the bar fell or reached 100.
        without_eta: moments without an ETA, as a share of all.
    """

    eta_errors: list[float] = field(default_factory=list)
    bar_errors: list[float] = field(default_factory=list)
    falls: int = 0

    @property
    def without_eta(self) -> float:
        return 1.0 - len(self.eta_errors) / max(len(self.bar_errors), 1)


def ours(floor: float = 2.0, errors: DisplayErrors | None = None) -> Rule:
    """Return the schedule of this project as a rule."""

    def rule(task: VirtualTask) -> Iterator[float]:
        history, now, bar = History(started=0.0, durations=task.durations, floor=floor), 0.0, 0.0
        while True:
            delay = next_delay(history, now)
            if errors is not None:
                bar = _record(errors, task, history, now, min(now + delay, task.seconds), bar)
            yield delay
            now += delay
            progress, queued = task.progress(now)
            history = history.answered(now, progress, queued=queued)

    return rule


def _record(
    errors: DisplayErrors, task: VirtualTask, history: History, begin: float, end: float, bar: float
) -> float:
    """Record the errors of bar and ETA at every hundredth of the task, between the answers too."""
    for number in range(math.ceil(100 * begin / task.seconds), math.ceil(100 * end / task.seconds)):
        now = number * task.seconds / 100
        if (eta := predicted_end(history, now)) is not None:
            errors.eta_errors.append(abs(eta - task.seconds) / task.seconds)
        drawn = predicted_progress(history, now)
        errors.falls += drawn < bar or drawn >= 100.0
        errors.bar_errors.append(abs(drawn - number))
        bar = drawn
    return bar


def fixed(seconds: float, *, at_once: bool = False) -> Rule:
    """Return a rule that polls at a fixed interval, first at once or after one interval."""

    def rule(_: VirtualTask) -> Iterator[float]:
        if at_once:
            yield 0.0
        while True:
            yield seconds

    return rule


def _jittered(task: VirtualTask) -> Iterator[float]:
    chance = random.Random(str(task.seconds))
    while True:
        yield 6.0 + 3.0 * chance.random() - 1.5


def _growing(_: VirtualTask) -> Iterator[float]:
    yield 0.0
    delay = 0.5
    while True:
        yield delay
        delay = min(delay * 1.5, 5.0)


def _with_version(package: str, source_version: str) -> str:
    """Return the package with its installed version, else with the version whose source we read."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} {source_version} (not installed)"


#: The polling rule of each peer, from the source of the named release.
RULES: dict[str, Rule] = {
    "loop, 2 s": fixed(2.0),
    "loop, 5 s": fixed(5.0),
    _with_version("fal-client", "1.0.3"): fixed(0.1, at_once=True),
    _with_version("replicate", "1.0.7"): fixed(0.5),
    _with_version("openai", "3.57.0"): fixed(1.0, at_once=True),
    _with_version("wavespeed", "2.0.5"): fixed(1.0, at_once=True),
    _with_version("comfy-sdk", "0.5.0"): _growing,
    _with_version("runwayml", "5.24.0"): _jittered,
}


@dataclass(frozen=True)
class Outcome:
    """The result of a rule: mean lag in seconds, mean number of polls per task."""

    lag: float
    polls: float

    @property
    def product(self) -> float:
        """Lag × polls, which does not depend on the interval of a fixed-interval rule."""
        return self.lag * self.polls


def follow(rule: Rule, task: VirtualTask) -> tuple[float, int]:
    """Return the lag of one task in seconds and the number of polls."""
    now, polls = 0.0, 0
    for delay in rule(task):
        now += delay
        polls += 1
        if now >= task.seconds:
            break
    return now - task.seconds, polls


def measure(rule: Rule, kind: str, past: str = "none", *, count: int = 300, seed: int = 1) -> Outcome:
    """Follow many tasks with one rule."""
    results = [follow(rule, task) for task in tasks(kind, past, count=count, seed=seed)]
    return Outcome(fmean(lag for lag, _ in results), fmean(polls for _, polls in results))


def least_product(low: float = 60.0, high: float = 300.0, steps: int = 100_000) -> float:
    """Return ``½ (∫ √(S f) dt)²`` for ``T`` uniform between two times, the lower bound of lag × polls."""
    width = (high - low) / steps
    survival = ((steps - number - 0.5) / steps for number in range(steps))
    return 0.5 * sum(math.sqrt(left / (high - low)) * width for left in survival) ** 2


def display_errors(kind: str, past: str = "none", *, count: int = 100) -> DisplayErrors:
    """Return the errors of bar and ETA over many tasks."""
    errors = DisplayErrors()
    rule = ours(errors=errors)
    for task in tasks(kind, past, count=count):
        follow(rule, task)
    return errors


def median_or_none(values: list[float]) -> float | None:
    """Return the median, ``None`` for an empty list."""
    return median(values) if values else None


def quantile(values: list[float], share: float) -> float | None:
    """Return the value that this share of the values does not exceed, ``None`` for an empty list."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)] if values else None
