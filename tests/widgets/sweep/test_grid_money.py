"""The money of a sweep in its grid: the price beside the button, and what the videos were worth."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator

import pytest

import qingbo_widgets as qw
from qingbo_widgets.sandbox import Faults
from qingbo_widgets.tasks.sweep import prices
from qingbo_widgets.widgets.sweep.static_copy import plain_text, static_copy
from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid
from tests.tasks.conftest import PRICED, make_priced, priced, priced_server  # noqa: F401 - fixtures
from tests.waiting import until
from tests.widgets.page import displayed, displayed_html, read

BOTH = ["kling-v3", "kling-v2-6"]


@pytest.fixture
def grid_of() -> Iterator[Callable[[qw.Sweep], SweepGrid]]:
    """Yield a function that makes the grid of a sweep; close them all at the end."""
    grids: list[SweepGrid] = []

    def make(sweep: qw.Sweep) -> SweepGrid:
        grids.append(SweepGrid(sweep))
        return grids[-1]

    yield make
    for grid in grids:
        grid.close()


def rows_of(html: str) -> list[list[str]]:
    """Return the texts of a table's rows."""
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    return [[read(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def test_the_price_is_beside_the_button(
    priced: qw.TaskManager,  # noqa: F811
    grid_of: Callable[[qw.Sweep], SweepGrid],
) -> None:
    """A grid whose prices are known has them at once, in its row of buttons and in its copy."""
    grid = grid_of(qw.sweep(prompt=["a", "b"], model=BOTH, manager=priced, ask_above=0, **PRICED))
    until(lambda: "$1.134 ($0.189 to $0.378 each)" in read(grid.price_line.value))
    assert grid.price_line in displayed(grid)
    assert "$1.134 ($0.189 to $0.378 each)" in read(grid._static_copy())


def test_a_grid_does_not_wait_for_the_price(
    priced: qw.TaskManager,  # noqa: F811
    grid_of: Callable[[qw.Sweep], SweepGrid],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the service hangs, the button works and no price is shown; then it appears by itself."""
    monkeypatch.setattr(prices, "LONGEST_WAIT", 0.0)
    answers, find = threading.Event(), priced.prices.price

    def late(request: qw.VideoRequest) -> qw.Price:
        answers.wait(30)
        return find(request)

    monkeypatch.setattr(priced.prices, "price", late)
    grid = grid_of(qw.sweep(prompt=["a", "b"], model=BOTH, manager=priced, ask_above=0, **PRICED))
    assert grid.price_line.value == ""
    assert not grid.start_button.disabled
    answers.set()
    until(lambda: "$1.134" in read(grid.price_line.value), 30)


def test_a_contract_without_prices_says_so(
    manager: qw.TaskManager, grid_of: Callable[[qw.Sweep], SweepGrid]
) -> None:
    """One quiet phrase in place of an amount."""
    grid = grid_of(qw.sweep(prompt=["a", "b"], duration=5, manager=manager, ask_above=0))
    until(lambda: "The price is not known" in read(grid.price_line.value))
    assert "qingbo-dim" in grid.price_line.value
    assert "alarm" not in grid.price_line.value


def test_the_budget_is_in_the_grid_and_resume_has_its_price(
    make_priced: Callable[..., qw.TaskManager],  # noqa: F811
    grid_of: Callable[[qw.Sweep], SweepGrid],
) -> None:
    """A user who sees the pause sees what it stopped, what that costs, and the button that goes on."""
    manager = make_priced(budget="0.3")
    grid = grid_of(qw.sweep(prompt=["a", "b"], manager=manager, ask_above=0, **PRICED))
    grid.start_button.click()
    until(lambda: grid.sweep.state == "paused", 30)
    until(lambda: "Paused at the budget of $0.30: $0.30 is left" in read(displayed_html(grid)))
    assert "Cells that were not sent: 2, together $0.756." in read(displayed_html(grid))
    until(lambda: "Waiting tasks: $0.756" in read(grid.price_line.value))
    assert grid.pause_button.description == "Resume"
    assert "Failed" not in read(displayed_html(grid))


@pytest.mark.slow
def test_failed_cells_have_the_price_of_another_try(
    priced: qw.TaskManager,  # noqa: F811
    priced_server: qw.Sandbox,  # noqa: F811
    grid_of: Callable[[qw.Sweep], SweepGrid],
) -> None:
    """*Regenerate failed* says what the new tasks cost."""
    priced_server.faults = Faults(fail="upstream_unavailable")
    grid = grid_of(qw.sweep(prompt=["a", "b"], manager=priced, **PRICED))
    until(lambda: grid.sweep.state == "ended", 60)
    until(lambda: "Price: $0.756." in grid.retry_button.tooltip, 30)
    assert grid.price_line.value == ""


@pytest.mark.slow
def test_what_it_cost_follows_the_ratings(
    priced: qw.TaskManager,  # noqa: F811
    grid_of: Callable[[qw.Sweep], SweepGrid],
) -> None:
    """The table comes with the first settled cost; a click on a star shows which model is worth it."""
    made = qw.sweep(prompt=["a", "b"], model=BOTH, manager=priced, ask_above=0, **PRICED)
    grid = grid_of(made)
    assert grid.worth_table.value == ""
    grid.start_button.click()
    until(lambda: made.state == "ended", 90)
    until(lambda: any(row[:2] == ["All", "4"] for row in rows_of(grid.worth_table.value)))
    head, *rows = rows_of(grid.worth_table.value)
    assert head[1:] == ["Videos", "Cost", "Cost a second", "Kept (rated 4 or 5)", "Cost a kept video"]
    assert rows[0] == ["kling-v2-6", "2", "$0.378", "$0.0378", "0", "–"]
    assert rows[1] == ["kling-v3", "2", "$0.756", "$0.0756", "0", "–"]
    assert rows[-1] == ["All", "4", "$1.134", "$0.0567", "0", "–"]
    until(lambda: all(view.line is not None and view.line.rating is not None for view in grid.views))
    for view in grid.views:
        if view.cell.values["model"] == "kling-v3":
            assert view.line is not None
            view.line.rating.value = 5
    rows = rows_of(grid.worth_table.value)[1:]
    assert rows[0] == ["kling-v3", "2", "$0.756", "$0.0756", "2", "$0.378"], "the kept videos do not count"
    assert rows[-1] == ["All", "4", "$1.134", "$0.0567", "2", "$0.567"]
    assert "kling-v3: 2 videos, $0.756 · $0.0756 a second · $0.378 a kept video" in plain_text(made)
    assert "What it cost" in read(static_copy(made))
    assert made.rows()[0]["cost"] == 189_000
    assert made.rows()[0]["cost_per_second"] == 37_800
    for old_row, new_row in zip(made.rows(), made.to_dataframe().to_dict("records"), strict=True):
        assert (new_row["cost"], new_row["cost_per_second"]) == (old_row["cost"], old_row["cost_per_second"])


@pytest.mark.slow
def test_without_a_cost_there_is_no_table(
    manager: qw.TaskManager, server: qw.Sandbox, grid_of: Callable[[qw.Sweep], SweepGrid]
) -> None:
    """Refused tasks have cost nothing, and a table of dashes would say nothing."""
    server.faults = Faults(fail="upstream_unavailable")
    made = qw.sweep(prompt=["a", "b"], duration=3, manager=manager)
    grid = grid_of(made)
    until(lambda: made.state == "ended" and "2 failed" in read(displayed_html(grid)), 60)
    server.faults = Faults()
    assert grid.worth_table.value == ""
    assert "What it cost" not in plain_text(made)
