"""A sweep never pays twice: two kernels at once, an outage, a refused key, a kernel that dies in between."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from qingbo_widgets import Sweep, TaskManager, sweep
from qingbo_widgets.tasks.following import outage
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
    """So many prompts, all different."""
    return [f"koi {number}" for number in range(count)]


def lose(service: Service, fault: Step, *, after: int = 0) -> None:
    """Take every submission and lose its answer, until the faults are cleared; ``after`` good ones."""
    service.faults["submit"] = [service.serve] * after + [service.taken(fault)] * 500


# ---------------------------------------------------------------------- an outage


@pytest.mark.slow
@pytest.mark.parametrize("max_running", [4, 40])
@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_an_outage_costs_three_tasks_at_most(
    service: Service, make_manager: MakeManager, fault: Step, max_running: int
) -> None:
    """The sweep pauses and says what may be charged; resume() risks one task, until one is confirmed."""
    service.story = RENDERING
    lose(service, fault)
    made = sweep(prompt=prompts(50), max_running=max_running, ask_above=99, manager=make_manager())
    until(lambda: made.is_done)
    assert len(service.tasks) == 3, "more was submitted into an outage than it takes to notice one"
    assert made.state == "paused"
    for part in ("3 submissions in a row", "may charge", "dashboard", "resume()"):
        assert part in made.reason
    assert made.counts == Counter({CellState.waiting: 47, CellState.unconfirmed: 3})

    made.resume()
    until(lambda: made.is_done)
    assert len(service.tasks) == 4, "one is enough to see that the outage goes on"
    assert "4 submissions in a row" in made.reason

    service.faults.clear()
    made.resume()
    until(lambda: made.counts[CellState.running] == min(max_running, 46))
    assert (made.state, made.reason) == ("running", "")
    assert not [prompt for prompt, count in Counter(service.prompts).items() if count > 1]


@pytest.mark.slow
def test_one_id_for_all_confirms_one_task(service: Service, make_manager: MakeManager) -> None:
    """A gateway that answers out of a cache confirms the first task, and is an outage for the others."""
    service.story = RENDERING
    lose(service, answer({"task_id": "task-1", "model": "kling-v3", "status": "queued"}))
    made = sweep(prompt=prompts(30), max_running=8, ask_above=99, manager=make_manager())
    until(lambda: made.state == "paused" and made.counts[CellState.waiting] != 30)
    until(lambda: made.counts[CellState.running] == 1)
    assert len(service.tasks) <= 1 + 3, "tasks were paid for whose ids are not known"
    assert made.counts[CellState.unconfirmed] == len(service.tasks) - 1
    assert "another task of this library" in str(made.tasks[-1].error)
    assert len([task for task in made.tasks if task.task_id]) == 1, "two cells got one task's video"


@pytest.mark.slow
def test_one_id_for_two_answers_at_once(service: Service, make_manager: MakeManager) -> None:
    """Eight submissions are answered with one id in the same moment: one task is confirmed."""
    service.story = RENDERING
    together = threading.Barrier(8)

    def answered(exchange: Exchange) -> bool:
        service.take(exchange.request)
        together.wait(30)
        return answer({"task_id": "task-1", "model": "kling-v3", "status": "queued"})(exchange)

    service.faults["submit"] = [answered] * 8
    manager = make_manager()
    tasks = [manager.submit(prompt=prompt) for prompt in prompts(8)]
    until(lambda: all(task.task_id or task.is_done for task in tasks))
    ids = [task.task_id for task in tasks if task.task_id]
    assert ids == ["task-1"], "several tasks would get one task's video"
    assert Counter(str(task.status) for task in tasks if not task.task_id) == {"unconfirmed": 7}


@pytest.mark.slow
def test_tasks_that_go_on_hide_no_outage(service: Service, make_manager: MakeManager) -> None:
    """News of earlier tasks is no proof that the service confirms submissions."""
    lose(service, html("bad gateway"), after=5)
    made = sweep(prompt=prompts(30), max_running=8, ask_above=99, manager=make_manager())
    until(lambda: made.is_done)
    assert len(service.tasks) <= 5 + 3
    assert made.counts[CellState.unconfirmed] == len(service.tasks) - 5
    assert made.counts[CellState.finished] == 5


@pytest.mark.slow
def test_another_kernel_knows_of_the_outage(service: Service, make_manager: MakeManager) -> None:
    """After a restart resume() sends one to try, as it would have before."""
    lose(service, html("bad gateway"))
    first = make_manager()
    made = sweep(prompt=prompts(30), max_running=8, ask_above=99, name="koi", manager=first)
    until(lambda: made.is_done)
    first.close()
    again = Sweep.load("koi", manager=make_manager())
    assert again.counts[CellState.waiting] == 27
    again.resume()
    until(lambda: again.is_done)
    assert len(service.tasks) == 4
    assert "submissions in a row" in again.reason


@pytest.mark.slow
def test_unconfirmed_ones_are_tried_again_one_first(service: Service, make_manager: MakeManager) -> None:
    """Into an outage that goes on, submitting all of them again sends one."""
    lose(service, html("bad gateway"))
    made = sweep(prompt=prompts(3), max_running=8, manager=make_manager())
    until(lambda: made.state == "ended")
    service.knows_keys = False
    made.retry_failed(unconfirmed=True)
    until(lambda: made.is_done)
    assert len(service.tasks) == 4
    assert made.counts == Counter({CellState.waiting: 2, CellState.unconfirmed: 1})


@pytest.mark.slow
@pytest.mark.parametrize("refusal", [NO_PAGE, FORBIDDEN, NO_KEY], ids=["404", "403", "401"])
def test_a_refusal_of_all_pauses(service: Service, make_manager: MakeManager, refusal: Step) -> None:
    """A wrong address or a refused key uses up no cell: each waits, and is sent once that is put right."""
    service.faults["submit"] = [refusal] * 100
    made = sweep(prompt=prompts(20), ask_above=99, manager=make_manager())
    until(lambda: made.is_done)
    assert made.state == "paused"
    assert made.counts == Counter({CellState.waiting: 20})
    service.faults.clear()
    service.story = RENDERING
    made.resume()
    until(lambda: len(service.tasks) == 4)
    assert made.counts == Counter({CellState.running: 4, CellState.waiting: 16})


# ---------------------------------------------------------------------- not followed is not failed


@pytest.mark.slow
@pytest.mark.parametrize("refusal", [NO_KEY, NO_TASK], ids=["401", "404"])
def test_what_is_no_longer_followed_is_not_paid_for_again(
    service: Service,
    make_manager: MakeManager,
    monkeypatch: pytest.MonkeyPatch,
    refusal: Step,
) -> None:
    """Every way to try again follows the tasks that the service is rendering, and makes no others."""
    monkeypatch.setattr(outage, "REFUSAL_PATIENCE", 0.2)
    service.story = RENDERING
    made = sweep(prompt=prompts(4), max_running=3, manager=make_manager())
    until(lambda: made.counts[CellState.running] == 3 and len(service.tasks) == 3)
    service.faults["status"] = [refusal] * 2000
    until(lambda: made.counts[CellState.unfollowed] == 3)
    assert (made.state, made.counts[CellState.failed]) == ("paused", 0)
    assert "follow_again()" in made.reason
    assert made.counts[CellState.waiting] == 1, "more is submitted while nothing can be followed"
    grid = SweepGrid(made)
    assert is_displayed(grid, grid.follow_button)
    assert not is_displayed(grid, grid.retry_button)
    assert "3 not followed" in text_of(grid)
    assert not any(view.retry_button in view.children for view in grid.views)

    service.faults.clear()
    made.cells[0].retry()
    made.retry_failed(unconfirmed=True)
    grid.follow_button.click()
    until(lambda: made.counts[CellState.running] == 3)
    service.story = (("completed", 100),)
    until(lambda: made.counts[CellState.finished] == 3)
    assert len(service.tasks) == 3, "a task that the service was rendering was paid for again"
    grid.close()


@pytest.mark.slow
def test_only_what_the_service_has_lost_is_offered_anew(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that is not found gets a button of its own, which says what it may cost."""
    monkeypatch.setattr(outage, "REFUSAL_PATIENCE", 0.2)
    service.story = RENDERING
    made = sweep(prompt=prompts(2), manager=make_manager())
    until(lambda: len(service.tasks) == 2)
    service.faults["status"] = [NO_TASK] * 2000
    until(lambda: made.state == "ended")
    grid = SweepGrid(made)
    until(lambda: all(view.new_task_button in view.children for view in grid.views))
    assert "may have been charged" in grid.views[0].new_task_button.tooltip
    assert "Not found at the service" in grid.views[0].card.static_html
    service.faults.clear()
    grid.views[0].new_task_button.click()
    until(lambda: len(service.tasks) == 3)
    until(lambda: made.cells[0].state == CellState.running)
    assert service.prompts == ["koi 0", "koi 1", "koi 0"]
    assert made.cells[1].state == CellState.unfollowed
    grid.close()


# ---------------------------------------------------------------------- two kernels

KERNEL = """
import sys, time
import qingbo_widgets as qw
from qingbo_widgets.library.sweeps import Sweeps

role, url, folder, database, cells, delay = sys.argv[1:]
library = qw.Library(folder, database=database or None)
manager = qw.TaskManager(qw.Client("sk-test-123456", url), library, poll_interval=0.05)
kept = Sweeps(library.journal, manager.service)
library.entries()  # what is imported late is imported
if role == "second":
    print("ready", flush=True)
    while kept.get("koi") is None:
        time.sleep(0.002)
    time.sleep(float(delay))
    made = qw.Sweep.load("koi", manager=manager)
    made.resume()
else:
    made = qw.sweep(
        prompt=[f"koi {number}" for number in range(int(cells))], name="koi", max_running=int(cells),
        ask_above=1000, manager=manager,
    )
end = time.monotonic() + 60
while (made.state != "ended" or not all(task.is_done for task in made.tasks)) and time.monotonic() < end:
    if made.state == "paused":
        made.resume()
    time.sleep(0.05)
print(made.state, made.counts["finished"], flush=True)
manager.close()
"""


def both_go_on(service: Service, folder: Path, database: str, cells: int, delay: float) -> list[str]:
    """Let two kernels go on with one sweep at the same time; return what each prints at its end."""
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
    """Every cell is submitted once, and both kernels have all videos, in every round."""
    for number in range(rounds):
        service.prompts.clear()
        delay = 0.4 * number / rounds
        ended = both_go_on(service, folder / str(number), url(), cells, delay)
        twice = [prompt for prompt, count in Counter(service.prompts).items() if count > 1]
        assert not twice, f"round {number}: submitted, and paid for, twice: {twice}"
        assert len(service.prompts) == cells
        assert ended == [f"ended {cells}"] * 2


@pytest.mark.slow
def test_two_kernels_submit_each_cell_once(service: Service, tmp_path: Path) -> None:
    """Two real processes on one folder."""
    check_rounds(service, tmp_path, str, rounds=1, cells=20)


@pytest.mark.slow
@pytest.mark.attack
@pytest.mark.timeout(400)
def test_two_kernels_submit_each_cell_once_over_many_rounds(service: Service, tmp_path: Path) -> None:
    """It is a race: the second kernel comes a little later each time."""
    check_rounds(service, tmp_path, str, rounds=16, cells=40)


@pytest.mark.slow
@pytest.mark.attack
@pytest.mark.timeout(400)
def test_two_kernels_on_postgresql_submit_each_cell_once(
    service: Service, tmp_path: Path, postgresql_url: Callable[[], str]
) -> None:
    """The journal is on a server, with a database of its own for each round."""
    check_rounds(service, tmp_path, postgresql_url, rounds=10, cells=40)


@pytest.mark.slow
def test_two_kernels_retry_a_failed_cell_once(service: Service, make_manager: MakeManager) -> None:
    """Both try the failed ones again in the same moment: one new task for each."""
    service.story = (("failed", 0),)
    one, other = make_manager(), make_manager()
    here = sweep(prompt=prompts(8), max_running=8, name="koi", manager=one)
    until(lambda: here.counts[CellState.failed] == 8)
    there = Sweep.load("koi", manager=other)
    until(lambda: there.counts[CellState.failed] == 8)
    service.story = RENDERING
    threads = [threading.Thread(target=made.retry_failed) for made in (here, there)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: here.counts[CellState.running] == there.counts[CellState.running] == 8)
    until(lambda: [cell.key for cell in here.cells] == [cell.key for cell in there.cells])
    until(lambda: all(task.task_id for task in (*here.tasks, *there.tasks)))
    assert len(service.tasks) == 16


@pytest.mark.slow
def test_two_kernels_submit_an_unconfirmed_task_again_once(
    service: Service, make_manager: MakeManager
) -> None:
    """The second one waited for the first, whose answer was lost again: that needs another click."""
    here, there = make_manager(), make_manager()
    service.knows_keys = False
    is_let_go = threading.Event()
    lost = service.taken(close)

    def slow(exchange: Exchange) -> bool:
        is_let_go.wait(60)
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
    is_let_go.set()
    until(lambda: task.is_done and other.is_done)
    assert task.status == other.status == "unconfirmed"
    assert len(service.tasks) == 2, "the other kernel's click was paid for as well"


@pytest.mark.slow
def test_what_another_kernel_has_submitted_is_not_called_unsent(
    service: Service, make_manager: MakeManager
) -> None:
    """A cell cancelled here, and submitted there a moment ago, is cancelled at the service, not only here."""
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
def test_a_refused_task_that_the_user_has_submitted_again_is_the_cells(
    service: Service, make_manager: MakeManager, refusal: Step, is_elsewhere: bool
) -> None:
    """Its own card has a button for that, in every kernel; the sweep then makes no second task of it."""
    service.story = RENDERING
    here = make_manager()
    service.faults["submit"] = [refusal]
    made = sweep(prompt=["koi"], name="koi", manager=here)
    until(lambda: made.is_done)
    service.faults.clear()
    (key,) = [task.key for task in here.tasks]
    again = (make_manager() if is_elsewhere else here).adopt(key)
    assert again is not None
    until(lambda: here.library.current_hold(key) is None)
    again.submit_again()
    until(lambda: again.task_id)
    made.retry_failed()
    made.resume()
    until(lambda: made.counts[CellState.running] == 1 and made.tasks[0].task_id)
    assert (made.cells[0].key, made.tasks[0].task_id) == (key, again.task_id)
    assert service.prompts == ["koi"], "the cell was paid for twice"
    service.story = (("completed", 100),)
    until(lambda: made.counts[CellState.finished] == 1)
    assert made.state == "ended"


@pytest.mark.slow
def test_a_task_that_is_refused_once_more_elsewhere_keeps_no_cell(
    service: Service, make_manager: MakeManager
) -> None:
    """The other kernel was refused as well, so the cell gets a new task here."""
    here, there = make_manager(), make_manager()
    service.faults["submit"] = [REFUSED["this one"]] * 2
    made = sweep(prompt=["koi"], name="koi", manager=here)
    until(lambda: made.is_done)
    other = there.adopt(made.tasks[0].key)
    assert other is not None
    until(lambda: here.library.current_hold(other.key) is None)
    other.submit_again()
    until(lambda: other.is_done and not service.faults["submit"])
    made.retry_failed()
    until(lambda: made.is_done)
    assert made.counts[CellState.failed] == 1
    made.retry_failed()
    until(lambda: made.counts[CellState.finished] == 1)
    assert service.prompts == ["koi"]


@pytest.mark.slow
def test_two_threads_retry_a_failed_cell_once(
    service: Service, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is put aside just after it has seen that the cell failed, until the other has a new task."""
    service.story = (("failed", 0),)
    made = sweep(prompt=["koi"], manager=make_manager())
    until(lambda: made.counts[CellState.failed] == 1)
    service.story = RENDERING
    cell, state = made.cells[0], Cell.state
    has_seen, is_let_go = threading.Event(), threading.Event()

    def seen(cell: Cell) -> CellState:
        found: CellState = state.fget(cell)  # type: ignore[attr-defined]
        if threading.current_thread() is late and found == CellState.failed and has_seen.is_set() is False:
            has_seen.set()
            is_let_go.wait(2)
        return found

    late = threading.Thread(target=cell.restart)
    monkeypatch.setattr(Cell, "state", property(seen))
    late.start()
    assert has_seen.wait(30)
    cell.retry()
    until(lambda: not late.is_alive() or (cell.task is not None and cell.task.task_id))
    is_let_go.set()
    late.join()
    made.retry_failed()
    until(lambda: cell.task is not None and cell.task.task_id)
    assert service.prompts == ["koi", "koi"], "the cell was paid for once more than it was retried"


DIES = """
import os, sys
import qingbo_widgets as qw

class Dying(qw.TaskManager):
    def follow(self, task, **_):
        os._exit(9)

manager = Dying(qw.Client("sk-test-123456", sys.argv[1]), qw.Library(sys.argv[2]))
made = qw.sweep(prompt=["koi 0", "koi 1"], name="koi", manager=manager)
made.wait(60)
"""


@pytest.mark.slow
def test_a_kernel_that_dies_before_the_request_leaves_no_doubtful_retry(
    service: Service, make_manager: MakeManager, tmp_path: Path
) -> None:
    """The cell was claimed and not sent: that is unconfirmed, and only the user sends it, with its key."""
    command = [sys.executable, "-c", DIES, f"{service.url}/v1", str(tmp_path / "videos")]
    assert subprocess.run(command, timeout=60, check=False).returncode == 9
    service.story = RENDERING
    made = Sweep.load("koi", manager=make_manager())
    until(lambda: made.counts[CellState.unconfirmed] == 1)
    key = made.cells[0].key
    made.resume()
    until(lambda: len(service.tasks) == 1)
    assert service.prompts == ["koi 1"]
    assert made.cells[0].state == CellState.unconfirmed
    made.cells[0].retry()
    until(lambda: made.counts[CellState.running] == 2 and len(service.tasks) == 2)
    assert made.cells[0].key == key
    assert set(service.keys) >= {key}
