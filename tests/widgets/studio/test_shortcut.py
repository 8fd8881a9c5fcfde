"""Ctrl+Enter as received by the kernel; the browser tests cover the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.widgets.page import ctrl_enter


@pytest.fixture
def studio(manager: TaskManager) -> Iterator[VideoStudio]:
    """Yield a studio that can submit."""
    studio = VideoStudio(manager)
    yield studio
    studio.close()


def test_the_text_comes_with_the_key(studio: VideoStudio) -> None:
    """The text sent with the shortcut counts, even if the form does not have it yet."""
    ctrl_enter(studio, "Prompt", "A koi")
    assert studio.form.prompt == "A koi"
    assert [card.task.request.prompt for card in studio.cards if card.task.request] == ["A koi"]


def test_it_works_in_the_prompt_of_a_shot(studio: VideoStudio) -> None:
    """Ctrl+Enter in the prompt of a shot updates that shot."""
    studio.form.shots = [("One", 3), ("Tw", 3)]
    ctrl_enter(studio, "Shot 2", "Two")
    (card,) = studio.cards
    assert card.task.request is not None
    assert [shot.prompt for shot in card.task.request.shots] == ["One", "Two"]


def test_a_late_letter_on_another_thread_changes_nothing(studio: VideoStudio) -> None:
    """An older text that arrives on another thread does not replace the one sent with the shortcut."""
    prompt = studio.form.controls["prompt"]
    studio.form.observe(lambda _: setattr(prompt, "value", "A"), "prompt")
    ctrl_enter(studio, "Prompt", "A koi in a pond")
    (card,) = studio.cards
    assert card.task.request is not None
    assert card.task.request.prompt == "A koi in a pond"


@pytest.mark.slow
def test_it_submits_nothing_that_the_button_would_not(studio: VideoStudio) -> None:
    """The shortcut submits no empty prompt, not twice at once, and not from another field."""
    ctrl_enter(studio, "Prompt", " ")
    ctrl_enter(studio, "Paste", "A koi")
    assert studio.cards == ()
    ctrl_enter(studio, "Prompt", "A koi")
    ctrl_enter(studio, "Prompt", "A koi")
    assert len(studio.cards) == 1
