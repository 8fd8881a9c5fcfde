"""``SweepGrid``: cells with their cards, buttons, and the static copy."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets import Sweep, sweep
from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.sweep import brake
from qingbo_widgets.tasks.sweep.cell import CellState
from qingbo_widgets.widgets.sweep import sweep_grid, table
from qingbo_widgets.widgets.sweep.cell_pages import CARDS
from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid, show
from tests.widgets.page import displayed, displayed_html, text_of

Until = Callable[[Callable[[], object]], None]
SHORT: dict[str, Any] = {"duration": 3, "enable_audio": False}
VIEW = "application/vnd.jupyter.widget-view+json"


def buttons_of(grid: SweepGrid) -> list[ipywidgets.Button]:
    """Return the visible buttons of the whole sweep, without those of the cells."""
    cells = [part for view in grid.views for part in displayed(view)]
    return [part for part in displayed(grid) if isinstance(part, ipywidgets.Button) and part not in cells]


def bar_of(grid: SweepGrid) -> ipywidgets.IntProgress:
    """Return the progress bar of the whole sweep."""
    return next(part for part in displayed(grid) if isinstance(part, ipywidgets.IntProgress))


def next_page(grid: SweepGrid) -> None:
    """Click the button for the next page."""
    next(button for button in buttons_of(grid) if button.description == "Next").click()


@pytest.fixture
def make_sweep(manager: TaskManager, server: Sandbox) -> Callable[..., Sweep]:
    """Return a function that makes unsent sweeps; prompts with "fail" fail, so that no video is drawn."""
    server.faults = Faults(fail="task_failed", fail_prompt="fail")
    return lambda **varied: sweep(
        manager=manager, ask_above=0, **varied, **{name: SHORT[name] for name in SHORT if name not in varied}
    )


@pytest.fixture
def make_grid(make_sweep: Callable[..., Sweep]) -> Iterator[Callable[..., SweepGrid]]:
    """Yield a function that makes grids, which are closed at the end."""
    grids: list[SweepGrid] = []

    def make(**varied: object) -> SweepGrid:
        grids.append(SweepGrid(make_sweep(**varied)))
        return grids[-1]

    yield make
    for grid in grids:
        grid.close()


@pytest.fixture
def grid(make_grid: Callable[..., SweepGrid]) -> SweepGrid:
    """Return a grid with two prompts down and two modes across."""
    return make_grid(prompt=["koi fail", "crane fail"], mode=["std", "pro"])


def test_what_varies_last_goes_across(make_sweep: Callable[..., Sweep]) -> None:
    """The last axis goes across, and headings name the values except for prompts."""
    arranged = table.arrange(make_sweep(prompt=["koi", "crane"], mode=["std", "pro"], repeat=2))
    assert arranged.columns == ("repeat 1", "repeat 2")
    assert [text for text, _ in arranged.rows] == [
        "koi · mode std", "koi · mode pro", "crane · mode std", "crane · mode pro",
    ]  # fmt: skip
    assert [cell.number for _, cells in arranged.rows for cell in cells if cell] == list(range(8))


def test_many_values_go_down(make_sweep: Callable[..., Sweep]) -> None:
    """A single axis, or a long last one, goes down in one column."""
    alone = table.arrange(make_sweep(prompt=[f"koi {number}" for number in range(9)]))
    assert alone.columns == ("",)
    assert len(alone.rows) == 9
    wide = table.arrange(make_sweep(prompt=["a", "b"], duration=list(range(3, 11))))
    assert len(wide.rows) == 16


def test_a_combination_that_was_left_out_has_its_place(make_sweep: Callable[..., Sweep]) -> None:
    """A combination that was left out is an empty place, with its reason in the notes."""
    planned = make_sweep(
        prompt="koi", model=["kling-v3", "kling-v1"], cfg_scale=[None, 0.3], skip_invalid=True, duration=5,
        enable_audio=None,
    )  # fmt: skip
    rows = dict(table.arrange(planned).rows)
    assert rows["kling-v3"][1] is None
    assert rows["kling-v1"][1] is not None
    assert "cfg_scale" in table.notes(planned)


def test_rows_that_are_alike_keep_a_row_each(make_sweep: Callable[..., Sweep]) -> None:
    """Identical rows of a table each get a row of the grid."""
    rows = [{"prompt": "koi"}, {"prompt": "crane"}, {"prompt": "koi"}]
    assert len(table.arrange(make_sweep(table=rows)).rows) == 3


@pytest.mark.slow
def test_the_button_says_how_many_and_sends_them(grid: SweepGrid, until: Until) -> None:
    """Nothing is sent before the click on Submit; then the cells and the buttons follow the sweep."""
    assert grid.start_button.description == "Submit 4 tasks"
    assert buttons_of(grid) == [grid.start_button, grid.cancel_button]
    assert all(view.drop_button in displayed(view) for view in grid.views)
    assert len(grid.views) == 4
    assert grid.sweep.tasks == ()
    grid.start_button.click()
    until(lambda: grid.sweep.state == "ended" and grid.retry_button in buttons_of(grid))
    until(lambda: all(view.retry_button in displayed(view) for view in grid.views))
    assert bar_of(grid).value == 1000
    assert "4 failed" in displayed_html(grid)
    assert grid.pause_button not in buttons_of(grid)


@pytest.mark.slow
def test_pause_cancel_and_retry_by_click(
    make_grid: Callable[..., SweepGrid], server: Sandbox, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pause, cancel and retry work for the sweep and for one cell."""
    monkeypatch.setattr(brake, "MAX_ALIKE", 99)
    grid = make_grid(prompt="koi fail", repeat=6, max_running=1)
    grid.start_button.click()
    grid.pause_button.click()
    assert grid.sweep.state == "paused"
    assert grid.pause_button.description == "Resume"
    grid.views[5].drop_button.click()
    assert grid.sweep.cells[5].state == CellState.cancelled
    grid.pause_button.click()
    until(lambda: grid.sweep.state == "ended")
    assert grid.sweep.counts[CellState.failed] == 5
    server.faults = Faults()
    until(lambda: grid.views[5].retry_button in displayed(grid.views[5]))
    grid.views[5].retry_button.click()
    until(lambda: grid.sweep.cells[5].state == CellState.finished)
    assert [cell.state for cell in grid.sweep.cells[:5]] == [CellState.failed] * 5


def test_the_first_prompt_is_shown_before_the_start(
    make_grid: Callable[..., SweepGrid], until: Until
) -> None:
    """Garbled text is seen before anything is paid for; markup and long prompts are no problem."""
    grid = make_grid(prompt=["<b>锦鲤</b> " + "游动" * 90, "fail"])
    assert "First prompt: “<b>锦鲤</b> 游动" in text_of(grid)
    grid.start_button.click()
    until(lambda: "First prompt" not in text_of(grid))


def test_the_reason_of_a_pause_is_shown(grid: SweepGrid, server: Sandbox, until: Until) -> None:
    """An empty account pauses the sweep, and the grid shows the reason."""
    server.faults = Faults(no_balance=True)
    grid.start_button.click()
    until(lambda: "402" in displayed_html(grid))
    until(lambda: grid.pause_button.description == "Resume")


def test_a_large_sweep_is_paged(make_grid: Callable[..., SweepGrid], live_widgets: Callable[[], int]) -> None:
    """A page has a dozen cards, and turning the page creates no more widgets than it closes."""
    before = live_widgets()
    grid = make_grid(prompt=[f"koi {number}" for number in range(100)], mode=["std", "pro"])
    assert len(grid.views) == CARDS
    one_page = live_widgets()
    for _ in range(3):
        next_page(grid)
    assert grid.views[0].cell.number == 36
    assert "19 to 24 of 100" in displayed_html(grid)
    assert live_widgets() == one_page
    grid.close()
    assert live_widgets() == before


@pytest.mark.slow
def test_the_static_copy(grid: SweepGrid, cell: Any, until: Until) -> None:
    """The static copy of a grid has a table and the code that resumes the sweep."""
    show(grid.sweep)
    show(grid.sweep)
    assert cell.views == 2
    assert len({data[VIEW]["model_id"] for data in cell.outputs.values() if VIEW in data}) == 1
    assert f"qw.Sweep.load(&#34;{grid.sweep.name}&#34;)" in cell.html
    grid.start_button.click()
    until(lambda: cell.html.count("task_failed") == 8)
    assert "crane fail" in cell.html
    assert "qw.Sweep.load" not in cell.html


def test_all_text_is_escaped(make_grid: Callable[..., SweepGrid], cell: Any) -> None:
    """Prompts are escaped in the live grid and in the static copy."""
    grid = make_grid(prompt=["<img src=x onerror=alert(1)>", "koi"], mode=["std", "pro"])
    grid._ipython_display_()
    assert "<img" not in cell.html
    assert "&lt;img" in displayed_html(grid)
    assert "<img src=x" not in displayed_html(grid)


@pytest.mark.slow
def test_a_sweep_that_nobody_holds_is_freed(
    make_sweep: Callable[..., Sweep], manager: TaskManager, cell: Any
) -> None:
    """A closed grid keeps neither itself nor its sweep in memory."""
    planned = make_sweep(prompt=["koi", "crane"])
    planned.pause()
    show(planned)
    gc.collect()
    show(planned)
    assert cell.views == 2
    assert len({output[VIEW]["model_id"] for output in cell.outputs.values() if VIEW in output}) == 1
    (grid,) = (grid for grid in sweep_grid._shown.values() if grid.sweep is planned)
    grid.close()
    del grid
    freed = weakref.ref(planned)
    del planned
    manager.sweeps.clear()
    gc.collect()  # frees the grid; the next call frees what only the grid held
    gc.collect()
    assert freed() is None
