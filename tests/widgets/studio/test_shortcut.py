"""Ctrl+Enter, as it arrives in the kernel; the page's side of it is driven in a browser."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.studio.video_studio import VideoStudio


@pytest.fixture
def studio(manager: TaskManager) -> Iterator[VideoStudio]:
    """A studio that can submit."""
    studio = VideoStudio(manager)
    yield studio
    studio.close()


def press(studio: VideoStudio, label: str, text: str) -> None:
    """What the page sends, once it has the form."""
    while not studio._shortcut:
        time.sleep(0.01)
    (box,) = studio._shortcut
    box.children[0]._handle_custom_msg({"label": label, "text": text}, [])


def test_the_text_comes_with_the_key(studio: VideoStudio) -> None:
    """What was typed last counts, even if it has not reached the form otherwise."""
    press(studio, "Prompt", "A koi")
    assert studio.form.prompt == "A koi"
    assert [card.task.request.prompt for card in studio.cards if card.task.request] == ["A koi"]


def test_it_works_in_the_prompt_of_a_shot(studio: VideoStudio) -> None:
    """The text goes to that shot."""
    studio.form.shots = [("One", 3), ("Tw", 3)]
    press(studio, "Shot 2", "Two")
    (card,) = studio.cards
    assert card.task.request is not None
    assert [shot.prompt for shot in card.task.request.shots] == ["One", "Two"]


def test_a_late_letter_on_another_thread_changes_nothing(studio: VideoStudio) -> None:
    """A page may tell of typing and of the key on two threads: the older text must not win."""
    prompt = studio.form.controls["prompt"]
    studio.form.observe(lambda _: setattr(prompt, "value", "A"), "prompt")
    press(studio, "Prompt", "A koi in a pond")
    (card,) = studio.cards
    assert card.task.request is not None
    assert card.task.request.prompt == "A koi in a pond"


def test_it_submits_nothing_that_the_button_would_not(studio: VideoStudio) -> None:
    """Not an empty prompt, not twice at once, and not from another text field."""
    press(studio, "Prompt", " ")
    press(studio, "Paste", "A koi")
    assert studio.cards == ()
    press(studio, "Prompt", "A koi")
    press(studio, "Prompt", "A koi")
    assert len(studio.cards) == 1
