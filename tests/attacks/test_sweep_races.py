"""The user acts while a sweep waits for its journal: presses a card's button, pauses, ends the kernel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from qingbo_widgets import Sweep, Task, TaskManager, sweep
from qingbo_widgets.library.sweeps import Sweeps
from qingbo_widgets.tasks.background import loop as monitor
from qingbo_widgets.tasks.sweep.cell import CellState
from tests.faults.server import answer, close
from tests.faults.service import Service
from tests.waiting import until

MakeManager = Callable[[], TaskManager]

RENDERING = (("processing", 40),)
REFUSED = answer({"error": {"message": "the model is down", "code": "bad", "param": "model"}}, 400)
SLOWER = answer({"error": {"message": "slow down", "code": "rate_limit"}}, 429, Retry_After="0.5")


class Stopped:
    """A method that stops its caller, once, until it is let go: a journal that another program writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        self._method: Callable[..., Any] = getattr(owner, name)
        self._is_let_go = threading.Event()
        self.has_begun = threading.Event()
        monkeypatch.setattr(owner, name, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.has_begun.is_set():
            self.has_begun.set()
            assert self._is_let_go.wait(30)
        return self._method(*args, **kwargs)

    def __get__(self, instance: object, owner: type) -> Callable[..., Any]:
        return partial(self, instance)

    def wait(self) -> None:
        """Wait until the method is called."""
        assert self.has_begun.wait(30)

    def let_go(self) -> None:
        """Let the caller go on."""
        self._is_let_go.set()


def refused(service: Service, manager: TaskManager) -> tuple[Sweep, Task]:
    """A sweep of one cell that was refused, and the cell's task, which no kernel holds any more."""
    service.story, service.knows_keys = RENDERING, False
    service.faults["submit"] = [REFUSED]
    made = sweep(prompt=["koi"], name="koi", manager=manager)
    until(lambda: made.is_done)
    (task,) = made.tasks
    until(lambda: manager.library.current_hold(task.key) is None)
    return made, task


# ---------------------------------------------------------------------- the card's button


@pytest.mark.slow
def test_a_cell_and_its_task_are_submitted_once(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retry in the grid and "Submit again" on the card, while the first waits for the journal."""
    made, task = refused(service, make_manager())
    claim = Stopped(monkeypatch, Sweeps, "claim")
    made.cells[0].retry()
    claim.wait()
    task.submit_again()
    claim.let_go()
    until(lambda: made.tasks and all(each.task_id for each in made.manager.tasks))
    assert service.prompts == ["koi"], "the cell was paid for twice"
    assert made.tasks == (task,)


@pytest.mark.slow
def test_a_cell_and_its_task_in_another_kernel_are_submitted_once(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other kernel's card has been quicker than the journal of this one."""
    made, task = refused(service, make_manager())
    other = make_manager().adopt(task.key)
    assert other is not None
    claim = Stopped(monkeypatch, Sweeps, "claim")
    made.cells[0].retry()
    claim.wait()
    other.submit_again()
    until(lambda: other.task_id)
    claim.let_go()
    until(lambda: made.tasks and made.tasks[0].task_id)
    assert service.prompts == ["koi"], "the cell was paid for twice"
    assert made.tasks[0].task_id == other.task_id


@pytest.mark.slow
def test_an_unconfirmed_submission_of_another_kernel_is_not_repeated(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other kernel's answer was lost, and it holds the task no more: that may be charged already."""
    made, task = refused(service, make_manager())
    other = make_manager().adopt(task.key)
    assert other is not None
    service.faults["submit"] = [service.taken(close)]
    claim = Stopped(monkeypatch, Sweeps, "claim")
    made.cells[0].retry()
    claim.wait()
    other.submit_again()
    until(lambda: other.is_done and other.manager.library.current_hold(task.key) is None)
    claim.let_go()
    until(lambda: made.cells[0].state not in (CellState.waiting, CellState.running))
    assert service.prompts == ["koi"], "the cell was paid for twice"
    assert made.cells[0].state == CellState.unconfirmed


@pytest.mark.slow
def test_two_kernels_retry_a_refused_cell_once(service: Service, make_manager: MakeManager) -> None:
    """Both try the refused ones again in the same moment: each is submitted by one of them."""
    service.story, service.knows_keys = RENDERING, False
    service.faults["submit"] = [REFUSED] * 8
    one, other = make_manager(), make_manager()
    here = sweep(prompt=[f"koi {number}" for number in range(8)], max_running=8, name="koi", manager=one)
    until(lambda: here.counts[CellState.failed] == 8)
    there = Sweep.load("koi", manager=other)
    until(lambda: there.counts[CellState.failed] == 8)
    threads = [threading.Thread(target=made.retry_failed) for made in (here, there)]
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
    """The pause comes while the journal is given the next cell, which then waits, and is no doubt."""
    service.story = RENDERING
    manager = make_manager()
    made = sweep(prompt=["a", "b", "c"], name="koi", ask_above=0, manager=manager)
    claim = Stopped(monkeypatch, Sweeps, "claim")
    made.start()
    claim.wait()
    made.pause()
    claim.let_go()
    until(lambda: [row for row in manager.library.entries() if row.status != "submitting"])
    until(lambda: made.counts[CellState.waiting] == 3)
    assert not service.tasks, "a cell was submitted after the pause"
    there = Sweep.load("koi", manager=make_manager())
    assert there.counts[CellState.waiting] == 3, "another kernel doubts what was not sent"
    made.resume()
    until(lambda: len(service.prompts) == 3 and all(task.task_id for task in made.tasks))
    assert sorted(service.prompts) == ["a", "b", "c"]
    assert len(manager.library.entries()) == 3, "a task that was not sent has left a row behind"


@pytest.mark.slow
def test_a_pause_ends_the_attempts_of_a_submission(service: Service, make_manager: MakeManager) -> None:
    """The service asks for patience; meanwhile the sweep is paused, so there is no further attempt."""
    service.story = RENDERING
    service.faults["submit"] = [SLOWER]
    made = sweep(prompt=["koi"], manager=make_manager())
    until(lambda: made.tasks and made.tasks[0].message)
    (task,) = made.tasks
    made.pause()
    until(lambda: task.task_id or task.is_done)
    assert not service.tasks, "it was submitted after the pause"
    assert "paused" in str(task.error)
    until(lambda: made.counts[CellState.waiting] == 1)
    made.resume()
    until(lambda: made.counts[CellState.running] == 1 and made.tasks[0].task_id)
    assert service.prompts == ["koi"]


@pytest.mark.slow
def test_an_unconfirmed_cell_is_not_sent_again_after_a_pause(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays in doubt, and goes out once more when the sweep goes on, as the user has asked."""
    service.story = RENDERING
    service.faults["submit"] = [service.taken(close)]
    manager = make_manager()
    made = sweep(prompt=["koi"], manager=manager)
    until(lambda: made.counts[CellState.unconfirmed] == 1)
    (task,) = made.tasks
    until(lambda: manager.library.current_hold(task.key) is None)
    look = Stopped(monkeypatch, manager.library, "claim")
    made.retry_failed(unconfirmed=True)
    look.wait()
    made.pause()
    look.let_go()
    until(lambda: task.task_id or "still not known" in str(task.error))
    assert not task.task_id, "it was submitted after the pause"
    until(lambda: made.counts[CellState.waiting] == 1)
    made.resume()
    until(lambda: task.task_id)
    assert service.prompts == ["koi"]


@pytest.mark.slow
def test_what_the_user_submits_after_a_pause_is_not_repeated(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause held it back; then its card sent it, and the answer was lost: that needs another click."""
    service.story, service.knows_keys = RENDERING, False
    service.faults["submit"] = [SLOWER, service.taken(close)]
    made = sweep(prompt=["koi"], manager=make_manager())
    ended = Stopped(monkeypatch, made._queue, "_ended")
    until(lambda: made.tasks and made.tasks[0].message)
    (task,) = made.tasks
    made.pause()
    ended.wait()
    task.submit_again()
    until(lambda: not service.faults["submit"] and task.is_done)
    ended.let_go()
    until(lambda: not made.cells[0].is_end_pending)
    assert made.cells[0].state == CellState.unconfirmed, "resume() would submit it once more"


# ---------------------------------------------------------------------- the end of the kernel


@pytest.mark.slow
@pytest.mark.parametrize("is_closed", [True, False], ids=["cut off", "refused"])
def test_a_cell_that_meets_the_end_is_no_doubt(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch, is_closed: bool
) -> None:
    """The manager is closed while the journal is given a cell: the next kernel knows that it was not sent."""
    service.story = RENDERING
    manager = make_manager()
    made = sweep(prompt=["a", "b"], name="koi", ask_above=0, manager=manager)
    claim = Stopped(monkeypatch, Sweeps, "claim")
    made.start()
    claim.wait()
    if not is_closed:
        manager.monitor.drain(0.0)
        claim.let_go()
        until(lambda: [row for row in manager.library.entries() if row.status != "submitting"])
    closing = threading.Thread(target=manager.close)
    closing.start()
    until(lambda: manager.monitor.is_closed)
    claim.let_go()
    closing.join()
    assert not service.tasks
    there = Sweep.load("koi", manager=make_manager())
    until(lambda: not there.counts[CellState.running])
    assert there.counts[CellState.waiting] == 2, "what was never sent may be charged, it says"
    there.resume()
    until(lambda: len(service.prompts) == 2)
    assert sorted(service.prompts) == ["a", "b"]


# ---------------------------------------------------------------------- callbacks that block


@pytest.mark.slow
def test_callbacks_may_wait_for_the_sweep(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each task's ``on_end`` waits for the whole sweep, in greater numbers than there are idle threads."""
    monkeypatch.setattr(monitor, "CALLBACK_WORKERS", 2)
    service.story = RENDERING
    names = [f"koi {number}" for number in range(6)]
    made = sweep(prompt=names, max_running=6, manager=make_manager())
    until(lambda: len(made.tasks) == 6 and all(task.task_id for task in made.tasks))
    ended = threading.Semaphore(0)
    for task in made.tasks:
        task.on_end(lambda _: (made.wait(30), ended.release()))
    service.story = (("failed", 0),)
    until(lambda: made.state == "ended", 20)
    assert all(ended.acquire(timeout=20) for _ in names)
