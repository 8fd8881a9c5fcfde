"""Attacks on the moments around a submission: cancellation, a locked journal, a duplicate id, shutdown."""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry, IdTaken
from qingbo_widgets.library.library import Library
from tests.faults.server import Exchange, answer, close
from tests.faults.service import Service
from tests.tampering import run
from tests.waiting import until

Make = Callable[..., qw.TaskManager]
LIMIT = answer({"error": {"message": "slow down", "code": "rate_limit"}}, 429, Retry_After="0.5")


@pytest.fixture(name="make")
def _make(service: Service, make_manager: Make) -> Make:
    """Return a function that creates managers of a service whose tasks never end."""
    service.story = (("processing", 10),)
    return make_manager


@contextmanager
def locked(library: Library, how: str = "IMMEDIATE") -> Iterator[None]:
    """Lock the journal for the ``with`` block, as another program does that writes it."""
    with closing(sqlite3.connect(library.journal.path, isolation_level=None)) as other:
        other.execute(f"BEGIN {how}")
        yield
        other.execute("ROLLBACK")


def locked_with_the_answer(service: Service, library: Library, how: str) -> threading.Event:
    """Lock the journal, as another program may, before the next answer; return the event that unlocks it."""
    lock, unlock = threading.Event(), threading.Event()

    def hold() -> None:
        with locked(library, how):
            lock.set()
            unlock.wait(30)

    def answered(exchange: Exchange) -> bool:
        threading.Thread(target=hold).start()
        lock.wait(10)
        return service.serve(exchange)

    service.faults["submit"] = [answered]
    return unlock


@pytest.mark.slow
def test_a_cancelled_task_is_not_sent(make: Make, service: Service) -> None:
    """A task that is cancelled while its submission waits for the journal is not sent."""
    manager = make()
    service.faults["submit"] = [LIMIT]
    task = manager.submit(prompt="koi")
    until(lambda: "trying again" in task.message)
    with locked(manager.library):
        time.sleep(1.0)  # the submission is due, and waits for the journal
        task.cancel(wait=False)
        time.sleep(0.1)
    until(lambda: task.is_done)
    assert (str(task.status), service.tasks) == ("cancelled", {}), "a cancelled task was paid for"


@pytest.mark.slow
def test_a_cancellation_does_not_wait_out_a_limit(make: Make, service: Service) -> None:
    """A cancellation during the request takes effect although the service's answer is "wait a minute"."""
    requested = threading.Event()

    def refused(exchange: Exchange) -> bool:
        requested.set()
        exchange.stopped.wait(0.3)
        error = {"message": "slow down", "code": "rate_limit"}
        return answer({"error": error}, 429, Retry_After="60")(exchange)

    service.faults["submit"] = [refused]
    task = make().submit(prompt="koi")
    requested.wait(10)
    task.cancel(wait=False)
    until(lambda: task.is_done, 20)
    assert (str(task.status), service.tasks) == ("cancelled", {})


@pytest.mark.slow
def test_an_id_is_shown_while_the_journal_is_locked(make: Make, service: Service) -> None:
    """The id is shown before the journal accepts it, because it may be all that is left of the task."""
    manager = make()
    manager.submit(prompt="warm")
    until(lambda: manager.tasks[0].task_id)
    unlock = locked_with_the_answer(service, manager.library, "EXCLUSIVE")
    task = manager.submit(prompt="koi")
    try:
        until(lambda: task.task_id, 15)
    finally:
        unlock.set()
    until(lambda: getattr(manager.library.get(task.key), "task_id", "") == task.task_id)


@pytest.mark.slow
def test_an_id_received_before_shutdown_is_saved(
    make: Make, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id is saved although the kernel restarts while the journal is still locked."""
    monkeypatch.setattr("qingbo_widgets.tasks.closing.in_notebook", lambda: True)
    manager = make()
    unlock = locked_with_the_answer(service, manager.library, "IMMEDIATE")
    task = manager.submit(prompt="koi")
    until(lambda: service.tasks)
    time.sleep(0.2)
    threading.Timer(0.3, unlock.set).start()
    manager.close()
    row = Library(manager.library.folder).get(task.key)
    assert row is not None
    assert task.task_id == row.task_id == "task-1", "the task was paid for and its id is lost"


@pytest.mark.slow
def test_one_id_in_two_kernels_confirms_one_task(make: Make, service: Service) -> None:
    """If a gateway sends the same cached id to two kernels at once, only one task is confirmed."""
    managers = [make(), make()]
    for manager in managers:  # so that both have opened the journal
        manager.submit(prompt="warm")
    until(lambda: all(manager.tasks[0].task_id for manager in managers))
    for number in range(5):
        barrier = threading.Barrier(2)

        def answered(exchange: Exchange, number: int = number, barrier: threading.Barrier = barrier) -> bool:
            service.create_task(exchange.request)
            barrier.wait(30)
            return answer({"task_id": f"cached-{number}", "model": "kling-v3", "status": "queued"})(exchange)

        service.faults["submit"] = [answered, answered]
        service.tasks[f"cached-{number}"] = 0
        tasks = [manager.submit(prompt="koi") for manager in managers]
        until(lambda tasks=tasks: all(task.task_id or task.is_done for task in tasks))  # type: ignore[misc]  # mypy infers no lambda with a default
        ids = Counter(task.task_id for task in tasks)
        assert ids == {"": 1, f"cached-{number}": 1}, "two tasks would get the same video"


def test_the_journal_refuses_a_second_task_of_one_id(tmp_path: Path) -> None:
    """``IdTaken`` is raised for the same service only, and not for a task that is known only by its id."""
    library = Library(tmp_path / "videos")
    request = {"prompt": "koi"}
    library.put(Entry(key="one", service="here", task_id="task-1", request=request, status="queued"))
    library.put(Entry(key="two", service="here", status="submitting", request=request))
    for key in ("two", "three"):
        with pytest.raises(IdTaken):
            library.put(Entry(key=key, service="here", task_id="task-1", request=request, status="queued"))
    library.put(Entry(key="elsewhere", service="there", task_id="task-1", request=request, status="queued"))
    library.put(Entry(key="resumed", service="here", task_id="task-1", status="queued"))
    library.put(Entry(key="one", service="here", task_id="task-1", request=request, status="completed"))
    assert {row.key: row.task_id for row in library.entries()} == {
        "one": "task-1", "two": "", "elsewhere": "task-1", "resumed": "task-1",
    }  # fmt: skip


@pytest.mark.slow
def test_a_task_resumed_before_its_answer_is_no_duplicate(make: Make, service: Service) -> None:
    """A slow submission is confirmed although the user has already resumed its task by id."""
    manager, release = make(), threading.Event()

    def slow(exchange: Exchange) -> bool:
        task_id = service.create_task(exchange.request)
        release.wait(20)
        return answer({"task_id": task_id, "model": "kling-v3", "status": "queued"})(exchange)

    service.faults["submit"] = [slow]
    task = manager.submit(prompt="koi")
    until(lambda: service.tasks)
    resumed = manager.resume("task-1")
    until(lambda: resumed.progress == 10)
    release.set()
    until(lambda: task.task_id or task.is_done)
    assert task.task_id == "task-1", "a paid task with a known id counts as unconfirmed"


@pytest.mark.slow
def test_an_outdated_card_submits_nothing(make: Make, service: Service) -> None:
    """A card that still shows "failed" submits nothing if another kernel's submission is unconfirmed."""
    here, there = make(), make()
    service.faults["submit"] = [answer({"error": {"message": "no quota", "code": "insufficient_quota"}}, 402)]
    task = here.submit(prompt="koi")
    until(lambda: task.is_done)
    other = there.adopt(task.key)
    assert other is not None
    assert (str(other.status), other.is_done) == ("failed", True)
    service.is_idempotent = False
    service.faults["submit"] = [service.create_then(close)]
    task.submit_again()
    until(lambda: task.is_done and here.library.current_hold(task.key) is None)
    assert str(task.status) == "unconfirmed"
    other.submit_again()
    until(lambda: other.is_done)
    assert len(service.tasks) == 1, "a task that may be charged was paid for again"
    assert str(other.status) == "unconfirmed"
    assert "may be charged" in str(other.error)
    other.submit_again()  # now the user has seen the error
    until(lambda: other.task_id)
    assert len(service.tasks) == 2


@pytest.mark.slow
def test_a_refused_check_releases_its_hold(make: Make, service: Service) -> None:
    """After a check with another task's id, another kernel can still act on the unconfirmed task."""
    manager = make()
    other = manager.submit(prompt="other")
    until(lambda: other.task_id)
    service.faults["submit"] = [service.create_then(close)]
    task = manager.submit(prompt="koi")
    until(lambda: task.is_done)
    with pytest.raises(qw.QingboError, match="another task of this library"):
        task.check(other.task_id)
    until(lambda: manager.library.current_hold(task.key) is None, 10)
    assert str(task.status) == "unconfirmed"


@pytest.mark.slow
def test_holds_are_renewed_when_the_journal_is_writable_again(make: Make) -> None:
    """Holds survive a journal that is read-only for a moment, so that no other kernel follows the task."""
    manager = make(hold_seconds=1.5)
    task = manager.submit(prompt="koi")
    until(lambda: task.task_id)
    journal = manager.library.journal
    assert journal._opened is not None
    journal._opened = dataclasses.replace(journal._opened, read_only="for a moment")
    time.sleep(0.8)
    journal.recheck_writable()
    manager.library.get(task.key)
    time.sleep(2.0)
    holding = manager.library.current_hold(task.key)
    assert holding is not None
    assert holding[1] is not None
    assert holding[1] > datetime.now(UTC), "the hold has expired although the kernel follows the task"


@pytest.mark.slow
def test_one_failing_row_does_not_block_other_rows_at_close(make: Make, service: Service) -> None:
    """All waiting rows are written at close although the journal refuses the first of them."""
    manager, barrier, library = make(), threading.Barrier(2), make().library
    library.add(Entry(key="older", service="elsewhere", status="completed"))
    run(library, "CREATE TRIGGER full BEFORE UPDATE ON tasks WHEN NEW.task_id != '' "
        "BEGIN SELECT RAISE(ABORT, 'no room'); END")  # fmt: skip

    def answered(exchange: Exchange) -> bool:
        barrier.wait(20)
        return service.serve(exchange)

    service.faults["submit"] = [answered, answered]
    tasks = [manager.submit(prompt=name) for name in ("a", "b")]
    until(lambda: all(task.task_id and task.message for task in tasks))
    first = manager.backlog.keys[0]
    run(library, f"CREATE TRIGGER one BEFORE UPDATE ON tasks WHEN OLD.key = '{first}' "
        "BEGIN SELECT RAISE(ABORT, 'no'); END")  # fmt: skip
    run(library, "DROP TRIGGER full")
    manager.close()
    rows = {row.key: row.task_id for row in Library(library.folder).entries()}
    assert all(rows[task.key] == task.task_id for task in tasks if task.key != first)


def test_a_closed_manager_is_not_replaced_automatically(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a sandbox is closed, nothing is sent to the paid service until the user connects again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QINGBO_API_KEY", "sk-test-123456")
    monkeypatch.setenv("QINGBO_BASE_URL", f"{service.url}/v1")
    with qw.connect(sandbox=True):
        pass
    for act in (lambda: qw.generate("koi"), lambda: qw.sweep(prompt=["koi"])):
        with pytest.raises(qw.QingboError, match=r"nothing was sent.*connect\(\) again"):
            act()
    assert service.tasks == {}, "the task went to the paid service instead of the sandbox"
