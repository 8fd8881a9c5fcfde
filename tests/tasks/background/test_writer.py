"""``writer``: concurrent writes share a transaction and are on disk when their callers continue."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.tasks.background import writer as module
from qingbo_widgets.tasks.background.writer import JournalWriter


def entry(key: str) -> Entry:
    """Return a row."""
    return Entry(key=key, service="https://qingbo.dev/v1")


def keys(library: Library) -> list[str]:
    """Return the keys of the rows as another program sees them."""
    with closing(sqlite3.connect(library.journal.path)) as database:
        return [key for (key,) in database.execute("SELECT key FROM tasks ORDER BY key")]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Return a library with a journal."""
    library = Library(tmp_path / "videos")
    library.add(entry("0"))
    return library


@pytest.fixture
def writer(library: Library) -> Iterator[JournalWriter]:
    """Return a writer of the library's journal, which idles only when a test waits."""
    writer = JournalWriter(library.journal)
    yield writer
    writer.shutdown()


@pytest.fixture
def open_gate(writer: JournalWriter) -> Callable[[], None]:
    """Block the writer until the returned function is called."""
    gate, begun = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        gate.wait(30)

    writer.submit(wait)
    assert begun.wait(30)
    return gate.set


def open_files(folder: Path) -> list[Path]:
    """Return the files of a folder that this process has open."""
    files = [Path(file.path).resolve() for file in psutil.Process().open_files()]
    return [file for file in files if file.is_relative_to(folder.resolve())]


def counted(library: Library, event: str) -> list[object]:
    """Return a list that grows with each ``commit`` or ``connect``."""
    seen: list[object] = []
    with library.journal.begin() as connection:
        engine = connection.engine
    sa.event.listen(engine, event, lambda *_: seen.append(event))
    return seen


def test_calls_that_wait_share_a_transaction(
    library: Library, writer: JournalWriter, open_gate: Callable[[], None]
) -> None:
    """A commit waits for the disk, so twenty concurrent rows are committed once."""
    commits = counted(library, "commit")
    calls = [writer.submit(library.add, entry(f"{number:02}")) for number in range(20)]
    open_gate()
    for call in calls:
        call.result(30)
    assert commits == ["commit"]
    assert len(keys(library)) == 21


def test_a_call_has_its_result_when_its_row_is_on_the_disk(
    library: Library, writer: JournalWriter, open_gate: Callable[[], None]
) -> None:
    """A result is not set before the shared transaction is committed, so a request is sent after its row."""
    seen: list[list[str]] = []
    first: Future[None] = writer.submit(library.add, entry("a"))
    first.add_done_callback(lambda _: seen.append(keys(library)))
    before = writer.submit(lambda: (first.done(), keys(library)))
    open_gate()
    assert before.result(30) == (False, ["0"])
    assert seen == [["0", "a"]]


def test_a_failing_call_does_not_affect_the_others(
    library: Library, writer: JournalWriter, open_gate: Callable[[], None]
) -> None:
    """A duplicate row raises for its own caller, and the rows of the other calls are written."""
    calls = [writer.submit(library.add, entry(key)) for key in ("a", "0", "b")]
    renewed = writer.submit(library.hold, "0", "us", 30.0)
    open_gate()
    with pytest.raises(sa.exc.IntegrityError):
        calls[1].result(30)
    assert (calls[0].result(30), calls[2].result(30), renewed.result(30)) == (None, None, True)
    assert keys(library) == ["0", "a", "b"]


def test_after_a_batch_a_call_waits_for_others(
    library: Library, writer: JournalWriter, open_gate: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of many tasks that arrive shortly after each other share a transaction."""
    waits, proceed = threading.Event(), threading.Event()
    monkeypatch.setattr(time, "sleep", lambda _: (waits.set(), proceed.wait(30)))
    commits = counted(library, "commit")
    together = [writer.submit(library.add, entry(key)) for key in ("a", "b")]
    open_gate()
    for call in together:
        call.result(30)
    assert not waits.is_set()
    third = writer.submit(library.add, entry("c"))
    assert waits.wait(30)
    fourth = writer.submit(library.add, entry("d"))
    proceed.set()
    assert (third.result(30), fourth.result(30)) == (None, None)
    assert commits == ["commit"] * 2


def test_calls_that_follow_each_other_open_the_journal_once(
    library: Library, writer: JournalWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is not opened again for each row; other threads still open their own."""
    monkeypatch.setattr(module, "LINGER", 60.0)
    opened = counted(library, "connect")
    for number in range(5):
        writer.submit(library.add, entry(f"a{number}")).result(30)
    assert len(opened) == 1
    assert len(library.entries()) == 6
    assert len(opened) == 2


def test_an_idle_writer_holds_no_file_open(
    library: Library, writer: JournalWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the writer is idle, its folder can be moved or removed, on Windows too."""
    closed = threading.Event()
    close_connection = library.journal.close_connection
    monkeypatch.setattr(library.journal, "close_connection", lambda: (close_connection(), closed.set()))
    writer.submit(library.add, entry("a")).result(30)
    opened = writer.submit(open_files, library.folder).result(30)
    closed.clear()
    assert library.journal.path.resolve() in opened
    assert closed.wait(30)
    assert open_files(library.folder) == []
    shutil.rmtree(library.folder)
    writer.submit(library.add, entry("b")).result(30)
    assert keys(library) == ["b"]


@pytest.mark.skipif("sys.platform == 'win32'", reason="Windows removes no folder with an open file")
@pytest.mark.usefixtures("rules_of_posix")
def test_a_removed_folder_is_created_again(
    library: Library, writer: JournalWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row is written into a deleted file, even if another file has replaced it."""
    monkeypatch.setattr(module, "LINGER", 60.0)
    writer.submit(library.add, entry("a")).result(30)
    try:
        shutil.rmtree(library.folder)
    except OSError:
        pytest.skip("this file system removes no folder with an open file, as Windows does not")
    writer.submit(library.add, entry("b")).result(30)
    assert keys(library) == ["b"]
    shutil.rmtree(library.folder)
    Library(library.folder).add(entry("c"))  # another kernel
    writer.submit(library.add, entry("d")).result(30)
    assert keys(library) == ["c", "d"]


@pytest.mark.slow
def test_accepted_calls_are_written_before_shutdown(
    library: Library, writer: JournalWriter, open_gate: Callable[[], None]
) -> None:
    """Shutdown during many calls completes each of them and ends the thread with the file closed."""
    calls = [writer.submit(library.add, entry(f"{number:03}")) for number in range(120)]
    writer.shutdown(wait=False)
    open_gate()
    writer.join(60)
    assert all(call.done() for call in calls)
    assert len(keys(library)) == 121
    with pytest.raises(RuntimeError, match="closed"):
        writer.submit(int)
