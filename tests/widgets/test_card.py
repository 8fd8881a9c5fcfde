"""A card shows its task, and nothing of it survives the card."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qingbo_widgets.exceptions import DownloadFailed, SubmissionUnconfirmed, TaskFailed
from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.service.snapshot import TaskStatus
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets import card as card_module
from qingbo_widgets.widgets import words
from qingbo_widgets.widgets.binding import refresher
from qingbo_widgets.widgets.card import TaskCard, show

MakeTask = Callable[..., Task]


def text(card: TaskCard) -> str:
    """What the card says."""
    return str(card._above.value + card._below.value)


def buttons(card: TaskCard) -> list[str]:
    """The buttons that it offers."""
    return [button.description for button in card._buttons.children]


def test_a_task_is_followed_to_its_video(manager: TaskManager, until: Any) -> None:
    """From the queue to the player, without anybody asking."""
    task = manager.submit(prompt="一条锦鲤", duration=3)
    card = TaskCard(task)
    task.wait(60)
    until(lambda: card._video.outputs)
    assert "Finished" in text(card)
    assert "一条锦鲤" in text(card)
    markup = card._video.outputs[0]["data"]["text/html"]
    assert '<video src="./qingbo_videos/' in markup
    assert card._bar.layout.display == "none"
    assert buttons(card) == []
    card.close()


def test_the_bar_and_the_words_follow_the_task(make_task: MakeTask) -> None:
    """Status at once, the rest at the next beat."""
    task = make_task()
    card = TaskCard(task)
    assert "Submitting" in text(card)
    task._set(status=TaskStatus.processing, progress=40, message="Not reachable since 12:00:00: no route.")
    assert "Being made" in text(card)
    assert "40 %" in text(card)
    assert "Not reachable since" in text(card)
    assert card._bar.value == 40
    card.close()


def test_progress_alone_waits_for_the_beat(make_task: MakeTask, until: Any) -> None:
    """A service that reports a hundred times a second does not flood the page."""
    task = make_task(status=TaskStatus.processing)
    card = TaskCard(task)
    sent = []
    card._bar.observe(lambda change: sent.append(change["new"]), "value")
    for percent in range(1, 100):
        task._set(progress=percent)
    until(lambda: card._bar.value == 99)
    assert len(sent) < 10
    card.close()


def test_cancel_is_offered_only_while_the_service_takes_it(make_task: MakeTask) -> None:
    """A button that cannot work is grey, and its tooltip says why."""
    task = make_task(status=TaskStatus.queued)
    card = TaskCard(task)
    assert (buttons(card), card.cancel_button.disabled) == (["Cancel"], False)
    task._set(status=TaskStatus.processing)
    assert card.cancel_button.disabled
    card.close()


def test_cancel_cancels(server: Sandbox, manager: TaskManager, until: Any) -> None:
    """A click, and the task has ended."""
    task = manager.submit(prompt="A koi", duration=3)
    card = TaskCard(task)
    card.cancel_button.click()
    until(lambda: task.is_done)
    assert task.status in (TaskStatus.cancelled, TaskStatus.completed)
    until(lambda: buttons(card) == [])
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


def test_an_unconfirmed_task_can_be_submitted_again(unconfirmed: TaskCard, until: Any) -> None:
    """The card says what it may cost, and a person decides. This service knows the key and bills once."""
    card = unconfirmed
    assert card.task.status == TaskStatus.unconfirmed
    assert "charged" in text(card)
    card.submit_again_button.click()
    until(lambda: card.task.video_path)
    assert buttons(card) == []


def test_an_unconfirmed_task_is_taken_up_by_its_id(
    unconfirmed: TaskCard, server: Sandbox, until: Any
) -> None:
    """A person finds the task in the dashboard and pastes its id; it is followed to its video."""
    (made,) = list(server._started().backend._tasks)[-1:]
    unconfirmed.id_field.value = f" {made} "
    unconfirmed.check_button.click()
    until(lambda: unconfirmed.task.video_path)
    assert unconfirmed.task.task_id == made
    assert buttons(unconfirmed) == []


def test_a_check_without_an_id_says_where_to_look(unconfirmed: TaskCard, until: Any) -> None:
    """The service cannot be asked for a key, which is said; the buttons stay."""
    unconfirmed.check_button.click()
    until(lambda: "Look in its dashboard" in text(unconfirmed))
    assert "kling-v3" in text(unconfirmed)
    assert buttons(unconfirmed) == ["", "Check", "Submit again"]


def test_a_check_with_a_wrong_id_takes_up_nothing(unconfirmed: TaskCard, until: Any) -> None:
    """A misspelt id is told as what it is, and the task stays unconfirmed."""
    unconfirmed.id_field.value = "task-misspelt"
    unconfirmed.check_button.click()
    until(lambda: "task_not_found" in text(unconfirmed))
    assert unconfirmed.task.task_id == ""
    assert unconfirmed.task.status == TaskStatus.unconfirmed


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
    task._set(status=TaskStatus.failed, error=TaskFailed("The prompt was refused."))
    task._settle()
    assert "The prompt was refused." in text(card)
    assert buttons(card) == []
    card.close()


def test_a_video_that_was_not_saved_can_be_saved_again(make_task: MakeTask, until: Any) -> None:
    """Finished and paid for is not lost."""
    task = make_task(task_id="task-1")
    card = TaskCard(task)
    task._set(status=TaskStatus.completed, error=DownloadFailed("The disk is full."))
    task._settle()
    until(lambda: buttons(card) == ["Save again"])
    assert "The disk is full." in text(card)
    card.close()


def test_a_closed_card_observes_nothing(make_task: MakeTask, live_widgets: Callable[[], int]) -> None:
    """And leaves no widget alive, those that were not shown included."""
    before = live_widgets()
    task = make_task(status=TaskStatus.processing)
    cards = [TaskCard(task) for _ in range(20)]
    for card in cards:
        card.close()
    assert live_widgets() == before
    assert not [h for names in task._trait_notifiers.values() for kind in names.values() for h in kind]
    task._set(progress=50, status=TaskStatus.completed)
    del cards, card
    gc.collect()
    assert refresher._thread is None or not [v for v in refresher._views if isinstance(v, TaskCard)]


def test_a_users_failing_observer_breaks_no_card(make_task: MakeTask) -> None:
    """Whoever observes first."""
    task = make_task()

    def fail(_: object) -> None:
        raise ValueError("a user's mistake")

    task.observe(fail)
    card = TaskCard(task)
    task._set(status=TaskStatus.processing, progress=10)
    assert "Being made" in text(card)
    card.close()


# ---------------------------------------------------------------------- in a cell


def test_a_running_task_shows_its_card_and_a_twin(make_task: MakeTask, cell: Any) -> None:
    """The twin says how to go on, and is hidden by a style that dies with the card."""
    task = make_task(task_id="task-1", status=TaskStatus.processing)
    show(task)
    assert cell.views == 1
    assert ".resume(&quot;task-1&quot;)" in cell.html
    twin = card_module._shown[task].lasting.twin_class
    assert f'class="qingbo-html qingbo-keep {twin}"' in cell.html
    assert f".{twin}" in card_module._shown[task]._below.value
    card_module._shown.pop(task).close()


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
    task._set(task_id="task-9", status=TaskStatus.queued)
    assert "task-9" in cell.html
    card_module._shown.pop(task).close()


@pytest.mark.parametrize("status", [TaskStatus.failed, TaskStatus.cancelled])
def test_an_end_without_a_video_is_pure_html_too(make_task: MakeTask, cell: Any, status: TaskStatus) -> None:
    """An ended task needs no kernel."""
    task = make_task(task_id="task-1")
    show(task)
    task._set(status=status, error=TaskFailed("It broke."))
    assert cell.views == 0
    assert "task-1" in cell.html
    card_module._shown.pop(task).close()


def test_an_unconfirmed_task_keeps_its_buttons(make_task: MakeTask, cell: Any) -> None:
    """A person still has to decide something, so the card stays; the twin tells the same."""
    task = make_task()
    show(task)
    task._set(status=TaskStatus.unconfirmed, error=SubmissionUnconfirmed("No answer."))
    assert cell.views == 1
    assert "No answer." in cell.html
    card_module._shown.pop(task).close()


def test_showing_again_shows_the_same_card(
    make_task: MakeTask, cell: Any, live_widgets: Callable[[], int]
) -> None:
    """A cell that is run a hundred times makes one card, and all views end together."""
    task = make_task(task_id="task-1")
    show(task)
    before = live_widgets()
    for _ in range(99):
        show(task)
    assert live_widgets() == before
    assert cell.views == 100
    task._set(status=TaskStatus.cancelled)
    assert cell.views == 0
    card_module._shown.pop(task).close()


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
        card = card_module._shown[task]
        threads = [threading.Thread(target=card._hurry) for _ in range(4)]
        for thread in threads:
            thread.start()
        task._set(status=TaskStatus.cancelled)
        for thread in threads:
            thread.join()
        card.close()
    assert cell.views == 0
    assert "resume" not in cell.html


def test_the_clock_costs_next_to_nothing(make_task: MakeTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent every second is a short line; drawing again what has not changed sends nothing."""
    task = make_task(status=TaskStatus.processing, progress=10)
    card = TaskCard(task)
    assert len(card._above.value) < 500
    moment = datetime.now(UTC)
    monkeypatch.setattr(words, "datetime", SimpleNamespace(now=lambda _: moment))
    card.refresh()
    sent = []
    for part in (card._above, card._below, card._bar, card._buttons, card.cancel_button):
        part.observe(lambda change: sent.append(change["name"]))
    card.refresh()
    assert sent == []
    card.close()
