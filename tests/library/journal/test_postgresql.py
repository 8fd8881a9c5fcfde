"""A library whose journal is in PostgreSQL, ``Library(folder, database=…)``, works like one in SQLite.

Where possible, the same calls are made on a library of each kind and their results compared.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from qingbo_widgets import Client, Library, QingboError, Sandbox, Sweep, TaskManager, connect, sweep
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.journal.tables import tasks
from qingbo_widgets.library.search import Selection, choices, select
from qingbo_widgets.service.contract.request import VideoRequest
from tests.postgresql import Server

pytestmark = pytest.mark.slow  # the first test of a worker starts the server, and each creates a database

Both = tuple[Library, ...]
SERVICE = "https://qingbo.dev/v1"
NOON = datetime(2026, 4, 10, 12, tzinfo=UTC)
STORED = Path(__file__).parents[2] / "journals" / "0.1.0"
JSON = ("request", "error", "axes", "skipped", "values")
FULL: dict[str, Any] = {
    "model": "kling-v3",
    "request": {"model": "kling-v3", "prompt": "一条锦鲤 🐉 قطة 100% of_it \\ 'x'", "cfg_scale": 0.5},
    "created_at": NOON,
    "completed_at": NOON + timedelta(seconds=90.5),
    "progress": 100,
    "cost": 50_000,
    "frozen": 60_000,
    "billing_status": "settled",
    "first_submitted_at": NOON,
}
SHOTS = [{"prompt": "雪山日出", "duration": 3}, {"prompt": 'the "end"', "duration": 4}]
ROWS: dict[str, dict[str, Any]] = {
    "koi": FULL | {"status": "completed", "task_id": "task-1", "file": "koi.mp4"},
    "expired": FULL | {"status": "completed", "task_id": "task-2"},
    "failed": {
        "status": "failed",
        "error": {"type": "TaskFailed", "message": "上游", "facts": {"code": "x"}},
    },
    "film": {"status": "processing", "request": {"shots": SHOTS}, "model": "kling-v3"},
    "pro": FULL | {"status": "completed", "request": FULL["request"] | {"mode": "pro"}, "file": "pro.mp4"},
    "other": {"status": "queued", "service": "sandbox", "request": None, "model": "kling-v1"},
}


@pytest.fixture
def url(postgresql_url: Callable[..., str]) -> str:
    """Return the URL of an empty database."""
    return postgresql_url()


@pytest.fixture
def library(tmp_path: Path, url: str) -> Iterator[Library]:
    """Yield an empty library with its journal in PostgreSQL."""
    with closing(Library(tmp_path / "videos", database=url)) as library:
        yield library


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, postgresql_server: Server) -> Iterator[Both]:
    """Yield the same tasks and judgements in SQLite and in PostgreSQL, for reading only."""
    folder = tmp_path_factory.mktemp("libraries")
    with closing(Library(folder / "postgresql", database=postgresql_server.create())) as in_postgresql:
        yield filled(Library(folder / "sqlite"), in_postgresql)


@pytest.fixture
def make_manager(server: Sandbox, tmp_path: Path, url: str) -> Iterator[Callable[..., TaskManager]]:
    """Yield a function that creates managers on one database; close them at the end."""
    managers: list[TaskManager] = []

    def make(**settings: Any) -> TaskManager:
        client = Client(server.api_key, server.base_url)
        library = Library(tmp_path / "videos", database=url)
        managers.append(TaskManager(client, library, **{"poll_interval": 0.1} | settings))
        return managers[-1]

    yield make
    for manager in managers:
        manager.close()


def filled(*both: Library) -> Both:
    """Write the same tasks and judgements to both libraries and return them."""
    for each in both:
        for minute, (key, columns) in enumerate(ROWS.items()):
            at = NOON + timedelta(minutes=minute)
            fields: dict[str, Any] = {"key": key, "service": SERVICE, "submitted_at": at} | columns
            each.add(Entry(**fields))
        judgements = each.judgements
        for rating, key in enumerate(ROWS):
            judgements.rate(key, rating)
        judgements.rate("film", None)
        judgements.tag("koi", ["水墨", "koi pond"])
        judgements.tag("koi", ["koi pond", "🐉"])
        judgements.note("failed", " 很好 <b> 'x' ")
        for pair in (("koi", "pro"), ("pro", "expired"), ("koi", "pro")):
            judgements.prefer(*pair)
    return both


def alike(both: Both, call: Callable[[Library], Any]) -> Any:
    """Return the result of a call, which must be the same for both libraries."""
    in_sqlite, in_postgresql = map(call, both)
    assert in_postgresql == in_sqlite
    return in_postgresql


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"service": SERVICE},
        {"status": "completed"},
        {"unfinished": True},
        {"service": SERVICE, "unfinished": True, "limit": 1},
        {"limit": 2},
        {"limit": 2, "offset": 3},
        {"offset": 4},
    ],
)
def test_entries_are_the_same_as_in_sqlite(both: Both, filters: dict[str, Any]) -> None:
    """Every filter returns the same rows in the same order, with all columns in every script."""
    assert alike(both, lambda library: library.entries(**filters))


def test_a_row_is_found(both: Both) -> None:
    """A row is found by its key, and by the service's id of its task."""
    assert alike(both, lambda library: library.get("koi")).cost == 50_000
    assert alike(both, lambda library: library.find("task-1", service=SERVICE)).key == "koi"
    assert alike(both, lambda library: library.find("task-1", service="sandbox")) is None
    assert alike(both, lambda library: library.has_unfinished(service="sandbox"))


def test_a_row_is_changed(library: Library, tmp_path: Path) -> None:
    """A stale update does not reopen a finished task; ``reopen`` does."""
    both = filled(Library(tmp_path), library)
    for each in both:
        each.update("koi", status="processing", progress=5)
        each.update("film", status="failed", error={"message": "新"}, completed_at=NOON)
    assert alike(both, lambda library: library.get("koi")).status == "completed"
    assert alike(both, lambda library: library.get("film")).error == {"message": "新"}
    for each in both:
        each.update("film", reopen=True, status="submitting", error=None)
    assert alike(both, lambda library: library.get("film")).error is None


def test_durations_are_those_of_the_same_kind(both: Both) -> None:
    """The schedule is computed from these durations."""
    request = VideoRequest(prompt="another")
    assert alike(both, lambda library: library.durations(request, service=SERVICE)) == (90.5, 90.5)
    assert alike(both, lambda library: library.durations(request, service=SERVICE, limit=1)) == (90.5,)
    pro = request.replace(mode="pro")
    assert alike(both, lambda library: library.durations(pro, service=SERVICE)) == (90.5,)


def test_a_task_is_held_by_one_kernel(tmp_path: Path, url: str, library: Library) -> None:
    """A hold lasts until its release or its end; a kernel extends and releases only its own holds."""
    library.add(Entry(key="k", service="s"), holder="first", seconds=0.0)
    with closing(Library(tmp_path / "the same", database=url)) as other:
        library.renew("first", 60.0)
        assert not other.hold("k", "second", 60.0)
        assert library.hold("k", "first", 60.0)
        other.renew("second", 600.0)
        holder, until = other.current_hold("k") or ("", None)
        assert holder == "first"
        assert until is not None
        assert until - datetime.now(UTC) < timedelta(seconds=61)
        other.release("second", "k")
        assert not other.hold("k", "second", 60.0)
        library.release("first", patience=0.3)
        assert library.current_hold("k") is None
        assert other.hold("k", "second", 0.0)
        assert library.hold("k", "first", 60.0), "the second kernel's hold has expired"


def test_a_claim_keeps_the_earliest_first_submission(library: Library) -> None:
    """PostgreSQL compares the times of two kernels as SQLite does, known or not."""
    late = NOON + timedelta(hours=23)
    times = [(NOON, late), (late, NOON), (None, NOON), (NOON, None), (None, None)]
    for number, (stored, written) in enumerate(times):
        library.add(Entry(f"task {number}", SERVICE, first_submitted_at=stored))
        assert library.claim(Entry(f"task {number}", SERVICE, first_submitted_at=written), "kernel", 30)
    rows = [library.get(f"task {number}") for number in range(len(times))]
    assert [row and row.first_submitted_at for row in rows] == [NOON] * 4 + [None]


def test_judgements_are_the_same_as_in_sqlite(both: Both) -> None:
    """Ratings, tags, notes and preferences are the same after changes and removals."""
    judgements = alike(both, lambda library: library.judgements.of_all(list(ROWS)))
    assert judgements["failed"].note == "很好 <b> 'x'"
    assert alike(both, lambda library: choices(library.journal).tags) == ("koi pond", "🐉")
    assert len(alike(both, lambda library: library.judgements.preferences())) == 3
    assert alike(both, lambda library: library.judgements.preferences(["koi", "pro"]))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Selection(text="锦鲤"), ["pro", "expired", "koi"]),
        (Selection(text="锦鲤 100%", mode="pro"), ["pro"]),
        (Selection(text="OF_IT"), ["pro", "expired", "koi"]),
        (Selection(text="雪山"), ["film"]),
        (Selection(text='"end"'), ["film"]),
        (Selection(text="duration"), []),
        (Selection(mode="std"), ["other", "film", "failed", "expired", "koi"]),
        (Selection(model="kling-v1"), ["other"]),
        (Selection(status="failed"), ["failed"]),
        (Selection(tag="🐉"), ["koi"]),
        (Selection(rating=4), ["other", "pro"]),
        (Selection(unrated=True), ["film"]),
        (Selection(since=NOON + timedelta(minutes=4)), ["other", "pro"]),
        (Selection(until=NOON + timedelta(minutes=1)), ["koi"]),
        (Selection(order="best"), ["other", "pro", "failed", "expired", "koi", "film"]),
        (Selection(order="oldest"), list(ROWS)),
        (Selection(order="shuffled"), sorted(ROWS)),
    ],
)
def test_a_search_finds_the_same_as_in_sqlite(both: Both, wanted: Selection, found: list[str]) -> None:
    """Every filter and order of the gallery finds the same tasks."""
    assert (
        alike(both, lambda library: [entry.key for entry, _ in select(library.journal, wanted)[1]]) == found
    )


def test_the_gallery_offers_the_same_as_in_sqlite(both: Both) -> None:
    """The gallery's filters and the table of all tasks have the same content."""
    assert alike(both, lambda library: choices(library.journal)).models == ("kling-v1", "kling-v3")
    assert "koi pond" in alike(both, lambda library: library.to_dataframe().drop(columns="video").to_csv())


def test_a_task_runs_to_its_video(make_manager: Callable[..., TaskManager]) -> None:
    """A task runs from submission to its video with every step in the database, and can be rated."""
    manager = make_manager()
    task = manager.submit(prompt="一条锦鲤游过池塘 🐉", duration=3).wait(60)
    (entry,) = manager.library.entries()
    assert (entry.key, entry.status, entry.task_id) == (task.key, "completed", task.task_id)
    assert manager.library.video_of(entry) == task.video_path
    assert entry.request == task.request.as_dict()
    manager.library.judgements.rate(task.key, 5)
    assert [key.key for key, _ in select(manager.library.journal, Selection(rating=5))[1]] == [task.key]
    assert not list(manager.library.folder.glob("*.sqlite")), "the journal is in PostgreSQL alone"


def test_a_second_kernel_continues_where_the_first_ended(make_manager: Callable[..., TaskManager]) -> None:
    """The second kernel waits while the first one follows the task, then saves the video."""
    first, second = make_manager(poll_interval=3600.0, hold_seconds=600.0), make_manager()
    task = first.submit(prompt="a koi", duration=3)
    while not task.task_id:
        assert not task.is_done
        threading.Event().wait(0.01)
    (other,) = second.recover()
    while "Another kernel follows this task" not in other.message:
        threading.Event().wait(0.01)
    first.close()
    assert other.wait(60).video_path.is_file()
    assert other.key == task.key


def test_a_sweep_is_resumed(make_manager: Callable[..., TaskManager]) -> None:
    """Waiting cells wait for the user, dropped ones stay dropped, and submitted ones are not sent again."""
    first = make_manager()
    created = sweep(name="水墨", prompt=["山", "水", "竹"], duration=3, ask_above=0, manager=first)
    created.max_running = 2
    created.cells[2].cancel()
    first.close()
    resumed = Sweep.load(manager=make_manager())
    assert (resumed.name, resumed.axes, resumed.max_running) == ("水墨", {"prompt": ["山", "水", "竹"]}, 2)
    assert [str(cell.state) for cell in resumed.cells] == ["waiting", "waiting", "cancelled"]
    resumed.resume()
    resumed.wait(60)
    assert [str(cell.state) for cell in resumed.cells] == ["finished", "finished", "cancelled"]
    again = Sweep.load("水墨", manager=make_manager())
    assert [cell.key for cell in again.cells] == [cell.key for cell in resumed.cells]
    assert len(again.manager.library.entries()) == 2


def test_a_task_outlives_a_restart_of_the_server(
    make_manager: Callable[..., TaskManager], postgresql_server: Server
) -> None:
    """While the server is down, a task is refused unsent; nothing is lost, and the next task is written."""
    manager = make_manager()
    manager.submit(prompt="before", duration=3).wait(60)
    postgresql_server.stop()
    try:
        refused = manager.submit(prompt="while it is down", duration=3)
        with pytest.raises(QingboError, match="Nothing was sent"):
            refused.wait(60)
    finally:
        postgresql_server.start()
    manager.submit(prompt="after", duration=3).wait(60)
    assert [entry.prompt for entry in manager.library.entries()] == ["after", "before"]


def test_the_message_names_a_server_that_is_down(library: Library, postgresql_server: Server) -> None:
    """The message names the server, but contains neither SQL nor the password."""
    library.add(Entry(key="k", service="s"))
    address = sa.make_url(library.journal.database or "")
    postgresql_server.stop()
    try:
        for call in (library.entries, lambda: library.judgements.rate("k", 3)):
            with pytest.raises(QingboError) as raised:
                call()
            assert f"127.0.0.1:{address.port}" in str(raised.value)
            assert str(address.password) not in str(raised.value)
            assert "sqlalche.me" not in str(raised.value)
    finally:
        postgresql_server.start()
    assert len(library.entries()) == 1


def test_two_kernels_create_the_tables_at_once(tmp_path: Path, url: str) -> None:
    """Opening succeeds although PostgreSQL's IF NOT EXISTS fails on a table created concurrently."""
    results: list[object] = []

    def open_it() -> None:
        try:
            with closing(Library(tmp_path, database=url)) as library:
                results.append(library.entries())
        except Exception as error:
            results.append(error)

    opening = threading.Thread(target=open_it)
    other = sa.create_engine(url, poolclass=sa.NullPool)
    with psycopg.connect(driver_url(url), autocommit=True) as watching, other.begin() as connection:
        tasks.metadata.create_all(connection)
        opening.start()
        while opening.is_alive() and not _waits_for_a_lock(watching):
            threading.Event().wait(0.01)
    opening.join()
    assert results == [[]]


def test_connect_distinguishes_databases(
    sandbox: Sandbox, tmp_path: Path, postgresql_url: Callable[..., str]
) -> None:
    """A task is written to the journal connected last, even if two journals share one folder."""
    first, second = (Library(tmp_path, database=postgresql_url()) for _ in range(2))
    with connect(sandbox=sandbox, library=first), connect(sandbox=sandbox, library=second) as manager:
        assert manager.library.journal.database == second.journal.database


@pytest.mark.parametrize("text", ["a\0b", "\ud83d cut off"], ids=["NUL", "half an emoji"])
def test_a_text_that_postgresql_cannot_store_hides_no_other_row(library: Library, text: str) -> None:
    """A row with JSON escapes that PostgreSQL cannot convert to text does not fail the search."""
    library.add(Entry(key="odd", service="s", request={"prompt": text}))
    library.add(Entry(key="koi", service="s", request={"prompt": "a koi"}))
    assert [entry.key for entry, _ in select(library.journal, Selection(text="koi"))[1]] == ["koi"]
    assert {entry.key for entry in library.entries()} == {"odd", "koi"}


def test_a_library_of_version_0_1_0_is_read(tmp_path: Path, url: str) -> None:
    """The library reads every row of the dump and adds a new preference to them."""
    stored = json.loads((STORED / "everything.json").read_text(encoding="utf-8"))
    with psycopg.connect(driver_url(url), row_factory=psycopg.rows.dict_row) as connection:
        connection.execute((STORED / "everything.sql").read_bytes())
        for table, rows in stored.items():
            found = connection.execute(f'SELECT * FROM public."{table}"'.encode()).fetchall()
            assert sorted(map(str, found)) == sorted(str(_parsed(row)) for row in rows), table
    with closing(Library(tmp_path, database=url)) as library:
        assert {entry.key for entry in library.entries()} == {row["key"] for row in stored["tasks"]}
        pairs = [(row["better"], row["worse"]) for row in stored["preferences"]]
        library.judgements.prefer(*pairs[0])
        assert library.judgements.preferences() == [*pairs, pairs[0]]


def driver_url(url: str) -> str:
    """Return the URL in psycopg's own form."""
    return url.replace("+psycopg", "")


def _parsed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of SQLite as PostgreSQL stores it: with parsed JSON and real booleans."""
    parsed = {name: json.loads(value) if name in JSON and value else value for name, value in row.items()}
    return parsed | {name: bool(value) for name, value in row.items() if name == "is_dropped"}


def _waits_for_a_lock(connection: psycopg.Connection[Any]) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return connection.execute(query).fetchone() is not None
