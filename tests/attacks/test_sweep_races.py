"""Attacks on a sweep that waits for its journal, by a card's button, a pause and the kernel's end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from qingbo_widgets import Sweep, Task, TaskManager, sweep
from qingbo_widgets.library.sweeps import Sweeps
from qingbo_widgets.tasks.background import loop as loop_module
from qingbo_widgets.tasks.sweep import brake, places
from qingbo_widgets.tasks.sweep.cell import CellState
from tests.faults.server import answer, close
from tests.faults.service import Service
from tests.waiting import until

MakeManager = Callable[[], TaskManager]

RENDERING = (("processing", 40),)
REFUSED = answer({"error": {"message": "the model is down", "code": "bad", "param": "model"}}, 400)
SLOWER = answer({"error": {"message": "slow down", "code": "rate_limit"}}, 429, Retry_After="0.5")


class BlockedMethod:
    """A method that blocks its first caller until it is released, as a locked journal does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        self._method: Callable[..., Any] = getattr(owner, name)
        self._released = threading.Event()
        self.was_called = threading.Event()
        monkeypatch.setattr(owner, name, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.was_called.is_set():
            self.was_called.set()
            assert self._released.wait(30)
        return self._method(*args, **kwargs)

    def __get__(self, instance: object, owner: type) -> Callable[..., Any]:
        return partial(self, instance)

    def wait(self) -> None:
        """Wait until the method is called."""
        assert self.was_called.wait(30)

    def release(self) -> None:
        """Release the caller."""
        self._released.set()


def refused_sweep(service: Service, manager: TaskManager) -> tuple[Sweep, Task]:
    """Return a sweep of one refused cell, and the cell's task, which no kernel holds any more."""
    service.story, service.is_idempotent = RENDERING, False
    service.faults["submit"] = [REFUSED]
    new_sweep = sweep(prompt=["koi"], name="koi", manager=manager)
    until(lambda: new_sweep.is_done)
    (task,) = new_sweep.tasks
    until(lambda: manager.library.current_hold(task.key) is None)
    return new_sweep, task


# ---------------------------------------------------------------------- a card's button


@pytest.mark.slow
def test_a_cell_and_its_task_are_submitted_once(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell is paid for once if "Submit again" is clicked while its retry waits for the journal."""
    new_sweep, task = refused_sweep(service, make_manager())
    claim = BlockedMethod(monkeypatch, Sweeps, "claim")
    new_sweep.cells[0].retry()
    claim.wait()
    task.submit_again()
    claim.release()
    until(lambda: new_sweep.tasks and all(known.task_id for known in new_sweep.manager.tasks))
    assert service.prompts == ["koi"], "the cell was paid for twice"
    assert new_sweep.tasks == (task,)


@pytest.mark.slow
def test_a_cell_and_its_task_in_another_kernel_are_submitted_once(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retry that waits for the journal adopts the task that another kernel submits meanwhile."""
    new_sweep, task = refused_sweep(service, make_manager())
    other = make_manager().adopt(task.key)
    assert other is not None
    claim = BlockedMethod(monkeypatch, Sweeps, "claim")
    new_sweep.cells[0].retry()
    claim.wait()
    other.submit_again()
    until(lambda: other.task_id)
    claim.release()
    until(lambda: new_sweep.tasks and new_sweep.tasks[0].task_id)
    assert service.prompts == ["koi"], "the cell was paid for twice"
    assert new_sweep.tasks[0].task_id == other.task_id


@pytest.mark.slow
def test_an_unconfirmed_submission_of_another_kernel_is_not_repeated(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retry sends nothing if another kernel's submission, whose answer was lost, may be charged."""
    new_sweep, task = refused_sweep(service, make_manager())
    other = make_manager().adopt(task.key)
    assert other is not None
    service.faults["submit"] = [service.create_then(close)]
    claim = BlockedMethod(monkeypatch, Sweeps, "claim")
    new_sweep.cells[0].retry()
    claim.wait()
    other.submit_again()
    until(lambda: other.is_done and other.manager.library.current_hold(task.key) is None)
    claim.release()
    until(lambda: new_sweep.cells[0].state not in (CellState.waiting, CellState.running))
    assert service.prompts == ["koi"], "the cell was paid for twice"
    assert new_sweep.cells[0].state == CellState.unconfirmed


@pytest.mark.slow
def test_two_kernels_retry_a_refused_cell_once(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If two kernels retry the refused cells at the same moment, each cell is submitted once."""
    monkeypatch.setattr(brake, "MAX_ALIKE", 99)
    service.story, service.is_idempotent = RENDERING, False
    service.faults["submit"] = [REFUSED] * 8
    one, other = make_manager(), make_manager()
    here = sweep(prompt=[f"koi {number}" for number in range(8)], max_running=8, name="koi", manager=one)
    until(lambda: here.counts[CellState.failed] == 8)
    there = Sweep.load("koi", manager=other)
    until(lambda: there.counts[CellState.failed] == 8)
    threads = [threading.Thread(target=each.retry_failed) for each in (here, there)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: here.counts[CellState.running] == there.counts[CellState.running] == 8)
    until(lambda: all(task.task_id for task in (*here.tasks, *there.tasks)))
    assert len(service.prompts) == len(set(service.prompts)) == 8


# ---------------------------------------------------------------------- pause


@pytest.mark.slow
def test_nothing_is_sent_after_a_pause(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell that is claimed during a pause is not sent; it waits, and is not unconfirmed."""
    service.story = RENDERING
    manager = make_manager()
    new_sweep = sweep(prompt=["a", "b", "c"], name="koi", ask_above=0, manager=manager)
    claim = BlockedMethod(monkeypatch, Sweeps, "claim")
    new_sweep.start()
    claim.wait()
    new_sweep.pause()
    claim.release()
    until(lambda: [row for row in manager.library.entries() if row.status != "submitting"])
    until(lambda: new_sweep.counts[CellState.waiting] == 3)
    assert not service.tasks, "a cell was submitted after the pause"
    there = Sweep.load("koi", manager=make_manager())
    assert there.counts[CellState.waiting] == 3, "another kernel counts the unsent cell as unconfirmed"
    new_sweep.resume()
    until(lambda: len(service.prompts) == 3 and all(task.task_id for task in new_sweep.tasks))
    assert sorted(service.prompts) == ["a", "b", "c"]
    assert len(manager.library.entries()) == 3, "a task that was not sent left a row behind"


@pytest.mark.slow
def test_a_pause_ends_the_attempts_of_a_submission(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A submission that is rate limited is not tried again once the sweep is paused."""
    monkeypatch.setattr(places, "FIRST_PAUSE", 0.1)
    service.story = RENDERING
    service.faults["submit"] = [SLOWER]
    new_sweep = sweep(prompt=["koi"], manager=make_manager())
    until(lambda: "takes no more tasks now" in new_sweep.message)
    new_sweep.pause()
    until(lambda: new_sweep._queue._places.pause == 0)
    new_sweep.manager.monitor.start(new_sweep._queue._step).result(30)
    assert not service.tasks, "the cell was submitted after the pause"
    assert new_sweep.counts[CellState.waiting] == 1
    assert new_sweep.message == ""
    new_sweep.resume()
    until(lambda: new_sweep.counts[CellState.running] == 1 and new_sweep.tasks[0].task_id)
    assert service.prompts == ["koi"]


@pytest.mark.slow
def test_an_unconfirmed_cell_is_not_sent_again_after_a_pause(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A paused retry leaves the cell unconfirmed, and is sent when the sweep continues."""
    service.story = RENDERING
    service.faults["submit"] = [service.create_then(close)]
    manager = make_manager()
    new_sweep = sweep(prompt=["koi"], manager=manager)
    until(lambda: new_sweep.counts[CellState.unconfirmed] == 1)
    (task,) = new_sweep.tasks
    until(lambda: manager.library.current_hold(task.key) is None)
    library_claim = BlockedMethod(monkeypatch, manager.library, "claim")
    new_sweep.retry_failed(unconfirmed=True)
    library_claim.wait()
    new_sweep.pause()
    library_claim.release()
    until(lambda: task.task_id or "still unknown" in str(task.error))
    assert not task.task_id, "the cell was submitted after the pause"
    until(lambda: new_sweep.counts[CellState.waiting] == 1)
    new_sweep.resume()
    until(lambda: task.task_id)
    assert service.prompts == ["koi"]


@pytest.mark.slow
def test_a_task_that_the_user_submits_after_a_pause_is_not_repeated(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell that its card has submitted during a pause, without an answer, is unconfirmed, not waiting."""
    service.story, service.is_idempotent = RENDERING, False
    service.faults["submit"] = [service.create_then(close)]
    new_sweep = sweep(prompt=["koi"], manager=make_manager(), ask_above=0)
    ended = BlockedMethod(monkeypatch, new_sweep._queue, "_ended")
    claim = BlockedMethod(monkeypatch, Sweeps, "claim")
    new_sweep.start()
    claim.wait()
    new_sweep.pause()
    claim.release()
    ended.wait()
    (task,) = new_sweep.tasks
    task.submit_again()
    until(lambda: not service.faults["submit"] and task.is_done)
    ended.release()
    until(lambda: not new_sweep.cells[0].is_end_pending)
    assert new_sweep.cells[0].state == CellState.unconfirmed, "resume() would submit the cell again"


# ---------------------------------------------------------------------- kernel shutdown


@pytest.mark.slow
@pytest.mark.parametrize("is_closed", [True, False], ids=["cut off", "refused"])
def test_a_cell_claimed_during_close_is_not_unconfirmed(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch, is_closed: bool
) -> None:
    """A cell that is claimed while the manager closes counts as not sent in the next kernel."""
    service.story = RENDERING
    manager = make_manager()
    new_sweep = sweep(prompt=["a", "b"], name="koi", ask_above=0, manager=manager)
    claim = BlockedMethod(monkeypatch, Sweeps, "claim")
    new_sweep.start()
    claim.wait()
    if not is_closed:
        manager.monitor.drain(0.0)
        claim.release()
        until(lambda: [row for row in manager.library.entries() if row.status != "submitting"])
    closing = threading.Thread(target=manager.close)
    closing.start()
    until(lambda: manager.monitor.is_closed)
    claim.release()
    closing.join()
    assert not service.tasks
    there = Sweep.load("koi", manager=make_manager())
    until(lambda: not there.counts[CellState.running])
    assert there.counts[CellState.waiting] == 2, "a cell that was never sent counts as unconfirmed"
    there.resume()
    until(lambda: len(service.prompts) == 2)
    assert sorted(service.prompts) == ["a", "b"]


# ---------------------------------------------------------------------- blocking callbacks


@pytest.mark.slow
def test_callbacks_may_wait_for_the_sweep(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More ``on_end`` callbacks than there are threads can wait for the whole sweep."""
    monkeypatch.setattr(loop_module, "CALLBACK_WORKERS", 2)
    service.story = RENDERING
    names = [f"koi {number}" for number in range(6)]
    new_sweep = sweep(prompt=names, max_running=6, manager=make_manager())
    until(lambda: len(new_sweep.tasks) == 6 and all(task.task_id for task in new_sweep.tasks))
    ended = threading.Semaphore(0)
    for task in new_sweep.tasks:
        task.on_end(lambda _: (new_sweep.wait(30), ended.release()))
    service.story = (("failed", 0),)
    until(lambda: new_sweep.state == "ended", 20)
    assert all(ended.acquire(timeout=20) for _ in names)
