"""Many tasks on one kernel: ``python -m tests.benchmarks.load 500``.

The service, in a process of its own, takes 200 ms for each answer. Measured: how much later than the schedule
said an answer about a task came, the CPU, the threads, the connections, and the memory a task.
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
import sys
import tempfile
import threading
import time
import tracemalloc
import urllib.request
from collections import Counter
from typing import Any

from qingbo_widgets import Client, Library, TaskManager
from qingbo_widgets.tasks.monitor import TaskMonitor
from qingbo_widgets.tasks.record import TaskRecord

from . import server

__all__ = ["run"]


class Watch:
    """Notes when each question was due and when its answer came."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.requests: list[float] = []
        self._due: dict[str, float] = {}
        sleep, request = TaskRecord.sleep, TaskMonitor.request
        watch = self

        async def sleeping(record: TaskRecord, seconds: float) -> None:
            watch._due[record.task.task_id] = time.monotonic() + seconds
            await sleep(record, seconds)

        async def requesting(monitor: TaskMonitor, call: Any, /, *args: Any, **kwargs: Any) -> Any:
            answer = await request(monitor, call, *args, **kwargs)
            watch.requests.append(time.monotonic())
            if call.__name__ == "status" and args[0] in watch._due:
                watch.late.append(time.monotonic() - watch._due[args[0]])
            return answer

        TaskRecord.sleep = sleeping  # type: ignore[method-assign]
        TaskMonitor.request = requesting  # type: ignore[method-assign, assignment]

    def most_in_a_second(self) -> int:
        """The largest number of answers within any second."""
        most = first = 0
        for last, moment in enumerate(self.requests):
            while moment - self.requests[first] > 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most


def run(count: int, *, low: float = 60.0, high: float = 120.0, **settings: float) -> dict[str, Any]:
    """Follow so many tasks at once until all have ended."""
    watch = Watch()
    with (
        server.running(low, high, latency=0.2) as base,
        tempfile.TemporaryDirectory() as folder,
        TaskManager(Client("key", f"{base}/v1"), Library(folder), **settings) as manager,
    ):
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
        submits, known, most = [], {}, 0
        for _ in range(count):
            start = time.perf_counter()
            task = manager.submit(model="kling-v3", prompt="雨")
            submits.append(time.perf_counter() - start)
            task.observe(
                lambda change: known.setdefault(change["owner"].task_id, time.time()), "completed_at"
            )
        names: list[str] = []
        while not all(task.is_done for task in manager.tasks):
            if threading.active_count() > most:
                most, names = threading.active_count(), [thread.name for thread in threading.enumerate()]
            time.sleep(0.2)
        after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began
        with urllib.request.urlopen(f"{base}/stats", timeout=10) as answer:
            stats = json.load(answer)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        late = sorted(watch.late)
        return {
            "tasks": count,
            "seconds": seconds,
            "cpu share": cpu / seconds,
            "lag, mean": statistics.fmean(known[job["id"]] - job["ends"] for job in stats["jobs"]),
            "questions a task": statistics.fmean(job["asked"] for job in stats["jobs"]),
            "late, median": late[len(late) // 2],
            "late, 99 %": late[int(0.99 * len(late))],
            "late, most": late[-1],
            "requests in a second, most": watch.most_in_a_second(),
            "connections": stats["connections"],
            "cpu by thread, s": _cpu_by_thread(),
            "threads, most": most,
            "threads that ask": sum(name == "qingbo-request" for name in names),
            "submit, median ms": 1000 * statistics.median(submits),
            "submit, most ms": 1000 * max(submits),
        }


def _cpu_by_thread() -> dict[str, float]:
    """Seconds that the living threads have worked, by name; empty where the system does not tell."""
    spent: Counter[str] = Counter()
    if sys.platform == "linux":
        for thread in threading.enumerate():
            spent[thread.name] += time.clock_gettime(time.pthread_getcpuclockid(thread.ident or 0))
    return {name: round(seconds, 2) for name, seconds in spent.items()}


def memory(count: int) -> float:
    """Bytes a task, while it is followed."""
    with (
        server.running(600.0, 600.0) as base,
        tempfile.TemporaryDirectory() as folder,
        TaskManager(Client("key", f"{base}/v1"), Library(folder)) as manager,
    ):
        manager.submit(model="kling-v3", prompt="雨")
        time.sleep(3)
        gc.collect()
        tracemalloc.start()
        for _ in range(count):
            manager.submit(model="kling-v3", prompt="雨")
        while not all(task.task_id for task in manager.tasks):
            time.sleep(0.1)
        time.sleep(10)
        gc.collect()
        current, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return current / count


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(json.dumps(run(asked) | {"bytes a task": memory(min(asked, 200))}))
