"""Attacks by two kernels, outages, a refused key and a dying kernel: no cell of a sweep is paid for twice."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from qingbo_widgets import Sweep, TaskManager, sweep
from qingbo_widgets.tasks.following import outage as outage_module
from qingbo_widgets.tasks.sweep import brake
from qingbo_widgets.tasks.sweep.cell import Cell, CellState
from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid
from tests.faults.server import Exchange, Step, answer, close, html, reset
from tests.faults.service import Service
from tests.waiting import until
from tests.widgets.page import is_displayed, text_of

MakeManager = Callable[..., TaskManager]

RENDERING = (("processing", 40),)
LOST = {"a gateway's page": html("<h1>Bad Gateway</h1>"), "hangs up": close, "resets": reset}
NO_KEY = answer({"error": {"message": "the key is not active", "code": "invalid_api_key"}}, 401)
NO_TASK = answer({"error": {"message": "no such task", "code": "task_not_found"}}, 404)
NO_PAGE = answer({"error": {"message": "no such page", "code": "not_found"}}, 404)
FORBIDDEN = answer({"error": {"message": "not from here", "code": "forbidden"}}, 403)


def prompts(count: int) -> list[str]:
    """Return this number of different prompts."""
    return [f"koi {number}" for number in range(count)]


def lose_answers(service: Service, fault: Step, *, after: int = 0) -> None:
    """Lose the answer of every submission, after ``after`` good ones, until the faults are cleared."""
    service.faults["submit"] = [service.serve] * after + [service.create_then(fault)] * 500


# ---------------------------------------------------------------------- an outage


@pytest.mark.slow
@pytest.mark.parametrize("max_running", [4, 40])
@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_an_outage_costs_three_tasks_at_most(
    service: Service, make_manager: MakeManager, fault: Step, max_running: int
) -> None:
    """An outage pauses the sweep after three tasks, and resume() risks one task until one is confirmed."""
    service.story = RENDERING
    lose_answers(service, fault)
    new_sweep = sweep(prompt=prompts(50), max_running=max_running, ask_above=99, manager=make_manager())
    until(lambda: new_sweep.is_done)
    assert len(service.tasks) == 3, "more tasks were submitted than it takes to detect an outage"
    assert new_sweep.state == "paused"
    for part in ("3 submissions in a row", "may charge", "dashboard", "resume()"):
        assert part in new_sweep.reason
    assert new_sweep.counts == Counter({CellState.waiting: 47, CellState.unconfirmed: 3})

    new_sweep.resume()
    until(lambda: new_sweep.is_done)
    assert len(service.tasks) == 4, "one task is enough to detect that the outage continues"
    assert "4 submissions in a row" in new_sweep.reason

    service.faults.clear()
    new_sweep.resume()
    until(lambda: new_sweep.counts[CellState.running] == min(max_running, 46))
    assert (new_sweep.state, new_sweep.reason) == ("running", "")
    assert not [prompt for prompt, count in Counter(service.prompts).items() if count > 1]


@pytest.mark.slow
def test_one_id_for_all_confirms_one_task(service: Service, make_manager: MakeManager) -> None:
    """Cached answers of a gateway confirm one task, and count as an outage for the others.

    Which of the first three that is depends on whose answer arrives first; three in a row after it are lost.
    """
    service.story = RENDERING
    lose_answers(service, answer({"task_id": "task-1", "model": "kling-v3", "status": "queued"}))
    new_sweep = sweep(prompt=prompts(30), max_running=8, ask_above=99, manager=make_manager())
    until(lambda: new_sweep.state == "paused" and new_sweep.counts[CellState.waiting] != 30)
    until(lambda: new_sweep.counts[CellState.running] == 1)
    assert len(service.tasks) <= 2 + 1 + 3, "tasks without a known id were paid for"
    assert new_sweep.counts[CellState.unconfirmed] == len(service.tasks) - 1
    assert "the id of another task" in str(new_sweep.tasks[-1].error)
    assert len([task for task in new_sweep.tasks if task.task_id]) == 1, "two cells got the same task"


@pytest.mark.slow
def test_one_id_for_two_answers_at_once(service: Service, make_manager: MakeManager) -> None:
    """If eight simultaneous submissions get the same id, one task is confirmed."""
    service.story = RENDERING
    barrier = threading.Barrier(8)

    def answered(exchange: Exchange) -> bool:
        service.create_task(exchange.request)
        barrier.wait(30)
        return answer({"task_id": "task-1", "model": "kling-v3", "status": "queued"})(exchange)

    service.faults["submit"] = [answered] * 8
    manager = make_manager()
    tasks = [manager.submit(prompt=prompt) for prompt in prompts(8)]
    until(lambda: all(task.task_id or task.is_done for task in tasks))
    ids = [task.task_id for task in tasks if task.task_id]
    assert ids == ["task-1"], "several tasks would get the same video"
    assert Counter(str(task.status) for task in tasks if not task.task_id) == {"unconfirmed": 7}


@pytest.mark.slow
def test_running_tasks_hide_no_outage(service: Service, make_manager: MakeManager) -> None:
    """Status updates of earlier tasks do not count as confirmed submissions."""
    lose_answers(service, html("bad gateway"), after=5)
    new_sweep = sweep(prompt=prompts(30), max_running=8, ask_above=99, manager=make_manager())
    until(lambda: new_sweep.is_done)
    assert len(service.tasks) <= 5 + 3
    assert new_sweep.counts[CellState.unconfirmed] == len(service.tasks) - 5
    assert new_sweep.counts[CellState.finished] == 5


@pytest.mark.slow
def test_another_kernel_detects_the_outage(service: Service, make_manager: MakeManager) -> None:
    """After a restart, resume() still sends one cell first."""
    lose_answers(service, html("bad gateway"))
    first = make_manager()
    new_sweep = sweep(prompt=prompts(30), max_running=8, ask_above=99, name="koi", manager=first)
    until(lambda: new_sweep.is_done)
    first.close()
    again = Sweep.load("koi", manager=make_manager())
    assert again.counts[CellState.waiting] == 27
    again.resume()
    until(lambda: again.is_done)
    assert len(service.tasks) == 4
    assert "submissions in a row" in again.reason


@pytest.mark.slow
def test_unconfirmed_cells_are_retried_one_first(service: Service, make_manager: MakeManager) -> None:
    """Retrying all unconfirmed cells sends one of them first, so a continuing outage costs one task."""
    lose_answers(service, html("bad gateway"))
    new_sweep = sweep(prompt=prompts(3), max_running=8, manager=make_manager())
    until(lambda: new_sweep.state == "ended")
    service.is_idempotent = False
    new_sweep.retry_failed(unconfirmed=True)
    until(lambda: new_sweep.is_done)
    assert len(service.tasks) == 4
    assert new_sweep.counts == Counter({CellState.waiting: 2, CellState.unconfirmed: 1})


@pytest.mark.slow
@pytest.mark.parametrize("refusal", [NO_PAGE, FORBIDDEN, NO_KEY], ids=["404", "403", "401"])
def test_a_refusal_that_concerns_all_cells_pauses(
    service: Service, make_manager: MakeManager, refusal: Step
) -> None:
    """After a wrong address or a refused key every cell waits, and is sent once that is corrected."""
    service.faults["submit"] = [refusal] * 100
    new_sweep = sweep(prompt=prompts(20), ask_above=99, manager=make_manager())
    until(lambda: new_sweep.is_done)
    assert new_sweep.state == "paused"
    assert new_sweep.counts == Counter({CellState.waiting: 20})
    service.faults.clear()
    service.story = RENDERING
    new_sweep.resume()
    until(lambda: len(service.tasks) == 4)
    assert new_sweep.counts == Counter({CellState.running: 4, CellState.waiting: 16})


# ---------------------------------------------------------------------- unfollowed tasks are not failed tasks


@pytest.mark.slow
@pytest.mark.parametrize("refusal", [NO_KEY, NO_TASK], ids=["401", "404"])
def test_an_unfollowed_task_is_not_paid_for_again(
    service: Service,
    make_manager: MakeManager,
    monkeypatch: pytest.MonkeyPatch,
    refusal: Step,
) -> None:
    """Every kind of retry follows the tasks that the service is rendering, and creates no others."""
    monkeypatch.setattr(outage_module, "REFUSAL_PATIENCE", 0.2)
    service.story = RENDERING
    new_sweep = sweep(prompt=prompts(4), max_running=3, manager=make_manager())
    until(lambda: new_sweep.counts[CellState.running] == 3 and len(service.tasks) == 3)
    service.faults["status"] = [refusal] * 2000
    until(lambda: new_sweep.counts[CellState.unfollowed] == 3)
    assert (new_sweep.state, new_sweep.counts[CellState.failed]) == ("paused", 0)
    assert "follow_again()" in new_sweep.reason
    assert new_sweep.counts[CellState.waiting] == 1, "a cell was submitted while nothing can be followed"
    grid = SweepGrid(new_sweep)
    assert is_displayed(grid, grid.follow_button)
    assert not is_displayed(grid, grid.retry_button)
    assert "3 not followed" in text_of(grid)
    assert not any(view.retry_button in view.children for view in grid.views)

    service.faults.clear()
    new_sweep.cells[0].retry()
    new_sweep.retry_failed(unconfirmed=True)
    grid.follow_button.click()
    until(lambda: new_sweep.counts[CellState.running] == 3)
    service.story = (("completed", 100),)
    until(lambda: new_sweep.counts[CellState.finished] == 3)
    assert len(service.tasks) == 3, "a running task was paid for again"
    grid.close()


@pytest.mark.slow
def test_only_a_lost_task_can_be_submitted_again(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that the service does not find has its own button, whose tooltip warns of the cost."""
    monkeypatch.setattr(outage_module, "REFUSAL_PATIENCE", 0.2)
    service.story = RENDERING
    new_sweep = sweep(prompt=prompts(2), manager=make_manager())
    until(lambda: len(service.tasks) == 2)
    service.faults["status"] = [NO_TASK] * 2000
    until(lambda: new_sweep.state == "ended")
    grid = SweepGrid(new_sweep)
    until(lambda: all(view.new_task_button in view.children for view in grid.views))
    assert "may have been charged" in grid.views[0].new_task_button.tooltip
    assert "Not found at the service" in grid.views[0].card.static_html
    service.faults.clear()
    grid.views[0].new_task_button.click()
    until(lambda: len(service.tasks) == 3)
    until(lambda: new_sweep.cells[0].state == CellState.running)
    assert service.prompts == ["koi 0", "koi 1", "koi 0"]
    assert new_sweep.cells[1].state == CellState.unfollowed
    grid.close()


# ---------------------------------------------------------------------- two kernels

KERNEL = """
import sys, time
import qingbo_widgets as qw
from qingbo_widgets.library.sweeps import Sweeps

role, url, folder, database, cells, delay = sys.argv[1:]
library = qw.Library(folder, database=database or None)
manager = qw.TaskManager(qw.Client("sk-test-123456", url), library, poll_interval=0.05)
saved_sweeps = Sweeps(library.journal, manager.service)
library.entries()  # load late imports now
if role == "second":
    print("ready", flush=True)
    while saved_sweeps.get("koi") is None:
        time.sleep(0.002)
    time.sleep(float(delay))
    new_sweep = qw.Sweep.load("koi", manager=manager)
    new_sweep.resume()
else:
    new_sweep = qw.sweep(
        prompt=[f"koi {number}" for number in range(int(cells))], name="koi", max_running=int(cells),
        ask_above=1000, manager=manager,
    )
end = time.monotonic() + 60
while (
    new_sweep.state != "ended" or not all(task.is_done for task in new_sweep.tasks)
) and time.monotonic() < end:
    if new_sweep.state == "paused":
        new_sweep.resume()
    time.sleep(0.05)
print(new_sweep.state, new_sweep.counts["finished"], flush=True)
manager.close()
"""


def run_both(service: Service, folder: Path, database: str, cells: int, delay: float) -> list[str]:
    """Run one sweep in two kernels at the same time; return the last line that each prints."""
    arguments = [f"{service.url}/v1", str(folder), database, str(cells), str(delay)]
    start = [sys.executable, "-c", KERNEL]
    with (
        subprocess.Popen([*start, "second", *arguments], stdout=subprocess.PIPE, encoding="utf-8") as second,
    ):
        assert second.stdout is not None
        assert second.stdout.readline() == "ready\n"
        with subprocess.Popen(
            [*start, "first", *arguments], stdout=subprocess.PIPE, encoding="utf-8"
        ) as first:
            return [kernel.communicate(timeout=100)[0].splitlines()[-1] for kernel in (first, second)]


def check_rounds(service: Service, folder: Path, url: Callable[[], str], rounds: int, cells: int) -> None:
    """Check for each round that every cell is submitted once, and that both kernels have all videos."""
    for number in range(rounds):
        service.prompts.clear()
        delay = 0.4 * number / rounds
        outputs = run_both(service, folder / str(number), url(), cells, delay)
        twice = [prompt for prompt, count in Counter(service.prompts).items() if count > 1]
        assert not twice, f"round {number}: these cells were paid for twice: {twice}"
        assert len(service.prompts) == cells
        assert outputs == [f"ended {cells}"] * 2


@pytest.mark.slow
def test_two_kernels_submit_each_cell_once(service: Service, tmp_path: Path) -> None:
    """Two processes with one folder submit each cell once."""
    check_rounds(service, tmp_path, str, rounds=1, cells=20)


@pytest.mark.slow
@pytest.mark.attack
@pytest.mark.timeout(400)
def test_two_kernels_submit_each_cell_once_over_many_rounds(service: Service, tmp_path: Path) -> None:
    """Each cell is submitted once however much later the second kernel starts."""
    check_rounds(service, tmp_path, str, rounds=16, cells=40)


@pytest.mark.slow
@pytest.mark.attack
@pytest.mark.timeout(400)
def test_two_kernels_on_postgresql_submit_each_cell_once(
    service: Service, tmp_path: Path, postgresql_url: Callable[[], str]
) -> None:
    """Each cell is submitted once if the journal is in PostgreSQL (a new database for each round)."""
    check_rounds(service, tmp_path, postgresql_url, rounds=10, cells=40)


@pytest.mark.slow
def test_two_kernels_retry_a_failed_cell_once(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If both kernels retry the failed cells at the same moment, each cell gets one new task."""
    monkeypatch.setattr(brake, "MAX_ALIKE", 99)
    service.story = (("failed", 0),)
    one, other = make_manager(), make_manager()
    here = sweep(prompt=prompts(8), max_running=8, name="koi", manager=one)
    until(lambda: here.counts[CellState.failed] == 8)
    there = Sweep.load("koi", manager=other)
    until(lambda: there.counts[CellState.failed] == 8)
    service.story = RENDERING
    threads = [threading.Thread(target=each.retry_failed) for each in (here, there)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: here.counts[CellState.running] == there.counts[CellState.running] == 8)
    until(lambda: [cell.key for cell in here.cells] == [cell.key for cell in there.cells])
    until(lambda: all(task.task_id for task in (*here.tasks, *there.tasks)))
    assert len(service.tasks) == 16


@pytest.mark.slow
def test_two_kernels_resubmit_an_unconfirmed_task_once(service: Service, make_manager: MakeManager) -> None:
    """A click that waits for another kernel's submission sends nothing if that ends unconfirmed."""
    here, there = make_manager(), make_manager()
    service.is_idempotent = False
    release = threading.Event()
    lost = service.create_then(close)

    def slow(exchange: Exchange) -> bool:
        release.wait(60)
        return lost(exchange)

    service.faults["submit"] = [lost, slow]
    task = here.submit(prompt="koi")
    until(lambda: task.is_done)
    other = there.adopt(task.key)
    assert other is not None
    until(lambda: other.is_done and there.library.current_hold(task.key) is None)
    task.submit_again()
    until(lambda: not service.faults["submit"])
    other.submit_again()
    until(lambda: "Another kernel follows" in other.message)
    release.set()
    until(lambda: task.is_done and other.is_done)
    assert task.status == other.status == "unconfirmed"
    assert len(service.tasks) == 2, "the other kernel's click was paid for, too"


@pytest.mark.slow
def test_a_cell_that_another_kernel_has_submitted_does_not_count_as_unsent(
    service: Service, make_manager: MakeManager
) -> None:
    """Cancelling a cell that another kernel has just submitted cancels its task at the service."""
    service.story = (("queued", 0),)
    one, other = make_manager(), make_manager()
    here = sweep(prompt=prompts(3), name="koi", ask_above=0, manager=one)
    there = Sweep.load("koi", manager=other)
    here.start()
    until(lambda: all(task.task_id for task in here.tasks) and len(here.tasks) == 3)
    there.cancel()
    assert [cell.key for cell in there.cells] == [cell.key for cell in here.cells]
    assert all(cell.task is not None for cell in there.cells)
    until(lambda: len(service.cancelled) == 3)
    until(lambda: here.counts == there.counts == Counter({CellState.cancelled: 3}))


REFUSED = {
    "this one": answer({"error": {"message": "the model is down", "code": "bad", "param": "model"}}, 400),
    "all": answer({"error": {"message": "the account is empty", "code": "balance"}}, 402),
}


@pytest.mark.slow
@pytest.mark.parametrize("refusal", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["same kernel", "other kernel"])
def test_a_refused_task_that_the_user_has_resubmitted_belongs_to_its_cell(
    service: Service, make_manager: MakeManager, refusal: Step, is_elsewhere: bool
) -> None:
    """The sweep creates no second task if the user has resubmitted the refused one from any kernel's card."""
    service.story = RENDERING
    here = make_manager()
    service.faults["submit"] = [refusal]
    new_sweep = sweep(prompt=["koi"], name="koi", manager=here)
    until(lambda: new_sweep.is_done)
    service.faults.clear()
    (key,) = [task.key for task in here.tasks]
    again = (make_manager() if is_elsewhere else here).adopt(key)
    assert again is not None
    until(lambda: here.library.current_hold(key) is None)
    again.submit_again()
    until(lambda: again.task_id)
    new_sweep.retry_failed()
    new_sweep.resume()
    until(lambda: new_sweep.counts[CellState.running] == 1 and new_sweep.tasks[0].task_id)
    assert (new_sweep.cells[0].key, new_sweep.tasks[0].task_id) == (key, again.task_id)
    assert service.prompts == ["koi"], "the cell was paid for twice"
    service.story = (("completed", 100),)
    until(lambda: new_sweep.counts[CellState.finished] == 1)
    assert new_sweep.state == "ended"


@pytest.mark.slow
def test_a_task_that_another_kernel_saw_refused_again_is_replaced(
    service: Service, make_manager: MakeManager
) -> None:
    """A cell gets a new task here after its old task was refused again in another kernel."""
    here, there = make_manager(), make_manager()
    service.faults["submit"] = [REFUSED["this one"]] * 2
    new_sweep = sweep(prompt=["koi"], name="koi", manager=here)
    until(lambda: new_sweep.is_done)
    other = there.adopt(new_sweep.tasks[0].key)
    assert other is not None
    until(lambda: here.library.current_hold(other.key) is None)
    other.submit_again()
    until(lambda: other.is_done and not service.faults["submit"])
    new_sweep.retry_failed()
    until(lambda: new_sweep.is_done)
    assert new_sweep.counts[CellState.failed] == 1
    new_sweep.retry_failed()
    until(lambda: new_sweep.counts[CellState.finished] == 1)
    assert service.prompts == ["koi"]


@pytest.mark.slow
def test_two_threads_retry_a_failed_cell_once(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that read the failed state, and is suspended until another one retried, creates no task."""
    service.story = (("failed", 0),)
    new_sweep = sweep(prompt=["koi"], manager=make_manager())
    until(lambda: new_sweep.counts[CellState.failed] == 1)
    service.story = RENDERING
    cell, state = new_sweep.cells[0], Cell.state
    has_read, release = threading.Event(), threading.Event()

    def slow_state(cell: Cell) -> CellState:
        value: CellState = state.fget(cell)  # type: ignore[attr-defined]
        if threading.current_thread() is late and value == CellState.failed and has_read.is_set() is False:
            has_read.set()
            release.wait(2)
        return value

    late = threading.Thread(target=cell.restart)
    monkeypatch.setattr(Cell, "state", property(slow_state))
    late.start()
    assert has_read.wait(30)
    cell.retry()
    until(lambda: not late.is_alive() or (cell.task is not None and cell.task.task_id))
    release.set()
    late.join()
    new_sweep.retry_failed()
    until(lambda: cell.task is not None and cell.task.task_id)
    assert service.prompts == ["koi", "koi"], "the cell was paid for more often than it was retried"


DYING_KERNEL = """
import os, sys
import qingbo_widgets as qw

class Dying(qw.TaskManager):
    def follow(self, task, **_):
        os._exit(9)

manager = Dying(qw.Client("sk-test-123456", sys.argv[1]), qw.Library(sys.argv[2]))
new_sweep = qw.sweep(prompt=["koi 0", "koi 1"], name="koi", manager=manager)
new_sweep.wait(60)
"""


@pytest.mark.slow
def test_a_cell_of_a_kernel_that_died_before_its_request_is_unconfirmed(
    service: Service, make_manager: MakeManager, tmp_path: Path
) -> None:
    """A claimed cell of a dead kernel is unconfirmed, and only the user's retry sends it, with its key."""
    command = [sys.executable, "-c", DYING_KERNEL, f"{service.url}/v1", str(tmp_path / "videos")]
    assert subprocess.run(command, timeout=60, check=False).returncode == 9
    service.story = RENDERING
    new_sweep = Sweep.load("koi", manager=make_manager())
    until(lambda: new_sweep.counts[CellState.unconfirmed] == 1)
    key = new_sweep.cells[0].key
    new_sweep.resume()
    until(lambda: len(service.tasks) == 1)
    assert service.prompts == ["koi 1"]
    assert new_sweep.cells[0].state == CellState.unconfirmed
    new_sweep.cells[0].retry()
    until(lambda: new_sweep.counts[CellState.running] == 2 and len(service.tasks) == 2)
    assert new_sweep.cells[0].key == key
    assert set(service.keys) >= {key}
