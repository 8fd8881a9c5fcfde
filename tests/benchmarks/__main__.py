"""``make bench``: print the tables and write ``bench.json``.

``python -m tests.benchmarks [PART ...]`` runs parts of it: ``schedule``, ``clients``, ``many``, ``card``,
``imports``.
All traffic stays on this machine. It takes about eight minutes, most of them waiting for tasks to end.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import simulation
from .clients import CLIENTS

#: Tasks followed on the virtual clock for each figure.
VIRTUAL = 200
#: Tasks at once, and how long they take, in seconds.
COUNT, LOW, HIGH = 16, 20.0, 28.0
#: Rounds of the whole comparison, of which medians are told.
ROUNDS = int(os.environ.get("ROUNDS") or 1)
MANY = 500
BASELINE = "import ipywidgets, requests, traitlets, IPython"


def schedule() -> dict[str, Any]:
    """Every rule on the virtual clock."""
    usable, rows, told = simulation.KINDS[:3], [], []
    outcomes: dict[str, Any] = {"least product without progress or history": simulation.least_product()}
    for floor in (2.0, 0.5):
        for past in simulation.PASTS:
            name = f"qingbo_widgets, {floor:g} s, history {past}"
            kinds = {kind: _outcome(simulation.ours(floor), kind, past) for kind in simulation.KINDS}
            outcomes[name] = kinds
            rows.append([name, *(f"{lag:.2f} / {asked:.1f}" for lag, asked in kinds.values())])
    for name, rule in simulation.RULES.items():
        lag, asked = _outcome(rule, "absent", "none")
        outcomes[name] = dict.fromkeys(simulation.KINDS, (lag, asked))
        rows.append([name, *[f"{lag:.2f} / {asked:.1f}"] * len(simulation.KINDS)])
    _table("Schedule, simulated: tasks of 60..300 s; lag (s) / questions a task", simulation.KINDS, rows)
    for past in simulation.PASTS:
        for kind in (*usable, "queued", "eased", "stuck", "absent"):
            honest = simulation.honesty(kind, past, count=40)
            off, bar = simulation.typical(honest.eta_errors), statistics.fmean(honest.bar_errors)
            outcomes[f"honesty, {kind}, history {past}"] = [off, honest.untold, bar, honest.falls]
            shown = "never told" if off is None else f"{100 * off:.0f} %"
            told.append(
                [f"{kind}, {past}", shown, f"{100 * honest.untold:.0f} %", f"{bar:.1f}", honest.falls]
            )
    _table("ETA and bar", ("ETA off by (median)", "no ETA told", "bar off by (points)", "bar fell"), told)
    return outcomes


def _outcome(rule: simulation.Rule, kind: str, past: str) -> tuple[float, float]:
    outcome = simulation.measure(rule, kind, past, count=VIRTUAL)
    return outcome.lag, outcome.questions


def clients() -> dict[str, Any]:
    """Every client against the same server, one after the other, in several rounds."""
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    for _ in range(ROUNDS):
        for name, results in rounds.items():
            results.append(_client(name))
    names = ("lag", "lag, most", "questions", "connections", "cpu", "threads", "memory")
    medians = {
        client: {name: statistics.median(result[name] for result in results) for name in names}
        for client, results in rounds.items()
    }
    _table(
        f"Side by side: {COUNT} tasks at once of {LOW:g}..{HIGH:g} s, medians of {ROUNDS}",
        ("lag (s)", "lag, most (s)", "questions a task", "connections", "CPU (s)", "threads", "memory (MB)"),
        [[client, *(f"{value:.2f}" for value in result.values())] for client, result in medians.items()],
    )
    return medians


def _client(name: str) -> dict[str, float]:
    from . import server

    with server.running(LOW, HIGH) as base:
        told = _python("-m", "tests.benchmarks.clients", name, base, str(COUNT))
        with urllib.request.urlopen(f"{base}/stats", timeout=10) as answer:
            stats = json.load(answer)
    lags = [told["known"][job["id"]] - job["ends"] for job in stats["jobs"]]
    asked = statistics.fmean(job["asked"] for job in stats["jobs"])
    own = {key: told[key] for key in ("cpu", "threads", "memory")}
    lag = {"lag": statistics.fmean(lags), "lag, most": max(lags)}
    return lag | {"questions": asked, "connections": stats["connections"]} | own


def many() -> dict[str, Any]:
    """Hundreds of tasks on one kernel, the service answering after 200 ms."""
    told: dict[str, Any] = _python("-m", "tests.benchmarks.load", str(MANY))
    rows = [[name, f"{value:.4g}" if isinstance(value, float) else value] for name, value in told.items()]
    _table(f"{MANY} tasks on one kernel", ("",), rows)
    return told


def card() -> dict[str, Any]:
    """What one task's card sends to the browser and leaves in the notebook."""
    told: dict[str, Any] = _python("-m", "tests.benchmarks.card")
    _table("One card, from submit to its video", ("",), [[name, value] for name, value in told.items()])
    return told


def imports() -> dict[str, Any]:
    """What importing costs on top of what a notebook with widgets has anyway, and the first form."""
    outcomes: dict[str, Any] = {}
    for package in ("qingbo_widgets", "replicate", "openai", "runwayml", "fal_client"):
        outcomes[f"import {package}"] = _import(f"import {package}")
    outcomes["first use: qw.TaskManager"] = _import("from qingbo_widgets import TaskManager")
    outcomes["first form: qw.RequestForm()"] = _import("import qingbo_widgets as qw; qw.RequestForm()")
    studio = "qw.connect('key', base_url='http://127.0.0.1:9/v1', library=folder.name); qw.VideoStudio()"
    outcomes["first form: qw.connect(), qw.VideoStudio()"] = _import(
        f"import tempfile; folder = tempfile.TemporaryDirectory(); import qingbo_widgets as qw; {studio}"
    )
    rows = [[name, f"{told['ms']:.1f}", told["modules"]] for name, told in outcomes.items()]
    _table("On top of ipywidgets, requests, traitlets, IPython", ("ms, median of 7", "modules loaded"), rows)
    return outcomes


def _import(statement: str) -> dict[str, Any]:
    script = (
        f"import json, sys, time\n{BASELINE}\nbefore = set(sys.modules)\nbegan = time.perf_counter()\n"
        f"{statement}\nms = 1000 * (time.perf_counter() - began)\n"
        "print(json.dumps({'ms': ms, 'new': sorted(set(sys.modules) - before)}))"
    )
    runs = [_python("-c", script) for _ in range(7)]
    new = runs[0]["new"]
    listed = new if len(new) <= 12 else [name for name in new if name.startswith("qingbo_widgets")]
    median = statistics.median(run["ms"] for run in runs)
    return {"ms": median, "modules": len(new), "names": listed}


def _python(*arguments: str) -> Any:
    """Run Python on something that prints JSON last."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        timeout=240,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _table(title: str, heads: Sequence[str], rows: list[list[Any]]) -> None:
    cells = [["", *heads], *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    print(f"\n{title}\n")
    for number, row in enumerate(cells):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    sys.stdout.flush()


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "schedule": schedule,
    "imports": imports,
    "card": card,
    "many": many,
    "clients": clients,
}


def main() -> None:
    """Run the parts that are named, all by default."""
    chosen = sys.argv[1:] or list(PARTS)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    machine += f", Python {platform.python_version()}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine}")
    began = time.monotonic()
    outcome: dict[str, Any] = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine}
    for name in chosen:
        outcome[name] = PARTS[name]()
    path = Path(os.environ.get("BENCH_JSON", "bench.json"))
    path.write_text(json.dumps(outcome, indent=1, ensure_ascii=False) + "\n")
    print(f"\n{time.monotonic() - began:.0f} s; the figures are in {path}")


if __name__ == "__main__":
    main()
