"""Opening and migration of journals of other versions, older and newer.

``tests/journals`` has journals written by released versions; each test works on a copy of one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.journal import migrations, opening
from qingbo_widgets.library.journal.opening import open_database
from qingbo_widgets.library.journal.revisions import RELEASE, REVISIONS, VERSION_TABLE, release_of
from qingbo_widgets.library.journal.tables import metadata
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.sweeps import Sweeps

JOURNALS = Path(__file__).parents[2] / "journals"
STORED = sorted(path.relative_to(JOURNALS).as_posix() for path in JOURNALS.glob("*/*.sqlite"))
FIRST = "0.1.0/everything.sqlite"
Rows = dict[str, list[dict[str, Any]]]
_COLUMNS_OF_0_2_0 = (
    "contract", "frozen", "billing_status", "first_submitted_at", "mode", "prompt_start", "search_id",
    "seconds",
)  # fmt: skip


@pytest.fixture
def old(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that creates a library folder with a stored journal."""

    def copy(name: str = FIRST, folder: str = "qingbo_videos") -> Path:
        (tmp_path / folder).mkdir(parents=True)
        shutil.copyfile(JOURNALS / name, tmp_path / folder / "library.sqlite")
        return tmp_path / folder

    return copy


@contextmanager
def plain(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file with SQLite directly."""
    with closing(sqlite3.connect(path)) as database, database:
        database.row_factory = sqlite3.Row
        yield database


def rows_of(path: Path) -> Rows:
    """Return every row of every table."""
    with plain(path) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        return {table: [dict(row) for row in database.execute(f"select * from {table}")] for table in tables}


def schema_of(url: str | sa.URL) -> dict[str, Any]:
    """Return the tables, columns, keys and indexes of a database."""
    engine = sa.create_engine(url)
    inspector = sa.inspect(engine)
    found = {
        table: (
            sorted((c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)),
            inspector.get_pk_constraint(table)["constrained_columns"],
            sorted((i["name"] or "", tuple(i["column_names"])) for i in inspector.get_indexes(table)),
        )
        for table in inspector.get_table_names()
    }
    engine.dispose()
    return found


def differences(url: str | sa.URL) -> list[Any]:
    """Return the operations that Alembic would still run to reach the current tables."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        found: list[Any] = compare_metadata(context, metadata)
    engine.dispose()
    return found


def url_of(folder: Path) -> str:
    """Return the journal's URL for SQLAlchemy."""
    return f"sqlite:///{folder / 'library.sqlite'}"


def test_stored_journals_exist() -> None:
    """The stored journals exist; without them, the parametrized tests below would all be skipped."""
    assert {f"0.1.0/{name}.sqlite" for name in ("empty", "everything", "half-made", "tasks-only")} <= set(
        STORED
    )


@pytest.mark.parametrize("name", STORED)
def test_every_stored_journal_opens_and_nothing_is_lost(old: Callable[..., Path], name: str) -> None:
    """Each row of each table is unchanged after the migration, and the library shows it."""
    folder = old(name)
    before = rows_of(folder / "library.sqlite")
    library = Library(folder)
    entries = {entry.key: entry for entry in library.entries()}
    after = rows_of(folder / "library.sqlite")
    for table, rows in before.items():
        assert [{key: row[key] for key in was} for was, row in zip(rows, after[table], strict=True)] == rows
    assert entries.keys() == {row["key"] for row in before["tasks"]}
    for row in before["tasks"]:
        entry = entries[row["key"]]
        assert (entry.task_id, entry.status, entry.file) == (row["task_id"], row["status"], row["file"])
        assert entry.request == (None if row["request"] is None else json.loads(row["request"]))
        assert entry.submitted_at.timestamp() == pytest.approx(row["submitted_at"])
    judgements = library.judgements.of_all(list(entries))
    for row in before.get("judgements", []):
        assert (judgements[row["key"]].rating, judgements[row["key"]].note) == (row["rating"], row["note"])
    assert sorted((key, tag) for key, item in judgements.items() for tag in item.tags) == sorted(
        (row["key"], row["tag"]) for row in before.get("tags", []) if row["key"] in entries
    )
    assert len(library.judgements.preferences()) == len(before.get("preferences", []))
    for row in before.get("sweeps", []):
        sweep = Sweeps(library.journal, row["service"]).get(row["name"])
        of = (row["name"], row["service"])
        cells = [cell for cell in before["sweep_cells"] if (cell["sweep"], cell["service"]) == of]
        assert sweep is not None
        assert [cell.key for cell in sweep.cells] == [cell["key"] for cell in cells]


@pytest.mark.parametrize("name", STORED)
def test_an_old_journal_gets_the_schema_of_a_new_one(
    old: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    """The columns and indexes are the same, whichever of the later tables the old journal had."""
    folder = old(name)
    Library(folder).entries()
    Library(tmp_path / "new").add(Entry(key="a", service="sandbox"))
    assert schema_of(url_of(folder)) == schema_of(url_of(tmp_path / "new"))
    assert differences(url_of(folder)) == []
    assert differences(url_of(tmp_path / "new")) == []


LATER = [
    *(("table", name) for name in ("judgements", "tags", "preferences", "sweeps", "sweep_cells")),
    *(("index", f"ix_{name}") for name in ("tasks_task_id", "tasks_submitted_at", "judgements_rating")),
    *(("index", f"ix_preferences_{name}") for name in ("better", "worse")),
]


@pytest.mark.parametrize(("kind", "name"), LATER)
def test_version_0_1_0_may_have_been_killed_at_any_point(
    old: Callable[..., Path], tmp_path: Path, kind: str, name: str
) -> None:
    """A journal in which version 0.1.0 had not created a table or index yet gets the full schema."""
    folder = old()
    with plain(folder / "library.sqlite") as database:
        database.execute(f"drop {kind} {name}")
    Library(folder).entries()
    Library(tmp_path / "new").add(Entry(key="a", service="sandbox"))
    assert schema_of(url_of(folder)) == schema_of(url_of(tmp_path / "new"))


def test_the_migrations_create_a_new_journal(tmp_path: Path) -> None:
    """All migrations together create the current schema; the first one never runs otherwise."""
    Library(tmp_path / "new").add(Entry(key="a", service="sandbox"))
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'steps.sqlite'}")
    with engine.begin() as connection:
        migrations.upgrade(connection)
    engine.dispose()
    assert schema_of(f"sqlite:///{tmp_path / 'steps.sqlite'}") == schema_of(url_of(tmp_path / "new"))


def test_a_journal_of_the_previous_revision(tmp_path: Path) -> None:
    """A journal without lengths gets the column and its indexes, and keeps its rows."""
    library = Library(tmp_path / "old")
    request = {"model": "kling-v3", "prompt": "A koi", "duration": 10}
    library.add(Entry("a", "sandbox", model="kling-v3", request=request, contract="2026-11", cost=5_000))
    with plain(tmp_path / "old" / "library.sqlite") as database:
        for index in ("ix_tasks_cost", "ix_tasks_seconds"):
            database.execute(f"drop index {index}")
        database.execute("alter table tasks drop column seconds")
        database.execute(f"update {VERSION_TABLE} set version_num = '0.2.0_5'")
    Library(tmp_path / "new").add(Entry(key="a", service="sandbox"))
    reopened = Library(tmp_path / "old")
    assert [(entry.key, entry.cost) for entry in reopened.entries()] == [("a", 5_000)]
    assert schema_of(url_of(tmp_path / "old")) == schema_of(url_of(tmp_path / "new"))
    assert (tmp_path / "old" / "library-0.2.0_5.sqlite").exists()


def test_the_revisions_are_those_of_the_migrations() -> None:
    """The list that identifies a journal without Alembic has every migration."""
    steps = ScriptDirectory.from_config(migrations.configuration()).walk_revisions()
    assert tuple(reversed([step.revision for step in steps])) == REVISIONS
    assert all(release_of(revision) for revision in REVISIONS)


def test_a_new_or_current_journal_needs_no_alembic(tmp_path: Path) -> None:
    """A new or current journal does not import Alembic, which would delay the first task."""
    script = (
        "import sys\nfrom qingbo_widgets.library.entry import Entry\n"
        "from qingbo_widgets.library.library import Library\n"
        f"library = Library({str(tmp_path)!r})\nlibrary.add(Entry(key='a', service='sandbox'))\n"
        f"assert len(Library({str(tmp_path)!r}).entries()) == 1\nassert 'alembic' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_a_backup_is_saved_beside_it(old: Callable[..., Path]) -> None:
    """The backup has the content from before the migration, and is never overwritten."""
    folder = old()
    before = rows_of(folder / "library.sqlite")
    Library(folder).entries()
    assert rows_of(folder / "library-0.1.0.sqlite") == before
    shutil.copyfile(JOURNALS / "0.1.0/tasks-only.sqlite", folder / "library.sqlite")
    Library(folder).entries()
    assert rows_of(folder / "library-0.1.0.sqlite") == before
    assert rows_of(folder / "library-0.1.0-2.sqlite")["tasks"]
    assert {path.name for path in folder.iterdir() if path.suffix in (".sqlite", ".part")} == {
        "library.sqlite",
        "library-0.1.0.sqlite",
        "library-0.1.0-2.sqlite",
    }


def test_a_backup_includes_the_write_ahead_log(old: Callable[..., Path]) -> None:
    """The backup of a journal in WAL mode has its newest rows too, which are in a second file."""
    folder = old()
    with closing(sqlite3.connect(folder / "library.sqlite")) as other:
        other.execute("pragma journal_mode = wal")
        other.execute("update tasks set model = 'in the log'")
        other.commit()
        assert {entry.model for entry in Library(folder).entries()} == {"in the log"}
        assert {row["model"] for row in rows_of(folder / "library-0.1.0.sqlite")["tasks"]} == {"in the log"}


@pytest.mark.parametrize("url", ["sqlite:///{path}", "sqlite:///file:{path}?uri=true"])
def test_a_journal_elsewhere_has_its_backup_beside_it(
    old: Callable[..., Path], tmp_path: Path, url: str
) -> None:
    """A journal named by an SQLite URL of any form has its backup beside it."""
    folder = old(folder="elsewhere")
    library = Library(tmp_path / "videos", database=url.format(path=folder / "library.sqlite"))
    assert library.entries()
    assert (folder / "library-0.1.0.sqlite").exists()
    assert list((tmp_path / "videos").iterdir()) == []


def test_without_a_backup_nothing_is_changed(old: Callable[..., Path]) -> None:
    """If no backup can be saved, as on a full disk, the journal is read-only and a write gets the reason."""
    folder = old()
    before = rows_of(folder / "library.sqlite")
    (folder / "library-0.1.0.part").mkdir()
    library = Library(folder)
    assert len(library.entries()) == len(before["tasks"])
    with pytest.raises(qw.QingboError, match=r"of qingbo_widgets 0\.1\.0 .*a copy is read"):
        library.add(Entry(key="new", service="sandbox"))
    assert rows_of(folder / "library.sqlite") == before
    (folder / "library-0.1.0.part").rmdir()
    library.close()
    library.add(Entry(key="new", service="sandbox"))
    assert len(library.entries()) == len(before["tasks"]) + 1


def test_without_space_for_the_migration_it_is_read_only(
    old: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If SQLite reports a full disk, a copy of the journal elsewhere is read."""
    folder = old("0.1.0/tasks-only.sqlite")
    before = rows_of(folder / "library.sqlite")
    upgrade = migrations.upgrade

    def without_space(connection: sa.Connection) -> None:
        if "qingbo-journal-" not in str(connection.exec_driver_sql("PRAGMA database_list").first()):
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        upgrade(connection)

    monkeypatch.setattr(migrations, "upgrade", without_space)
    library = Library(folder)
    assert len(library.entries()) == len(before["tasks"])
    with pytest.raises(qw.QingboError, match=r"full.*space"):
        library.add(Entry(key="new", service="sandbox"))
    assert rows_of(folder / "library.sqlite") == before


@pytest.mark.parametrize("kind", ["view", "table"])
def test_a_foreign_table_with_our_name_is_left_alone(tmp_path: Path, kind: str) -> None:
    """Nothing is written to the database of another program that has a table or view with our name."""
    with plain(tmp_path / "library.sqlite") as database:
        if kind == "view":
            database.execute("create table jobs (key text)")
            database.execute("create view tasks as select key from jobs")
        else:
            database.execute("create table tags (name text)")
    before = (tmp_path / "library.sqlite").read_bytes()
    with pytest.raises(qw.QingboError, match=r"is not a journal of qingbo_widgets \(its table"):
        Library(tmp_path).entries()
    assert (tmp_path / "library.sqlite").read_bytes() == before


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (
            "postgresql+psycopg://me:pa/s#s?w[o@rd@db.example:5432/films?sslmode=require",
            "films on db.example:5432",
        ),
        ("postgresql+psycopg://db.example/films", "films on db.example"),
        ("sqlite:////srv/a@b.sqlite", "/srv/a@b.sqlite"),
        ("sqlite://", ""),
    ],
)
def test_messages_name_a_database_without_its_password(tmp_path: Path, url: str, place: str) -> None:
    """No password appears, whatever its characters, and no URL makes a library fail before its use."""
    assert Library(tmp_path, database=url).journal.place == place


def test_an_interrupted_write_is_rolled_back_first(old: Callable[..., Path]) -> None:
    """SQLite's rollback journal repairs the file and its backup."""
    folder = old()
    expected = rows_of(folder / "library.sqlite")
    writes = (
        "import os, sqlite3, sys\nd = sqlite3.connect(sys.argv[1])\nd.execute('pragma cache_size = 1')\n"
        "d.execute('begin')\nd.execute(\"update tasks set error = printf('%.20000c', 'x')\")\nos._exit(1)"
    )
    subprocess.run([sys.executable, "-c", writes, folder / "library.sqlite"], check=False, timeout=60)
    assert (folder / "library.sqlite-journal").stat().st_size > 0
    assert len(Library(folder).entries()) == len(expected["tasks"])
    assert rows_of(folder / "library-0.1.0.sqlite") == expected


def test_a_failed_migration_is_rolled_back(old: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed migration changes nothing, as its message states; a later attempt succeeds."""
    folder = old()
    before = rows_of(folder / "library.sqlite")
    upgrade = migrations.upgrade

    def fail(connection: sa.Connection) -> None:
        upgrade(connection)
        connection.execute(sa.text("update tasks set model = 'half'"))
        raise ZeroDivisionError("a migration went wrong")

    monkeypatch.setattr(migrations, "upgrade", fail)
    for _ in range(2):
        with pytest.raises(qw.QingboError, match=r"is from qingbo_widgets 0\.1\.0 .*went wrong.*not changed"):
            Library(folder).entries()
        assert rows_of(folder / "library.sqlite") == before
    assert list(folder.glob("library-*")) == []  # an unchanged journal needs no backup
    monkeypatch.undo()
    assert len(Library(folder).entries()) == len(before["tasks"])


@pytest.mark.parametrize("name", ["100 %", "a#b&c=1 %20", "课程 一", "it's"])
def test_a_folder_of_any_name(old: Callable[..., Path], name: str) -> None:
    """A folder name may contain characters that are special in URLs and in Alembic's settings."""
    folder = old(folder=name)
    assert Library(folder).entries()
    assert (folder / "library-0.1.0.sqlite").exists()


def test_the_older_version_can_still_write(old: Callable[..., Path]) -> None:
    """An INSERT of the older version, whose kernel may have the journal open, still succeeds."""
    folder = old()
    columns = list(rows_of(folder / "library.sqlite")["tasks"][0])
    Library(folder).entries()
    with plain(folder / "library.sqlite") as database:
        values = {**dict.fromkeys(columns), "key": "k", "service": "s", "status": "queued", "task_id": "",
                  "model": "", "progress": 0, "submitted_at": 0.0}  # fmt: skip
        names, places = ", ".join(columns), ", ".join(f":{name}" for name in columns)
        database.execute(f"insert into tasks ({names}) values ({places})", values)
    assert Library(folder).get("k") is not None


# ------------------------------------------------------------------ later versions


@pytest.fixture
def later(old: Callable[..., Path]) -> Path:
    """Return a library whose journal a later version has migrated to another revision."""
    folder = old()
    Library(folder).entries()
    with plain(folder / "library.sqlite") as database:
        database.execute("alter table tasks add column colour text not null default 'blue'")
        database.execute("create table albums (name text primary key)")
        database.execute(f"update {VERSION_TABLE} set version_num = '7.3.0-2'")
    return folder


def test_a_journal_of_a_later_version_is_read_and_not_changed(later: Path) -> None:
    """Every write is refused with a remedy; everything can be read."""
    before = (later / "library.sqlite").read_bytes()
    library = Library(later)
    entries = library.entries()
    assert len(entries) == len(rows_of(JOURNALS / FIRST)["tasks"])
    assert any(item.rating for item in library.judgements.of_all([entry.key for entry in entries]).values())
    writes: list[Callable[[], object]] = [
        lambda: library.add(Entry(key="new", service="sandbox")),
        lambda: library.update(entries[0].key, model="x"),
        lambda: library.hold(entries[0].key, "me", 30),
        lambda: library.judgements.rate(entries[0].key, 5),
        lambda: library.judgements.tag(entries[0].key, ["x"]),
        lambda: library.judgements.prefer(entries[0].key, entries[1].key),
        lambda: Sweeps(library.journal, "sandbox").change("x", max_running=2),
    ]
    for write in writes:
        with pytest.raises(qw.QingboError, match=r"7\.3\.0 or newer.*Upgrade .*connect\(library=…\)"):
            write()
    assert (later / "library.sqlite").read_bytes() == before


def test_connecting_to_a_later_journal_warns_and_sends_nothing(later: Path, sandbox: qw.Sandbox) -> None:
    """No request is sent without a row, because the task would be paid for and lost."""
    with pytest.warns(UserWarning, match=r"7\.3\.0 or newer"):
        manager = qw.connect(sandbox=sandbox, library=later)
    with manager:
        task = manager.submit(prompt="koi")
        with pytest.raises(qw.QingboError, match=r"7\.3\.0 or newer.*Nothing was sent"):
            task.wait(30)
        assert sandbox.requests == {}
        assert len(manager.library.entries()) > 0


def test_a_later_version_that_migrates_first(
    old: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that a later version migrates while this one waits for the lock is read-only."""
    folder = old()
    bring_up_to_date: Callable[..., str] = vars(opening)["bring_up_to_date"]

    def later(*arguments: Any) -> str:
        with plain(folder / "library.sqlite") as database:
            database.execute(f"create table {VERSION_TABLE} (version_num text)")
            database.execute(f"insert into {VERSION_TABLE} values ('7.3.0')")
            for column in _COLUMNS_OF_0_2_0:
                database.execute(f"alter table tasks add column {column}")
        return bring_up_to_date(*arguments)

    monkeypatch.setattr(opening, "bring_up_to_date", later)
    with pytest.raises(qw.QingboError, match=r"7\.3\.0 or newer"):
        Library(folder).add(Entry(key="new", service="sandbox"))


def test_a_revision_without_a_release_is_newer_too(later: Path) -> None:
    """A revision without a release, as of a development version, counts as newer."""
    with plain(later / "library.sqlite") as database:
        database.execute(f"update {VERSION_TABLE} set version_num = 'deadbeef'")
    assert Library(later).entries()
    with pytest.raises(qw.QingboError, match=rf"newer qingbo_widgets than {RELEASE}"):
        Library(later).add(Entry(key="new", service="sandbox"))


def test_rows_without_a_contract_have_the_first_one(old: Callable[..., Path]) -> None:
    """Old rows get the first contract by the migration, and a row of another contract keeps it."""
    library = Library(old())
    assert {entry.contract for entry in library.entries()} == {"2026-04"}
    library.add(Entry(key="new", service="sandbox", contract="2026-11"))
    assert library.entries(limit=1)[0].contract == "2026-11"
    library.update("new", status="failed")
    library.put(Entry(key="new", service="sandbox", status="failed", contract="2026-11"))
    assert library.get("new").contract == "2026-11"


def test_rows_from_before_the_costs_have_none(old: Callable[..., Path]) -> None:
    """Old rows have no reserved quota and no billing, also while they are updated; new rows keep theirs."""
    library = Library(old())
    (*_, first) = library.entries()
    assert (first.frozen, first.billing_status, first.first_submitted_at) == (None, "", None)
    library.put(replace(first, frozen=189_000, billing_status="settled", cost=0))
    kept = library.get(first.key)
    assert kept is not None
    assert (kept.frozen, kept.billing_status) == (189_000, "settled")
    # An older version writes the columns that it knows, and leaves these alone.
    library.update(first.key, reopen=True, progress=1)
    with plain(library.folder / "library.sqlite") as database:
        (row,) = database.execute("select * from tasks where key = ?", [first.key])
    assert (row["frozen"], row["billing_status"], row["progress"]) == (189_000, "settled", 1)


# ------------------------------------------------------------------ write protection

PROTECTED = """
import os, sys, tempfile
from pathlib import Path
import qingbo_widgets as qw
from qingbo_widgets.library.journal import migrations, opening, rows, tables
from qingbo_widgets.library import judgements, sidecar, sweeps
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.search import choices
Library(sys.argv[2]).entries()  # for the late imports, while all files are readable
folder = Path(sys.argv[1])
if os.geteuid() == 0:
    os.seteuid(65534)
before = sorted(path.name for path in folder.iterdir())
library = Library(folder)
names = sweeps.Sweeps(library.journal, "sandbox").names()
print(len(library.entries()), len(names), len(choices(library.journal).tags))
for write in (
    lambda: library.add(Entry(key="new", service="sandbox")),
    lambda: library.judgements.rate(library.entries()[0].key, 5),
):
    try:
        write()
    except qw.QingboError as error:
        print(error)
assert sorted(path.name for path in folder.iterdir()) == before
library.close()
"""


def test_a_library_that_becomes_writable_is_written(old: Callable[..., Path]) -> None:
    """After a refused write the journal is checked again, so no restart is needed."""
    folder = old()
    (folder / "library-0.1.0.part").mkdir()
    library = Library(folder)
    for _ in range(2):
        with pytest.raises(qw.QingboError, match="a copy is read"):
            library.add(Entry(key="new", service="sandbox"))
    (folder / "library-0.1.0.part").rmdir()
    library.entries()
    library.add(Entry(key="new", service="sandbox"))
    assert library.get("new") is not None


def test_a_journal_that_replaces_an_open_one(old: Callable[..., Path]) -> None:
    """A backup that is restored while the kernel runs is migrated like any other journal."""
    folder = old()
    library = Library(folder)
    library.add(Entry(key="new", service="sandbox"))
    shutil.copyfile(JOURNALS / "0.1.0/tasks-only.sqlite", folder / "back")
    (folder / "library.sqlite").unlink()
    (folder / "back").rename(folder / "library.sqlite")
    assert len(library.entries()) == len(rows_of(JOURNALS / "0.1.0/tasks-only.sqlite")["tasks"])
    library.judgements.rate("x", 3)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="protects with the permissions of POSIX")
@pytest.mark.parametrize("is_old", [True, False])
def test_a_write_protected_library_can_be_read(
    old: Callable[..., Path], tmp_path: Path, is_old: bool
) -> None:
    """On a write-protected medium or share, an old journal is migrated in a copy elsewhere."""
    source = old()
    expected = len(rows_of(source / "library.sqlite")["tasks"])
    if not is_old:
        Library(source).entries()
    shutil.copytree(source, tmp_path / "else")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TMPDIR", raising=False)
        folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    try:
        shutil.copyfile(source / "library.sqlite", folder / "library.sqlite")
        (folder / "library.sqlite").chmod(0o444)
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", PROTECTED, folder, tmp_path / "else"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        counts, *refusals = done.stdout.splitlines()
        assert int(counts.split()[0]) == expected
        assert int(counts.split()[1]) > 0
        assert int(counts.split()[2]) > 0
        assert len(refusals) == 2
        assert all("writable" in refusal and "connect(library=…)" in refusal for refusal in refusals)
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


# ------------------------------------------------------------------ several kernels

OPENS = """
import sys
from pathlib import Path
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
import qingbo_widgets.library.journal.migrations, qingbo_widgets.library.journal.opening
print("ready", flush=True)
sys.stdin.readline()
library = Library(sys.argv[1])
before = len(library.entries())
library.add(Entry(key=sys.argv[2], service="sandbox"))
print(before, flush=True)
"""


@pytest.mark.slow
def test_kernels_that_open_it_at_the_same_moment(old: Callable[..., Path]) -> None:
    """One kernel migrates and the others wait; all of them write, and there is one backup."""
    for turn in range(5):
        folder = old(folder=f"turn {turn}")
        expected = len(rows_of(folder / "library.sqlite")["tasks"])
        kernels = [
            subprocess.Popen(
                [sys.executable, "-c", OPENS, folder, f"kernel {number}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(3)
        ]
        for kernel in kernels:
            assert kernel.stdout is not None
            assert kernel.stdout.readline() == "ready\n"
        for kernel in kernels:
            assert kernel.stdin is not None
            kernel.stdin.write("go\n")
            kernel.stdin.flush()
        for kernel in kernels:
            seen, _ = kernel.communicate(timeout=60)
            assert kernel.returncode == 0
            assert int(seen) >= expected
        assert len(Library(folder).entries()) == expected + 3
        assert [path.name for path in folder.glob("library-*")] == ["library-0.1.0.sqlite"]


DIES = """
import sys, time
from qingbo_widgets.library.journal import migrations
from qingbo_widgets.library.library import Library
upgrade = migrations.upgrade
def stop(connection):
    upgrade(connection)
    print("migrated", flush=True)
    time.sleep(600)
migrations.upgrade = stop
Library(sys.argv[1]).entries()
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends a signal of POSIX")
def test_a_kernel_that_is_killed_in_the_middle(old: Callable[..., Path]) -> None:
    """A kernel killed during the migration leaves nothing of it; the next kernel migrates."""
    folder = old()
    expected = len(rows_of(folder / "library.sqlite")["tasks"])
    command: list[str | Path] = [sys.executable, "-c", DIES, folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as kernel:
        assert kernel.stdout is not None
        assert kernel.stdout.readline() == "migrated\n"
        kernel.send_signal(signal.SIGKILL)
    assert VERSION_TABLE not in rows_of(folder / "library.sqlite")
    assert len(Library(folder).entries()) == expected
    assert schema_of(url_of(folder))[VERSION_TABLE]
    assert [path.name for path in folder.glob("library-*")] == ["library-0.1.0.sqlite"]


# ------------------------------------------------------------------ PostgreSQL


def _load(url: str, dump: Path) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(dump.read_bytes())


@pytest.mark.slow
def test_an_old_journal_in_postgresql(postgresql_url: Callable[[], str], tmp_path: Path) -> None:
    """The same migrations lead to the same schema as in a new database."""
    url, new = postgresql_url(), postgresql_url()
    _load(url, JOURNALS / "0.1.0" / "everything.sql")
    library = Library(tmp_path, database=url)
    assert {entry.key for entry in library.entries()} == {
        row["key"] for row in rows_of(JOURNALS / FIRST)["tasks"]
    }
    library.add(Entry(key="new", service="sandbox"))
    Library(tmp_path, database=new).add(Entry(key="a", service="sandbox"))
    assert schema_of(url) == schema_of(new)
    assert differences(url) == []
    assert not (tmp_path / "library.sqlite").exists()


@pytest.mark.slow
def test_a_failed_migration_in_postgresql(
    postgresql_url: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed migration leaves no table or column behind."""
    url = postgresql_url()
    _load(url, JOURNALS / "0.1.0" / "everything.sql")
    before = schema_of(url)
    upgrade = migrations.upgrade

    def fail(connection: sa.Connection) -> None:
        upgrade(connection)
        raise ZeroDivisionError("a migration went wrong")

    monkeypatch.setattr(migrations, "upgrade", fail)
    with pytest.raises(qw.QingboError, match=r"went wrong.*not changed"):
        Library(tmp_path, database=url).entries()
    assert schema_of(url) == before
    monkeypatch.undo()
    assert Library(tmp_path, database=url).entries()


@pytest.mark.slow
def test_a_later_journal_in_postgresql(postgresql_url: Callable[[], str], tmp_path: Path) -> None:
    """The server itself rejects every change to a journal of a later version."""
    url = postgresql_url()
    Library(tmp_path, database=url).add(Entry(key="a", service="sandbox"))
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text(f"update {VERSION_TABLE} set version_num = '7.3.0'"))
    engine.dispose()
    library = Library(tmp_path, database=url)
    assert [entry.key for entry in library.entries()] == ["a"]
    with pytest.raises(qw.QingboError, match=r"7\.3\.0 or newer"):
        library.add(Entry(key="b", service="sandbox"))


@pytest.mark.slow
def test_two_kernels_migrate_one_postgresql(postgresql_url: Callable[[], str], tmp_path: Path) -> None:
    """The other kernels wait for the lock and find the journal migrated."""
    url = postgresql_url()
    _load(url, JOURNALS / "0.1.0" / "everything.sql")
    script = (
        "import sys\nfrom qingbo_widgets.library.entry import Entry\n"
        "from qingbo_widgets.library.library import Library\n"
        "library = Library(sys.argv[1], database=sys.argv[2])\n"
        "library.add(Entry(key=sys.argv[3], service='sandbox'))\n"
    )
    kernels = [subprocess.Popen([sys.executable, "-c", script, tmp_path, url, str(n)]) for n in range(3)]
    assert [kernel.wait(60) for kernel in kernels] == [0, 0, 0]
    assert len(Library(tmp_path, database=url).entries()) == len(rows_of(JOURNALS / FIRST)["tasks"]) + 3


def test_opening_twice_changes_nothing(old: Callable[..., Path]) -> None:
    """Opening a current journal changes no byte of it."""
    folder = old()
    Library(folder).entries()
    before = (folder / "library.sqlite").read_bytes()
    assert open_database(folder / "library.sqlite", None, "it").read_only is None
    assert (folder / "library.sqlite").read_bytes() == before
