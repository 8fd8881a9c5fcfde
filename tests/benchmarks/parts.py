"""The parts of the benchmark: each is a process of its own and tells what it finds as soon as it knows it.

A part prints a JSON object for each finding, on a line. What it had told before it failed, or before its time
was over, is kept.
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

__all__ = ["PARTS", "ROOT", "ROUNDS", "Part", "PartFailed", "findings", "python", "tell"]

ROOT = Path(__file__).parent.parent.parent
#: Rounds of the comparison with other clients, of which medians are told. One takes about four minutes.
ROUNDS = int(os.environ.get("ROUNDS") or 3)
#: Tasks at once in the part ``many``.
MANY = 500


class Part(NamedTuple):
    """A part: its module, what that is called with, and how many seconds it may take."""

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
    "many": Part("load", (str(MANY),), limit=1500.0),
    "clients": Part("compare", (str(ROUNDS),), limit=120.0 + 600.0 * ROUNDS),
}


class PartFailed(Exception):
    """A part ended early; what it had told is still worth having."""


def tell(found: Iterable[dict[str, Any]]) -> None:
    """Print each finding as it comes."""
    for one in found:
        print(json.dumps(one, ensure_ascii=False), flush=True)


def findings(part: Part) -> Iterator[dict[str, Any]]:
    """Run a part and yield what it tells.

    Raises:
        PartFailed: it did not come to its end. Its own words are on stderr.
    """
    command = [sys.executable, "-W", "ignore", "-m", f"tests.benchmarks.{part.module}", *part.arguments]
    # A group of its own, so that the servers that it has started end with it whatever happens.
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
    with suppress(ProcessLookupError, PermissionError):  # the group is gone, or has nobody of ours left
        os.killpg(process.pid, signal.SIGKILL)


def python(*arguments: str, timeout: float = 240.0) -> Any:
    """Run Python on something that prints JSON last.

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
