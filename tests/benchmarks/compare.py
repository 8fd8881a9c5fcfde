"""Every client against the same server, one after another, in several rounds.

``python -m tests.benchmarks.compare [ROUNDS]``. One round takes about four minutes. The clients do not run
in parallel, because on two cores each would slow down the others.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from typing import Any

from . import server
from .clients import CLIENTS
from .parts import ROUNDS, print_results, python

__all__ = ["run"]

#: The number of concurrent tasks, and their duration in seconds.
COUNT, LOW, HIGH = 16, 20.0, 28.0
TITLE = f"{COUNT} tasks at once of {LOW:g}..{HIGH:g} s, medians"


def run(rounds: int = ROUNDS) -> Iterator[dict[str, Any]]:
    """Yield the medians of the rounds so far after each run."""
    results: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    for number in range(rounds):
        for name, runs in results.items():
            runs.append(_client(name))
            print(f"round {number + 1}, {name}: {runs[-1]}", file=sys.stderr)
            done = {client: _medians(runs) for client, runs in results.items() if runs}
            yield {TITLE: done, "rounds": number + 1}


def _client(name: str) -> dict[str, float]:
    with server.running(LOW, HIGH) as base:
        costs = python("-m", "tests.benchmarks.clients", name, base, str(COUNT))
        stats = server.stats(base)
    lags = [costs["known"][job["id"]] - job["ends"] for job in stats["jobs"]]
    lag, polls = statistics.fmean(lags), statistics.fmean(job["asked"] for job in stats["jobs"])
    return {
        "lag, s": lag,
        "lag, most, s": max(lags),
        "questions a task": polls,
        "lag × questions": lag * polls,
        "connections": stats["connections"],
        "CPU, s": costs["cpu"],
        "threads": costs["threads"],
        "memory, MB": costs["memory"],
    }


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(costs[name] for costs in rounds) for name in rounds[0]}


if __name__ == "__main__":
    print_results(run(*map(int, sys.argv[1:2])))
