"""The parts of the benchmark, each run in its own process and reporting results as they become available.

A part prints each result as a JSON object on one line. Results printed before a failure or a timeout count.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["PARTS", "ROOT", "ROUNDS", "Part", "PartFailed", "part_results", "print_results", "python"]

ROOT = Path(__file__).parent.parent.parent
#: Rounds of the client comparison, which reports medians. One round takes about four minutes.
ROUNDS = int(os.environ.get("ROUNDS") or 3)
#: The number of concurrent tasks in the part ``many``.
MANY = 500


class Part(NamedTuple):
    """A part of the benchmark: its module, command-line arguments and time limit in seconds."""

    module: str
    arguments: tuple[str, ...] = ()
    limit: float = 300.0


PARTS = {
    "schedule": Part("schedule", limit=900.0),
    "imports": Part("imports"),
    "kernel": Part("kernel"),
    "card": Part("card"),
    "paint": Part("paint", limit=900.0),
    "video": Part("video", limit=900.0),
    "library": Part("library", limit=900.0),
    "many": Part("load", (str(MANY),), limit=1500.0),
    "clients": Part("compare", (str(ROUNDS),), limit=120.0 + 600.0 * ROUNDS),
}


class PartFailed(Exception):
    """A part that ended early; the results that it printed before are still valid."""


def print_results(results: Iterable[dict[str, Any]]) -> None:
    """Print each result as it becomes available."""
    for result in results:
        print(json.dumps(result, ensure_ascii=False), flush=True)


def part_results(part: Part) -> Iterator[dict[str, Any]]:
    """Run a part and yield its results.

    Raises:
        PartFailed: it did not finish. Its error output is on stderr.
    """
    command = [sys.executable, "-W", "ignore", "-m", f"tests.benchmarks.{part.module}", *part.arguments]
    # A separate process group, so that the servers started by the part always end with it.
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True
    )
    overdue = threading.Event()

    def end() -> None:
        overdue.set()
        _kill(process)

    timer = threading.Timer(part.limit, end)
    timer.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                yield json.loads(line)
        status = process.wait()
    finally:
        timer.cancel()
        _kill(process)
        process.wait()
    if overdue.is_set():
        raise PartFailed(f"not done after {part.limit:g} s")
    if status:
        raise PartFailed(f"exit status {status}")


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError, PermissionError):  # the group is gone, or has no process of ours left
        os.killpg(process.pid, signal.SIGKILL)


def python(*arguments: str, timeout: float = 240.0) -> Any:
    """Run Python and return the JSON on its last line of output.

    Raises:
        subprocess.SubprocessError: it failed, or took more than ``timeout`` seconds.
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
