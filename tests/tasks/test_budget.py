"""Budgets: a task that would exceed one is refused before anything is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import qingbo_widgets as qw
from qingbo_widgets.sandbox import Faults
from qingbo_widgets.tasks.sweep.cell import CellState
from tests.waiting import until

#: The price of a task of ``FIELDS`` (documentation of contract 2026-11: 0.0756 USD a second).
EACH = Decimal("0.378")
FIELDS: dict[str, Any] = {"model": "kling-v3", "duration": 5, "resolution": "720p"}


@pytest.fixture
def server(priced_server: qw.Sandbox) -> qw.Sandbox:
    """Return the sandbox of the managers."""
    return priced_server


@pytest.fixture
def make_manager(make_priced: Callable[..., qw.TaskManager]) -> Callable[..., qw.TaskManager]:
    """Return a function that creates managers on one folder."""
    return make_priced


def test_the_task_that_exceeds_the_budget_is_not_sent(
    server: qw.Sandbox, make_manager: Callable[..., qw.TaskManager]
) -> None:
    """Two tasks fit into one dollar; the third is refused with the amounts, and leaves no trace."""
    manager = make_manager(budget=1)
    tasks = [manager.submit(prompt=prompt, **FIELDS) for prompt in "ab"]
    with pytest.raises(qw.BudgetExceeded) as refused:
        manager.submit(prompt="c", **FIELDS)
    error = refused.value
    assert (error.price, error.left, error.spent + error.frozen) == (EACH, 1 - 2 * EACH, 2 * EACH)
    for task in tasks:
        task.wait(30)
    assert len(server.requests) == 2, "the refused task was sent"
    assert len(manager.tasks) == len(manager.library.entries()) == 2
    manager.budget = qw.Budget("1.2")
    manager.submit(prompt="c", **FIELDS).wait(30)


def test_a_failed_task_makes_room(server: qw.Sandbox, make_manager: Callable[..., qw.TaskManager]) -> None:
    """A refund gives its amount back."""
    manager = make_manager(budget=EACH)
    server.faults = Faults(fail="upstream_unavailable")
    manager.submit(prompt="a", **FIELDS)
    until(lambda: manager.tasks[0].is_done, 30)
    assert manager.tasks[0].status == "failed"
    server.faults = Faults()
    manager.submit(prompt="b", **FIELDS).wait(30)


def test_a_task_that_costs_less_than_reserved_makes_room(
    server: qw.Sandbox, make_manager: Callable[..., qw.TaskManager]
) -> None:
    """An amount that the service gives back at the end can be spent."""
    manager = make_manager(budget=2 * EACH)
    server.faults = Faults(settles_at=0.5)
    manager.submit(prompt="a", **FIELDS)
    manager.submit(prompt="b", **FIELDS)
    for task in manager.tasks:
        task.wait(30)
    until(lambda: manager.ledger.sums().spent == EACH)
    manager.submit(prompt="c", **FIELDS).wait(30)


def test_a_price_that_has_changed_is_noticed(
    server: qw.Sandbox, make_manager: Callable[..., qw.TaskManager]
) -> None:
    """The next price is the new one, once the service has reserved another amount than it said."""
    manager = make_manager(budget=20)
    manager.submit(prompt="a", **FIELDS)
    server.prices = {"kling-v3": {"per_second": True, "video_prices": {"720p": 1}}}
    task = manager.submit(prompt="b", **FIELDS)
    until(lambda: task.frozen == 2_500_000)
    assert manager.price(prompt="c", **FIELDS).usd == 5


def test_a_refused_task_is_checked_again(
    server: qw.Sandbox, make_manager: Callable[..., qw.TaskManager]
) -> None:
    """*Submit again* of a task that was refused is a new expense."""
    manager = make_manager(budget=EACH)
    server.faults = Faults(no_balance=True)
    task = manager.submit(prompt="a", **FIELDS)
    until(lambda: task.is_done)
    server.faults = Faults()
    manager.submit(prompt="b", **FIELDS).wait(30)
    with pytest.raises(qw.BudgetExceeded):
        task.submit_again()
    assert len(server.requests) == 1


def test_the_budget_of_a_folder_holds_for_every_kernel(make_manager: Callable[..., qw.TaskManager]) -> None:
    """The tasks of one kernel count for the next one."""
    first, second = make_manager(), make_manager()
    first.library.budget = 2 * EACH
    first.submit(prompt="a", **FIELDS).wait(30)
    second.submit(prompt="b", **FIELDS).wait(30)
    for manager in (first, second):
        with pytest.raises(qw.BudgetExceeded):
            manager.submit(prompt="c", **FIELDS)


def test_a_price_that_is_not_known_is_refused(
    server: qw.Sandbox, make_manager: Callable[..., qw.TaskManager]
) -> None:
    """The refusal has the reason, and the budget that would allow it."""
    manager = make_manager(budget=5)
    server.stop()
    with pytest.raises(qw.BudgetExceeded, match=r'unknown="allow"') as refused:
        manager.submit(prompt="a", **FIELDS)
    assert refused.value.price is None


def test_without_a_budget_no_price_is_asked(
    make_manager: Callable[..., qw.TaskManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A submission then takes no request more than before."""
    asked: list[object] = []
    monkeypatch.setattr(qw.Client, "price_list", lambda _: asked.append(1) or {})
    monkeypatch.setattr(qw.Client, "quote", lambda *_: asked.append(1))
    make_manager().submit(prompt="a", **FIELDS).wait(30)
    assert asked == []


def test_a_sweep_pauses_at_the_budget(
    server: qw.Sandbox, make_manager: Callable[..., qw.TaskManager]
) -> None:
    """It says how many cells it stopped, and continues with a higher budget."""
    manager = make_manager(budget=3 * EACH)
    sweep = qw.sweep(prompt=list("abcde"), **FIELDS, manager=manager, ask_above=0)
    sweep.start()
    until(lambda: sweep.state == "paused", 30)
    assert "Paused at the budget of $1.134" in sweep.reason, "the user does not see why it paused"
    assert "Cells that were not sent: 2, together $0.756." in sweep.reason
    assert sweep.counts[CellState.waiting] == 2
    manager.budget = 5 * EACH
    sweep.resume()
    until(lambda: sweep.is_done, 60)
    assert len(server.requests) == 5


@pytest.mark.parametrize("budget", ["five", -1, True])
def test_a_setting_that_is_no_budget(make_manager: Callable[..., qw.TaskManager], budget: object) -> None:
    """The error names a value that works."""
    with pytest.raises(qw.InvalidRequest, match="try 5"):
        make_manager(budget=budget)


def test_connect_takes_a_budget(server: qw.Sandbox, tmp_path: Path) -> None:
    """``None`` keeps the budget of the manager."""
    manager = qw.connect(sandbox=server, library=tmp_path / "videos", budget="2.50")
    assert manager.budget == qw.Budget("2.50")
    assert qw.connect(sandbox=server, library=tmp_path / "videos").budget == qw.Budget("2.50")
    with pytest.raises(qw.InvalidRequest):
        qw.connect(sandbox=server, library=tmp_path / "videos", budget="much")


# ---------------------------------------------------------------------- attacks


@pytest.mark.filterwarnings("ignore:Local files are uploaded")
def test_an_upload_counts_from_its_beginning(
    server: qw.Sandbox, make_manager: Callable[..., qw.TaskManager], tmp_path: Path
) -> None:
    """While a picture is uploaded, its task has the row of one that failed, and counts all the same."""
    Image.new("RGB", (400, 400), "navy").save(tmp_path / "koi.png")
    may_end = threading.Event()

    def upload(path: Path) -> str:
        assert may_end.wait(30), "the test did not let the upload end"
        return str(server.publish(path))

    manager = make_manager(budget=EACH)
    manager.upload = upload
    manager.submit(prompt="a", image=str(tmp_path / "koi.png"), **FIELDS)
    until(lambda: manager.library.entries())
    with pytest.raises(qw.BudgetExceeded):
        manager.submit(prompt="b", **FIELDS)
    may_end.set()
    manager.tasks[0].wait(30)
    assert len(server.requests) == 1


def test_several_refused_tasks_are_submitted_again_within_the_budget(
    server: qw.Sandbox, make_manager: Callable[..., qw.TaskManager]
) -> None:
    """Each *Submit again* counts from the click on."""
    manager = make_manager()
    server.faults = Faults(no_balance=True)
    tasks = [manager.submit(prompt=prompt, **FIELDS) for prompt in "abcde"]
    until(lambda: all(task.is_done for task in tasks))
    server.faults = Faults()
    manager.library.budget = 2 * EACH
    refused = 0
    for task in tasks:
        try:
            task.submit_again()
        except qw.BudgetExceeded:
            refused += 1
    until(lambda: all(task.is_done for task in tasks), 30)
    assert (refused, len(server.requests)) == (3, 2)


def test_an_unconfirmed_task_is_not_submitted_again_beyond_the_budget(
    server: qw.Sandbox, make_manager: Callable[..., qw.TaskManager]
) -> None:
    """It counts as its price, and twice if the user agrees to a second charge."""
    manager = make_manager()
    server.faults = Faults(html_every=1)
    task = manager.submit(prompt="a", **FIELDS)
    until(lambda: task.is_done, 30)
    assert task.status == "unconfirmed"
    server.faults = Faults()
    manager.budget = EACH
    with pytest.raises(qw.BudgetExceeded) as refused:
        task.submit_again(may_charge_again=True)
    assert refused.value.price == 2 * EACH
    manager.budget = 0
    with pytest.raises(qw.BudgetExceeded):
        task.submit_again()


def test_tasks_from_before_the_budget_count(
    server: qw.Sandbox, make_manager: Callable[..., qw.TaskManager]
) -> None:
    """A task without an amount, because it was submitted without a budget, counts as its price."""
    manager = make_manager()
    server.faults = Faults(html_every=1)
    task = manager.submit(prompt="a", **FIELDS)
    until(lambda: task.is_done, 30)
    server.faults = Faults()
    manager.library.budget = EACH
    with pytest.raises(qw.BudgetExceeded) as refused:
        manager.submit(prompt="b", **FIELDS)
    assert refused.value.frozen == EACH


def test_ended_tasks_from_before_the_budget_count(make_manager: Callable[..., qw.TaskManager]) -> None:
    """A budget of the kernel that is set late counts what the kernel has spent, and no other kernel's."""
    first, second = make_manager(), make_manager()
    first.submit(prompt="a", **FIELDS).wait(30)
    second.submit(prompt="b", **FIELDS).wait(30)
    first.budget = EACH
    with pytest.raises(qw.BudgetExceeded) as refused:
        first.submit(prompt="c", **FIELDS)
    assert refused.value.spent == EACH, "the budget does not count what was spent before it"


def test_amounts_from_before_the_budget_of_the_kernel_count(
    make_manager: Callable[..., qw.TaskManager],
) -> None:
    """A task whose price was never requested counts as the reserved amount, and then as its cost."""
    manager = make_manager()
    task = manager.submit(prompt="a", **FIELDS)
    until(lambda: task.frozen is not None)
    manager.budget = EACH
    with pytest.raises(qw.BudgetExceeded):
        manager.submit(prompt="b", **FIELDS)
    task.wait(60)
    with pytest.raises(qw.BudgetExceeded) as refused:
        manager.submit(prompt="b", **FIELDS)
    assert (refused.value.spent, refused.value.frozen) == (EACH, Decimal(0))


def test_a_submission_that_does_not_begin_reserves_nothing(
    make_manager: Callable[..., qw.TaskManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt right after the reservation gives the money back."""
    manager = make_manager(budget=EACH)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(manager, "follow", interrupted)
        with pytest.raises(KeyboardInterrupt):
            manager.submit(prompt="a", **FIELDS)
    manager.submit(prompt="a", **FIELDS).wait(30)


def test_a_price_that_rises_does_not_exceed_the_budget(
    server: qw.Sandbox, make_manager: Callable[..., qw.TaskManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A price of some minutes ago is good for a form; a budget is checked against the one of now."""
    manager = make_manager(budget=4)
    now = [0.0]
    monkeypatch.setattr(manager.prices._finder[1], "_clock", lambda: now[0])
    assert manager.price(prompt="a", **FIELDS).usd == EACH
    server.prices = {"kling-v3": {"per_second": True, "video_prices": {"720p": 0.8}}}
    now[0] = 60.0
    task = manager.submit(prompt="a", **FIELDS)
    with pytest.raises(qw.BudgetExceeded) as refused:
        manager.submit(prompt="b", **FIELDS)
    assert refused.value.price == Decimal(4), "the budget was checked against an old price"
    task.wait(30)
