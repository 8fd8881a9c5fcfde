"""Many tasks in one kernel: ``python -m tests.benchmarks.load 500``.

The service runs in its own process and takes 200 ms for each response. The benchmark measures how late each
response arrives compared with the schedule, the CPU time, the threads and the connections; then the same in a
real kernel with a card for each task, none or some of them on the page; and the memory of a task and a card.
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
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Self
from unittest.mock import patch

from qingbo_widgets import Client, Library, TaskCard, TaskManager
from qingbo_widgets.tasks.background.loop import TaskMonitor
from qingbo_widgets.tasks.expectation import Answer
from qingbo_widgets.tasks.following import follower
from qingbo_widgets.tasks.following.record import TaskRecord
from qingbo_widgets.tasks.schedule import MAX_ANSWERS, History

from . import server
from .card import CONNECT
from .kernels import alone, by_kind, most_in_a_second, size
from .parts import MANY, print_results

__all__ = ["Watch", "run"]

#: Seconds that a task takes (lowest, highest), and seconds that the service takes for a response.
LOW, HIGH, LATENCY = 60.0, 120.0, 0.2
#: Cards on the page in the second run with cards.
ON_THE_PAGE = 20
#: The number of tasks in the run with a rate limit, and the limit in requests per second.
LIMITED, LIMIT = 60, 10.0
#: The number of tasks and cards whose memory is measured.
MEASURED = 200


class CollectorTime:
    """A context manager that counts the seconds spent in Python's garbage collector.

    A collection of the oldest generation visits every object of the process, whichever code created it.
    """

    seconds = 0.0
    _since: float | None = None

    def __enter__(self) -> Self:
        gc.callbacks.append(self._on_collection)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self._on_collection)

    def _on_collection(self, phase: str, _: object) -> None:
        # Collections never overlap; one may have begun before the context.
        now, since = time.perf_counter(), self._since
        if phase == "stop" and since is not None:
            self.seconds += now - since
        self._since = now if phase == "start" else None


class Watch:
    """A context manager that records when each poll was due and when its response arrived."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.requests: list[float] = []
        self.due: dict[str, float] = {}
        self._patches = ExitStack()

    def __enter__(self) -> Self:
        sleep, request = TaskRecord.sleep, TaskMonitor.request
        watch = self

        async def sleeping(record: TaskRecord, seconds: float) -> None:
            watch.due[record.task.task_id] = time.monotonic() + seconds
            await sleep(record, seconds)

        async def requesting(monitor: TaskMonitor, call: Any, /, *args: Any, **kwargs: Any) -> Any:
            watch.requests.append(time.monotonic())
            answer = await request(monitor, call, *args, **kwargs)
            if call.__name__ == "status" and args[0] in watch.due:
                watch.late.append(time.monotonic() - watch.due[args[0]])
            return answer

        self._patches.enter_context(patch.object(TaskRecord, "sleep", sleeping))
        self._patches.enter_context(patch.object(TaskMonitor, "request", requesting))
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    @property
    def summary(self) -> dict[str, float]:
        """The seconds from the due time of a poll to its response, which itself takes 200 ms."""
        late = sorted(self.late)
        return {
            "late, median, s": late[len(late) // 2],
            "late, 99 %, s": late[int(0.99 * len(late))],
            "late, most, s": late[-1],
            "requests in a second, most": most_in_a_second(self.requests),
        }


def run(count: int = MANY) -> Iterator[dict[str, Any]]:
    """Yield each result as soon as it is available."""
    yield {f"{count} tasks of 60..120 s": _follow(count)}
    yield {f"{LIMITED} tasks of 20..30 s, max_requests_per_second={LIMIT:g}": _limited()}
    cards: dict[str, Any] = {}
    for shown in (0, ON_THE_PAGE):
        cards[f"{count} cards, {shown} of them on the page"] = _with_cards(count, shown)
        yield {f"{count} tasks of 60..120 s in a kernel": cards}
    yield {"bytes of memory": _memory(MEASURED)}


def _follow(count: int) -> dict[str, Any]:
    """Follow ``count`` concurrent tasks until all have ended."""
    with (
        Watch() as watch,
        server.running(LOW, HIGH, LATENCY) as base,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        TaskManager(Client("key", f"{base}/v1"), Library(folder)) as manager,
    ):
        began, before = time.monotonic(), time.process_time()
        submits, without, most = [], [], 0
        known: dict[str, float] = {}
        with CollectorTime() as collector:
            for _ in range(count):
                paused, start = collector.seconds, time.perf_counter()
                task = manager.submit(model="kling-v3", prompt="雨")
                submits.append(time.perf_counter() - start)
                without.append(submits[-1] - (collector.seconds - paused))
                task.observe(
                    lambda change: known.setdefault(change["owner"].task_id, time.time()), "completed_at"
                )
        names: list[str] = []
        while not all(task.is_done for task in manager.tasks):
            if threading.active_count() > most:
                most, names = threading.active_count(), [thread.name for thread in threading.enumerate()]
            time.sleep(0.2)
        spent, seconds = time.process_time() - before, time.monotonic() - began
        stats = server.stats(base)
        return {
            "seconds": seconds,
            "CPU share": spent / seconds,
            "lag, mean, s": statistics.fmean(known[job["id"]] - job["ends"] for job in stats["jobs"]),
            "questions a task": statistics.fmean(job["asked"] for job in stats["jobs"]),
            **watch.summary,
            "connections": stats["connections"],
            "CPU by thread, s": _cpu_by_thread(),
            "threads, most": most,
            "threads that ask": sum(name.startswith("qingbo-request") for name in names),
            "submit, median, ms": 1000 * statistics.median(submits),
            "submit, most, ms": 1000 * max(submits),
            "submit without the garbage collector, most, ms": 1000 * max(without),
            "memory at most, MB": _peak(),
        }


def _limited() -> dict[str, Any]:
    """Measure whether all tasks together respect the rate limit that a user has set."""
    with (
        Watch() as watch,
        server.running(20.0, 30.0) as base,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        TaskManager(Client("key", f"{base}/v1"), Library(folder), max_requests_per_second=LIMIT) as manager,
    ):
        began = time.monotonic()
        for _ in range(LIMITED):
            manager.submit(model="kling-v3", prompt="雨")
        while not all(task.is_done for task in manager.tasks):
            time.sleep(0.2)
        seconds = time.monotonic() - began
        return {
            "seconds": seconds,
            "requests a second, mean": len(watch.requests) / seconds,
            "requests in a second, most": most_in_a_second(watch.requests),
        }


def _cpu_by_thread() -> dict[str, float]:
    """Return the CPU seconds of the live threads by name; empty where the system does not report them."""
    spent: defaultdict[str, float] = defaultdict(float)
    if sys.platform == "linux":
        for thread in threading.enumerate():
            spent[thread.name] += time.clock_gettime(time.pthread_getcpuclockid(thread.ident or 0))
    return {name: round(seconds, 2) for name, seconds in spent.items()}


def _peak() -> float:
    unit = 1024 if sys.platform == "darwin" else 1  # ru_maxrss: bytes on macOS, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit / 1024


# ---------------------------------------------------------------------- with cards

WATCHED = """
import json, pathlib, resource, threading, time
from tests.benchmarks.load import Watch
from IPython.display import display
watch = Watch().__enter__()
"""
MAKE = """
began = time.perf_counter()
tasks = [manager.submit(model='kling-v3', prompt=f'雨 {{n}}') for n in range({count})]
submitted = time.perf_counter()
cards = [qw.TaskCard(task) for task in tasks]
cards_created = time.perf_counter()
for card in cards[:{shown}]:
    display(card)
displayed = time.perf_counter()
times = {{
    'submit, ms each': 1000 * (submitted - began) / {count},
    'making a card, ms': 1000 * (cards_created - submitted) / {count},
}}
if {shown}:
    times['displaying a card, ms'] = 1000 * (displayed - cards_created) / {shown}
start = time.monotonic(), time.process_time()
def write_results():
    while not all(task.is_done for task in tasks):
        time.sleep(0.5)
    seconds = time.monotonic() - start[0]
    times['seconds'] = seconds
    times['CPU share'] = (time.process_time() - start[1]) / seconds
    times['threads'] = threading.active_count()
    times['memory at most, MB'] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    file = pathlib.Path('end.part')
    file.write_text(json.dumps(times | watch.summary))
    file.replace('end')
threading.Thread(target=write_results, daemon=True).start()
"""


def _with_cards(count: int, shown: int) -> dict[str, Any]:
    """Follow the tasks in a kernel that creates a card for each and displays some; count its messages."""
    with server.running(LOW, HIGH, LATENCY) as base, alone() as kernel:
        kernel.run(CONNECT.format(base=base) + WATCHED)
        begin = time.time()
        kernel.run(MAKE.format(count=count, shown=shown), timeout=300.0)
        created = time.time() + 1.0  # by then the messages about the creation have arrived
        file = kernel.folder / "end"
        kernel.wait_for(file.is_file, HIGH + 180.0)
        end = time.time()
        creation, later = kernel.ui_messages(begin, created), kernel.ui_messages(created, end)
        steady_end = begin + LOW - 2.0  # before any task has ended
        steady = [message for message in later if message.moment < steady_end]
        results: dict[str, Any] = json.loads(file.read_text())
        results |= {
            "making: seconds": created - 1.0 - begin,
            "making: messages": len(creation),
            "making: bytes": size(creation),
            "making: by kind": by_kind(creation),
            "messages a second, to the end": len(later) / (end - created),
            "messages within a second, most": most_in_a_second(message.moment for message in later),
            "bytes a second, to the end": size(later) / (end - created),
            "by kind, after the making": by_kind(later),
        }
        if steady_end - created > 5.0:  # otherwise the creation took so long that tasks had begun to end
            rate = len(steady) / (steady_end - created)
            results["messages a second, while all run"] = rate
            if shown:
                results["messages a second for each card on the page, while all run"] = rate / shown
        return results


# ---------------------------------------------------------------------- memory


def _memory(count: int) -> dict[str, Any]:
    """Return the bytes of a followed task, new and with a full history, and of a card."""
    with (
        server.running(600.0, 600.0) as base,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        TaskManager(Client("key", f"{base}/v1"), Library(folder)) as manager,
    ):
        first = manager.submit(model="kling-v3", prompt="雨")
        TaskCard(first).close()
        time.sleep(3)
        young = _task(manager, count)
        with patch.object(follower, "History", _full):
            old = _task(manager, count)
        tasks = manager.tasks[-count:]
        tracemalloc.start()
        gc.collect()
        cards = [TaskCard(task) for task in tasks]
        time.sleep(2)
        gc.collect()
        card = tracemalloc.get_traced_memory()[0] / len(cards)
        tracemalloc.stop()
        return {"a task just submitted": young, f"a task after {MAX_ANSWERS} answers": old, "a card": card}


def _task(manager: TaskManager, count: int) -> float:
    known = len(manager.tasks)
    gc.collect()
    tracemalloc.start()
    for number in range(count):
        manager.submit(model="kling-v3", prompt=f"雨 {known + number}")
    while not all(task.task_id for task in manager.tasks):
        time.sleep(0.1)
    time.sleep(10)
    gc.collect()
    current, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return current / count


def _full(*args: Any, **kwargs: Any) -> History:
    """Return a history with the maximum number of answers, from a task that advances 1 % in 10 s."""
    history = History(*args, **kwargs)
    began = history.started
    answers = (Answer(began + 10.0 * n + 10.0, n + 1, began + 10.0 * n) for n in range(MAX_ANSWERS))
    return replace(history, answers=tuple(answers))


if __name__ == "__main__":
    print_results(run(*map(int, sys.argv[1:2])))
