"""What a kernel pays: the first form, a click on Generate, the first paint, and tasks in the background.

``python -m tests.benchmarks.kernel``; real kernels, spoken to as the page does.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from typing import Any

from . import server
from .card import CONNECT
from .kernels import BASELINE, Kernel, alone, by_kind, size
from .parts import tell

__all__ = ["run"]

#: Fresh kernels for each first form.
KERNELS = 5
CLICKS = 8
TASKS = 3
#: Seconds for which the kernel is listened to while tasks run.
LISTENED = 10.0
#: Where nobody answers; nobody is asked for a form.
NOWHERE = "http://127.0.0.1:9"

TIMED = "import time\nbegan = time.perf_counter()\n{code}\nprint(1000 * (time.perf_counter() - began))"
FIRST = {
    "import, RequestForm()": "import qingbo_widgets as qw\nform = qw.RequestForm()",
    "import, connect(), VideoStudio()": CONNECT.format(base=NOWHERE) + "\nstudio = qw.VideoStudio()",
    "import, connect(sandbox=True), VideoStudio()": (
        "import qingbo_widgets as qw\nqw.connect(sandbox=True)\nstudio = qw.VideoStudio()"
    ),
}
CLICK = f"""
import json, time
times = []
for number in range({CLICKS}):
    studio.form.prompt = f'雨 {{number}}'
    began = time.perf_counter()
    studio.generate_button.click()
    times.append(1000 * (time.perf_counter() - began))
    time.sleep(0.3)
assert len(studio.cards) == {CLICKS} and not any(card.task.task_id for card in studio.cards)
print(json.dumps(times))
"""
SPENT = "import time\nprint(time.process_time())"
WIDGETS = "from ipywidgets.widgets import widget as registry\nprint(len(registry._instances))"


def run() -> Iterator[dict[str, Any]]:
    """Milliseconds, messages and bytes."""
    forms: dict[str, Any] = {}
    for name, code in FIRST.items():
        forms[name] = _first(code)
        yield {f"first form in a fresh kernel after {BASELINE}": forms}
    yield {"first paint of a studio": _paint()}
    yield {f"a click on Generate, the service being silent, {CLICKS} clicks": _clicks()}
    yield {f"{TASKS} tasks with cards on the page": _idle()}


def _first(code: str) -> dict[str, float]:
    """The first run is not counted: it may have to compile what was never imported."""
    times = []
    for _ in range(KERNELS + 1):
        with alone() as kernel:
            kernel.run(BASELINE)
            times.append(float(kernel.run(TIMED.format(code=code))))
    counted = times[1:]
    return {"ms, median": statistics.median(counted), "ms, least": min(counted), "ms, most": max(counted)}


def _paint() -> dict[str, Any]:
    """What the page is told for a studio to be drawn, and how many widgets that is."""
    with alone() as kernel:
        kernel.run(BASELINE + CONNECT.format(base=NOWHERE))
        begin = time.time()
        kernel.run("studio = qw.VideoStudio()\nstudio")
        took = time.time() - begin
        time.sleep(1.0)
        messages = kernel.drawn(begin)
        return {
            "widgets": int(kernel.run(WIDGETS)),
            "messages": len(messages),
            "bytes": size(messages),
            "by kind": by_kind(messages),
            "cell, ms": 1000 * took,
        }


def _clicks() -> dict[str, Any]:
    with server.running(600.0, 600.0, latency=300.0) as base, alone() as kernel:
        kernel.run(CONNECT.format(base=base))
        kernel.run("studio = qw.VideoStudio()\nstudio")
        times = json.loads(kernel.run(CLICK))
        return {
            "ms, median": statistics.median(times),
            "ms, most": max(times),
            "ms, most but for the first": max(times[1:]),
            "each": times,
        }


def _idle() -> dict[str, Any]:
    """Whether tasks that run keep the kernel from being idle, and cells from being run."""
    with server.running(600.0, 600.0) as base, alone() as kernel:
        kernel.run(CONNECT.format(base=base))
        before = _cells(kernel)
        for number in range(TASKS):
            kernel.run(f"task_{number} = qw.generate('雨')\ntask_{number}")
        time.sleep(3.0)
        during = _cells(kernel)
        spent = float(kernel.run(SPENT))
        time.sleep(0.5)
        begin = time.time()
        time.sleep(LISTENED)
        heard = [one for one in list(kernel.heard) if one.moment >= begin]
        spent = float(kernel.run(SPENT)) - spent
        busy = sum(one.kind == "status" and one.content["execution_state"] == "busy" for one in heard)
        return {
            "seconds listened": LISTENED,
            "busy messages without a request": busy,
            "messages a second": len(heard) / LISTENED,
            "CPU share": spent / (LISTENED + 0.5),
            "an empty cell, ms, median": 1000 * statistics.median(during),
            "an empty cell before there were tasks, ms, median": 1000 * statistics.median(before),
        }


def _cells(kernel: Kernel) -> list[float]:
    """Seconds from sending an empty cell to its end."""
    times = []
    for _ in range(20):
        began = time.perf_counter()
        kernel.run("pass")
        times.append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    tell(run())
