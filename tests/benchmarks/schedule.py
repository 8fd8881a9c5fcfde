"""The schedule and each peer's rule on the virtual clock, and how honest bar and ETA are."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from statistics import fmean
from typing import Any

from . import simulation
from .parts import tell

__all__ = ["run"]

#: Tasks followed for each figure: so many that the parts of the range fit into 2 s, and into 1 s, evenly.
VIRTUAL = 480
#: Tasks along which bar and ETA are looked at.
WATCHED = 60
FLOORS = (2.0, 0.5)


def run() -> Iterator[dict[str, Any]]:
    """Lag in seconds and questions a task, by rule and kind of progress; then what bar and ETA said."""
    yield {"least lag × questions without progress or history": simulation.least_product()}
    with ProcessPoolExecutor() as pool:
        cases = [(floor, past) for floor in FLOORS for past in simulation.PASTS]
        asked = {
            (floor, past, kind): pool.submit(_ours, floor, past, kind)
            for floor, past in cases
            for kind in simulation.KINDS
        }
        seen = {
            (past, kind): pool.submit(_honesty, past, kind)
            for past in simulation.PASTS
            for kind in simulation.KINDS
        }
        rules: dict[str, Any] = {}
        title = "tasks of 60..300 s, simulated: lag in seconds / questions a task"
        for name, rule in simulation.RULES.items():
            outcome = simulation.measure(rule, "absent", count=VIRTUAL)
            rules[name] = dict.fromkeys(simulation.KINDS, (outcome.lag, outcome.questions))
        for floor, past in cases:
            kinds = {kind: asked[floor, past, kind].result() for kind in simulation.KINDS}
            rules[f"qingbo_widgets, {floor:g} s, history {past}"] = kinds
            yield {title: rules}
        honesty = {
            f"{kind}, history {past}": seen[past, kind].result()
            for past in simulation.PASTS
            for kind in simulation.KINDS
        }
        yield {"ETA and bar, at a hundred moments of each task": honesty}


def _ours(floor: float, past: str, kind: str) -> tuple[float, float]:
    outcome = simulation.measure(simulation.ours(floor), kind, past, count=VIRTUAL)
    return outcome.lag, outcome.questions


def _honesty(past: str, kind: str) -> dict[str, Any]:
    told = simulation.honesty(kind, past, count=WATCHED)
    return {
        "ETA off by, share of the task's time, median": simulation.typical(told.eta_errors),
        "p90": simulation.quantile(told.eta_errors, 0.9),
        "no ETA told, share of the moments": told.untold,
        "bar off by, points, mean": fmean(told.bar_errors),
        "bar off by, points, p90": simulation.quantile(told.bar_errors, 0.9),
        "bar fell or reached 100": told.falls,
    }


if __name__ == "__main__":
    tell(run())
