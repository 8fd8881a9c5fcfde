"""What importing costs on top of what a notebook with widgets has anyway."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from .parts import python, tell

__all__ = ["run"]

BASELINE = "import ipywidgets, requests, traitlets, IPython"
RUNS = 7
STATEMENTS = {
    "import qingbo_widgets": "import qingbo_widgets",
    "first use: qw.TaskManager": "from qingbo_widgets import TaskManager",
    "import replicate": "import replicate",
    "import openai": "import openai",
    "import runwayml": "import runwayml",
    "import fal_client": "import fal_client",
}


def run() -> Iterator[dict[str, Any]]:
    """Milliseconds (median, least and most of the runs) and modules, each in a process of its own."""
    told: dict[str, Any] = {}
    for name, statement in STATEMENTS.items():
        told[name] = _measure(statement)
        yield {f"on top of {BASELINE}": told}


def _measure(statement: str) -> dict[str, Any]:
    script = (
        f"import json, sys, time\n{BASELINE}\nbefore = set(sys.modules)\nbegan = time.perf_counter()\n"
        f"{statement}\nms = 1000 * (time.perf_counter() - began)\n"
        "print(json.dumps({'ms': ms, 'new': sorted(set(sys.modules) - before)}))"
    )
    runs = [python("-c", script) for _ in range(RUNS)]
    times, new = [one["ms"] for one in runs], runs[-1]["new"]
    return {
        "ms": statistics.median(times),
        "ms, least": min(times),
        "ms, most": max(times),
        "modules": len(new),
        "names": new if len(new) <= 12 else [name for name in new if name.startswith("qingbo_widgets")],
    }


if __name__ == "__main__":
    tell(run())
