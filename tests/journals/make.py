"""Journals of an old version, made by that version's own code, for the tests that open them with this one.

    git archive 295542c | tar -x -C /tmp/0.1.0
    python tests/journals/make.py /tmp/0.1.0 tests/journals/0.1.0

- ``tasks-only.sqlite``: nothing was saved yet, so there is no table but ``tasks``.
- ``everything.sqlite``: every status, script, kind of error, judgement and sweep, and kernels that died.
- ``everything.json``: its rows, read by SQLite alone; ``everything.sql``: the same as a dump of PostgreSQL.
- ``half-made.sqlite``: a kernel was killed while it made the tables of judging.
- ``empty.sqlite``: the table of tasks, and no task.

They are kept in git and not made again: keys, moments and ids differ with each run. What the sandbox can
bring about is brought about; the rest is written with the version's own ``Library`` and ``Entry``. The videos
are left out.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

JOURNAL = "library.sqlite"
SERVICE = "https://qingbo.dev/v1"
FAST = {"speed": 40, "draft": True}
KERNEL = """
import sys, time
sys.path.insert(0, sys.argv[1])
import qingbo_widgets as qw
from qingbo_widgets.sandbox import Faults
with qw.Sandbox(speed=1, draft=True) as sandbox:
    client, library = qw.Client(sandbox.api_key, sandbox.base_url), qw.Library(sys.argv[2])
    manager = qw.TaskManager(client, library, sandbox=sandbox, hold_seconds=86400.0)
    task = manager.submit(prompt="A kernel dies while this is rendered 💥")
    while task.status != "processing":
        time.sleep(0.05)
    sandbox.faults = Faults(latency=600)
    manager.submit(prompt="内核在提交时中断", mode="pro")
    print("submitting", flush=True)
    time.sleep(600)
"""


def main() -> None:
    """Make all journals of the version in a checkout."""
    checkout, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    sys.path.insert(0, str(checkout))
    sys.path.append(str(Path(__file__).resolve().parents[1]))  # for postgresql
    os.environ["LANGUAGE"] = "en"
    import qingbo_widgets

    assert Path(qingbo_widgets.__file__).resolve().is_relative_to(checkout), qingbo_widgets.__file__
    out.mkdir(parents=True, exist_ok=True)
    for name, make in {
        "tasks-only": make_tasks_only,
        "everything": lambda folder: make_everything(folder, checkout),
        "half-made": make_half_made,
        "empty": make_empty,
    }.items():
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder))
            assert not list(Path(folder).glob(f"{JOURNAL}-*")), "a journal is still open"
            shutil.copyfile(Path(folder) / JOURNAL, out / f"{name}.sqlite")
    rows = read(out / "everything.sqlite")
    text = json.dumps(rows, ensure_ascii=False, indent=1)
    (out / "everything.json").write_text(text + "\n", encoding="utf-8")
    (out / "everything.sql").write_text(dump(out / "everything.sqlite"), encoding="utf-8")
    print({table: len(found) for table, found in rows.items()})  # noqa: T201


def make_empty(folder: Path) -> None:
    """Make a journal without rows, as a kernel leaves that dies before it writes the first one."""
    from qingbo_widgets import Library

    library = Library(folder)
    library.renew("a kernel without tasks", 30.0)
    library.close()


def make_tasks_only(folder: Path) -> None:
    """Make a journal of which nothing was saved yet: the first saved video makes the tables of judging."""
    import qingbo_widgets as qw
    from qingbo_widgets.sandbox import Faults

    with qw.Sandbox(**FAST, link_lifetime=0.0) as sandbox, managed(sandbox, folder) as manager:
        settle(manager.submit(prompt="一条锦鲤游过墨色的池塘"))
        settle(manager.submit(prompt="A red fox in the snow", duration=10, aspect_ratio="9:16"))
        sandbox.faults = Faults(fail="upstream_unavailable")
        settle(manager.submit(prompt="A storm over the sea", model="kling-v1"))


def make_half_made(folder: Path) -> None:
    """Make a journal whose kernel was killed after ``judgements`` and before ``tags`` and ``preferences``.

    SQLite makes one table after the other, so this happens; the statements are the version's own.
    """
    from sqlalchemy.schema import CreateIndex, CreateTable

    from qingbo_widgets import Library
    from qingbo_widgets.tasks import judging

    make_tasks_only(folder)
    with Library(folder)._begin() as connection:
        connection.execute(CreateTable(judging.judgements, if_not_exists=True))
        for index in judging.judgements.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))


def make_everything(folder: Path, checkout: Path) -> None:
    """Make a journal with every kind of row that the version writes."""
    import qingbo_widgets as qw

    with qw.Sandbox(**FAST) as sandbox, managed(sandbox, folder) as manager:
        finished = make_finished(manager, sandbox, folder)
        make_unfinished(manager, sandbox)
        judge(manager, finished)
        make_sweeps(manager)
    with qw.Sandbox(**FAST, link_lifetime=0.0) as sandbox, managed(sandbox, folder) as manager:
        settle(manager.submit(prompt="Its links expire before it is saved"))
    with qw.Sandbox(speed=1, draft=True) as sandbox, managed(sandbox, folder) as manager:
        cancelled = manager.submit(prompt="取消的任务 🚫")
        wait_for(lambda: cancelled.task_id)
        cancelled.cancel()
        processing = manager.submit(prompt="Still rendered when the notebook was closed")
        wait_for(lambda: processing.status == "processing")
        queued = manager.submit(prompt="Still queued when the notebook was closed")
        wait_for(lambda: queued.task_id)
    kill_kernel(folder, checkout)
    write_rows(folder)


def make_finished(manager: Any, sandbox: Any, folder: Path) -> list[Any]:
    """Render one video of each kind of request, and return the tasks."""
    import qingbo_widgets as qw

    first, last, mask = (publish(sandbox, folder, colour) for colour in ("steelblue", "salmon", "white"))
    camera = {"type": "simple", "config": {"zoom": 5}}
    path = [(10, 20), (30.5, 40), {"x": 50, "y": 60}]
    requests = [
        qw.VideoRequest(prompt="一条锦鲤游过墨色的池塘，水墨风格"),
        qw.VideoRequest(prompt="A dragon 🐉 and an astronaut 👩🏽‍🚀 fly 🏳️‍🌈", mode="pro", duration=10),
        qw.VideoRequest(prompt="قطة تمشي على الشاطئ ‏עם ישראל חי‎ at dusk", aspect_ratio="1:1"),
        qw.VideoRequest(shots=[("特写：茶杯冒着热气", 3), ("Pull back: the 'whole' \"room\" \\ n", 4)]),
        qw.VideoRequest("kling-v1-6", "Down a valley", camera_control=camera, image_urls=first),
        qw.VideoRequest("kling-v1-6", "Only the boat moves", image_urls=first, static_mask=mask,
                        dynamic_masks=[{"mask_url": mask, "trajectories": path}]),
        qw.VideoRequest("kling-v2-master", "From blue to red", image_urls=first, last_frame=last),
        qw.VideoRequest("kling-v1", "两行\n提示词\t<b>&amp;</b>", negative_prompt="模糊", cfg_scale=0.35),
        qw.VideoRequest(prompt="No sound", enable_audio=False, callback_url="https://example.org/done?a=1&b=2"),
    ]  # fmt: skip
    return [manager.submit(request).wait() for request in requests]


def make_unfinished(manager: Any, sandbox: Any) -> None:
    """Bring about what goes wrong: a failed task, a refused one, one whose answer got lost."""
    from qingbo_widgets.sandbox import Faults

    sandbox.faults = Faults(fail="upstream_unavailable")
    settle(manager.submit(prompt="上游不可用"))
    sandbox.faults = Faults(no_balance=True)
    settle(manager.submit(prompt="The balance does not cover this"))
    sandbox.faults = Faults(html_every=1)
    settle(manager.submit(prompt="A gateway swallowed the answer"))
    sandbox.faults = Faults()


def judge(manager: Any, tasks: list[Any]) -> None:
    """Rate 0 to 5, tag, note, and compare pairs, as the widgets do."""
    import qingbo_widgets as qw

    judgements = manager.library.judgements
    for rating, task in enumerate(tasks[:6]):
        judgements.rate(task.key, rating)
    judgements.tag(tasks[0].key, ["水墨", "koi pond", "favourite"])
    judgements.tag(tasks[1].key, ["🐉", "favourite"])
    judgements.tag(tasks[2].key, ["قطة"])
    judgements.note(tasks[0].key, "很好，\n第二行 'quoted' <b>& 100 %</b>")
    judgements.note(tasks[6].key, "a note without a rating")
    judgements.rate(tasks[7].key, 3)
    judgements.rate(tasks[7].key, None)  # taken back: the row stays
    widget = qw.Pairwise(tasks[:4], seed=1)
    for side in (0, 1, 1, 0, 0):
        widget.choose(side)
    widget.close()


def make_sweeps(manager: Any) -> None:
    """Make a sweep that ended, one that was stopped half-way, and one that waits for its user's word."""
    import qingbo_widgets as qw

    qw.sweep(name="水墨 × mode", prompt=["山水", "竹林"], mode=["std", "pro"], manager=manager).wait()
    fields = {"cfg_scale": [0.2, 0.8], "negative_prompt": "text", "prompt": "A lighthouse"}
    mixed = {"model": ["kling-v1", "kling-v3"], "skip_invalid": True}
    qw.sweep(name="with skipped", **fields, **mixed, manager=manager).wait()
    halved = qw.sweep(name="half-way", prompt="雪", duration=[3, 4, 5, 6, 7], max_running=1, manager=manager)
    wait_for(lambda: halved.counts["finished"])
    halved.pause()
    wait_for(lambda: halved.is_done)
    halved.cells[-1].cancel()
    qw.sweep(name="planned", prompt="a tide", repeat=3, ask_above=0, manager=manager)


def kill_kernel(folder: Path, checkout: Path) -> None:
    """Kill a kernel that renders one task and submits another one."""
    command = [sys.executable, "-c", KERNEL, str(checkout), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as kernel:
        try:
            assert kernel.stdout is not None
            while kernel.stdout.readline().strip() != "submitting":
                assert kernel.poll() is None
            wait_for(lambda: "submitting" in [row["status"] for row in read(folder / JOURNAL)["tasks"]])
        finally:
            kernel.kill()


def write_rows(folder: Path) -> None:
    """Write what no sandbox brings about: rows of the real service, old links, other versions' words."""
    from qingbo_widgets.tasks.kept_errors import row_of
    from qingbo_widgets.tasks.library import Entry
    from qingbo_widgets.tasks.sweeps import CellRow, Sweeps

    import qingbo_widgets as qw

    library, then = qw.Library(folder), datetime(2026, 4, 1, 8, 30, 15, 250_000, tzinfo=UTC)
    denied = qw.BadRequest("no such ratio", status=400, code="invalid_parameter", param="aspect_ratio")
    limited = qw.RateLimited("too many", status=429, code="rate_limit_exceeded")
    limited.retry_after = 12.5
    lost = qw.SubmissionUnconfirmed("The answer got lost. 也许已扣费", idempotency_key="c" * 32)
    gone = qw.LinkExpired("The link has expired.", url="https://cdn.example.org/v.mp4?sig=%E6%B0%B4")
    refused = qw.TaskFailed("内容审核未通过", task_id="task-moderated", code="content_policy")
    newer = {"model": "kling-v9", "prompt": "seeded", "seed": 7, "extra": {"深": [1, 2.5, None, True]}}
    early = {"type": "TaskFailed", "message": "no facts"}
    columns: list[dict[str, Any]] = [
        {"status": "failed", "error": row_of(denied)},
        {"status": "failed", "error": row_of(limited)},
        {"status": "failed", "error": row_of(qw.ConnectionFailed("Not reached.", sent=False))},
        {"status": "unconfirmed", "error": row_of(lost)},
        {"status": "completed", "task_id": "task-gone", "cost": 50_000, "error": row_of(gone)},
        {
            "status": "failed",
            "task_id": "task-moderated",
            "progress": 40,
            "cost": 0,
            "error": row_of(refused),
        },
        {"status": "failed", "task_id": "task-early", "error": early},
        {"status": "completed", "task_id": "task-kept", "cost": 1_250_000, "file": "水-1234.mp4"},
        {"status": "cancelled", "task_id": "task-cancelled", "error": row_of(qw.TaskCancelled("cancelled"))},
        {"status": "archived", "task_id": "task-in-a-new-status"},
        {"status": "queued", "task_id": "task-without-request", "model": "", "request": None},
        {"status": "completed", "task_id": "task-of-a-newer-version", "file": "new.mp4", "request": newer},
    ]
    for number, row in enumerate(columns):
        plain = {"model": "kling-v3", "request": {"model": "kling-v3", "prompt": f"第 {number} 行"}}
        moment = then + timedelta(hours=number)
        plain |= {"key": f"{number:032x}", "service": SERVICE, "submitted_at": moment}
        if row["status"] == "completed":
            plain |= {"progress": 100, "created_at": moment, "completed_at": moment + timedelta(seconds=75.5)}
        library.add(Entry(**plain | row))
    dead = "another-machine/0/pid-[1]:4242:1000:" + "d" * 32
    library.hold(f"{10:032x}", dead, 30.0)
    sweeps = Sweeps(library, SERVICE)
    cells = [
        CellRow({"mode": "std"}, {"model": "kling-v3", "prompt": "竹"}, key=f"{7:032x}"),
        CellRow({"mode": "pro"}, {"model": "kling-v3", "prompt": "竹", "mode": "pro"}, is_dropped=True),
        CellRow({"mode": "std"}, {"model": "kling-v3", "prompt": "竹"}),
    ]
    sweeps.add("planned", {"mode": ["std", "pro"]}, [], 2, cells)  # a name that the sandbox's has too
    library.close()


def managed(sandbox: Any, folder: Path) -> Any:
    """Return a manager that leaves the unfinished tasks of others alone, unlike ``connect``."""
    import qingbo_widgets as qw

    return qw.TaskManager(qw.Client(sandbox.api_key, sandbox.base_url), qw.Library(folder), sandbox=sandbox)


def publish(sandbox: Any, folder: Path, colour: str) -> str:
    """Return the sandbox's URL of a small picture of one colour."""
    from PIL import Image

    picture = folder / f"{colour}.png"
    Image.new("RGBA", (320, 320), colour).save(picture)
    url: str = sandbox.publish(picture)
    return url


def settle(task: Any) -> None:
    """Wait until a task has ended, in whatever way."""
    wait_for(lambda: task.is_done)


def wait_for(is_true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something is true.

    Raises:
        TimeoutError: it has not become true in time.
    """
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.01)


def read(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all tables as they are in the file, read by SQLite alone."""
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: [dict(row) for row in database.execute(f'SELECT * FROM "{name}" ORDER BY rowid')]
            for name in sorted(names)
        }


def dump(path: Path) -> str:
    """Return the same rows as a dump of PostgreSQL, where the version's own tables have written them."""
    import postgresql
    import sqlalchemy as sa

    from qingbo_widgets import Library
    from qingbo_widgets.tasks import judging, rows, sweeps

    programs = postgresql.find_programs()
    assert programs is not None, "PostgreSQL is not installed"
    server = postgresql.Server(programs)
    try:
        with tempfile.TemporaryDirectory() as folder:
            old = sa.create_engine(f"sqlite:///{path}")
            library = Library(folder, database=(url := server.create()))
            library.entries(), library.judgements.known_tags(), sweeps.Sweeps(library, SERVICE).names()
            with old.connect() as source, library._begin() as target:
                for metadata in (rows._metadata, judging._metadata, sweeps._metadata):
                    for table in metadata.sorted_tables:
                        query = sa.select(table).order_by(*table.primary_key)
                        for row in source.execute(query).mappings():
                            # The database numbers the preferences itself, so that it goes on from there.
                            columns = {name: value for name, value in row.items() if name != "id"}
                            target.execute(table.insert().values(columns))
            library.close()
            old.dispose()
            return server.dump(url)
    finally:
        server.close()


if __name__ == "__main__":
    main()
