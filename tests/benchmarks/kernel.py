"""The costs in a kernel: the first form, a click on Generate, the first paint, and background tasks.

``python -m tests.benchmarks.kernel`` starts real kernels and sends them the messages that a page sends.
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
from .parts import print_results

__all__ = ["run"]

#: The number of fresh kernels for each first form.
KERNELS = 5
CLICKS = 8
TASKS = 3
#: Seconds for which messages are recorded while tasks run.
RECORDED = 10.0
#: An address without a server; a form sends no request.
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
    """Yield milliseconds, messages and bytes."""
    forms: dict[str, Any] = {}
    for name, code in FIRST.items():
        forms[name] = _first(code)
        yield {f"first form in a fresh kernel after {BASELINE}": forms}
    yield {"first paint of a studio": _paint()}
    yield {f"a click on Generate, the service being silent, {CLICKS} clicks": _clicks()}
    yield {f"{TASKS} tasks with cards on the page": _idle()}


def _first(code: str) -> dict[str, float]:
    """Time the first form; the first run does not count, because it may compile modules."""
    times = []
    for _ in range(KERNELS + 1):
        with alone() as kernel:
            kernel.run(BASELINE)
            times.append(float(kernel.run(TIMED.format(code=code))))
    counted = times[1:]
    return {"ms, median": statistics.median(counted), "ms, least": min(counted), "ms, most": max(counted)}


def _paint() -> dict[str, Any]:
    """Count the messages that the page receives to draw a studio, and its widgets."""
    with alone() as kernel:
        kernel.run(BASELINE + CONNECT.format(base=NOWHERE))
        begin = time.time()
        kernel.run("studio = qw.VideoStudio()\nstudio")
        took = time.time() - begin
        time.sleep(1.0)
        messages = kernel.ui_messages(begin)
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
    """Measure whether running tasks keep the kernel busy and delay cells."""
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
        time.sleep(RECORDED)
        messages = [message for message in list(kernel.messages) if message.moment >= begin]
        spent = float(kernel.run(SPENT)) - spent
        busy = sum(
            message.kind == "status" and message.content["execution_state"] == "busy" for message in messages
        )
        return {
            "seconds listened": RECORDED,
            "busy messages without a request": busy,
            "messages a second": len(messages) / RECORDED,
            "CPU share": spent / (RECORDED + 0.5),
            "an empty cell, ms, median": 1000 * statistics.median(during),
            "an empty cell before there were tasks, ms, median": 1000 * statistics.median(before),
        }


def _cells(kernel: Kernel) -> list[float]:
    """Return the seconds from sending an empty cell to its end, 20 times."""
    times = []
    for _ in range(20):
        began = time.perf_counter()
        kernel.run("pass")
        times.append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    print_results(run())
