"""Our schedule and the polling rules of peers on a virtual clock, and the accuracy of bar and ETA."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from statistics import fmean
from typing import Any

from . import simulation
from .parts import print_results

__all__ = ["run"]

#: Tasks per figure, chosen so that 2 s and 1 s hold a whole number of the parts of the range.
VIRTUAL = 480
#: Tasks for which bar and ETA are checked.
WATCHED = 60
FLOORS = (2.0, 0.5)


def run() -> Iterator[dict[str, Any]]:
    """Yield lag in seconds and polls per task, by rule and kind of progress; then bar and ETA errors."""
    yield {"least lag × questions without progress or history": simulation.least_product()}
    with ProcessPoolExecutor() as pool:
        cases = [(floor, past) for floor in FLOORS for past in simulation.PASTS]
        lags = {
            (floor, past, kind): pool.submit(_ours, floor, past, kind)
            for floor, past in cases
            for kind in simulation.KINDS
        }
        reports = {
            (past, kind): pool.submit(_accuracy, past, kind)
            for past in simulation.PASTS
            for kind in simulation.KINDS
        }
        rules: dict[str, Any] = {}
        title = "tasks of 60..300 s, simulated: lag in seconds / questions a task"
        for name, rule in simulation.RULES.items():
            outcome = simulation.measure(rule, "absent", count=VIRTUAL)
            rules[name] = dict.fromkeys(simulation.KINDS, (outcome.lag, outcome.polls))
        for floor, past in cases:
            kinds = {kind: lags[floor, past, kind].result() for kind in simulation.KINDS}
            rules[f"qingbo_widgets, {floor:g} s, history {past}"] = kinds
            yield {title: rules}
        honesty = {
            f"{kind}, history {past}": reports[past, kind].result()
            for past in simulation.PASTS
            for kind in simulation.KINDS
        }
        yield {"ETA and bar, at a hundred moments of each task": honesty}


def _ours(floor: float, past: str, kind: str) -> tuple[float, float]:
    outcome = simulation.measure(simulation.ours(floor), kind, past, count=VIRTUAL)
    return outcome.lag, outcome.polls


def _accuracy(past: str, kind: str) -> dict[str, Any]:
    errors = simulation.display_errors(kind, past, count=WATCHED)
    return {
        "ETA off by, share of the task's time, median": simulation.median_or_none(errors.eta_errors),
        "p90": simulation.quantile(errors.eta_errors, 0.9),
        "no ETA told, share of the moments": errors.without_eta,
        "bar off by, points, mean": fmean(errors.bar_errors),
        "bar off by, points, p90": simulation.quantile(errors.bar_errors, 0.9),
        "bar fell or reached 100": errors.falls,
    }


if __name__ == "__main__":
    print_results(run())
