"""The schedule, and the rules of others, on a virtual clock.

A task takes ``T`` seconds, 60 to 300 and all equally likely unless told otherwise, and is asked about when a
rule says so. What counts is the mean lag (seconds from its end to the answer that tells it) and the number
of questions. Everything is seeded: the same tasks for every rule, the same figures each time. The times are
stratified, one for each of ``count`` equal parts of the range, so that a sample of them is not off by chance.

What is possible at all. Where there is neither progress nor history, a rule that asks at the rate r(t) makes
``∫ S r dt`` questions and has a lag of ``∫ f / (2 r) dt``, with f the density and S the survival function of
``T``. By Cauchy and Schwarz their product is at least ``½ (∫ √(S f) dt)²``, for T uniform on 60 … 300 s
``½ (⅔ √240)²`` = 53.3 (see ``least_product``), reached with r ∝ 1/√S by a rule that *knows* how long tasks
take. A fixed interval has 90. So a lag of 1.1 s costs at least 48 questions, and 40 questions at least a lag
of 1.33 s: no rule gets below both 1.1 s and 40.
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
    "Outcome",
    "Told",
    "VirtualTask",
    "fixed",
    "follow",
    "honesty",
    "least_product",
    "measure",
    "ours",
    "quantile",
    "tasks",
    "typical",
]

#: What the progress of a task does. The first three are the ones that can be used.
KINDS = ("linear", "noisy", "stepwise", "queued", "eased", "stuck", "absent")
#: What the library knows: nothing; five tasks of the kind; twenty tasks that took anything from 60 to 300 s.
PASTS = ("none", "some", "vague")


@dataclass(frozen=True)
class VirtualTask:
    """A task whose whole life is known.

    Attributes:
        seconds: how long it takes.
        progress: what the service says at a time: percent, and whether it is still queued.
        durations: what the library knows of earlier tasks.
    """

    seconds: float
    progress: Callable[[float], tuple[int, bool]] = field(repr=False)
    durations: tuple[float, ...] = ()


def tasks(
    kind: str, past: str = "none", *, count: int, seed: int = 1, span: tuple[float, float] = (60.0, 300.0)
) -> Iterator[VirtualTask]:
    """Tasks with progress of one of ``KINDS`` and history of one of ``PASTS``; the same for the same seed.

    Task ``k`` of ``n`` takes a time out of the ``k``-th of ``n`` equal parts of ``span``.
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
    """Five tasks that scatter by 15 % around what is usual, as this one does; or twenty of no kind at all."""
    if past == "some":
        usual = seconds * math.exp(chance.gauss(0.0, 0.15))
        return tuple(usual * math.exp(chance.gauss(0.0, 0.15)) for _ in range(5))
    return tuple(chance.uniform(*span) for _ in range(20)) if past == "vague" else ()


def _progress(kind: str, seconds: float, chance: random.Random) -> Callable[[float], tuple[int, bool]]:
    if kind == "linear":
        return lambda time: (int(100 * time / seconds), False)
    if kind == "noisy":  # off by 4 points, now up and now down
        return lambda time: (min(max(int(100 * time / seconds + chance.gauss(0.0, 4.0)), 0), 99), False)
    if kind == "stepwise":
        step = chance.choice((5, 10, 20, 25, 33))
        return lambda time: (int(100 * time / seconds) // step * step, False)
    if kind == "queued":  # waits for up to 40 % of its time, which its status tells, and is then linear
        wait = chance.uniform(0.05, 0.4) * seconds
        return lambda time: (max(int(100 * (time - wait) / (seconds - wait)), 0), time < wait)
    if kind == "eased":  # fast at first, ever more slowly towards the end
        return lambda time: (min(int(100 * (1 - (1 - time / seconds) ** 2)), 99), False)
    if kind == "stuck":  # soon at 85 to 99 %, and there it stays
        most, share = chance.randint(85, 99), chance.uniform(0.3, 0.9)
        return lambda time: (int(min(most, most * time / (seconds * share))), False)
    if kind == "absent":
        return lambda _: (0, False)
    raise ValueError(f"no such kind of progress: {kind}")


#: Asks about a task until it has ended, sending in each answer; yields the seconds to wait.
Rule = Callable[[VirtualTask], Iterator[float]]


@dataclass
class Told:
    """What the bar and the ETA said along the way, to be held against what was true.

    Attributes:
        eta_errors: |seconds left as told - truly|, as shares of the task's whole time, at each moment for
            which an ETA was told.
        untold: moments at which none was told, as a share of all.
        bar_errors: |percent on the bar - of the time passed|, in points, at each moment.
        falls: how often the bar fell or reached 100.
    """

    eta_errors: list[float] = field(default_factory=list)
    bar_errors: list[float] = field(default_factory=list)
    falls: int = 0

    @property
    def untold(self) -> float:
        return 1.0 - len(self.eta_errors) / max(len(self.bar_errors), 1)


def ours(floor: float = 2.0, told: Told | None = None) -> Rule:
    """The schedule of this project."""

    def rule(task: VirtualTask) -> Iterator[float]:
        history, now, bar = History(started=0.0, durations=task.durations, floor=floor), 0.0, 0.0
        while True:
            delay = next_delay(history, now)
            if told is not None:
                bar = _watch(told, task, history, now, min(now + delay, task.seconds), bar)
            yield delay
            now += delay
            progress, queued = task.progress(now)
            history = history.answered(now, progress, queued=queued)

    return rule


def _watch(told: Told, task: VirtualTask, history: History, begin: float, end: float, bar: float) -> float:
    """Look at bar and ETA as a person sees them, between the answers too: every hundredth of the task."""
    for number in range(math.ceil(100 * begin / task.seconds), math.ceil(100 * end / task.seconds)):
        now = number * task.seconds / 100
        if (eta := predicted_end(history, now)) is not None:
            told.eta_errors.append(abs(eta - task.seconds) / task.seconds)
        drawn = predicted_progress(history, now)
        told.falls += drawn < bar or drawn >= 100.0
        told.bar_errors.append(abs(drawn - number))
        bar = drawn
    return bar


def fixed(seconds: float, *, at_once: bool = False) -> Rule:
    """Asks every so many seconds, the first time at once or after the first interval."""

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


def _named(package: str, read: str) -> str:
    """The package with its version: that which is installed, else the one whose source was read."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} {read} (not installed)"


#: Each peer's rule as its source says it, in the release named.
RULES: dict[str, Rule] = {
    "loop, 2 s": fixed(2.0),
    "loop, 5 s": fixed(5.0),
    _named("fal-client", "1.0.3"): fixed(0.1, at_once=True),
    _named("replicate", "1.0.7"): fixed(0.5),
    _named("openai", "3.57.0"): fixed(1.0, at_once=True),
    _named("wavespeed", "2.0.5"): fixed(1.0, at_once=True),
    _named("comfy-sdk", "0.5.0"): _growing,
    _named("runwayml", "5.24.0"): _jittered,
}


@dataclass(frozen=True)
class Outcome:
    """What a rule achieved: mean lag in seconds, mean number of questions a task."""

    lag: float
    questions: float

    @property
    def product(self) -> float:
        """Lag × questions; a fixed interval cannot change it."""
        return self.lag * self.questions


def follow(rule: Rule, task: VirtualTask) -> tuple[float, int]:
    """The lag of one task in seconds, and the questions it took."""
    now, questions = 0.0, 0
    for delay in rule(task):
        now += delay
        questions += 1
        if now >= task.seconds:
            break
    return now - task.seconds, questions


def measure(rule: Rule, kind: str, past: str = "none", *, count: int = 300, seed: int = 1) -> Outcome:
    """Follow many tasks by one rule."""
    results = [follow(rule, task) for task in tasks(kind, past, count=count, seed=seed)]
    return Outcome(fmean(lag for lag, _ in results), fmean(questions for _, questions in results))


def least_product(low: float = 60.0, high: float = 300.0, steps: int = 100_000) -> float:
    """``½ (∫ √(S f) dt)²`` for ``T`` uniform between two times: the least lag × questions there can be."""
    width = (high - low) / steps
    survival = ((steps - number - 0.5) / steps for number in range(steps))
    return 0.5 * sum(math.sqrt(left / (high - low)) * width for left in survival) ** 2


def honesty(kind: str, past: str = "none", *, count: int = 100) -> Told:
    """What bar and ETA said over many tasks."""
    told = Told()
    rule = ours(told=told)
    for task in tasks(kind, past, count=count):
        follow(rule, task)
    return told


def typical(values: list[float]) -> float | None:
    """The median, ``None`` of nothing."""
    return median(values) if values else None


def quantile(values: list[float], share: float) -> float | None:
    """The value that this share of them does not exceed, ``None`` of nothing."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)] if values else None
