"""Damaged journals: each kind of damage loses at most a row, or is reported with a remedy.

Whatever was done to ``library.sqlite``, no function raises an error of the database, of Python's decoding or
of a conversion, silently shows an empty library, or sends a request whose row is not stored.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.journal import engine
from qingbo_widgets.library.journal.revisions import VERSION_TABLE
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.search import Selection, choices, select
from qingbo_widgets.library.sweeps import CellRow, Sweeps
from qingbo_widgets.tasks.sweep.sweep import Sweep
from tests.faults.server import FaultServer
from tests.faults.service import Service

COUNT = 60
ODD = {
    "text": "x",
    "blob": b"\xff\xfe\x00",
    "number": 7,
    "huge": 1e300,
    "year 9999": 253402300799.0,
    "year 1": -62135596799.0,
    "infinity": float("inf"),
    "empty": "",
}
COLUMNS = {
    "tasks": (
        "service", "task_id", "model", "request", "status", "progress", "submitted_at", "created_at",
        "completed_at", "file", "error", "cost", "holder", "held_until",
    ),
    "judgements": ("rating", "note", "judged_at"),
    "tags": ("tag",),
    "preferences": ("better", "worse", "judged_at"),
    "sweeps": ("axes", "skipped", "max_running", "made_at"),
    "sweep_cells": ("values", "request", "key", "is_dropped"),
}  # fmt: skip
JSON = {
    "bad json": '{"prompt', "a list": "[7]", "nan": '{"duration": NaN}', "deep": "[" * 5000, "a text": '"koi"',  # noqa: E501
    "odd fields": '{"prompt": 5, "model": [], "shots": 7}', "odd shots": '{"shots": [1, {"prompt": 2}, {}]}',
    "unknown field": '{"prompt": "koi", "of a later version": 1}',
    "half a pair": '{"prompt": "\\ud800", "duration": "long"}',
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a journal with rows in every table."""
    folder = tmp_path_factory.mktemp("sound")
    library = Library(folder)
    with library.journal.shared_transaction():
        for number in range(COUNT):
            library.add(
                Entry(
                    key=f"{number:032}",
                    service="https://qingbo.dev/v1",
                    task_id=f"task-{number}",
                    model="kling-v3",
                    status="completed",
                    progress=100,
                    file=f"{number}.mp4",
                    request={"model": "kling-v3", "prompt": f"koi {number} " + "锦鲤" * 40},
                )
            )
    library.journal.close_connection()
    library.judgements.rate("0" * 32, 4)
    library.judgements.tag("0" * 32, ["fish"])
    library.judgements.prefer("0" * 32, f"{1:032}")
    cells = [CellRow({"seed": number}, {"prompt": f"koi {number}"}) for number in range(3)]
    Sweeps(library.journal, "https://qingbo.dev/v1").add("sweep", {"seed": [0, 1, 2]}, [], 2, cells)
    library.close()
    return folder / "library.sqlite"


BY_TIME = (
    "ix_tasks_submitted_at", "ix_tasks_newest", "ix_tasks_model", "ix_tasks_prompt", "ix_tasks_cost",
    "ix_tasks_seconds",
)  # fmt: skip
Damage = Callable[[Path], object]


def sql(*statements: str, values: tuple[object, ...] = (), unchecked: bool = False) -> Damage:
    """Return damage done by SQL."""

    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            if unchecked:
                database.execute("PRAGMA writable_schema = ON")
                if sys.version_info >= (3, 12):
                    database.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, False)
            for statement in statements:
                database.execute(statement, values if "?" in statement else ())

    return damage


def replaced(content: bytes) -> Damage:
    """Return damage that replaces the file."""
    return lambda path: path.write_bytes(content)


def flipped(start: int, end: int) -> Damage:
    """Return damage that changes a range of bytes, in the same way each time."""

    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        for place in range(start, min(end, len(content))):
            content[place] ^= random.Random(place).randrange(1, 256)
        path.write_bytes(content)

    return damage


def beside(ending: str, content: bytes) -> Damage:
    """Return damage by a file that SQLite treats as its own."""
    return lambda path: path.with_name(path.name + ending).write_bytes(content)


def a_folder(path: Path) -> None:
    """Replace the journal by a folder."""
    path.unlink()
    path.mkdir()


def a_loop(path: Path) -> None:
    """Replace the journal by a link to itself."""
    path.unlink()
    path.symlink_to(path)


def write_ahead(path: Path) -> None:
    """Add a write-ahead log left by a killed program, with damage in its last part."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("UPDATE tasks SET progress = 99")
        log = path.with_name(f"{path.name}-wal")
        content = bytearray(log.read_bytes())
        whole = path.read_bytes()
    content[-2000:] = b"\x5a" * 2000
    path.write_bytes(whole)
    log.write_bytes(content)


def rebuilt(*pragmas: str) -> Damage:
    """Return damage that rebuilds the same content with other pragmas."""

    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as old:
            script = "\n".join(old.iterdump())
        path.unlink()
        with closing(sqlite3.connect(path)) as new:
            for pragma in pragmas:
                new.execute(pragma)
            new.executescript(script)

    return damage


def an_index_with_gaps(path: Path) -> None:
    """Remove most rows from the index of times, as after a crash of a disk that falsely confirms writes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        (root,) = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ix_tasks_submitted_at'"
        ).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    start = (root - 1) * size
    count = struct.unpack_from(">H", content, start + 3)[0]
    struct.pack_into(">H", content, start + 3, max(count // 2, 1))
    path.write_bytes(content)


def dropped(table: str) -> Damage:
    """Return damage that removes a table."""
    return sql(f"DROP TABLE {table}")


def a_view(table: str) -> Damage:
    """Return damage that replaces a table by a view."""
    return sql(f"ALTER TABLE {table} RENAME TO other", f"CREATE VIEW {table} AS SELECT * FROM other")


VERSION = f"DELETE FROM {VERSION_TABLE}"
KINDS: dict[str, Damage] = {
    "empty": replaced(b""),
    "one byte": replaced(b"S"),
    "a text": replaced("一封信".encode() * 500),
    "zeros": replaced(bytes(8192)),
    "the header alone": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "encrypted": replaced(random.Random(1).randbytes(20_000)),
    "a folder": a_folder,
    "a link to itself": a_loop,
    "another program's": lambda path: (path.unlink(), sql("CREATE TABLE recipes (name TEXT)")(path)),
    "header, magic": flipped(0, 16),
    "header, sizes": flipped(16, 24),
    "header, counts": flipped(24, 40),
    "header, schema": flipped(40, 60),
    "header, rest": flipped(60, 100),
    "schema": flipped(100, 4096),
    "a page of the tree": flipped(8192, 8292),
    "the middle": flipped(12_288, 20_480),
    "the end": lambda path: flipped(path.stat().st_size - 4096, path.stat().st_size)(path),
    "text behind it": lambda path: path.write_bytes(path.read_bytes() + b"and more" * 700),
    "a journal of nonsense": beside("-journal", b"nonsense" * 1000),
    "a journal cut short": beside("-journal", bytes.fromhex("d9d505f920a163d7") + b"\xff" * 30),
    "a log of nonsense": beside("-wal", b"nonsense" * 1000),
    "a damaged log": write_ahead,
    "utf-16": rebuilt("PRAGMA encoding = 'UTF-16le'"),
    "large pages": rebuilt("PRAGMA page_size = 65536"),
    "small pages": rebuilt("PRAGMA page_size = 512"),
    "freelist": sql("PRAGMA secure_delete = OFF", "DELETE FROM judgements", "DELETE FROM preferences"),
    "an index with gaps": an_index_with_gaps,
    "no indexes": sql("DROP INDEX ix_tasks_task_id", *(f"DROP INDEX {index}" for index in BY_TIME)),
    "a nonsense schema": sql("UPDATE sqlite_master SET sql = 'create nonsense' WHERE name = 'tasks'", unchecked=True),  # noqa: E501
    "no version table": dropped(VERSION_TABLE),
    "no version": sql(VERSION),
    "version null": sql(
        f"DROP TABLE {VERSION_TABLE}", f"CREATE TABLE {VERSION_TABLE} (version_num)", f"INSERT INTO {VERSION_TABLE} VALUES (NULL)"  # noqa: E501
    ),
    "two versions": sql(f"INSERT INTO {VERSION_TABLE} VALUES ('0.1.0')"),
    "version nonsense": sql(f"UPDATE {VERSION_TABLE} SET version_num = '鱼 {{x}} %s'"),
    "version blob": sql(f"UPDATE {VERSION_TABLE} SET version_num = ?", values=(b"\xff\xfe",)),
    "version table of others": sql(f"DROP TABLE {VERSION_TABLE}", f"CREATE TABLE {VERSION_TABLE} (name TEXT)"),  # noqa: E501
    "not utf-8": sql("UPDATE tasks SET model = CAST(? AS TEXT) WHERE key LIKE '%7'", values=(b"\xff\xfe\x80",)),  # noqa: E501
    "a key that is not utf-8": sql("UPDATE tasks SET key = CAST(? AS TEXT) WHERE task_id = 'task-7'", values=(b"\xff",)),  # noqa: E501
    "a trigger that refuses": sql("CREATE TRIGGER no BEFORE INSERT ON tasks BEGIN SELECT RAISE(ABORT, 'no'); END"),  # noqa: E501
    "a trigger that ignores": sql("CREATE TRIGGER no BEFORE INSERT ON tasks BEGIN SELECT RAISE(IGNORE); END"),
    "a trigger that deletes": sql("CREATE TRIGGER no AFTER INSERT ON tasks BEGIN DELETE FROM tasks WHERE key = new.key; END"),  # noqa: E501
    "a trigger that keeps": sql("CREATE TRIGGER no BEFORE UPDATE ON tasks BEGIN SELECT RAISE(IGNORE); END"),
    "a column more": sql("ALTER TABLE tasks ADD COLUMN more TEXT NOT NULL DEFAULT 'x'"),
    **{f"no {table}": dropped(table) for table in COLUMNS},
    **{f"{table} a view": a_view(table) for table in COLUMNS},
    **{
        f"{table} without {column}": sql(
            *(f"DROP INDEX {index}" for index in BY_TIME if column == "submitted_at"),
            *(["DROP INDEX ix_tasks_task_id"] if column == "task_id" else []),
            *(["DROP INDEX ix_tasks_cost"] if column == "cost" else []),
            f'ALTER TABLE {table} DROP COLUMN "{column}"',
        )
        for table, column in [
            ("tasks", "task_id"), ("tasks", "submitted_at"), ("tasks", "cost"), ("tasks", "held_until"),
            ("judgements", "note"), ("sweeps", "made_at"), ("sweep_cells", "request"),
        ]
    },
}  # fmt: skip
ODD_VALUES: dict[str, Damage] = {
    f"{table}.{column}: {name}": sql(
        f'UPDATE OR IGNORE {table} SET "{column}" = ? WHERE rowid = (SELECT min(rowid) FROM {table})',
        values=(value,),
    )
    for table, columns in COLUMNS.items()
    for column in columns
    for name, value in {
        **ODD,
        **(JSON if column in ("request", "error", "axes", "skipped", "values") else {}),
    }.items()
}
#: Kinds of damage that leave neither rows nor a sign that there were any.
NOTHING_LEFT = {"empty", "one byte"}


def ways_in(folder: Path, manager: qw.TaskManager | None = None) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield every way to read a journal or to judge its videos."""
    library = Library(folder)
    yield "entries", library.entries
    yield "unfinished", lambda: library.has_unfinished(service="https://qingbo.dev/v1")
    yield "prompts", lambda: [entry.prompt for entry in library.entries()]
    yield "files", lambda: [library.video_of(entry) for entry in library.entries()]
    yield "find", lambda: library.find("task-3", service="https://qingbo.dev/v1")
    yield "get", lambda: library.get("0" * 32)
    yield (
        "durations",
        lambda: library.durations(qw.VideoRequest(prompt="koi"), service="https://qingbo.dev/v1"),
    )
    for order in ("newest", "best", "prompt"):
        yield order, lambda order=order: select(library.journal, Selection(order=order), limit=20)  # type: ignore[misc]  # mypy infers no lambda with a default
    yield "search", lambda: select(library.journal, Selection(text="koi 鲤", mode="std", since=None))
    yield "choices", lambda: choices(library.journal)
    yield "table", lambda: library.to_dataframe()
    judgements = library.judgements
    yield "judgements", lambda: judgements.of_all([entry.key for entry in library.entries()])
    yield "preferences", judgements.preferences
    yield "rate", lambda: judgements.rate("0" * 32, 5)
    yield "tag", lambda: judgements.tag("0" * 32, ["koi"])
    yield "note", lambda: judgements.note("0" * 32, "a note")
    yield "prefer", lambda: judgements.prefer("0" * 32, "1" * 32)
    yield "gallery", lambda: qw.Gallery(library)
    sweeps = Sweeps(library.journal, "https://qingbo.dev/v1")
    yield "sweeps", sweeps.names
    yield "sweep", lambda: sweeps.get("sweep")
    if manager is not None:
        yield "recover", manager.recover
        yield "resume sweep", lambda: resumed(manager)
    yield "close", library.close


def resumed(manager: qw.TaskManager) -> object:
    """Return the rows of the latest sweep, or the ``KeyError`` of a library without one."""
    try:
        return Sweep.load(manager=manager).rows()
    except KeyError as error:
        return error


def failures(folder: Path, manager: qw.TaskManager | None = None) -> list[str]:
    """Return the errors that a user would see without a remedy."""
    found = []
    for name, call in ways_in(folder, manager):
        try:
            call()
        except qw.QingboError as error:
            if "connect(library=…)" not in str(error) and "resume(id)" not in str(error):
                found.append(f"{name}: {error} (without a remedy)")
        except Exception as error:
            found.append(f"{name}: {type(error).__name__}: {error}")
    return found


@pytest.fixture
def damaged(sound: Path, tmp_path: Path) -> Callable[[Damage], Path]:
    """Return a function that creates a folder with a damaged journal."""
    numbers = count()

    def make(damage: Damage) -> Path:
        folder = tmp_path / f"videos {next(numbers)}"
        folder.mkdir()
        shutil.copyfile(sound, folder / "library.sqlite")
        damage(folder / "library.sqlite")
        return folder

    return make


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.filterwarnings("ignore:The journal .* newer qingbo_widgets:UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_journal(
    damaged: Callable[[Damage], Path], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Reading works or reports a remedy, and no request is sent without a stored row."""
    monkeypatch.setattr(engine, "PATIENCE", 1.0)
    folder, service = damaged(KINDS[kind]), Service()
    try:
        shown = {entry.task_id for entry in Library(folder).entries()}
    except qw.QingboError:
        shown = {"reported"}
    assert shown or kind in NOTHING_LEFT, "silently shows an empty library"
    if kind == "an index with gaps":
        assert len(shown) == COUNT, "silently omits half of the library"
    assert failures(folder) == []
    rows: list[object] = []
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        try:
            with qw.TaskManager(
                qw.Client("some-key", f"{server.url}/v1"), Library(folder), poll_interval=0.05
            ) as manager:
                manager.recover_soon()
                assert failures(folder, manager) == []
                task = manager.submit(prompt="koi")
                with contextlib.suppress(qw.QingboError):
                    task.wait(30)
                if service.tasks:
                    rows.append(manager.library.get(task.key))
        except qw.QingboError as refusal:
            rows.extend([None] if "connect(library=…)" not in str(refusal) else [])
        assert None not in rows, "paid and not in the journal, or refused without a remedy"
        assert len(service.tasks) == len(rows), "paid, and not in the journal"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("table", COLUMNS)
def test_an_invalid_value_affects_one_row(
    damaged: Callable[[Damage], Path], monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """An invalid value, which SQLite stores in any column, does not hide the other rows."""
    found: dict[str, object] = {}
    with qw.TaskManager(qw.Client("some-key"), Library("elsewhere")) as manager:
        for kind, damage in ODD_VALUES.items():
            if not kind.startswith(f"{table}."):
                continue
            folder = damaged(damage)
            manager.library = Library(folder)
            manager.sweeps.clear()
            if problems := failures(folder, manager):
                found[kind] = problems
            if len(Library(folder).entries()) < COUNT:
                found[f"{kind}, rows"] = len(Library(folder).entries())
    assert found == {}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_journal_truncated_at_every_page(damaged: Callable[[Damage], Path], sound: Path) -> None:
    """A truncated copy never raises an SQL error, and the library never looks empty."""
    pages, found = sound.stat().st_size // 4096, {}
    for page in range(pages):
        folder = damaged(lambda path, page=page: os.truncate(path, page * 4096 + 17))  # type: ignore[misc]  # mypy infers no lambda with a default
        try:
            if not Library(folder).entries():
                found[page] = ["silently empty"]
        except qw.QingboError:
            pass
        if problems := failures(folder):
            found[page] = problems
    assert found == {}


@pytest.mark.slow
@pytest.mark.attack
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")
def test_bytes_changed_at_random(damaged: Callable[[Damage], Path]) -> None:
    """Five hundred journals with random bytes changed, often in the header, are read or reported."""
    found: dict[int, list[str]] = {}
    for seed in range(500):
        rng = random.Random(seed)

        def damage(path: Path, rng: random.Random = rng) -> None:
            content = bytearray(path.read_bytes())
            for _ in range(rng.choice((1, 3, 10, 100))):
                end = len(content) if rng.random() < 0.6 else 4200
                content[rng.randrange(end)] = rng.randrange(256)
            path.write_bytes(content)

        folder = damaged(damage)
        if problems := failures(folder):
            found[seed] = problems
        shutil.rmtree(folder)
    assert found == {}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the permissions of POSIX do not bind root")
def test_a_journal_that_may_not_be_read(damaged: Callable[[Damage], Path]) -> None:
    """A journal without read permission, such as another user's, is reported with a remedy."""
    folder = damaged(lambda path: path.chmod(0))
    assert failures(folder) == []
