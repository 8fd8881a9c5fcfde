"""A card shows its task, and nothing of it survives the card."""

from __future__ import annotations

import gc
import json
import threading
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets import FramePicker, sweep
from qingbo_widgets.exceptions import (
    AuthenticationFailed,
    DownloadFailed,
    SubmissionUnconfirmed,
    TaskFailed,
)
from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.base.sync import refresher
from qingbo_widgets.widgets.card import task_card as card_module
from qingbo_widgets.widgets.card import text as words
from qingbo_widgets.widgets.card import video as screen
from qingbo_widgets.widgets.card.task_card import TaskCard, displayed_card, show
from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid
from tests.widgets.page import displayed, find, html_part, outputs_of, parts_of, the

MakeTask = Callable[..., Task]


def text(card: TaskCard) -> str:
    """What the card says."""
    return "".join(str(part.value) for part in find(card, ipywidgets.HTML))


def buttons(card: TaskCard) -> list[str]:
    """The buttons that it offers, and the field for an id, which has no description."""
    return [part.description for part in offered(card)]


def offered(card: TaskCard) -> list[Any]:
    """The parts of the card that a user acts on, in the order of the page."""
    return [part for part in displayed(card) if isinstance(part, ipywidgets.Button | ipywidgets.Text)]


def played(card: TaskCard) -> str:
    """The video that it shows, as HTML."""
    return "".join(outputs_of(card))


def bar(card: TaskCard) -> ipywidgets.IntProgress:
    """Its progress bar."""
    return the(card, ipywidgets.IntProgress)


def card_in_cell(task: Task) -> TaskCard:
    """The card that ``show`` has put into a cell."""
    card = displayed_card(task)
    assert card is not None
    return card


def test_a_task_is_followed_to_its_video(manager: TaskManager, until: Any) -> None:
    """From the queue to the player, without anybody asking."""
    task = manager.submit(prompt="一条锦鲤", duration=3)
    card = TaskCard(task)
    task.wait(60)
    until(lambda: played(card))
    assert "Finished" in text(card)
    assert "一条锦鲤" in text(card)
    assert '<video src="./qingbo_videos/' in played(card)
    assert find(card, ipywidgets.IntProgress) == []
    assert buttons(card) == ["Frames"]
    card.close()


def test_the_bar_and_the_words_follow_the_task(make_task: MakeTask) -> None:
    """Status at once, the rest at the next beat."""
    task = make_task()
    card = TaskCard(task)
    assert "Submitting" in text(card)
    task.set_traits(
        status=TaskStatus.processing, progress=40, message="Not reachable since 12:00:00: no route."
    )
    assert "Being made" in text(card)
    assert "40 %" in text(card)
    assert "Not reachable since" in text(card)
    assert bar(card).value == 40
    card.close()


@pytest.mark.slow
def test_progress_alone_waits_for_the_beat(make_task: MakeTask, until: Any) -> None:
    """A service that reports a hundred times a second does not flood the page."""
    task = make_task(status=TaskStatus.processing)
    card = TaskCard(task)
    sent = []
    card.refresh()
    bar(card).observe(lambda change: sent.append(change["new"]), "value")
    for percent in range(1, 100):
        task.set_traits(progress=percent)
    until(lambda: bar(card).value == 99)
    assert len(sent) < 10
    card.close()


def test_between_two_answers_the_bar_moves(make_task: MakeTask) -> None:
    """As the task predicts; the line above says the same number, and how long it will take."""
    task = make_task(status=TaskStatus.processing, progress=40, eta=20.0)
    card, now = TaskCard(task), [0.0]
    task.outlook = SimpleNamespace(progress=lambda _: 40.7 + now[0], left=lambda _: 20.0 - now[0])  # type: ignore[assignment]  # stands in for it
    for moment, percent, left in ((0.0, 40, "0:20"), (2.5, 43, "0:17"), (12.0, 52, "0:08")):
        now[0] = moment
        assert card.refresh()
        assert bar(card).value == percent
        assert f"{percent} %" in text(card)
        assert f"about {left} left" in text(card)
    card.close()


def test_a_beat_is_two_messages(
    make_task: MakeTask, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One for the line with the clock, one for the bar, and a beat a second."""
    monkeypatch.setattr(card_module, "BAR_AFTER", 60.0)
    task = make_task(status=TaskStatus.processing, progress=10)
    card = TaskCard(task)
    card.refresh()
    task.set_traits(progress=60)
    moment = datetime.now(UTC) + timedelta(seconds=5)
    monkeypatch.setattr(words, "datetime", SimpleNamespace(now=lambda _: moment))
    headline = html_part(card, "Being made")
    sent.clear()
    card.refresh()
    assert [widget for widget, _ in sent] == [bar(card), headline]
    assert refresher.interval == 1.0
    card.close()


def test_a_turn_is_drawn_once(make_task: MakeTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status, id and error change together: one drawing for all of them, and one at the very end."""
    monkeypatch.setattr(card_module, "BAR_AFTER", 60.0)
    task = make_task()
    card = TaskCard(task)
    drawn: list[bool] = []
    refresh = TaskCard.refresh
    monkeypatch.setattr(TaskCard, "refresh", lambda self: drawn.append(True) or refresh(self))
    task.set_traits(status=TaskStatus.failed, task_id="task-1", error=TaskFailed("It broke."))
    assert drawn == [True]
    card.close()


def test_a_card_is_a_handful_of_widgets(
    make_task: MakeTask, live_widgets: Callable[[], int], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a message to the page. What is not shown is not made; layouts and styles are shared."""
    monkeypatch.setattr(card_module, "BAR_AFTER", 60.0)
    task = make_task(status=TaskStatus.queued)
    first = TaskCard(task)
    first.refresh()
    sent.clear()
    before = live_widgets()
    cards = [TaskCard(task) for _ in range(10)]
    assert live_widgets() - before <= 10 * 5, "so many are made in a click"
    assert sent == []
    for card in cards:
        card.refresh()
    assert live_widgets() - before <= 10 * 7
    assert len(sent) <= 10 * 2
    for card in (first, *cards):
        card.close()


@pytest.mark.slow
def test_the_bar_comes_by_itself(make_task: MakeTask, until: Any) -> None:
    """A moment after the card, and the button to cancel with it."""
    card = TaskCard(make_task(status=TaskStatus.queued))
    until(lambda: find(card, ipywidgets.IntProgress))
    assert buttons(card) == ["Cancel"]
    card.close()


def test_controls_that_are_not_shown_are_there_when_asked_for(make_task: MakeTask) -> None:
    """For code that presses them, and the same that are shown later."""
    task = make_task()
    card = TaskCard(task)
    check, again = card.check_button, card.submit_again_button
    assert card.id_field.description == ""
    task.set_traits(status=TaskStatus.unconfirmed, error=SubmissionUnconfirmed("No answer."))
    task.lifecycle.settle()
    card.refresh()
    assert offered(card) == [card.id_field, check, again]
    card.close()
    assert check.comm is None


def test_cancel_is_offered_only_while_the_service_takes_it(make_task: MakeTask) -> None:
    """A button that cannot work is grey, and its tooltip says why."""
    task = make_task(status=TaskStatus.queued)
    card = TaskCard(task)
    card.refresh()
    assert (buttons(card), card.cancel_button.disabled) == (["Cancel"], False)
    task.set_traits(status=TaskStatus.processing)
    assert card.cancel_button.disabled
    card.close()


def test_cancel_cancels(server: Sandbox, manager: TaskManager, until: Any) -> None:
    """A click, and the task has ended."""
    task = manager.submit(prompt="A koi", duration=3)
    card = TaskCard(task)
    card.cancel_button.click()
    until(lambda: task.is_done)
    assert task.status in (TaskStatus.cancelled, TaskStatus.completed)
    until(lambda: buttons(card) == ([] if task.status == TaskStatus.cancelled else ["Frames"]))
    card.close()


def test_what_a_click_raises_is_told_on_the_card(make_task: MakeTask) -> None:
    """A print in a callback is lost; the card is not."""
    card = TaskCard(make_task(status=TaskStatus.queued, task_id="task-1"))
    card.cancel_button.click()  # this task is followed by nobody
    assert "not being followed" in text(card)
    assert "qingbo-alarm" in text(card)
    card.close()


@pytest.fixture
def unconfirmed(server: Sandbox, manager: TaskManager, until: Any) -> Iterator[TaskCard]:
    """The card of a task that the service made, and of which a gateway did not let the answer through."""
    server.faults = Faults(html_every=1)
    try:
        card = TaskCard(manager.submit(prompt="A koi", duration=3))
        until(lambda: buttons(card) == ["", "Check", "Submit again"])
    finally:
        server.faults = Faults()
    yield card
    card.close()


@pytest.mark.slow
def test_an_unconfirmed_task_can_be_submitted_again(unconfirmed: TaskCard, until: Any) -> None:
    """The card says what it may cost, and a person decides. This service knows the key and bills once."""
    card = unconfirmed
    assert card.task.status == TaskStatus.unconfirmed
    assert "charged" in text(card)
    card.submit_again_button.click()
    until(lambda: card.task.video_path)
    until(lambda: buttons(card) == ["Frames"])


def test_an_unconfirmed_task_is_taken_up_by_its_id(
    unconfirmed: TaskCard, server: Sandbox, until: Any
) -> None:
    """A person finds the task in the dashboard and pastes its id; it is followed to its video."""
    (made,) = list(server.requests)[-1:]
    unconfirmed.id_field.value = f" {made} "
    unconfirmed.check_button.click()
    until(lambda: unconfirmed.task.video_path)
    assert unconfirmed.task.task_id == made
    until(lambda: buttons(unconfirmed) == ["Frames"])


def test_a_check_without_an_id_says_where_to_look(unconfirmed: TaskCard, until: Any) -> None:
    """The service cannot be asked for a key, which is said; the buttons stay."""
    unconfirmed.check_button.click()
    until(lambda: "Look in its dashboard" in text(unconfirmed))
    assert "kling-v3" in text(unconfirmed)
    assert buttons(unconfirmed) == ["", "Check", "Submit again"]


@pytest.mark.slow
def test_a_check_with_a_wrong_id_takes_up_nothing(unconfirmed: TaskCard, until: Any) -> None:
    """A misspelt id is told as what it is, and the task stays unconfirmed."""
    unconfirmed.id_field.value = "task-misspelt"
    unconfirmed.check_button.click()
    until(lambda: "task_not_found" in text(unconfirmed))
    assert unconfirmed.task.task_id == ""
    assert unconfirmed.task.status == TaskStatus.unconfirmed


@pytest.mark.slow
def test_a_refused_task_can_be_submitted_again(server: Sandbox, manager: TaskManager, until: Any) -> None:
    """After the balance has been filled up, say."""
    server.faults = Faults(no_balance=True)
    try:
        card = TaskCard(manager.submit(prompt="A koi", duration=3))
        until(lambda: buttons(card) == ["Submit again"])
    finally:
        server.faults = Faults()
    assert "Nothing was charged" in text(card)
    card.submit_again_button.click()
    until(lambda: card.task.video_path)
    card.close()


def test_a_failed_task_tells_why_and_offers_nothing(make_task: MakeTask) -> None:
    """It has ended at the service; a new one is a new task."""
    task = make_task(task_id="task-1")
    card = TaskCard(task)
    task.set_traits(status=TaskStatus.failed, error=TaskFailed("The prompt was refused."))
    task.lifecycle.settle()
    assert "The prompt was refused." in text(card)
    assert buttons(card) == []
    card.close()


def test_a_video_that_was_not_saved_can_be_saved_again(make_task: MakeTask, until: Any) -> None:
    """Finished and paid for is not lost."""
    task = make_task(task_id="task-1")
    card = TaskCard(task)
    task.set_traits(status=TaskStatus.completed, error=DownloadFailed("The disk is full."))
    task.lifecycle.settle()
    until(lambda: buttons(card) == ["Save again"])
    assert "The disk is full." in text(card)
    card.close()


def test_a_task_that_nobody_follows_can_be_followed_again(
    make_task: MakeTask, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    """The key was refused, say: the service still has the task, and the card says that nobody asks."""
    task = make_task(status=TaskStatus.queued, task_id="task-1")
    card = TaskCard(task)
    task.set_traits(error=AuthenticationFailed("No.", status=401))
    task.lifecycle.settle()
    until(lambda: buttons(card) == ["Follow again"])
    assert "Not followed any more" in text(card)
    followed: list[bool] = []
    monkeypatch.setattr(task, "follow_again", lambda: followed.append(True), raising=False)
    card.follow_again_button.click()
    assert followed == [True]
    card.close()


# ---------------------------------------------------------------------- the video


@pytest.fixture
def saving(make_task: MakeTask, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskCard]:
    """The card of a finished task whose video is on its way here, and takes long for that."""
    monkeypatch.setattr(screen, "LINK_AFTER", 0.0)
    task = make_task(status=TaskStatus.processing, task_id="task-1")
    card = TaskCard(task)
    link = "https://videos.example.com/a.mp4?sign=1&t=2"
    task.set_traits(status=TaskStatus.completed, progress=100, video_urls=(link,), download=0.1)
    yield card
    if (shown := displayed_card(task)) is not None:
        shown.close()
    card.close()


def test_a_video_plays_before_it_is_saved(saving: TaskCard, until: Any, workdir: Path) -> None:
    """From the service's link; then from the file."""
    until(lambda: played(saving))
    assert '<video src="https://videos.example.com/a.mp4?sign=1&amp;t=2"' in played(saving)
    assert 'preload="metadata"' in played(saving)
    saving.task.set_traits(download=None, video_path=workdir / "koi.mp4")
    assert 'src="./koi.mp4"' in played(saving)
    assert "example.com" not in played(saving)


def test_saving_that_goes_on_begins_no_video_anew(saving: TaskCard, until: Any) -> None:
    """Somebody may be looking at it."""
    until(lambda: played(saving))
    output = the(saving, ipywidgets.Output)
    begun: list[Any] = []
    output.observe(begun.append, "outputs")
    saving.task.set_traits(download=0.9, video_urls=("https://videos.example.com/fresh.mp4",))
    saving.refresh()
    assert begun == []


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///a.mp4", ""])
def test_only_a_link_of_the_web_is_played(saving: TaskCard, url: str) -> None:
    """Whatever the service says."""
    saving.task.set_traits(video_urls=(url,))
    card = TaskCard(saving.task)
    card.refresh()
    card.refresh()
    assert played(card) == ""
    card.close()


def test_a_link_outlives_no_kernel(saving: TaskCard, cell: Any, until: Any) -> None:
    """It dies within a day: what the notebook keeps is the place of the file."""
    until(lambda: played(saving))
    show(saving.task)
    assert "example.com" not in cell.html + saving.left
    saving.task.set_traits(video_path=Path("koi.mp4"))
    assert "koi.mp4" in cell.html
    assert "example.com" not in cell.html + saving.left


def test_a_video_that_is_saved_at_once_is_played_from_its_file(make_task: MakeTask) -> None:
    """No player for a moment, which would only be replaced."""
    task = make_task(status=TaskStatus.processing, task_id="task-1")
    card = TaskCard(task)
    task.set_traits(
        status=TaskStatus.completed, video_urls=("https://videos.example.com/a.mp4",), download=0.0
    )
    card.refresh()
    assert played(card) == ""
    card.close()


@pytest.mark.slow
def test_frames_open_below_the_card(manager: TaskManager, until: Any, live_widgets: Any) -> None:
    """A finished task offers them, once; they go with the card."""
    before = live_widgets()
    card = TaskCard(manager.submit(prompt="A koi", duration=3))
    until(lambda: buttons(card) == ["Frames"])
    card.frames_button.click()
    assert isinstance(card.children[-1], FramePicker), text(card)
    assert buttons(card) == ["Grab frame", "Continue from here"], "and Frames no more"
    card.close()
    assert live_widgets() == before


def test_why_there_are_no_frames_is_told(
    make_task: MakeTask, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was removed, say; the button stays."""
    task = make_task(task_id="task-1", status=TaskStatus.completed, video_path=workdir / "gone.mp4")
    card = TaskCard(task)
    card.frames_button.click()
    assert "qingbo-alarm" in text(card)
    assert buttons(card) == ["Frames"]
    card.close()


# ---------------------------------------------------------------------- whether anybody sees it


def go_through(task: Task) -> None:
    """Everything that can happen to a task but its end."""
    task.set_traits(status=TaskStatus.queued, task_id="task-1")
    task.set_traits(status=TaskStatus.processing, progress=10)
    task.set_traits(message="Not reachable since 12:00:00: no route.")
    task.set_traits(progress=50)


def test_what_nobody_sees_sends_nothing(
    make_task: MakeTask, kernel: None, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its making to the end of its task, at no turn and at no beat."""
    task = make_task()
    card = TaskCard(task)
    go_through(task)
    assert card.refresh() is False
    card.offer("Again", "Once more.", lambda: None)
    task.set_traits(status=TaskStatus.failed, error=TaskFailed("It broke."))
    task.lifecycle.settle()
    assert sent == []
    card.close()


def test_it_is_drawn_when_somebody_looks_and_no_longer(
    make_task: MakeTask, kernel: None, sent: list[Any], until: Any
) -> None:
    """The page tells of its views: at the first one everything is made up for."""
    task = make_task()
    card = TaskCard(task)
    go_through(task)
    card.set_state({"_view_count": 1})
    until(lambda: "Being made" in text(card) and find(card, ipywidgets.IntProgress))
    assert bar(card).value == 50
    card.set_state({"_view_count": 0})
    sent.clear()
    task.set_traits(status=TaskStatus.failed, error=TaskFailed("It broke."))
    assert sent == []
    assert "It broke." not in text(card)
    card.set_state({"_view_count": 1})
    assert "It broke." in text(card)
    card.close()
    sent.clear()
    card.refresh()
    assert sent == []


def test_a_card_in_a_cell_is_drawn_where_no_page_counts(make_task: MakeTask, kernel: None, cell: Any) -> None:
    """As under nbclient: it was displayed, so that it is drawn; and what outlives the kernel is kept."""
    task = make_task()
    show(task)
    card = card_in_cell(task)
    go_through(task)
    card.refresh()
    assert "50 %" in text(card)
    assert "resume(&#34;task-1&#34;)" in cell.html
    card.set_state({"_view_count": 1})
    card.set_state({"_view_count": 0})  # the output was cleared; the notebook's file may still have it
    task.set_traits(status=TaskStatus.cancelled)
    assert cell.views == 0
    assert "Cancelled" in cell.html
    card_in_cell(task).close()


@pytest.mark.slow
def test_the_cards_of_a_sweep_are_displayed_with_it(
    manager: TaskManager, kernel: None, cell: Any, until: Any
) -> None:
    """The grid is shown in a cell, and its cards stand in it."""
    grid = SweepGrid(sweep(prompt=["one", "two"], duration=3, manager=manager, ask_above=9))
    grid._ipython_display_()
    until(lambda: all(view.card is not None for view in grid.views))
    grid.refresh()
    assert [view.card.lasting.is_seen for view in grid.views if view.card] == [True, True]
    until(lambda: grid.sweep.state == "ended")
    grid.close()


def test_closing_a_card_leaves_the_others_their_layouts(
    make_task: MakeTask, live_widgets: Callable[[], int]
) -> None:
    """They share them, with widgets of other tests too; the last one closes them."""
    before = live_widgets()
    task = make_task(status=TaskStatus.queued)
    one, other = TaskCard(task), TaskCard(task)
    for card in (one, other):
        card.refresh()
    one.close()
    looks = [getattr(part, name, None) for part in parts_of(other) for name in ("layout", "style")]
    parts = [*parts_of(other), *(look for look in looks if look is not None)]
    assert {part.layout for part in (bar(other), other.cancel_button)} <= set(parts)
    assert all(part.comm is not None for part in parts)
    other.close()
    assert live_widgets() <= before, "a closed card leaves nothing open"


def test_a_closed_card_observes_nothing(
    make_task: MakeTask, live_widgets: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves no widget alive, those that were not shown included."""
    before = live_widgets()
    task = make_task(status=TaskStatus.processing)
    observers: list[Any] = []
    observe, unobserve = task.observe, task.unobserve
    monkeypatch.setattr(task, "observe", lambda *given: observers.append(given) or observe(*given))
    monkeypatch.setattr(task, "unobserve", lambda *given: unobserve(*given) or observers.remove(given))
    cards = [TaskCard(task) for _ in range(20)]
    assert len(observers) >= 20
    for card in cards:
        card.close()
    assert live_widgets() == before
    assert observers == []
    task.set_traits(progress=50, status=TaskStatus.completed)
    left = [weakref.ref(card) for card in cards]
    del cards, card
    gc.collect()
    assert [reference() for reference in left] == [None] * 20, "nothing draws them, and nothing keeps them"


def test_a_users_failing_observer_breaks_no_card(make_task: MakeTask) -> None:
    """Whoever observes first."""
    task = make_task()

    def fail(_: object) -> None:
        raise ValueError("a user's mistake")

    task.observe(fail)
    card = TaskCard(task)
    task.set_traits(status=TaskStatus.processing, progress=10)
    assert "Being made" in text(card)
    card.close()


# ---------------------------------------------------------------------- in a cell


def test_a_running_task_shows_its_card_and_a_twin(make_task: MakeTask, cell: Any) -> None:
    """The twin says how to go on, and is hidden by a style that dies with the card."""
    task = make_task(task_id="task-1", status=TaskStatus.processing)
    show(task)
    assert cell.views == 1
    assert ".resume(&#34;task-1&#34;)" in cell.html
    card = card_in_cell(task)
    twin = card.lasting.twin_class
    assert f'class="qingbo-html qingbo-keep {twin}"' in cell.html
    assert f".{twin}" in text(card)
    card.close()


@pytest.mark.slow
def test_a_finished_task_becomes_pure_html(manager: TaskManager, cell: Any, until: Any) -> None:
    """Both outputs are replaced from the background thread: a player, and no trace of the widget."""
    task = manager.submit(prompt="A koi", duration=3)
    show(task)
    task.wait(60)
    until(lambda: cell.views == 0)
    assert cell.html.count("<video") == 1
    assert "resume" not in cell.html


def test_the_twin_learns_the_id(make_task: MakeTask, cell: Any) -> None:
    """A task is shown before the service has named it."""
    task = make_task()
    show(task)
    assert "resume(" not in cell.html
    task.set_traits(task_id="task-9", status=TaskStatus.queued)
    assert "task-9" in cell.html
    card_in_cell(task).close()


@pytest.mark.parametrize("status", [TaskStatus.failed, TaskStatus.cancelled])
def test_an_end_without_a_video_is_pure_html_too(make_task: MakeTask, cell: Any, status: TaskStatus) -> None:
    """An ended task needs no kernel."""
    task = make_task(task_id="task-1")
    show(task)
    task.set_traits(status=status, error=TaskFailed("It broke."))
    assert cell.views == 0
    assert "task-1" in cell.html
    card_in_cell(task).close()


def test_an_unconfirmed_task_keeps_its_buttons(make_task: MakeTask, cell: Any) -> None:
    """A person still has to decide something, so the card stays; the twin tells the same."""
    task = make_task()
    show(task)
    task.set_traits(status=TaskStatus.unconfirmed, error=SubmissionUnconfirmed("No answer."))
    assert cell.views == 1
    assert "No answer." in cell.html
    card_in_cell(task).close()


def test_showing_again_shows_the_same_card(
    make_task: MakeTask, cell: Any, live_widgets: Callable[[], int]
) -> None:
    """A cell that is run a hundred times makes one card, and all views end together."""
    task = make_task(task_id="task-1")
    show(task)
    card_in_cell(task).refresh()  # as it does a moment later
    before = live_widgets()
    for _ in range(99):
        show(task)
    assert live_widgets() == before
    assert cell.views == 100
    task.set_traits(status=TaskStatus.cancelled)
    assert cell.views == 0
    card_in_cell(task).close()


def test_a_task_that_nobody_holds_is_freed(make_task: MakeTask, cell: Any) -> None:
    """A card that is closed, as when its cell is run again, keeps neither itself nor the task in memory."""
    task = make_task(task_id="task-1")
    show(task)
    card = card_module._shown[task]
    name = card.model_id
    del card
    gc.collect()
    show(task)  # ipywidgets alone holds the card now, and it is still the task's
    assert card_module._shown[task].model_id == name
    card_module._shown[task].close()
    freed = weakref.ref(task)
    del task
    gc.collect()  # frees the card, and the next one what only the card has held
    gc.collect()
    assert freed() is None


def test_a_video_adds_less_than_five_kilobytes(make_task: MakeTask, cell: Any, workdir: Path) -> None:
    """Also with a long prompt, in letters of three bytes each, in what the notebook stores of it."""
    prompt = "一条锦鲤在清澈的池塘中游动，水面波光粼粼。" * 15
    task = make_task(prompt[:300], task_id="task-wave1775285160b950328499", status=TaskStatus.processing)
    show(task)
    path = task.planned_path
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(10_200_000))
    task.set_traits(status=TaskStatus.completed, video_path=path)
    assert cell.views == 0
    outputs = [
        {"output_type": "display_data", "metadata": {}, "data": data} for data in cell.outputs.values()
    ]
    assert len(json.dumps(outputs, ensure_ascii=False, indent=1).encode()) < 4600
    card_in_cell(task).close()


def test_showing_an_ended_task_makes_no_widget(
    make_task: MakeTask, cell: Any, workdir: Path, live_widgets: Callable[[], int]
) -> None:
    """It is HTML from the start; embedded where that is asked for."""
    path = workdir / "koi.mp4"
    path.write_bytes(b"mp4")
    task = make_task(task_id="task-1", status=TaskStatus.completed, video_path=path)
    before = live_widgets()
    show(task)
    assert 'src="./koi.mp4"' in cell.html
    show(task, embed=True)
    assert "data:video/mp4;base64" in cell.html
    assert (cell.views, live_widgets()) == (0, before)


def test_news_from_many_threads_end_as_one_end(make_task: MakeTask, cell: Any) -> None:
    """A click, the refresher and the follower may draw at once; no late twin stands beside the end."""
    for number in range(20):
        task = make_task(task_id=f"task-{number}", status=TaskStatus.processing)
        show(task)
        card = card_in_cell(task)
        threads = [threading.Thread(target=card.redraw_now) for _ in range(4)]
        for thread in threads:
            thread.start()
        task.set_traits(status=TaskStatus.cancelled)
        for thread in threads:
            thread.join()
        card.close()
    assert cell.views == 0
    assert "resume" not in cell.html


def test_the_clock_costs_next_to_nothing(make_task: MakeTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent every second is a short line; drawing again what has not changed sends nothing."""
    task = make_task(status=TaskStatus.processing, progress=10)
    card = TaskCard(task)
    assert len(html_part(card, "Being made").value) < 500
    moment = datetime.now(UTC)
    monkeypatch.setattr(words, "datetime", SimpleNamespace(now=lambda _: moment))
    card.refresh()
    sent = []
    assert {bar(card), card.cancel_button} <= set(parts_of(card))
    for part in parts_of(card):
        part.observe(lambda change: sent.append(change["name"]))
    card.refresh()
    assert sent == []
    card.close()
