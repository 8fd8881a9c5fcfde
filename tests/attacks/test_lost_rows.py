"""Attacks on paid tasks by a journal that fails, moves, or is restored or replaced meanwhile."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.journal import engine
from qingbo_widgets.library.library import Library
from qingbo_widgets.system.files import replace
from tests.faults.server import Exchange, answer
from tests.faults.service import Service
from tests.tampering import run
from tests.waiting import until

LIMIT = answer({"error": {"message": "slow down", "code": "rate_limit"}}, 429, Retry_After="1")
#: A trigger that refuses every update of a row, as a full disk does.
FULL = "CREATE TRIGGER full BEFORE UPDATE ON tasks BEGIN SELECT RAISE(ABORT, 'no room'); END"


@pytest.fixture
def make(service: Service, tmp_path: Path) -> Iterator[Callable[..., qw.TaskManager]]:
    """Yield a function that creates managers on one folder or database, and close them at the end."""
    managers: list[qw.TaskManager] = []

    def make(database: str | None = None) -> qw.TaskManager:
        client = qw.Client("some-key", f"{service.url}/v1")
        library = Library(tmp_path / "videos", database=database)
        managers.append(qw.TaskManager(client, library, poll_interval=0.05))
        return managers[-1]

    yield make
    for manager in managers:
        manager.close()


def move(library: Library) -> None:
    """Rename the folder."""
    library.folder.rename(library.folder.with_name("elsewhere"))


def move_and_replace(library: Library) -> None:
    """Rename the folder and create an empty one in its place."""
    move(library)
    library.folder.mkdir()


def delete_row(library: Library) -> None:
    """Delete the row."""
    run(library, "DELETE FROM tasks")


def restore_backup(library: Library) -> None:
    """Replace the journal with a backup that is older than the task."""
    replace(library.folder / "backup", library.journal.path)


def truncate(library: Library) -> None:
    """Truncate the journal to an empty file."""
    library.journal.path.write_bytes(b"")


@pytest.mark.slow
@pytest.mark.parametrize("change", [move, move_and_replace, delete_row, restore_backup, truncate])
def test_no_request_is_sent_without_its_row(
    make: Callable[..., qw.TaskManager], service: Service, change: Callable[[Library], None]
) -> None:
    """A submission has its row in the current journal when it is sent, whatever happened meanwhile."""
    manager = make()
    library = manager.library
    library.add(Entry(key="older", service="elsewhere", status="completed"))
    shutil.copyfile(library.journal.path, library.folder / "backup")
    rows: list[list[str]] = []

    def record_rows(exchange: Exchange) -> bool:
        with closing(sqlite3.connect(library.journal.path)) as database:
            rows.append(
                [key for (key,) in database.execute("SELECT key FROM tasks WHERE status = 'submitting'")]
            )
        return service.serve(exchange)

    service.faults["submit"] = [LIMIT, record_rows]
    task = manager.submit(prompt="koi")
    until(lambda: "trying again" in task.message)
    change(library)
    task.wait(20)
    assert rows == [[task.key]], "if the kernel died now, a paid task would be in no journal"
    row = library.get(task.key)
    assert row is not None
    assert (row.task_id, row.status, row.file) == (task.task_id, "completed", task.video_path.name)


@pytest.mark.slow
def test_a_locked_journal_sends_nothing(
    make: Callable[..., qw.TaskManager], service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A submission is not sent while another program locks the journal, and the user can try again."""
    monkeypatch.setattr(engine, "PATIENCE", 0.5)
    manager = make()
    service.faults["submit"] = [LIMIT]
    task = manager.submit(prompt="koi")
    until(lambda: "trying again" in task.message)
    with closing(sqlite3.connect(manager.library.journal.path)) as database, database:
        database.execute("BEGIN EXCLUSIVE")
        with pytest.raises(qw.QingboError, match=r"in use by another program.*Nothing was sent"):
            task.wait(20)
    assert service.tasks == {}
    task.submit_again()
    assert task.wait(20).video_path.is_file()


@pytest.mark.slow
def test_an_id_that_could_not_be_written_is_written_later(
    make: Callable[..., qw.TaskManager], service: Service
) -> None:
    """An id that arrives while the disk is full is shown, and saved once there is room."""
    manager = make()
    library = manager.library

    def full(exchange: Exchange) -> bool:
        run(library, FULL)
        return service.serve(exchange)

    service.faults["submit"] = [full]
    service.faults["status"] = [service.status_with(status="processing") for _ in range(1000)]
    task = manager.submit(prompt="koi")
    until(lambda: task.task_id and task.task_id in task.message)
    assert "Keep the id" in task.message
    row = library.get(task.key)
    assert row is not None
    assert row.task_id == "", "the trigger has no effect, so the test would prove nothing"
    run(library, "DROP TRIGGER full")
    until(lambda: library.get(task.key).task_id == task.task_id)
    until(lambda: task.message == "")


@pytest.mark.slow
@pytest.mark.parametrize("action", ["retry_download", "follow_again", "resume"])
def test_an_older_row_undoes_nothing(
    make: Callable[..., qw.TaskManager], service: Service, action: str
) -> None:
    """A completed task stays completed, and is not submitted again, after an older backup was restored."""
    manager = make()
    library = manager.library
    manager.max_video_bytes = 1
    task = manager.submit(prompt="koi")
    with pytest.raises(qw.QingboError):
        task.wait(20)
    run(library, "UPDATE tasks SET task_id = '', status = 'submitting', progress = 0, file = NULL")
    manager.max_video_bytes = 2**30
    task_id = task.task_id
    manager.resume(task_id) if action == "resume" else getattr(task, action)()
    if action == "resume":
        task.retry_download()
    task.wait(20)
    assert (task.task_id, str(task.status), task.video_path.is_file()) == (task_id, "completed", True)
    row = library.get(task.key)
    assert row is not None
    assert (row.task_id, row.status, row.file) == (task_id, "completed", task.video_path.name)
    assert len(service.tasks) == 1


@pytest.mark.slow
def test_an_unwritten_row_is_written_at_close(
    make: Callable[..., qw.TaskManager], service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    """At close an unwritten row is written if there is room again; otherwise the id is printed."""
    for has_room in (True, False):
        manager = make()
        library = manager.library
        service.faults["status"] = [service.status_with(status="processing") for _ in range(1000)]
        task = manager.submit(prompt="koi")
        until(lambda task=task: task.status == "processing")  # type: ignore[misc]  # mypy infers no lambda with a default
        until(lambda task=task, library=library: library.get(task.key).status == "processing")  # type: ignore[misc]  # mypy infers no lambda with a default
        run(library, FULL)
        service.faults["status"] = [service.status_with(status="failed", error={"message": "no"})]
        with pytest.raises(qw.TaskFailed):
            task.wait(20)
        if has_room:
            run(library, "DROP TRIGGER full")
        manager.close()
        printed = capfd.readouterr().err
        row = library.get(task.key)
        assert row is not None
        assert row.status == ("failed" if has_room else "processing")
        assert (task.task_id in printed.partition("could not be written")[2]) is not has_room


@pytest.mark.slow
@pytest.mark.parametrize("statement", ["DELETE FROM tasks", "DROP SCHEMA public CASCADE"])
def test_a_postgresql_journal_that_is_emptied(
    make: Callable[..., qw.TaskManager],
    service: Service,
    postgresql_url: Callable[..., str],
    statement: str,
) -> None:
    """A row, or all tables, removed while a submission waits exist again when it is sent (PostgreSQL)."""
    url = postgresql_url()
    manager = make(url)
    service.faults["submit"] = [LIMIT]
    task = manager.submit(prompt="koi")
    until(lambda: "trying again" in task.message)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
        if "SCHEMA" in statement:
            connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()
    task.wait(20)
    row = manager.library.get(task.key)
    assert row is not None
    assert (row.task_id, row.status, row.file) == (task.task_id, "completed", task.video_path.name)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_submission_precedes_thousands_of_older_tasks(
    make: Callable[..., qw.TaskManager], service: Service
) -> None:
    """A new task is sent before most of 3,000 recovered tasks were polled."""
    manager = make()
    library = manager.library
    with library.journal.shared_transaction():
        for number in range(3000):
            service.tasks[f"old-{number}"] = 0
            library.add(
                Entry(
                    key=f"{number:032}", service=manager.service, task_id=f"old-{number}", status="processing"
                )
            )
    library.journal.close_connection()
    manager.recover_soon()
    until(lambda: any(task.task_id for task in manager.known_tasks))
    began = time.monotonic()
    task = manager.submit(prompt="koi")
    until(lambda: task.task_id)
    seconds = time.monotonic() - began
    polled = sum(count > 0 for name, count in service.tasks.items() if name.startswith("old-"))
    assert polled < 1500, f"{polled} older tasks were polled before the new one was sent, in {seconds:.1f} s"
