"""Sweeps against a real sandbox: limited, paused, resumed, retried, and loaded again."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets import InvalidRequest, QingboError, Sandbox, Sweep, TaskManager, sweep
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.sweeps import CellRow, Sweeps
from qingbo_widgets.sandbox import Faults
from qingbo_widgets.tasks.sweep import brake
from qingbo_widgets.tasks.sweep.cell import CellState, time_left
from tests.waiting import until

SHORT: dict[str, Any] = {"duration": 3, "enable_audio": False}
FAILING = Faults(fail="upstream_unavailable", fail_prompt="fail")


@pytest.fixture
def faults(server: Sandbox) -> Callable[[Faults], None]:
    """Return a function that sets the sandbox's faults; each test starts without any."""
    server.faults = Faults()

    def set_faults(faults: Faults) -> None:
        server.faults = faults

    return set_faults


@pytest.fixture
def failing(faults: Callable[[Faults], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make tasks with "fail" in their prompt fail at once, without drawing a video, and stop no sweep."""
    monkeypatch.setattr(brake, "MAX_ALIKE", 99)
    faults(FAILING)


@pytest.mark.slow
@pytest.mark.usefixtures("failing")
def test_a_sweep_prints_its_size_and_renders_every_combination(
    manager: TaskManager, capsys: pytest.CaptureFixture[str]
) -> None:
    """The number of tasks is printed before anything is sent; each cell gets its own video."""
    made = sweep(prompt=["koi", "fail"], mode=["std", "pro"], manager=manager, name="two by two", **SHORT)
    assert (
        "Sweep two by two: 4 tasks (Prompt 2 × Mode 2), 12 s of video; at most 4 at once."
        in capsys.readouterr().out
    )
    made.wait(timeout=90)
    assert made.state == "ended"
    assert made.is_done
    assert made.counts[CellState.finished] == 2
    assert made.counts[CellState.failed] == 2
    assert made.progress == 1
    assert [cell.values["prompt"] for cell in made.cells if cell.state == "finished"] == ["koi", "koi"]
    assert len({task.video_path for task in made.tasks if task.video_path}) == 2
    rows = made.rows()
    assert [(row["prompt"], row["mode"]) for row in rows] == [
        ("koi", "std"), ("koi", "pro"), ("fail", "std"), ("fail", "pro"),
    ]  # fmt: skip
    assert rows[0]["seconds"] > 0
    assert "upstream_unavailable" in rows[2]["error"]


@pytest.mark.slow
@pytest.mark.usefixtures("failing")
def test_never_more_than_max_running(manager: TaskManager) -> None:
    """The limit holds at any time; raising it takes effect at once."""
    made = sweep(prompt=["fail"], repeat=9, max_running=2, manager=manager, **SHORT)
    most = 0

    def some_have_failed() -> bool:
        nonlocal most
        most = max(most, sum(not task.is_done for task in made.tasks))
        return made.counts[CellState.failed] >= 3

    until(some_have_failed)
    assert most == 2
    made.max_running = 6
    until(lambda: made.counts[CellState.running] > 2 or made.is_done)
    assert made.wait(timeout=60).counts[CellState.failed] == 9


@pytest.mark.slow
@pytest.mark.usefixtures("failing")
def test_many_tasks_are_not_sent_before_confirmation(manager: TaskManager, server: Sandbox) -> None:
    """Above the limit nothing is sent, ``wait`` raises the reason, and ``start`` submits the tasks."""
    made = sweep(prompt="fail", repeat=5, ask_above=4, manager=manager, **SHORT)
    assert made.state == "planned"
    with pytest.raises(QingboError, match=r"Nothing has been sent yet.*5 tasks.*sweep\.start\(\)"):
        made.wait()
    with pytest.raises(QingboError, match="Nothing has been sent yet"):
        next(iter(made))
    assert made.tasks == ()
    assert manager.library.entries() == []
    assert made.start().wait(timeout=60).counts[CellState.failed] == 5


@pytest.mark.usefixtures("failing")
def test_the_limit_can_be_set_once_for_all(make_manager: Callable[..., TaskManager]) -> None:
    """``TaskManager.ask_above`` is the default of a call without ``ask_above``."""
    manager = make_manager(ask_above=1)
    assert sweep(prompt="fail", repeat=2, manager=manager, **SHORT).state == "planned"
    assert sweep(prompt="fail", repeat=2, manager=manager, ask_above=2, **SHORT).state == "running"


@pytest.mark.slow
@pytest.mark.usefixtures("failing")
def test_pause_and_go_on(manager: TaskManager) -> None:
    """A pause lets running tasks finish and holds the waiting cells; ``wait`` raises."""
    made = sweep(prompt="fail", repeat=6, max_running=2, manager=manager, **SHORT)
    made.pause()
    until(lambda: not made.counts[CellState.running])
    assert made.counts[CellState.waiting] >= 4
    with pytest.raises(QingboError, match=r"paused; cells waiting for resume\(\): \d"):
        made.wait(timeout=10)
    made.resume()
    assert made.wait(timeout=60).counts[CellState.failed] == 6


@pytest.mark.usefixtures("failing")
def test_cancel_ends_cells_that_have_not_begun(manager: TaskManager) -> None:
    """Waiting cells are dropped and never sent; each can be retried later."""
    made = sweep(prompt="fail", repeat=6, max_running=1, manager=manager, **SHORT)
    made.cancel()
    made.wait(timeout=60)
    counts, begun = made.counts, len(made.tasks)
    assert counts[CellState.waiting] == 0
    assert counts[CellState.cancelled] >= 6 - begun
    assert len(manager.library.entries()) == begun < 6  # one, unless this machine paused
    assert made.cells[5].state == CellState.cancelled
    states: list[str] = []
    made.observe(lambda change: states.append(change.new), "state")
    made.cells[5].retry()
    made.wait(timeout=60)
    assert states == ["running", "ended"]
    assert made.cells[5].state == CellState.failed  # type: ignore[comparison-overlap]  # mypy misses the second try


@pytest.mark.slow
def test_a_retried_cell_waits_for_the_journal(manager: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue may look at a cell between a click on "Regenerate" and its record in the journal."""
    made = sweep(prompt="koi", repeat=2, max_running=1, manager=manager, **SHORT)
    made.cancel()
    made.wait(timeout=60)
    rows, queue = made._queue.rows, made._queue
    save = rows.drop

    def late(*args: Any, **kwargs: Any) -> Any:
        made.set_running()
        manager.monitor.start(queue._step).result(30)  # as the end of another task starts it
        return save(*args, **kwargs)

    monkeypatch.setattr(rows, "drop", late)
    made.cells[1].retry()
    made.wait(timeout=60)
    assert made.cells[1].state == CellState.finished


@pytest.mark.slow
def test_retry_failed_makes_new_tasks(manager: TaskManager, faults: Callable[[Faults], None]) -> None:
    """A failed task is refunded, so a retry is another task; finished cells are unchanged."""
    faults(FAILING)
    made = sweep(prompt=["koi", "will fail"], manager=manager, **SHORT).wait(timeout=60)
    finished, failed = made.tasks
    faults(Faults())
    made.retry_failed()
    made.wait(timeout=60)
    assert made.counts[CellState.finished] == 2
    assert made.tasks[0] is finished
    assert made.tasks[1].task_id != failed.task_id
    with pytest.raises(QingboError, match="has its video"):
        made.cells[0].retry()


@pytest.mark.slow
@pytest.mark.usefixtures("failing")
def test_an_empty_account_stops_the_sweep(manager: TaskManager, faults: Callable[[Faults], None]) -> None:
    """402 applies to every other cell too: the sweep pauses, shows the reason, and loses no cell."""
    faults(Faults(no_balance=True, fail="x", fail_prompt="fail"))
    made = sweep(prompt="fail", repeat=8, max_running=2, manager=manager, **SHORT)
    until(lambda: made.is_done)
    assert made.state == "paused"
    assert made.reason.startswith("402")
    assert made.counts[CellState.waiting] == 8
    with pytest.raises(QingboError, match="402"):
        made.wait()
    faults(FAILING)
    made.resume()
    made.wait(timeout=60)
    assert made.counts[CellState.failed] == 8
    assert all(task.task_id for task in made.tasks)


@pytest.mark.slow
def test_an_unconfirmed_task_is_not_submitted_again_automatically(
    manager: TaskManager, faults: Callable[[Faults], None]
) -> None:
    """A gateway's page after a submit leaves the cell unconfirmed; only an explicit retry sends it again."""
    faults(Faults(html_every=1, fail="x", fail_prompt="fail"))
    made = sweep(prompt="fail", repeat=2, manager=manager, **SHORT).wait(timeout=60)
    assert made.counts[CellState.unconfirmed] == 2
    keys = [cell.key for cell in made.cells]
    faults(FAILING)
    made.retry_failed()
    assert made.is_done
    made.retry_failed(unconfirmed=True)
    made.wait(timeout=60)
    assert made.counts[CellState.failed] == 2
    assert [cell.key for cell in made.cells] == keys


@pytest.mark.slow
def test_trying_again_waits_its_turn(manager: TaskManager, faults: Callable[[Faults], None]) -> None:
    """Unconfirmed tasks are submitted again when there is room, not all at once; one can be cancelled."""
    faults(Faults(html_every=1))
    made = sweep(prompt=["koi", "tiger", "fox", "owl"], max_running=1, manager=manager, **SHORT)
    until(lambda: made.is_done)
    made.resume()
    made.wait(timeout=60)
    assert made.counts[CellState.unconfirmed] == 4
    most = 0

    def count(_: object) -> None:
        nonlocal most
        most = max(most, sum(not task.is_done for task in made.tasks))

    for task in made.tasks:
        task.observe(count, "status")
    faults(Faults())
    made.pause()
    made.retry_failed(unconfirmed=True)
    made.cells[3].cancel()
    made.resume()
    until(lambda: made.counts[CellState.finished] == 3)
    assert made.counts[CellState.unconfirmed] == 1
    assert most == 1


@pytest.mark.slow
@pytest.mark.usefixtures("failing")
def test_tasks_come_as_they_end(manager: TaskManager) -> None:
    """Iteration yields each task once, after its end, with or without a video."""
    made = sweep(prompt=["koi", "fail one", "fail two"], manager=manager, **SHORT)
    seen = []
    for task in made:
        assert task.is_done
        seen.append(task)
    assert len(seen) == 3
    assert set(seen) == set(made.tasks)


@pytest.mark.slow
@pytest.mark.usefixtures("failing")
def test_await_and_async_for(manager: TaskManager) -> None:
    """``await`` and ``async for`` do not block the event loop."""

    async def story() -> tuple[list[str], int]:
        made = sweep(prompt="fail", repeat=3, manager=manager, **SHORT)
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0.01)

        heart = asyncio.create_task(beat())
        ids = [task.task_id async for task in made]
        assert await made is made
        heart.cancel()
        return ids, beats

    ids, beats = asyncio.run(story())
    assert len(set(ids)) == 3
    assert beats > 5


@pytest.mark.slow
@pytest.mark.usefixtures("failing")
def test_another_kernel_loads_a_sweep_and_sends_nothing_by_itself(
    make_manager: Callable[..., TaskManager],
) -> None:
    """Order, limit and running tasks are restored; waiting cells are submitted only after ``resume``."""
    first = make_manager()
    made = sweep(prompt=["fail"], repeat=7, max_running=2, manager=first, name="koi", **SHORT)
    until(lambda: made.counts[CellState.failed] >= 1)
    first.close()
    with pytest.raises(QingboError, match="manager was closed"):
        made.wait(timeout=5)
    rows = first.library.entries()
    # A task that the queue was about to send already has its row, which records that it was not sent.
    sent = len([row for row in rows if row.task_id or row.status != "failed"])

    second = make_manager()
    again = Sweep.load("koi", manager=second)
    assert Sweep.load(manager=second) is again
    assert (again.state, again.max_running, len(again)) == ("paused", 2, 7)
    assert "resume()" in again.reason
    until(lambda: not again.counts[CellState.running])
    assert len(second.library.entries()) == len(rows)
    assert again.counts[CellState.waiting] == 7 - sent
    again.resume()
    again.wait(timeout=60)
    assert len(second.library.entries()) == 7
    # A task in flight at the kernel's exit may be unconfirmed; none is submitted twice.
    assert again.counts[CellState.failed] + again.counts[CellState.unconfirmed] == 7


@pytest.mark.slow
@pytest.mark.usefixtures("failing")
def test_two_kernels_do_not_submit_one_cell_twice(make_manager: Callable[..., TaskManager]) -> None:
    """If both resume one sweep at the same time, the journal has one task per cell."""
    one, two = make_manager(), make_manager()
    here = sweep(prompt="fail", repeat=8, max_running=3, manager=one, name="koi", ask_above=0, **SHORT)
    there = Sweep.load("koi", manager=two)
    both = [threading.Thread(target=made.resume) for made in (here, there)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    deadline = time.monotonic() + 60
    while not (here.state == there.state == "ended"):
        assert time.monotonic() < deadline, (here, there)
        for made in (here, there):
            if made.state == "paused":
                made.resume()
        time.sleep(0.02)
    assert len(one.library.entries()) == 8


def test_one_name_is_one_sweep_for_every_thread(make_manager: Callable[..., TaskManager]) -> None:
    """Several threads that create or load a name at the same time get one sweep."""
    start = threading.Barrier(8)
    results: list[Sweep] = []

    def together(call: Callable[[], Sweep]) -> None:
        def work() -> None:
            start.wait()
            results.append(call())

        threads = [threading.Thread(target=work) for _ in range(start.parties)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    first, second = make_manager(), make_manager()
    together(lambda: sweep(prompt="koi", repeat=3, name="koi", ask_above=0, manager=first, **SHORT))
    assert len(results) == start.parties, "a thread raised an error"
    assert len(set(map(id, results))) == 1
    results.clear()
    together(lambda: Sweep.load("koi", manager=second))
    assert len(set(map(id, results))) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("failing")
def test_running_the_cell_again_gives_the_same_sweep(manager: TaskManager) -> None:
    """The same call returns the existing sweep; a different one under its name is refused."""
    made = sweep(prompt=["fail"], repeat=2, manager=manager, name="koi", **SHORT).wait(timeout=60)
    assert sweep(prompt=["fail"], repeat=2, manager=manager, name="koi", **SHORT) is made
    with pytest.raises(ValueError, match="different sweep 'koi'"):
        sweep(prompt=["fail"], repeat=3, manager=manager, name="koi", **SHORT)
    assert len(manager.library.entries()) == 2


@pytest.mark.usefixtures("failing")
def test_running_it_again_may_change_the_limit(manager: TaskManager) -> None:
    """An explicit limit is used and saved for the next kernel; without one the limit is unchanged."""
    first = sweep(prompt=["fail"], name="limits", max_running=2, manager=manager, **SHORT)
    assert sweep(prompt=["fail"], name="limits", max_running=7, manager=manager, **SHORT) is first
    assert sweep(prompt=["fail"], name="limits", manager=manager, **SHORT).max_running == 7
    saved = Sweeps(manager.library.journal, manager.service).get("limits")
    assert saved is not None
    assert saved.max_running == 7


def test_an_unknown_name_lists_the_known(manager: TaskManager) -> None:
    """Loading an unknown sweep creates no journal, and the error names the existing ones."""
    with pytest.raises(KeyError, match="the library has: none"):
        Sweep.load("koi", manager=manager)
    assert not manager.library.folder.exists()


def test_refused_combinations_send_nothing(manager: TaskManager) -> None:
    """One invalid cell stops the sweep; with ``skip_invalid`` the rest is created and the reason saved."""
    varied: dict[str, Any] = {"prompt": "koi", "model": ["kling-v3", "kling-v1"], "cfg_scale": [0.3]}
    with pytest.raises(InvalidRequest):
        sweep(**varied, manager=manager)
    made = sweep(**varied, manager=manager, skip_invalid=True, ask_above=0)
    assert len(made) == 1
    assert "cfg_scale" in made.skipped[0].problems[0].message
    del manager.sweeps[made.name]
    assert Sweep.load(made.name, manager=manager).skipped[0].values == {
        "model": "kling-v3",
        "cfg_scale": 0.3,
    }
    assert manager.library.entries() == []


def test_a_full_disk_sends_nothing(manager: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell whose key cannot be saved is not submitted, because it could not be found again."""
    made = sweep(prompt="koi", repeat=2, manager=manager, ask_above=0, **SHORT)

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Sweeps, "claim", full)
    made.start()
    until(lambda: made.state == "paused")
    assert "No space left" in made.reason
    assert manager.library.entries() == []


@pytest.mark.slow
@pytest.mark.usefixtures("failing")
def test_to_dataframe(manager: TaskManager) -> None:
    """``to_dataframe`` returns a DataFrame, or without pandas raises an error that names the alternative."""
    made = sweep(prompt="fail", repeat=2, manager=manager, **SHORT).wait(timeout=60)
    if importlib.util.find_spec("pandas") is None:
        with pytest.raises(ImportError, match=r"needs pandas.*rows\(\)"):
            made.to_dataframe()
    else:
        assert list(made.to_dataframe()["repeat"]) == [1, 2]


@pytest.mark.parametrize(
    ("ended", "running", "waiting", "slots", "left"),
    [
        ([], [], 0, 4, 0.0),
        ([], [None], 0, 4, None),
        ([], [7.0], 3, 4, None),
        ([10.0, 20.0, 30.0], [5.0, None], 0, 2, 20.0),
        ([10.0], [5.0, 10.0], 3, 2, 25.0),
        ([10.0], [], 5, 2, 30.0),
    ],
)
def test_time_left(
    ended: list[float], running: list[float | None], waiting: int, slots: int, left: float | None
) -> None:
    """Running tasks end as estimated; each waiting one takes the first free slot for the median time."""
    assert time_left(ended, running, waiting, slots) == left


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_two_hundred_tasks_on_a_bad_day(tmp_path: Path) -> None:
    """With rate limits, server errors, gateway pages and failing tasks, each cell ends and is yielded once.

    One of ten videos is drawn; drawing all two hundred would measure the sandbox, at a second each.
    """
    bad = Faults(
        fail="task_failed", fail_prompt="fail", rate_limit_every=13, server_error_every=31, html_every=41
    )
    with Sandbox(speed=50, draft=True, faults=bad) as server:
        client = qw.Client(server.api_key, server.base_url)
        with TaskManager(client, qw.Library(tmp_path), poll_interval=0.2) as manager:
            prompts = [f"{'koi' if number % 10 == 0 else 'fail'} {number}" for number in range(200)]
            made = sweep(prompt=prompts, max_running=16, ask_above=200, manager=manager, **SHORT)
            # Three lost responses in a row may happen by chance, and pause it.
            made.observe(lambda change: change["new"] == "paused" and made.resume(), "state")
            seen = [task.key for task in made]
            counts = made.counts
            assert made.state == "ended"
            assert len(seen) == len(set(seen)) == 200
            assert counts[CellState.waiting] == counts[CellState.running] == counts[CellState.cancelled] == 0
            assert (
                counts[CellState.finished] + counts[CellState.failed] + counts[CellState.unconfirmed] == 200
            )
            assert counts[CellState.finished] >= 15
            assert 0 < counts[CellState.unconfirmed] < 40
            assert len(manager.library.entries()) == 200
            assert all(cell.task and cell.task.video_path for cell in made.cells if cell.state == "finished")


@pytest.mark.usefixtures("failing")
def test_an_unconfirmed_cell_of_another_contract_is_not_submitted_again(manager: TaskManager) -> None:
    """The sweep pauses with the reason and without a second charge; resume() continues with the others."""
    later, own = ({"prompt": f"{name} fail", "duration": 3} for name in ("later", "own"))
    row = Entry("c" * 32, manager.service, request=later, status="unconfirmed", contract="2099-01")
    manager.library.add(row)
    cells = [CellRow({"row": 1}, later, key=row.key), CellRow({"row": 2}, own)]
    Sweeps(manager.library.journal, manager.service).add("mixed", {"row": [1, 2]}, [], 4, cells)
    made = Sweep.load("mixed", manager=manager)
    until(lambda: made.cells[0].state == CellState.unconfirmed)
    made.retry_failed(unconfirmed=True)
    made.resume()
    until(lambda: made.state == "paused")
    assert "2099-01" in made.reason
    assert "2026-04" in made.reason
    assert made.cells[0].state == CellState.unconfirmed
    assert made.cells[1].task is None
    made.resume()
    until(lambda: made.state == "ended")
    assert [task.contract for task in manager.tasks] == ["2099-01", "2026-04"]
    assert manager.library.get(row.key).task_id == ""


@pytest.mark.slow
@pytest.mark.usefixtures("no_proxy")
def test_a_sweep_refused_for_its_contract_continues_in_another(
    make_manager: Callable[..., TaskManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It pauses at the first refusal, says how to go on, and submits every cell once in that contract."""
    with Sandbox(speed=50, draft=True, contract="2026-11") as server:
        april = make_manager(qw.Client(server.api_key, server.base_url, contract="2026-04"))
        refused = sweep(
            prompt=[f"fail {number}" for number in range(9)], duration=3, manager=april, name="refused"
        )
        until(lambda: refused.is_done)
        assert (refused.state, refused.counts[CellState.waiting]) == ("paused", 9)
        for part in ('connect(contract="2026-11"', "Nothing was charged", "Sweep.load('refused').resume()"):
            assert part in refused.reason
        assert str(april.library.folder) in refused.reason
        assert len(april.library.entries()) <= 3, "more were sent than were in flight at the first refusal"
        april.close()
        monkeypatch.setattr(brake, "MAX_ALIKE", 99)
        server.faults = FAILING
        manager = make_manager(qw.Client(server.api_key, server.base_url, contract="2026-11"))
        made = Sweep.load("refused", manager=manager)
        assert server.requests == {}
        assert "tasks of contract 2026-04; 2026-11 has other defaults" in made.reason
        assert "set generate_audio=True in a new sweep" in made.reason
        made.resume()
        until(lambda: made.state == "ended")
        assert made.counts[CellState.failed] == 9
        assert len(server.requests) == 9
        assert {entry.contract for entry in manager.library.entries()} == {"2026-11"}


@pytest.mark.usefixtures("failing")
def test_a_refused_cell_of_another_contract_is_submitted_in_this_one(manager: TaskManager) -> None:
    """The service never had its task, so a retry sends that in the contract of the connection."""
    request = {"prompt": "fail", "duration": 3}
    row = Entry("c" * 32, manager.service, request=request, status="failed", contract="2099-01")
    manager.library.add(replace(row, error={"type": "BadRequest", "message": "no such prompt"}))
    cells = [CellRow({"row": 1}, request, key=row.key)]
    Sweeps(manager.library.journal, manager.service).add("refused", {"row": [1]}, [], 4, cells)
    made = Sweep.load("refused", manager=manager)
    assert made.cells[0].state == CellState.failed
    made.retry_failed()
    until(lambda: made.is_done and made.cells[0].task is not None and bool(made.cells[0].task.task_id))
    (task,) = made.tasks
    assert (task.key, task.contract) == (row.key, "2026-04")
    assert manager.library.get(row.key).contract == "2026-04"


@pytest.mark.parametrize(
    ("request_of_cell", "contract", "is_told"),
    [
        ({"prompt": "koi"}, "2026-11", True),
        ({"prompt": "koi", "enable_audio": True}, "2026-11", False),
        ({"prompt": "koi"}, "2026-04", False),
        ({"prompt": "koi"}, "2099-01", False),
    ],
)
def test_a_loaded_sweep_names_the_defaults_that_differ(
    manager: TaskManager, request_of_cell: dict[str, Any], contract: str, is_told: bool
) -> None:
    """The waiting cells would make other videos than the cell that has its task in another contract."""
    error = {"type": "TaskFailed", "message": "no"}
    row = Entry("c" * 32, manager.service, "task-1", request=request_of_cell, status="failed", error=error)
    manager.library.add(replace(row, contract=contract))
    cells = [CellRow({"row": 1}, request_of_cell, key=row.key), CellRow({"row": 2}, request_of_cell)]
    Sweeps(manager.library.journal, manager.service).add("mixed", {"row": [1, 2]}, [], 4, cells)
    made = Sweep.load("mixed", manager=manager)
    assert made.state == "paused"
    assert ("set enable_audio=False in a new sweep" in made.reason) is is_told
