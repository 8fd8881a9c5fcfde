"""The cost of importing on top of the modules that a notebook with widgets imports anyway."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from .parts import print_results, python

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
    """Yield milliseconds (median, minimum, maximum) and modules, each run in its own process."""
    results: dict[str, Any] = {}
    for name, statement in STATEMENTS.items():
        results[name] = _measure(statement)
        yield {f"on top of {BASELINE}": results}


def _measure(statement: str) -> dict[str, Any]:
    script = (
        f"import json, sys, time\n{BASELINE}\nbefore = set(sys.modules)\nbegan = time.perf_counter()\n"
        f"{statement}\nms = 1000 * (time.perf_counter() - began)\n"
        "print(json.dumps({'ms': ms, 'new': sorted(set(sys.modules) - before)}))"
    )
    runs = [python("-c", script) for _ in range(RUNS)]
    times, new = [sample["ms"] for sample in runs], runs[-1]["new"]
    return {
        "ms": statistics.median(times),
        "ms, least": min(times),
        "ms, most": max(times),
        "modules": len(new),
        "names": new if len(new) <= 12 else [name for name in new if name.startswith("qingbo_widgets")],
    }


if __name__ == "__main__":
    print_results(run())
