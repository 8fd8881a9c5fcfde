"""``SweepGrid``: cells with their cards, buttons, and the static copy."""

from __future__ import annotations

import gc
import re
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
from qingbo_widgets.widgets.base.build import PAYS
from qingbo_widgets.widgets.sweep import sweep_grid, table
from qingbo_widgets.widgets.sweep.cell_pages import CARDS
from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid, show
from tests.widgets.page import displayed, displayed_html, read, text_of

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
    assert arranged.columns == ("Repeat 1", "Repeat 2")
    assert [text for text, _ in arranged.rows] == [
        "koi · std, 720p", "koi · pro, 1080p", "crane · std, 720p", "crane · pro, 1080p",
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


def test_the_settings_of_all_cells_are_in_the_notes(make_sweep: Callable[..., Sweep]) -> None:
    """A setting that no cell varies is shown once above the grid, with the label of its control."""
    varied = make_sweep(
        prompt="koi", model="kling-v1-6", camera_control=["forward_up", "down_back"], negative_prompt="blur",
        duration=5, enable_audio=None,
    )  # fmt: skip
    notes = read(table.notes(varied))
    assert "Negative prompt: blur" in notes
    assert "Camera:" not in notes, "the camera of the first cell is shown as that of all"


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


def test_the_question_shows_what_is_paid_for(make_grid: Callable[..., SweepGrid]) -> None:
    """Before the start the grid shows what varies, the seconds in total, and the prompts that do not vary."""
    asked = {
        "prompt": "a koi",
        "negative_prompt": "blur",
        "model": "kling-v1",
        "duration": 5,
        "enable_audio": None,
    }
    text = text_of(make_grid(cfg_scale=[0.2, 0.5, 0.8], repeat=2, **asked))
    assert "6 tasks (CFG scale 3 × Repeat 2), 30 s of video" in text
    assert "Prompt: “a koi”." in text
    assert "Negative prompt: “blur”." in text
    assert "First prompt" not in text


def test_a_prompt_that_does_not_vary_stays_in_the_head(
    make_grid: Callable[..., SweepGrid], until: Until
) -> None:
    """No cell repeats the common prompt, so the head keeps it after the start."""
    grid = make_grid(prompt="koi fail", mode=["std", "pro"])
    grid.start_button.click()
    until(lambda: grid.sweep.state == "ended")
    until(lambda: "2 failed" in text_of(grid))
    assert "koi fail" in table.notes(grid.sweep)


def test_a_finished_cell_is_brief(make_grid: Callable[..., SweepGrid], until: Until) -> None:
    """A finished cell shows status, video and rating; request, id and Frames are shown on demand."""
    grid = make_grid(prompt=["koi", "crane"], max_running=2)
    grid.start_button.click()
    until(lambda: grid.sweep.state == "ended" and all(view.line and view.line.rating for view in grid.views))
    view = grid.views[0]
    card, line = view.card, view.line
    assert card is not None
    assert line is not None
    until(lambda: "Finished" in displayed_html(view))
    until(lambda: line.rating in displayed(view))
    assert card.buttons.frames_button not in displayed(view)
    assert re.search(r'class="qingbo-panel-details" hidden=""', displayed_html(view)), (
        "the request is repeated"
    )
    line.details_button.click()
    assert card.buttons.frames_button in displayed(view)
    assert 'class="qingbo-panel-details"><' in displayed_html(view)
    assert grid.sweep.tasks[0].task_id in displayed_html(view)
    line.details_button.click()
    assert card.buttons.frames_button not in displayed(view)

    library = grid.sweep.manager.library
    line.rating.value = 4
    assert library.judgements.of(grid.sweep.tasks[0].key).rating == 4
    assert grid.sweep.rows()[0]["rating"] == 4
    line.rating.value = None
    assert library.judgements.of(grid.sweep.tasks[0].key).rating is None


def test_a_running_cell_keeps_its_button(
    make_grid: Callable[..., SweepGrid], manager: TaskManager, until: Until
) -> None:
    """A brief cell shows the bar and Cancel of a running task."""
    grid, manager.poll_interval = make_grid(prompt="koi fail"), 60.0
    grid.start_button.click()
    view = grid.views[0]
    until(lambda: view.card is not None and view.card.buttons.cancel_button in displayed(view))
    assert any(isinstance(part, ipywidgets.IntProgress) for part in displayed(view))


def test_a_failed_cell_keeps_its_message(make_grid: Callable[..., SweepGrid], until: Until) -> None:
    """A brief cell shows the error of a failed task, and the button that submits it again."""
    grid = make_grid(prompt="koi fail")
    grid.start_button.click()
    view = grid.views[0]
    until(lambda: grid.sweep.state == "ended" and view.retry_button in displayed(view))
    assert view.retry_button.description == "Regenerate"
    until(lambda: "task_failed" in displayed_html(view))
    assert "qingbo-alarm" in displayed_html(view)


def test_what_was_never_sent_is_generated_not_regenerated(grid: SweepGrid) -> None:
    """The buttons that submit again say that they may cost money, and keep the focus away."""
    view = grid.views[0]
    view.drop_button.click()
    grid.redraw_now()
    assert view.retry_button.description == "Generate"
    for button in (view.retry_button, view.new_task_button):
        assert PAYS in button._dom_classes
        assert "cost money" in button.tooltip


@pytest.mark.parametrize(
    ("sizes", "most", "expected"),
    [
        ([4, 4, 4], 6, [4, 4, 4]),
        ([2, 2, 2], 4, [4, 2]),
        ([1] * 9, 4, [4, 4, 1]),
        ([3, 3], 12, [6]),
        ([7, 1], 4, [4, 4]),
        ([], 4, [0]),
    ],
)
def test_a_page_ends_with_a_group(sizes: list[int], most: int, expected: list[int]) -> None:
    """Rows with the same first value are on one page if they fit; others fill the pages."""
    groups = [(f"{number}", f"{row}") for number, size in enumerate(sizes) for row in range(size)]
    pages = table.pages(groups, most)
    assert [len(page) for page in pages] == expected
    assert [row for page in pages for row in page] == list(range(len(groups)))


def test_a_group_that_no_page_holds_breaks_between_smaller_groups() -> None:
    """Of a first value with more rows than a page, those with the same second value stay together."""
    groups = [("koi", mode, str(row)) for mode in ("std", "pro") for row in range(3)]
    assert [len(page) for page in table.pages(groups, 4)] == [3, 3]


def test_a_page_of_a_grid_ends_with_a_group(make_grid: Callable[..., SweepGrid]) -> None:
    """Five rows of a prompt stay together, although six would fit on a page."""
    grid = make_grid(prompt=["koi", "crane"], duration=[3, 4, 5, 6, 7], mode=["std", "pro"])
    assert "rows 1 to 5 of 10" in text_of(grid)
    next_page(grid)
    assert "rows 6 to 10 of 10" in text_of(grid)
    assert {view.cell.values["prompt"] for view in grid.views} == {"crane"}


def test_several_videos_can_be_played_together(make_grid: Callable[..., SweepGrid], until: Until) -> None:
    """The button appears with the second video, and its script is one file, as a page needs it."""
    grid = make_grid(prompt=["koi", "crane"], max_running=1)
    assert not isinstance(grid._play_all, ipywidgets.DOMWidget)
    grid.start_button.click()
    until(lambda: grid._play_all is not None and grid._play_all in displayed(grid))
    assert grid.sweep.counts[CellState.finished] == 2
    assert grid._play_all.texts["play"] == "Play all in step"
    script = grid._play_all._esm
    assert "class SyncedVideos" in script
    assert not re.search(r"^import ", script, re.MULTILINE)
    assert len(re.findall(r"^export default ", script, re.MULTILINE)) == 1


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
