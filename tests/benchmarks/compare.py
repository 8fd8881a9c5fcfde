"""Every client against the same server, one after the other, in several rounds.

``python -m tests.benchmarks.compare [ROUNDS]``. One round takes about four minutes. The clients do not run
side by side: on two cores each would pay for the others.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from typing import Any

from . import server
from .clients import CLIENTS
from .parts import ROUNDS, python, tell

__all__ = ["run"]

#: Tasks at once, and how long they take, in seconds.
COUNT, LOW, HIGH = 16, 20.0, 28.0
TITLE = f"{COUNT} tasks at once of {LOW:g}..{HIGH:g} s, medians"


def run(rounds: int = ROUNDS) -> Iterator[dict[str, Any]]:
    """Medians of the rounds so far, told after each run."""
    results: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    for number in range(rounds):
        for name, told in results.items():
            told.append(_client(name))
            print(f"round {number + 1}, {name}: {told[-1]}", file=sys.stderr)
            done = {client: _medians(told) for client, told in results.items() if told}
            yield {TITLE: done, "rounds": number + 1}


def _client(name: str) -> dict[str, float]:
    with server.running(LOW, HIGH) as base:
        told = python("-m", "tests.benchmarks.clients", name, base, str(COUNT))
        stats = server.stats(base)
    lags = [told["known"][job["id"]] - job["ends"] for job in stats["jobs"]]
    lag, asked = statistics.fmean(lags), statistics.fmean(job["asked"] for job in stats["jobs"])
    return {
        "lag, s": lag,
        "lag, most, s": max(lags),
        "questions a task": asked,
        "lag × questions": lag * asked,
        "connections": stats["connections"],
        "CPU, s": told["cpu"],
        "threads": told["threads"],
        "memory, MB": told["memory"],
    }


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


if __name__ == "__main__":
    tell(run(*map(int, sys.argv[1:2])))
