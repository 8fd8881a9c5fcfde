"""The index of the prompts: it finds what reading every prompt would find, in SQLite and in PostgreSQL."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from qingbo_widgets.library import library as library_module
from qingbo_widgets.library import text_index, text_tables
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.journal.rows import Rows
from qingbo_widgets.library.journal.tables import tasks
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.search import Selection, select
from tests.postgresql import Server

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TABLE = "task_search"
NUMBERS = count()
PROMPTS = {
    "koi": "一条锦鲤在池塘中游动 🐉 e\u0301tang",
    "cat": 'A Cat on 100% of_a "sofa" (NEAR) -dog OR col:umn * ^top',
    "wide": "ＦＵＬＬ　ｗｉｄｔｈ　１２３、水墨",
    "russian": "ЗИМНЯЯ ночь, İstanbul straße ǅ ﬁsh",
    "hangul": "한강의 밤 قطة ქალაქი",
    "odd": "a\x01b\x1fc\x7fd tab\there 'x' \\ back\\slash \U000e0001 \ufeffbom",
    "none": "",
}
SHOTS = [{"prompt": "雪山日出", "duration": 3}, {"prompt": 'the "end"', "duration": 4}]


def plainly_found(text: str, words: str) -> bool:
    """Return whether a text contains all words, by Python alone."""

    def form(value: str) -> str:
        value = value.replace("\0", "").encode(errors="replace").decode()
        return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", value).casefold())

    return all(word in form(text) for word in form(words).split())


def filled(library: Library, prompts: dict[str, str] = PROMPTS) -> Library:
    """Add a task for each prompt, and one with shots."""
    with library.journal.begin() as connection:
        rows = Rows(connection)
        for minute, (key, prompt) in enumerate(prompts.items()):
            at = NOON + timedelta(minutes=minute)
            rows.add(Entry(key, "sandbox", request={"prompt": prompt}, submitted_at=at), None, at)
        rows.add(Entry("film", "sandbox", request={"shots": SHOTS}, submitted_at=NOON), None, NOON)
        rows.add(Entry("unknown", "sandbox", submitted_at=NOON), None, NOON)
    return library


@pytest.fixture(scope="module")
def in_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Return a library in SQLite, for reading only."""
    return filled(Library(tmp_path_factory.mktemp("sqlite")))


@pytest.fixture(scope="module")
def in_postgresql(tmp_path_factory: pytest.TempPathFactory, postgresql_server: Server) -> Iterator[Library]:
    """Yield the same library in PostgreSQL, for reading only."""
    with closing(
        Library(tmp_path_factory.mktemp("postgresql"), database=postgresql_server.create())
    ) as library:
        yield filled(library)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Return a library in SQLite with all prompts."""
    return filled(Library(tmp_path / "videos"))


def found(library: Library, text: str) -> set[str]:
    """Return the keys of the tasks that a search finds."""
    return {entry.key for entry, _ in select(library.journal, Selection(text=text))[1]}


def expected(text: str, prompts: dict[str, str] = PROMPTS) -> set[str]:
    """Return the keys of the tasks that it should find."""
    every = prompts | {"film": "\n".join(shot["prompt"] for shot in SHOTS), "unknown": ""}  # type: ignore[misc]
    return {key for key, prompt in every.items() if plainly_found(prompt, text)}


@st.composite
def queries(draw: st.DrawFn) -> str:
    """Return parts of the prompts, characters of all scripts, and the syntax of text searches."""
    part = st.sampled_from([*PROMPTS.values(), "雪山日出 the"]).flatmap(
        lambda text: st.tuples(st.just(text), st.integers(0, len(text)), st.integers(1, 6))
    )
    syntax = st.sampled_from(
        ['"', "*", "^", "NEAR(", "-", ":", "%", "_", "OR", "'", "\\", "{text}", "+", ")"]
    )
    pieces = st.one_of(
        part.map(lambda item: item[0][item[1] : item[1] + item[2]]), syntax, st.text(max_size=3)
    )
    return draw(st.sampled_from(["", " "])).join(draw(st.lists(pieces, max_size=4)))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(queries())
@example("锦鲤")
@example("鲤")
@example("锦 动")
@example("SOFA")
@example("full 123")
@example("STRASSE fish")
@example("зимняя")
@example('"')
@example("\0")
@example("\ud83d")
def test_a_search_finds_what_a_look_at_every_prompt_finds(in_sqlite: Library, text: str) -> None:
    """Any part of any word in any script is found, and no character is syntax."""
    assert found(in_sqlite, text) == expected(text), f"searching for {text!r}"


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(queries())
@example("锦鲤")
@example("鲤")
@example("在池塘中")
@example('"')
@example("%")
@example("\0")
@example("\ud83d")
def test_a_search_in_postgresql_finds_the_same(in_postgresql: Library, text: str) -> None:
    """PostgreSQL's arrays find what a look at every prompt finds."""
    assert found(in_postgresql, text) == expected(text), f"searching for {text!r}"


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=40), min_size=1, max_size=6), st.data())
def test_any_prompt_is_found_by_its_parts(tmp_path: Path, texts: list[str], data: st.DataObject) -> None:
    """Prompts in all scripts, written one after the other into one index, are found by any of their parts."""
    library = Library(tmp_path / str(next(NUMBERS)))
    prompts = {f"task {number}": text for number, text in enumerate(texts)}
    filled(library, prompts)
    text = data.draw(st.sampled_from(texts))
    start = data.draw(st.integers(0, len(text)))
    part = text[start : start + data.draw(st.integers(1, 5))]
    assert found(library, part) == expected(part, prompts), f"searching for {part!r} in {texts!r}"


def statements_of(library: Library, selection: Selection) -> list[str]:
    """Return the plans of all queries of a search by SQLite's own account, one line for each step."""
    plans: list[str] = []

    def record(*arguments: Any) -> None:
        cursor, statement, values = arguments[1:4]
        if statement.lstrip().startswith("SELECT") and "PRAGMA" not in statement:
            with closing(sqlite3.connect(library.folder / "library.sqlite")) as database:
                plans.extend(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", values))
        del cursor

    sa.event.listen(sa.Engine, "before_cursor_execute", record)
    try:
        select(library.journal, selection, limit=24)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", record)
    return plans


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        *(Selection(order=order) for order in ("oldest", "best", "model", "prompt", "shuffled")),
        Selection(text="锦鲤"),
        Selection(text="a", order="model"),
        Selection(mode="std"),
        Selection(model="kling-v3", status="completed", mode="pro"),
        Selection(tag="水墨"),
        Selection(rating=3, order="oldest"),
        Selection(unrated=True),
        Selection(since=NOON, status="failed"),
    ],
    ids=repr,
)
def test_no_search_reads_every_row(library: Library, selection: Selection) -> None:
    """Each step of each query reads an index, which is small, and no row is read only to be skipped."""
    select(library.journal, Selection(text="koi"))  # makes the index of the prompts
    plans = statements_of(library, selection)
    read = [step for step in plans if step.startswith("SCAN") and "INDEX" not in step]
    scans = [step for step in read if step not in ("SCAN sqlite_master", "SCAN CONSTANT ROW")]
    assert plans
    assert scans == []


def test_the_index_of_the_prompts_is_used(library: Library) -> None:
    """A search for words asks the text index and finds its tasks by their number in it."""
    found(library, "锦鲤")
    plans = statements_of(library, Selection(text="锦鲤"))
    assert any("VIRTUAL TABLE" in step for step in plans)
    assert any("ix_tasks_search" in step for step in plans)


def test_unfinished_tasks_are_found_by_their_index(library: Library) -> None:
    """A query for unfinished tasks reads no finished ones."""
    query = vars(library_module)["_UNFINISHED"]
    assert library.has_unfinished(service="sandbox")
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database:
        (plan,) = database.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
    assert "ix_tasks_unfinished" in plan[3]


def test_a_deleted_task_is_not_found_and_a_restored_one_is(library: Library) -> None:
    """A deletion takes a task out of the search, and the undo brings it back, under its own text only."""
    library.update("koi", status="failed")
    assert "koi" in found(library, "锦鲤")
    deleted = library.delete(["koi"])
    assert found(library, "锦鲤") == set()
    restored = library.restore(deleted)
    assert restored == ("koi",)
    assert found(library, "锦鲤") == {"koi"}
    assert found(library, "cat") == {"cat"}, "the restored task has the number of another one"


def test_the_first_search_makes_the_index_and_later_ones_complete_it(library: Library) -> None:
    """Tasks that are written later, or changed, are found by the next search, and deleted ones are not."""
    assert found(library, "夜景") == set()
    library.add(Entry("night", "sandbox", request={"prompt": "城市夜景"}))
    assert found(library, "夜景") == {"night"}
    library.put(Entry("unknown", "sandbox", request={"prompt": "夜景"}))
    assert found(library, "夜景") == {"night", "unknown"}
    library.update("night", request={"prompt": "日景"})
    assert found(library, "夜景") == {"unknown"}
    assert found(library, "日景") == {"night"}
    with library.journal.begin() as connection:
        connection.execute(tasks.delete().where(tasks.c.key == "unknown"))
    assert found(library, "夜景") == set()
    library.add(Entry("third", "sandbox", request={"prompt": "a sofa"}))
    assert found(library, "夜景") == set(), "the number of the deleted task was given to another one"


@pytest.mark.slow
def test_a_new_index_in_postgresql_has_statistics(
    tmp_path: Path, postgresql_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without statistics of both tables, each search reads all tasks."""
    monkeypatch.setattr(text_index, "_BATCH_SIZE", 2)
    with closing(Library(tmp_path / "videos", database=postgresql_server.create())) as library:
        assert found(filled(library), "锦鲤") == {"koi"}
        query = f"SELECT count(*) FROM pg_class WHERE relname IN ('tasks', '{TABLE}') AND reltuples > 0"
        with library.journal.begin() as connection:
            assert connection.exec_driver_sql(query).scalar() == 2


def test_a_task_of_an_older_version_is_found(library: Library) -> None:
    """A kernel with an older version that still has the journal open writes rows without our columns."""
    found(library, "锦鲤")
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database, database:
        columns = "key, service, task_id, model, request, status, progress, submitted_at"
        request = '{"prompt": "Zebra", "mode": "pro"}'
        row = ("old", "sandbox", "", "kling-v3", request, "failed", 0, 0)
        database.execute(f"INSERT INTO tasks ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    assert found(library, "zebra") == {"old"}
    assert [entry.key for entry, _ in select(library.journal, Selection(mode="pro"))[1]] == ["old"]
    by_prompt = [entry.key for entry, _ in select(library.journal, Selection(order="prompt"))[1]]
    assert by_prompt.index("cat") < by_prompt.index("old") < by_prompt.index("koi")


DAMAGED = "UPDATE task_search_data SET block = x'ffffffffffff' WHERE id > 10"


@pytest.mark.parametrize("damage", ["DROP TABLE task_search", DAMAGED])
def test_a_lost_index_is_made_again(library: Library, damage: str) -> None:
    """An index that is missing or damaged costs one slower search and no result."""
    assert found(library, "锦鲤") == {"koi"}
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database, database:
        database.execute(damage)
    assert found(library, "锦鲤") == {"koi"}
    assert found(library, "锦鲤") == {"koi"}
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database:
        query = f"SELECT count(*) FROM {TABLE} WHERE {TABLE} MATCH '\"锦鲤\"'"
        assert database.execute(query).fetchone() == (1,)


def test_a_sound_index_survives_a_locked_journal(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that cannot read the journal now does not remove the index, which takes long to make."""

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    assert found(library, "锦鲤") == {"koi"}
    with monkeypatch.context() as locked:
        locked.setattr(vars(text_tables)["_SQLiteTable"], "is_finished", fail)
        assert found(library, "锦鲤") == {"koi"}
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database:
        assert TABLE in {name for (name,) in database.execute("SELECT name FROM sqlite_master")}


def test_an_index_that_cannot_even_be_removed_is_not_used(library: Library) -> None:
    """SQLite cannot open an index without its first block, nor remove it; every prompt is read instead."""
    found(library, "锦鲤")
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database, database:
        database.execute("DELETE FROM task_search_data")
    assert found(library, "锦鲤") == {"koi"}
    library.add(Entry("night", "sandbox", request={"prompt": "城市夜景"}))
    assert found(library, "夜景") == {"night"}


def test_a_journal_that_stores_nothing_is_searched(library: Library) -> None:
    """If another program's trigger discards changes, every prompt is read, and no index grows."""
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database, database:
        database.execute("CREATE TRIGGER no BEFORE UPDATE ON tasks BEGIN SELECT RAISE(IGNORE); END")
    assert found(library, "锦鲤") == {"koi"}
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database:
        assert TABLE not in {name for (name,) in database.execute("SELECT name FROM sqlite_master")}


def test_a_key_that_is_no_text_is_indexed(library: Library) -> None:
    """A damaged key loses itself and not the search of its prompt."""
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database, database:
        database.execute("UPDATE tasks SET key = x'ff' WHERE key = 'cat'")
    assert found(library, "sofa") == {"\ufffd"}
    assert text_index.with_index(library.journal, lambda _: True)


def test_a_library_that_cannot_be_written_is_searched(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the index, every prompt is read; nothing is written, and no error is shown."""

    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(vars(text_tables)["_SQLiteTable"], "lock", refuse)
    before = (library.folder / "library.sqlite").read_bytes()
    assert found(library, "锦鲤") == {"koi"}
    assert found(library, "SOFA cat") == {"cat"}
    assert found(library, "雪山") == {"film"}
    assert [entry.key for entry, _ in select(library.journal, Selection(mode="pro"))[1]] == []
    assert len(select(library.journal, Selection(order="prompt"))[1]) == len(PROMPTS) + 2
    assert (library.folder / "library.sqlite").read_bytes() == before


def test_a_sealed_library_is_searched(library: Library, tmp_path: Path) -> None:
    """A journal of a later version is read only, and searched with the index that it has, or without one."""
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database, database:
        database.execute("UPDATE qingbo_version SET version_num = '7.3.0'")
    assert found(Library(library.folder), "锦鲤") == {"koi"}
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database:
        assert TABLE not in {name for (name,) in database.execute("SELECT name FROM sqlite_master")}


def test_without_fts5_every_prompt_is_read(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search works with an SQLite that has no FTS5, even if another kernel has made the index."""
    found(library, "锦鲤")
    monkeypatch.setattr(text_tables, "_has_fts5", lambda: False)
    assert found(library, "锦鲤") == {"koi"}
    assert found(library, "鲤") == {"koi"}
    assert found(library, "雪山") == {"film"}


@pytest.mark.slow
def test_the_index_in_postgresql_is_completed(tmp_path: Path, postgresql_url: Callable[[], str]) -> None:
    """Later tasks are found too; a lost index is made again; without the right to make one, all is read."""
    with closing(filled(Library(tmp_path, database=postgresql_url()))) as library:
        assert found(library, "夜景") == set()
        library.add(Entry("night", "sandbox", request={"prompt": "城市夜景"}))
        assert found(library, "夜景") == {"night"}
        library.update("night", request={"prompt": "日景"})
        assert found(library, "夜景") == set()
        with library.journal.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {TABLE}")
        assert found(library, "日景") == {"night"}
        with library.journal.begin() as connection:
            connection.exec_driver_sql("SET enable_seqscan = off")
            query = text_index.ids_with(connection, "锦鲤")
            assert query is not None
            text = query.compile(connection, compile_kwargs={"literal_binds": True})
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {text}").scalars())
        assert "ix_task_search_parts" in plan
        with library.journal.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {TABLE}")
            connection.exec_driver_sql("CREATE ROLE reader LOGIN PASSWORD 'reader'")
            connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        url = sa.make_url(library.journal.database or "").set(username="reader", password="reader")
        with closing(Library(tmp_path, database=url.render_as_string(hide_password=False))) as reading:
            assert found(reading, "锦鲤") == {"koi"}
            assert found(reading, "日景") == {"night"}


def has_gin(library: Library) -> bool:
    """Return whether PostgreSQL has the index that makes a search fast."""
    query = "SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_task_search_parts'"
    with library.journal.begin() as connection:
        return bool(connection.exec_driver_sql(query).scalar())


@pytest.mark.slow
def test_a_kernel_that_dies_before_the_index_in_postgresql_is_complete(
    tmp_path: Path, postgresql_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search finds everything meanwhile, and the next one creates what is missing."""
    monkeypatch.setattr(text_index, "_BATCH_SIZE", 3)
    table = vars(text_tables)["_PostgreSQLTable"]

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with closing(filled(Library(tmp_path, database=postgresql_url()))) as library:
        with monkeypatch.context() as patch:
            patch.setattr(table, "finish", die)
            with pytest.raises(KeyboardInterrupt):
                found(library, "锦鲤")
            patch.setattr(table, "finish", lambda *_: None)
            assert found(library, "锦鲤") == {"koi"}
        assert not has_gin(library)
        assert found(library, "锦鲤") == {"koi"}
        assert has_gin(library), "every later search would read all prompts"


@pytest.mark.slow
def test_many_new_tasks_in_postgresql_are_added_at_once(
    tmp_path: Path, postgresql_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an import of many videos, the next search finds them, and the index is complete again."""
    monkeypatch.setattr(text_index, "_BATCH_SIZE", 4)
    with closing(filled(Library(tmp_path, database=postgresql_url()))) as library:
        assert found(library, "锦鲤") == {"koi"}
        for number in range(9):
            library.add(Entry(f"night {number}", "sandbox", request={"prompt": "城市夜景", "mode": "pro"}))
        assert len(found(library, "夜景")) == 9
        assert has_gin(library)
        assert len(select(library.journal, Selection(mode="pro"))[1]) == 9


@pytest.mark.slow
def test_two_kernels_search_at_once_in_postgresql(
    tmp_path: Path, postgresql_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find everything, though both make the index, and each text is in it once."""
    monkeypatch.setattr(text_index, "_BATCH_SIZE", 2)
    url = postgresql_url()
    kernels = [Library(tmp_path, database=url) for _ in range(4)]
    filled(kernels[0])
    with ThreadPoolExecutor(len(kernels)) as pool:
        results = list(pool.map(lambda library: found(library, "锦鲤"), kernels))
    assert results == [{"koi"}] * len(kernels)
    assert found(kernels[0], "雪山") == {"film"}
    assert has_gin(kernels[0])
    with kernels[0].journal.begin() as connection:
        assert connection.exec_driver_sql(f"SELECT count(*) FROM {TABLE}").scalar() == len(PROMPTS) + 1
    for library in kernels:
        library.close()
