"""``writer``: what comes together is written together, and is on the disk when its writer goes on."""

from __future__ import annotations

import shutil
import sqlite3
import threading
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
from qingbo_widgets.tasks.background.writer import Scribe


def entry(key: str) -> Entry:
    """A row."""
    return Entry(key=key, service="https://qingbo.dev/v1")


def keys(library: Library) -> list[str]:
    """The rows as another program sees them."""
    with closing(sqlite3.connect(library.journal.path)) as database:
        return [key for (key,) in database.execute("SELECT key FROM tasks ORDER BY key")]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """One with a journal."""
    made = Library(tmp_path / "videos")
    made.add(entry("0"))
    return made


@pytest.fixture
def scribe(library: Library) -> Iterator[Scribe]:
    """Writes the library's journal, and closes it only where a test says so."""
    made = Scribe(library.journal)
    yield made
    made.shutdown()


@pytest.fixture
def open_gate(scribe: Scribe) -> Callable[[], None]:
    """Calls wait until this is called."""
    gate, begun = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        gate.wait(30)

    scribe.submit(wait)
    assert begun.wait(30)
    return gate.set


def open_files(folder: Path) -> list[Path]:
    """The files of a folder that this process holds open."""
    files = [Path(file.path).resolve() for file in psutil.Process().open_files()]
    return [file for file in files if file.is_relative_to(folder.resolve())]


def counted(library: Library, event: str) -> list[object]:
    """Grows with each ``commit`` or ``connect``."""
    seen: list[object] = []
    with library.journal.begin() as connection:
        engine = connection.engine
    sa.event.listen(engine, event, lambda *_: seen.append(event))
    return seen


def test_calls_that_wait_share_a_transaction(
    library: Library, scribe: Scribe, open_gate: Callable[[], None]
) -> None:
    """To end one is to wait for the disk: twenty rows that come together wait once."""
    commits = counted(library, "commit")
    calls = [scribe.submit(library.add, entry(f"{number:02}")) for number in range(20)]
    open_gate()
    for call in calls:
        call.result(30)
    assert commits == ["commit"]
    assert len(keys(library)) == 21


def test_a_call_has_its_result_when_its_row_is_on_the_disk(
    library: Library, scribe: Scribe, open_gate: Callable[[], None]
) -> None:
    """Not before the transaction ends that it shares with others: a request leaves when its row is there."""
    seen: list[list[str]] = []
    first: Future[None] = scribe.submit(library.add, entry("a"))
    first.add_done_callback(lambda _: seen.append(keys(library)))
    before = scribe.submit(lambda: (first.done(), keys(library)))
    open_gate()
    assert before.result(30) == (False, ["0"])
    assert seen == [["0", "a"]]


def test_what_fails_takes_nothing_with_it(
    library: Library, scribe: Scribe, open_gate: Callable[[], None]
) -> None:
    """A row that is there already, in the midst of others: its writer is told so, the others have theirs."""
    calls = [scribe.submit(library.add, entry(key)) for key in ("a", "0", "b")]
    renewed = scribe.submit(library.hold, "0", "us", 30.0)
    open_gate()
    with pytest.raises(sa.exc.IntegrityError):
        calls[1].result(30)
    assert (calls[0].result(30), calls[2].result(30), renewed.result(30)) == (None, None, True)
    assert keys(library) == ["0", "a", "b"]


def test_in_company_a_call_waits_for_others(
    library: Library, scribe: Scribe, open_gate: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many tasks one row after the other comes in, each a little too late for the one before it."""
    waits, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(module.time, "sleep", lambda _: (waits.set(), go_on.wait(30)))
    commits = counted(library, "commit")
    together = [scribe.submit(library.add, entry(key)) for key in ("a", "b")]
    open_gate()
    for call in together:
        call.result(30)
    assert not waits.is_set()
    third = scribe.submit(library.add, entry("c"))
    assert waits.wait(30)
    fourth = scribe.submit(library.add, entry("d"))
    go_on.set()
    assert (third.result(30), fourth.result(30)) == (None, None)
    assert commits == ["commit"] * 2


def test_calls_that_follow_each_other_open_the_journal_once(
    library: Library, scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is not opened anew for each row; other threads open theirs as ever."""
    monkeypatch.setattr(module, "LINGER", 60.0)
    opened = counted(library, "connect")
    for number in range(5):
        scribe.submit(library.add, entry(f"a{number}")).result(30)
    assert len(opened) == 1
    assert len(library.entries()) == 6
    assert len(opened) == 2


def test_an_idle_scribe_holds_no_file_open(
    library: Library, scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder can be moved or removed when nothing happens, on Windows too."""
    closed = threading.Event()
    let_go = library.journal.let_go
    monkeypatch.setattr(library.journal, "let_go", lambda: (let_go(), closed.set()))
    scribe.submit(library.add, entry("a")).result(30)
    opened = scribe.submit(open_files, library.folder).result(30)
    closed.clear()
    assert library.journal.path.resolve() in opened
    assert closed.wait(30)
    assert open_files(library.folder) == []
    shutil.rmtree(library.folder)
    scribe.submit(library.add, entry("b")).result(30)
    assert keys(library) == ["b"]


@pytest.mark.skipif("sys.platform == 'win32'", reason="Windows removes no folder with an open file")
@pytest.mark.usefixtures("rules_of_posix")
def test_a_folder_that_was_removed_in_the_midst_of_it_is_made_anew(
    library: Library, scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row is not written into a file that nobody can open any more, even if another is in its place."""
    monkeypatch.setattr(module, "LINGER", 60.0)
    scribe.submit(library.add, entry("a")).result(30)
    try:
        shutil.rmtree(library.folder)
    except OSError:
        pytest.skip("this file system removes no folder with an open file, as Windows does not")
    scribe.submit(library.add, entry("b")).result(30)
    assert keys(library) == ["b"]
    shutil.rmtree(library.folder)
    Library(library.folder).add(entry("c"))  # another kernel
    scribe.submit(library.add, entry("d")).result(30)
    assert keys(library) == ["c", "d"]


@pytest.mark.slow
def test_what_was_taken_is_written_before_the_end(
    library: Library, scribe: Scribe, open_gate: Callable[[], None]
) -> None:
    """Closing in the midst of many calls: each is done, and the thread ends with the file closed."""
    calls = [scribe.submit(library.add, entry(f"{number:03}")) for number in range(120)]
    scribe.shutdown(wait=False)
    open_gate()
    scribe.join(60)
    assert all(call.done() for call in calls)
    assert len(keys(library)) == 121
    with pytest.raises(RuntimeError, match="closed"):
        scribe.submit(int)
