"""A library whose journal is in PostgreSQL, ``Library(folder, database=…)``: all that SQLite does.

Where it can be, a library of each kind is asked the same, and the answers compared.
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

pytestmark = pytest.mark.slow  # the first test of a worker starts the server, and each makes a database

Both = tuple[Library, ...]
SERVICE = "https://qingbo.dev/v1"
NOON = datetime(2026, 4, 10, 12, tzinfo=UTC)
KEPT = Path(__file__).parents[2] / "journals" / "0.1.0"
JSON = ("request", "error", "axes", "skipped", "values")
FULL: dict[str, Any] = {
    "model": "kling-v3",
    "request": {"model": "kling-v3", "prompt": "一条锦鲤 🐉 قطة 100% of_it \\ 'x'", "cfg_scale": 0.5},
    "created_at": NOON,
    "completed_at": NOON + timedelta(seconds=90.5),
    "progress": 100,
    "cost": 50_000,
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
    """An empty database."""
    return postgresql_url()


@pytest.fixture
def library(tmp_path: Path, url: str) -> Iterator[Library]:
    """An empty library with its journal in PostgreSQL."""
    with closing(Library(tmp_path / "videos", database=url)) as library:
        yield library


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, postgresql_server: Server) -> Iterator[Both]:
    """The same tasks and judgements in SQLite and in PostgreSQL, to be read alone."""
    folder = tmp_path_factory.mktemp("libraries")
    with closing(Library(folder / "postgresql", database=postgresql_server.create())) as in_postgresql:
        yield filled(Library(folder / "sqlite"), in_postgresql)


@pytest.fixture
def make_manager(server: Sandbox, tmp_path: Path, url: str) -> Iterator[Callable[..., TaskManager]]:
    """Makes managers on one database; all are closed at the end."""
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
    """Write the same tasks and judgements into both."""
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


def alike(both: Both, ask: Callable[[Library], Any]) -> Any:
    """Return what both libraries answer."""
    in_sqlite, in_postgresql = map(ask, both)
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
    """Every column, in every script, in the same order under every filter."""
    assert alike(both, lambda library: library.entries(**filters))


def test_a_row_is_found(both: Both) -> None:
    """By its key, and by the service's id of its task."""
    assert alike(both, lambda library: library.get("koi")).cost == 50_000
    assert alike(both, lambda library: library.find("task-1", service=SERVICE)).key == "koi"
    assert alike(both, lambda library: library.find("task-1", service="sandbox")) is None
    assert alike(both, lambda library: library.has_unfinished(service="sandbox"))


def test_a_row_is_changed(library: Library, tmp_path: Path) -> None:
    """An end is not undone by a late answer, only by reopening."""
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
    """Until it is released, or its time is over; renewing prolongs only what is one's own."""
    library.add(Entry(key="k", service="s"), holder="first", seconds=0.0)
    with closing(Library(tmp_path / "the same", database=url)) as other:
        library.renew("first", 60.0)
        assert not other.hold("k", "second", 60.0)
        assert library.hold("k", "first", 60.0)
        other.renew("second", 600.0)
        holder, until = other.holding("k") or ("", None)
        assert holder == "first"
        assert until is not None
        assert until - datetime.now(UTC) < timedelta(seconds=61)
        other.release("second", "k")
        assert not other.hold("k", "second", 60.0)
        library.release("first", patience=0.3)
        assert library.holding("k") is None
        assert other.hold("k", "second", 0.0)
        assert library.hold("k", "first", 60.0), "the second one's time is over"


def test_judgements_are_the_same_as_in_sqlite(both: Both) -> None:
    """Ratings, tags, notes and preferences, written a second time and taken back."""
    found = alike(both, lambda library: library.judgements.of_all(list(ROWS)))
    assert found["failed"].note == "很好 <b> 'x'"
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
    """Every filter and order of the gallery."""
    assert (
        alike(both, lambda library: [entry.key for entry, _ in select(library.journal, wanted)[1]]) == found
    )


def test_the_gallery_offers_the_same_as_in_sqlite(both: Both) -> None:
    """The choices of its filters, and the table of all tasks."""
    assert alike(both, lambda library: choices(library.journal)).models == ("kling-v1", "kling-v3")
    assert "koi pond" in alike(both, lambda library: library.to_dataframe().drop(columns="video").to_csv())


def test_a_task_runs_to_its_video(make_manager: Callable[..., TaskManager]) -> None:
    """From the click to the file, with every step in the database, and judged at the end."""
    manager = make_manager()
    task = manager.submit(prompt="一条锦鲤游过池塘 🐉", duration=3).wait(60)
    (entry,) = manager.library.entries()
    assert (entry.key, entry.status, entry.task_id) == (task.key, "completed", task.task_id)
    assert manager.library.video_of(entry) == task.video_path
    assert entry.request == task.request.as_dict()
    manager.library.judgements.rate(task.key, 5)
    assert [key.key for key, _ in select(manager.library.journal, Selection(rating=5))[1]] == [task.key]
    assert not list(manager.library.folder.glob("*.sqlite")), "the journal is in PostgreSQL alone"


def test_a_second_kernel_goes_on_where_the_first_ended(make_manager: Callable[..., TaskManager]) -> None:
    """While the first kernel follows the task the second one waits; then it saves the video."""
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
    made = sweep(name="水墨", prompt=["山", "水", "竹"], duration=3, ask_above=0, manager=first)
    made.max_running = 2
    made.cells[2].cancel()
    first.close()
    resumed = Sweep.resume(manager=make_manager())
    assert (resumed.name, resumed.axes, resumed.max_running) == ("水墨", {"prompt": ["山", "水", "竹"]}, 2)
    assert [str(cell.state) for cell in resumed.cells] == ["waiting", "waiting", "cancelled"]
    resumed.go_on()
    resumed.wait(60)
    assert [str(cell.state) for cell in resumed.cells] == ["finished", "finished", "cancelled"]
    again = Sweep.resume("水墨", manager=make_manager())
    assert [cell.key for cell in again.cells] == [cell.key for cell in resumed.cells]
    assert len(again.manager.library.entries()) == 2


def test_a_task_outlives_its_server_s_restart(
    make_manager: Callable[..., TaskManager], postgresql_server: Server
) -> None:
    """The user is told that the journal cannot be written, nothing is lost, and the next task is written."""
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


def test_a_server_that_is_down_is_named_in_our_words(library: Library, postgresql_server: Server) -> None:
    """The message names the server and what to do next; it holds neither SQL nor the password."""
    library.add(Entry(key="k", service="s"))
    address = sa.make_url(library.journal.database or "")
    postgresql_server.stop()
    try:
        for ask in (library.entries, lambda: library.judgements.rate("k", 3)):
            with pytest.raises(QingboError) as raised:
                ask()
            assert f"127.0.0.1:{address.port}" in str(raised.value)
            assert str(address.password) not in str(raised.value)
            assert "sqlalche.me" not in str(raised.value)
    finally:
        postgresql_server.start()
    assert len(library.entries()) == 1


def test_two_kernels_make_the_tables_at_once(tmp_path: Path, url: str) -> None:
    """PostgreSQL's IF NOT EXISTS fails where another transaction makes the same table in that moment."""
    found: list[object] = []

    def open_it() -> None:
        try:
            with closing(Library(tmp_path, database=url)) as library:
                found.append(library.entries())
        except Exception as error:
            found.append(error)

    opening = threading.Thread(target=open_it)
    other = sa.create_engine(url, poolclass=sa.NullPool)
    with psycopg.connect(driver_url(url), autocommit=True) as watching, other.begin() as connection:
        tasks.metadata.create_all(connection)
        opening.start()
        while opening.is_alive() and not _waits_for_a_lock(watching):
            threading.Event().wait(0.01)
    opening.join()
    assert found == [[]]


def test_connect_knows_databases_apart(
    sandbox: Sandbox, tmp_path: Path, postgresql_url: Callable[..., str]
) -> None:
    """Two journals of one folder are two libraries: a task is written where the user connected last."""
    first, second = (Library(tmp_path, database=postgresql_url()) for _ in range(2))
    with connect(sandbox=sandbox, library=first), connect(sandbox=sandbox, library=second) as manager:
        assert manager.library.journal.database == second.journal.database


@pytest.mark.parametrize("text", ["a\0b", "\ud83d cut off"], ids=["NUL", "half an emoji"])
def test_a_text_that_postgresql_cannot_hold_costs_no_other_row(library: Library, text: str) -> None:
    """A row whose JSON escapes PostgreSQL cannot convert to text must not end the search of the others."""
    library.add(Entry(key="odd", service="s", request={"prompt": text}))
    library.add(Entry(key="koi", service="s", request={"prompt": "a koi"}))
    assert [entry.key for entry, _ in select(library.journal, Selection(text="koi"))[1]] == ["koi"]
    assert {entry.key for entry in library.entries()} == {"odd", "koi"}


def test_a_library_of_version_0_1_0_is_read(tmp_path: Path, url: str) -> None:
    """Its dump gives back every row of every table, and the library goes on from there."""
    kept = json.loads((KEPT / "everything.json").read_text(encoding="utf-8"))
    with psycopg.connect(driver_url(url), row_factory=psycopg.rows.dict_row) as connection:
        connection.execute((KEPT / "everything.sql").read_bytes())
        for table, rows in kept.items():
            found = connection.execute(f'SELECT * FROM public."{table}"'.encode()).fetchall()
            assert sorted(map(str, found)) == sorted(str(_parsed(row)) for row in rows), table
    with closing(Library(tmp_path, database=url)) as library:
        assert {entry.key for entry in library.entries()} == {row["key"] for row in kept["tasks"]}
        pairs = [(row["better"], row["worse"]) for row in kept["preferences"]]
        library.judgements.prefer(*pairs[0])
        assert library.judgements.preferences() == [*pairs, pairs[0]]


def driver_url(url: str) -> str:
    """Return the URL as psycopg itself takes it."""
    return url.replace("+psycopg", "")


def _parsed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of SQLite as PostgreSQL has it: JSON is no text there, and a truth no number."""
    parsed = {name: json.loads(value) if name in JSON and value else value for name, value in row.items()}
    return parsed | {name: bool(value) for name, value in row.items() if name == "is_dropped"}


def _waits_for_a_lock(connection: psycopg.Connection[Any]) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return connection.execute(query).fetchone() is not None
