"""A library of 100,000 tasks: search, pages, choices, unfinished tasks and the table of all tasks.

``python -m tests.benchmarks.library [TASKS]``; with ``DATABASE=URL`` in a database other than SQLite. The
times are of the processor, because those of the clock depend on other programs; with ``DATABASE``,
of the clock.
``PYTHONPATH=/another/checkout python tests/benchmarks/library.py`` measures another version side by side: the
same rows, random from the same seed.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, get_args

from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.journal.tables import judgements, tags, tasks
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.search import ORDERS, Selection, choices, select
from qingbo_widgets.library.spending import By, spending_of

__all__ = ["run"]

RUNS, PAGE = 5, 24
SERVICE = "https://qingbo.dev/v1"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MODELS = ("kling-v3", "kling-v1", "kling-v2-6", "kling-v3-omni")
PHRASES = (
    *("在池塘中游动", "雪山日出", "云海翻涌", "城市夜景", "霓虹灯", "赛博朋克", "水墨画", "竹林"),
    *("小桥流水", "慢镜头", "电影感", "特写", "航拍", "a carp in a pond", "cinematic lighting"),
    *("slow motion", "golden hour", "aerial view", "a cat on the sofa", "mountain sunrise"),
)
#: One in a hundred tasks has the first text, most have the last one.
TEXTS = ("锦鲤", "鲤", "雪山", "在池塘中", "carp", "CARP 锦鲤", "12345", "zzz", "a")
FILTERS: dict[str, dict[str, Any]] = {
    "a model": {"model": "kling-v3"},
    "a mode": {"mode": "pro"},
    "failed": {"status": "failed"},
    "a tag": {"tag": "水墨"},
    "3 stars": {"rating": 3},
    "not rated": {"unrated": True},
    "model, status, text": {"model": "kling-v3", "status": "completed", "text": "雪山"},
}


def run(number: int = 100_000) -> Iterator[dict[str, Any]]:
    """Yield the milliseconds of each kind of access: the first time, and the least of some further times."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library(folder, database=os.environ.get("DATABASE"))
        with closing(library):
            fill(library, number)
            results = {name: _measure(call) for name, call in _accesses(library).items()}
            yield {f"a library of {number:,} tasks, ms": results}


def fill(library: Library, number: int) -> None:
    """Write tasks of several models, a quarter of them rated, a tenth tagged."""
    chance, price = random.Random(1), random.Random(2)
    rows, rated, tagged = [], [], []
    for n in range(number):
        key, at, has_failed = f"{chance.getrandbits(128):032x}", NOON + timedelta(minutes=n), n % 20 == 0
        text = "，".join([*(["一条锦鲤"] if n % 100 == 0 else []), *chance.choices(PHRASES, k=8), str(n)])
        request: dict[str, Any] = {"model": chance.choice(MODELS), "prompt": text}
        request |= {"mode": "pro"} if n % 3 == 0 else {}
        request |= {"duration": 10} if n % 7 == 0 else {}
        rows.append(
            {
                "key": key, "service": SERVICE, "task_id": f"task-{n}", "model": request["model"],
                "request": request, "status": "failed" if has_failed else "completed", "progress": 100,
                "submitted_at": at, "created_at": at, "completed_at": at + timedelta(seconds=90),
                "file": None if has_failed else f"{n}.mp4", "contract": "2026-11",
                "cost": 0 if has_failed else price.choice((189_000, 283_500, 75_600, 1_000 * (n % 500))),
            }
        )  # fmt: skip
        if n % 4 == 0:
            rated.append({"key": key, "rating": n // 4 % 6, "note": "", "judged_at": at})
        if n % 10 == 0:
            tagged.append({"key": key, "tag": chance.choice(("水墨", "best", "draft"))})
        if not has_failed and library.folder.is_dir():
            (library.folder / f"{n}.mp4").touch()
    library.add(Entry("first", SERVICE, status="failed"))
    with library.journal.begin() as connection:
        connection.execute(tasks.insert(), rows)
        connection.execute(judgements.insert(), rated)
        connection.execute(tags.insert(), tagged)


def _accesses(library: Library) -> dict[str, Callable[[], object]]:
    """Return the kinds of access by name."""

    def page(number: int = 1, **filters: Any) -> Callable[[], object]:
        selection, offset = Selection(**filters), (number - 1) * PAGE
        return lambda: select(library.journal, selection, limit=PAGE, offset=offset)

    total = select(library.journal, limit=1)[0]
    accesses: dict[str, Callable[[], object]] = {
        "open": lambda: Library(library.folder, database=library.journal.database).get("first"),
        "unfinished?": lambda: library.has_unfinished(service=SERVICE),
        "unfinished tasks": lambda: library.entries(service=SERVICE, unfinished=True),
        "choices": lambda: choices(library.journal),
    }
    accesses |= {f"search {text}": page(text=text) for text in TEXTS}
    for order in ORDERS:
        for part, name in ((0.0, "first"), (0.5, "middle"), (0.96, "96 %")):
            accesses[f"{order}, {name}"] = page(1 + int(part * total / PAGE), order=order)
    for name, filters in FILTERS.items():
        last = select(library.journal, Selection(**filters), limit=1)[0] // PAGE
        accesses |= {f"{name}, first": page(**filters), f"{name}, last": page(max(1, last), **filters)}
    if "max_cost" in Selection.__dataclass_fields__:  # not in the version that this is compared with
        accesses |= _money(library, page)
    for by in get_args(By):
        accesses[f"spending by {by}"] = partial(spending_of, library.journal, SERVICE, by)
    return accesses | {"to_dataframe": library.to_dataframe}


def _money(library: Library, page: Callable[..., Callable[[], object]]) -> dict[str, Callable[[], object]]:
    from qingbo_widgets.library.search import worths

    accesses: dict[str, Callable[[], object]] = {
        "at most $0.20, first": page(max_cost=Decimal("0.2")),
        "lowest cost, a model": page(order="cheapest", model="kling-v3"),
    }
    for name, filters in FILTERS.items():
        accesses[f"worth of {name}"] = partial(worths, library.journal, Selection(**filters))
    return accesses


def _measure(call: Callable[[], object]) -> dict[str, float]:
    clock = time.perf_counter if os.environ.get("DATABASE") else time.process_time
    times = []
    for _ in range(RUNS + 1):
        began = clock()
        call()
        times.append(1000 * (clock() - began))
    return {"first": times[0], "least": min(times[1:])}


if __name__ == "__main__":
    for result in run(*map(int, sys.argv[1:2])):
        print(json.dumps(result, ensure_ascii=False), flush=True)
