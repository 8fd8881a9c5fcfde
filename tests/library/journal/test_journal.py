"""Journals that are damaged, foreign, locked, or on a full disk."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.journal import engine
from qingbo_widgets.library.journal.damage import short_reason
from qingbo_widgets.library.library import Library
from qingbo_widgets.system import forks
from qingbo_widgets.tasks.following import saving

NOWHERE = "https://qingbo.dev/v1"


def entry(key: str, **columns: Any) -> Entry:
    """Return a row with the columns that matter to the test."""
    return Entry(key=key, service=NOWHERE, **columns)


@contextmanager
def changing(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open the journal as another program does."""
    with closing(sqlite3.connect(folder / "library.sqlite")) as database, database:
        yield database


def test_a_fork_waits_for_a_connection_that_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite holds a lock of the process while it closes a file; a child of that moment would hang."""
    journal, protected = Library(tmp_path).journal, []
    with journal.shared_transaction(), journal.begin() as connection:
        connection.execute(sa.text("select 1"))
    kind, close = type(connection), type(connection).close

    def closing_now(self: sa.Connection) -> None:
        protected.append(threading.get_ident() in forks._gate._inside)
        close(self)

    monkeypatch.setattr(kind, "close", closing_now)
    journal.close_connection()
    assert protected == [True], "a fork does not wait for the connection that is closed"


def test_a_file_that_is_no_journal_is_named_and_left_as_it_is(tmp_path):
    """A file with the journal's name is never overwritten; the error of ``connect`` has the remedy."""
    path = tmp_path / "library.sqlite"
    path.write_bytes(b"holiday pictures " * 1000)
    before = path.read_bytes()
    with pytest.raises(qw.QingboError, match=r"damaged.*another folder"):
        qw.connect("some-key", library=tmp_path)
    with pytest.raises(qw.QingboError, match="damaged"):
        Library(tmp_path).add(entry("a"))
    assert path.read_bytes() == before


@pytest.mark.slow
def test_a_journal_damaged_in_the_middle_is_named(tmp_path):
    """Reading a journal with a torn disk page raises our error instead of one of SQL."""
    library = Library(tmp_path)
    for number in range(200):
        library.add(entry(f"{number:032}", request={"prompt": "锦鲤" * 50}))
    path = tmp_path / "library.sqlite"
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\x5a" * (len(content) - 12288)
    path.write_bytes(content)
    with pytest.raises(qw.QingboError, match=r"library\.sqlite is damaged"):
        library.entries()
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "schema", ["create table recipes (name text)", "create table tasks (id integer, title text)"]
)
def test_the_database_of_another_program_is_left_alone(tmp_path, schema):
    """No table is added to it, even if one of its own has the name of ours."""
    with changing(tmp_path) as database:
        database.execute(schema)
    before = (tmp_path / "library.sqlite").read_bytes()
    with pytest.raises(qw.QingboError, match="not a journal of qingbo_widgets"):
        Library(tmp_path).entries()
    assert (tmp_path / "library.sqlite").read_bytes() == before


def test_an_empty_file_becomes_a_journal(tmp_path):
    """An empty file, left by a kernel that died while creating the journal, becomes a journal."""
    (tmp_path / "library.sqlite").touch()
    library = Library(tmp_path)
    library.add(entry("a"))
    assert [row.key for row in library.entries()] == ["a"]


def test_an_invalid_row_does_not_hide_the_others(tmp_path):
    """A row with broken JSON, an empty status or an invalid time is shown without these values."""
    library = Library(tmp_path)
    for key in ("bad", "list", "deep", "good"):
        library.add(entry(key * 8, status="queued", task_id=key, request={"prompt": "锦鲤"}))
    with changing(tmp_path) as database:
        database.execute(
            "update tasks set request = '{\"prompt', status = '', error = '[', created_at = 'x', "
            "file = '../../etc/passwd' where task_id = 'bad'"
        )
        database.execute("update tasks set request = '[7]', error = '7' where task_id = 'list'")
        database.execute("update tasks set request = ? where task_id = 'deep'", ["[" * 100_000])
    rows = {row.task_id: row for row in library.entries()}
    assert [rows[name].request for name in ("bad", "list", "deep")] == [None] * 3
    assert rows["list"].error is None
    assert rows["good"].request == {"prompt": "锦鲤"}
    assert library.video_of(rows["bad"]) == tmp_path / "passwd"
    with qw.TaskManager(qw.Client("some-key", "http://127.0.0.1:1/v1"), library) as manager:
        recovered = [manager.adopt(row.key) for row in rows.values()]
        assert {task.task_id for task in recovered if task} == {"bad", "list", "deep", "good"}


def test_a_folder_that_was_removed_is_made_anew(tmp_path):
    """A folder that the user removes while a notebook runs is created again, without a restart."""
    library = Library(tmp_path / "videos")
    library.add(entry("a"))
    shutil.rmtree(tmp_path / "videos")
    assert library.entries() == []
    library.add(entry("b"))
    assert [row.key for row in library.entries()] == ["b"]


@pytest.mark.timeout(60)
def test_closing_does_not_wait_for_a_kernel_that_writes(tmp_path, monkeypatch):
    """A manager closes even while another program keeps the journal locked."""
    monkeypatch.setattr(engine, "PATIENCE", 3600.0)  # the wait for any other row
    manager = qw.TaskManager(qw.Client("some-key", "http://127.0.0.1:1/v1"), Library(tmp_path))
    manager.library.add(entry("a"), holder=manager.holder, seconds=30)
    manager.monitor.start(asyncio.sleep, 0).result(30)  # so that it has tasks to release
    with changing(tmp_path) as database:
        database.execute("begin exclusive")
        manager.close()
        database.rollback()
    assert [row.key for row in manager.library.entries()] == ["a"]


@pytest.mark.slow
def test_a_journal_failure_does_not_lose_a_saved_video(manager, monkeypatch):
    """A video stays saved if the journal fails when the sidecar needs the rating."""

    def fails(*_: object) -> None:
        raise sa.exc.OperationalError("select", {}, Exception("database is locked"))

    monkeypatch.setattr(saving, "write_sidecar", fails)
    task = manager.submit(prompt="koi").wait(60)
    assert task.video_path.is_file()
    assert manager.library.get(task.key).file == task.video_path.name


def test_the_text_of_an_error_is_that_of_the_database():
    """The text has neither SQL nor a prompt nor a link of SQLAlchemy."""
    error = sa.exc.OperationalError("insert into tasks", {"prompt": "secret"}, Exception("disk is full"))
    assert short_reason(error) == "disk is full"


FULL_DISK = """
import resource, sys
import qingbo_widgets as qw
library = qw.Library(sys.argv[1])
manager = qw.TaskManager(qw.Client(sys.argv[3], sys.argv[2]), library, poll_interval=0.05)
print(manager.submit(prompt="the first").wait(30).status, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))  # nothing is written beyond this
task = manager.submit(prompt="a long one " * 200)
try:
    task.wait(30)
except qw.QingboError as error:
    print(error, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
task.submit_again()
print(task.wait(30).status, flush=True)
manager.close()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit on Windows")
def test_a_full_disk_is_reported_and_the_task_can_be_submitted_later(sandbox, tmp_path):
    """Nothing is sent while the journal cannot grow; with free space, the same task is submitted."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path / "videos", sandbox.base_url, sandbox.api_key],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, refusal, last = done.stdout.splitlines()
    assert (first, last) == ("completed", "completed")
    assert "cannot be written" in refusal
    assert "Nothing was sent" in refusal
    assert len(sandbox.requests) == len(Library(tmp_path / "videos").entries())
