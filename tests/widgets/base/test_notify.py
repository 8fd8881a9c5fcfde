"""Notifications of the end of tasks: what is sent to the page, and when. notify.test.js covers the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets import sweep
from qingbo_widgets.exceptions import SubmissionUnconfirmed, TaskCancelled, TaskFailed
from qingbo_widgets.i18n import set_locale
from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.base import notify, page_scripts
from qingbo_widgets.widgets.base.sync import close_whole
from qingbo_widgets.widgets.card.task_card import TaskCard
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid

MakeTask = Callable[..., Task]
Until = Callable[..., Any]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Yield what a page of Jupyter's server gets, in a kernel that has sent it the script."""
    boxes: list[Any] = []
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(notify, "_installed", boxes)
    monkeypatch.setattr(notify, "_batch", None)
    monkeypatch.setattr(page_scripts, "in_notebook", lambda: True)
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/user/test.ipynb")
    notify.install()
    monkeypatch.setattr(type(boxes[0].children[0]), "send", lambda _, message: messages.append(message))
    yield messages
    for box in boxes:
        close_whole(box)


def end(task: Task, **state: Any) -> None:
    """End a task, as its follower does."""
    task.set_traits(**state)
    task.lifecycle.settle()


def notices(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the title and the text of each notification."""
    return [(m["notice"]["title"], m["notice"]["body"]) for m in messages if "notice" in m]


def test_one_notification_for_a_task(page: list[dict[str, Any]], make_task: MakeTask, until: Until) -> None:
    """A task in several cards is notified of once, with its prompt."""
    task = make_task("A koi", status=TaskStatus.processing)
    cards = [TaskCard(task) for _ in range(3)]
    task.set_traits(progress=99)
    assert page == []
    end(task, status=TaskStatus.completed, video_path=Path("koi.mp4"))
    until(lambda: page)
    assert notices(page) == [("Video finished", "A koi")]
    assert (page[0]["finished"], page[0]["failed"]) == (1, 0)
    for card in cards:
        card.redraw_now()
        card.close()
    TaskCard(task).close()
    assert len(page) == 1, "a task that has ended is notified of when it is shown again"


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ({"status": TaskStatus.failed, "error": TaskFailed("It broke.")}, "Video failed"),
        ({"status": TaskStatus.unconfirmed, "error": SubmissionUnconfirmed("?")}, "Not confirmed"),
        ({"status": TaskStatus.completed, "error": TaskFailed("The disk is full.")}, "Video not saved"),
    ],
)
def test_an_end_without_a_video(
    page: list[dict[str, Any]], make_task: MakeTask, until: Until, state: dict[str, Any], title: str
) -> None:
    """Each end that needs the user is named as the card names it."""
    task = make_task("A koi", status=TaskStatus.processing)
    notify.watch(task)
    end(task, **state)
    until(lambda: page)
    assert notices(page) == [(title, "A koi")]
    assert (page[0]["finished"], page[0]["failed"]) == (0, 1)


def test_a_cancelled_task_is_no_news(page: list[dict[str, Any]], make_task: MakeTask, until: Until) -> None:
    """A user who cancels a task knows it; another one that was submitted with it is still notified of."""
    cancelled, other = make_task("A koi"), make_task("A carp")
    for task in (cancelled, other):
        notify.watch(task)
    end(cancelled, status=TaskStatus.cancelled, error=TaskCancelled("The task was cancelled."))
    until(lambda: cancelled not in notify._watched)
    assert page == []
    end(other, status=TaskStatus.completed, video_path=Path("carp.mp4"))
    until(lambda: page)
    assert notices(page) == [("Video finished", "A carp")]


def test_tasks_submitted_together_are_one_notification(
    page: list[dict[str, Any]], make_task: MakeTask, until: Until
) -> None:
    """The tab counts each end at once; the notification comes with the last one, and says what failed."""
    tasks = [make_task(f"koi {number}", status=TaskStatus.processing) for number in range(3)]
    later = make_task("a later one", status=TaskStatus.processing)
    later.submitted_at += timedelta(seconds=30)
    for task in (*tasks, later):
        notify.watch(task)
    end(tasks[0], status=TaskStatus.completed, video_path=Path("0.mp4"))
    end(tasks[1], status=TaskStatus.failed, error=TaskFailed("It broke."))
    until(lambda: len(page) == 2)
    assert notices(page) == []
    assert sorted((m["finished"], m["failed"]) for m in page) == [(0, 1), (1, 0)]
    end(later, status=TaskStatus.completed, video_path=Path("later.mp4"))
    until(lambda: len(page) == 3)
    assert notices(page) == [("Video finished", "a later one")], "it waits for those of another click"
    end(tasks[2], status=TaskStatus.completed, video_path=Path("2.mp4"))
    until(lambda: len(page) == 4)
    assert notices(page)[1:] == [("1 of 3 videos failed", "koi 1")]


def test_a_notification_shows_no_key_and_no_address(
    page: list[dict[str, Any]], make_task: MakeTask, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everyone who sees the screen can read it."""
    monkeypatch.setenv("QINGBO_API_KEY", "sk-0123456789abcdefghij")
    prompt = "like https://private.example/a.png?token=1 sk-0123456789abcdefghij " + "very " * 60 + "big"
    task = make_task(prompt)
    notify.watch(task)
    end(task, status=TaskStatus.completed, video_path=Path("koi.mp4"))
    until(lambda: page)
    body = page[0]["notice"]["body"]
    assert body.startswith("like …")
    for part in ("private", "token", "0123456789"):
        assert part not in body
    assert len(body) <= notify.BODY


def test_a_task_that_is_followed_again_is_notified_of_again(
    page: list[dict[str, Any]], make_task: MakeTask, until: Until
) -> None:
    """After Follow again, the real end is notified of as well."""
    task = make_task("A koi", status=TaskStatus.processing, task_id="task-1")
    card = TaskCard(task)
    end(task, error=TaskFailed("The key was refused."))
    until(lambda: len(page) == 1)
    assert task.lifecycle.claim(lambda: True)
    task.set_traits(error=None)
    end(task, status=TaskStatus.completed, video_path=Path("koi.mp4"))
    until(lambda: len(page) == 2)
    assert notices(page)[1] == ("Video finished", "A koi")
    card.close()


@pytest.mark.slow
def test_a_sweep_is_one_notification(
    page: list[dict[str, Any]], manager: TaskManager, server: Sandbox, until: Until
) -> None:
    """A sweep is notified of as a whole, with the number that failed; not its cells."""
    server.faults = Faults(fail="task_failed", fail_prompt="carp")
    made = sweep(prompt=["koi", "carp"], manager=manager, name="fishes", ask_above=1)
    grid = SweepGrid(made)
    made.start()
    made.wait(60)
    until(lambda: page)
    assert notices(page) == [("Sweep finished: 1 of 2 failed", "fishes")]
    assert (page[0]["finished"], page[0]["failed"]) == (1, 1)
    grid.close()


@pytest.mark.slow
def test_what_no_cell_shows_is_notified_of(
    page: list[dict[str, Any]], manager: TaskManager, server: Sandbox, until: Until
) -> None:
    """A task of a loop and a sweep without a view are notified of, because the page has the button."""
    task = manager.submit(prompt="A koi")
    until(lambda: page)
    assert notices(page) == [("Video finished", "A koi")]
    assert task.is_done
    server.faults = Faults()
    sweep(prompt=["koi", "crane"], manager=manager, name="fishes").wait(60)
    until(lambda: len(page) == 2)
    assert notices(page)[1:] == [("Sweep finished", "fishes")]


def test_a_sweep_that_needs_its_user(page: list[dict[str, Any]], manager: TaskManager, until: Until) -> None:
    """A sweep that pauses by itself says why; one that the user pauses says nothing."""
    made = sweep(prompt=["koi", "carp"], manager=manager, name="fishes", ask_above=1)
    grid = SweepGrid(made)
    for reason in ("", "3 submissions were refused: see https://dash.example/x"):
        made.set_running()
        made.set_paused(reason)
    assert notices(page) == [("Sweep paused", "3 submissions were refused: see …")]
    grid.close()


def test_the_button_is_one_widget_in_all_places(
    page: list[dict[str, Any]], manager: TaskManager, make_task: MakeTask
) -> None:
    """A studio, its cards and other cards share the button, which goes with the last of them."""
    studio, other = VideoStudio(manager), VideoStudio(manager)
    for one in (studio, other):
        one.get_ready()
    (button,) = studio._head.bell.children
    assert other._head.bell.children == (button,)
    assert notify.bell(ipywidgets.Box()) == [button]
    studio.close()
    assert button.comm is not None
    set_locale("zh")
    try:
        notify.bell(other._head.bell)
        assert button.children[0].texts["label"] == "完成时通知我"
    finally:
        set_locale("en")
    other.close()


@pytest.mark.parametrize("lacks", ["a kernel", "a server"])
def test_without_a_page_there_is_no_button(
    page: list[dict[str, Any]], make_task: MakeTask, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    """Neither a script nor nbclient, which stores the widgets in the notebook, has the button."""
    if lacks == "a kernel":
        monkeypatch.setattr(page_scripts, "in_notebook", lambda: False)
    else:
        monkeypatch.delenv("JPY_SESSION_NAME")
    monkeypatch.setattr(notify, "_installed", [])
    notify.install()
    assert notify.bell(ipywidgets.Box()) == []
    assert notify._installed == []
    task = make_task()
    notify.watch(task)
    assert task not in notify._watched
