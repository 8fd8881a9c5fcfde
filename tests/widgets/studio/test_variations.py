"""Several variations of one request."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from qingbo_widgets.exceptions import QingboError
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.studio.variations import PartlySubmitted, submit_all
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.widgets.page import ctrl_enter, send_click, text_of


@pytest.fixture
def studio(manager: TaskManager) -> Iterator[VideoStudio]:
    """Yield a studio that is ready to generate."""
    studio = VideoStudio(manager, prompt="A koi", duration=3)
    studio.get_ready()
    yield studio
    for card in studio.cards:
        card.close()
    studio.close()


def test_one_click_submits_several(studio: VideoStudio, manager: TaskManager) -> None:
    """Three variations are three tasks with the same request and a card each, once for a double click."""
    studio.variations.value = 3
    assert studio.generate_button.description == "Generate 3", "the button says how often it is charged"
    send_click(studio.generate_button)
    send_click(studio.generate_button)
    assert [task.request for task in manager.tasks] == [studio.form.request] * 3
    assert len(studio.cards) == 3
    studio.variations.value = 1
    assert studio.generate_button.description == "Generate"


def test_ctrl_enter_honours_the_number(studio: VideoStudio, manager: TaskManager) -> None:
    """The shortcut submits as often as the button says."""
    studio.variations.value = 2
    ctrl_enter(studio, "Prompt", "A heron")
    assert [task.request and task.request.prompt for task in manager.tasks] == ["A heron"] * 2


def test_a_refused_variation_keeps_the_others(
    studio: VideoStudio, manager: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the third is refused, two cards are there, and the message says how many were submitted and why."""
    submit, limit = manager.submit, 2

    def until_limit(request: Any) -> Any:
        if len(manager.tasks) >= limit:
            raise QingboError("The budget is used up.")
        return submit(request)

    monkeypatch.setattr(manager, "submit", until_limit)
    studio.variations.value = 4
    send_click(studio.generate_button)
    assert len(studio.cards) == 2, "a submitted task has no card"
    assert "2 of 4 submitted. The budget is used up." in text_of(studio)
    send_click(studio.generate_button)
    assert len(manager.tasks) == 2


def test_an_interrupt_between_two_submissions(
    studio: VideoStudio, manager: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each task that is submitted has a card, because it is charged."""
    submit = manager.submit

    def interrupted(request: Any) -> Any:
        task = submit(request)
        if len(manager.tasks) == 2:
            signal.raise_signal(signal.SIGINT)
        return task

    monkeypatch.setattr(manager, "submit", interrupted)
    studio.variations.value = 4
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # under nohup or & it is ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            send_click(studio.generate_button)
    finally:
        signal.signal(signal.SIGINT, before)
    assert {card.task for card in studio.cards} == set(manager.tasks), "tasks are charged and not shown"


def test_nothing_submitted_is_the_error_itself() -> None:
    """The error of the first submission is raised as it is; a later one carries the submitted tasks."""

    def refuse() -> Any:
        raise QingboError("No.")

    with pytest.raises(QingboError, match=r"^No\.$") as caught:
        submit_all(refuse, 3)
    assert not isinstance(caught.value, PartlySubmitted)
