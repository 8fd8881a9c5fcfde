"""No click submits in a page without cards, as in Panel and Shiny: its video would not be seen."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

import qingbo_widgets as qw
from qingbo_widgets.widgets.studio.follow_up import FollowUp
from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid
from tests.waiting import until


@pytest.fixture(params=["ipywidgets_bokeh", "shinywidgets"])
def _host(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import the module by which the host shows widgets."""
    monkeypatch.setitem(sys.modules, request.param, ModuleType(request.param))


@pytest.mark.usefixtures("_host")
def test_no_button_of_a_sweep_submits(manager: qw.TaskManager) -> None:
    """*Submit 2 tasks* and *Generate* say why they do nothing; in Python the sweep runs."""
    sweep = qw.sweep(["a koi", "a carp"], duration=5, manager=manager, ask_above=0)
    grid = SweepGrid(sweep)
    grid.start_button.click()
    assert (sweep.state, manager.tasks) == ("planned", ()), "a click has spent money that no card shows"
    assert "buttons that submit are off" in grid._problem
    sweep.start()
    sweep.pause()
    sweep.cancel()
    until(lambda: not sweep._queue._turn.locked())  # the submission that was going on
    for view in grid.views:
        view.refresh()
        submitted = len(manager.tasks)
        view.retry_button.click()
        view.new_task_button.click()
        assert len(manager.tasks) == submitted, "a click has spent money that no card shows"
    grid.close()


@pytest.mark.usefixtures("_host")
def test_no_button_below_a_video_submits(manager: qw.TaskManager) -> None:
    """*Regenerate* of a gallery and *Generate* of a follow-up say why they do nothing."""
    request = qw.VideoRequest(prompt="a koi", duration=5)
    follow_up = FollowUp(manager)
    follow_up.again(request)
    follow_up.offer(request)
    follow_up.generate_button.click()
    assert manager.tasks == (), "a click has spent money that no card shows"
    assert "buttons that submit are off" in follow_up._error.value
    follow_up.close()


@pytest.mark.usefixtures("_host")
def test_no_card_submits_again(manager: qw.TaskManager) -> None:
    """*Submit again* of a card says why it does nothing."""
    task = manager.submit(prompt="a koi", duration=5).wait()
    card = qw.TaskCard(task)
    card.buttons.submit_again_button.click()
    assert "buttons that submit are off" in card.buttons.problem
    card.close()
