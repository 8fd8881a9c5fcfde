"""The form of a studio: filling it in, what is shown above and below it, folding."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.exceptions import QingboError
from qingbo_widgets.i18n import set_locale, tr
from qingbo_widgets.media import frames
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.studio import follow_up
from qingbo_widgets.widgets.studio.examples import EXAMPLES, Examples
from qingbo_widgets.widgets.studio.recent import MOST, Recent
from qingbo_widgets.widgets.studio.replacement import Replacement
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.widgets.page import (
    buttons_of,
    classes_of,
    click,
    ctrl_enter,
    find,
    html_of,
    is_displayed,
    outputs_of,
    send_click,
    text_of,
)

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def studio(manager: TaskManager) -> Iterator[VideoStudio]:
    """Yield a studio whose late parts are there."""
    studio = VideoStudio(manager)
    studio.get_ready()
    yield studio
    for card in studio.cards:
        card.close()
    studio.close()


def finish(manager: TaskManager, prompt: str = "A koi") -> Task:
    """Generate a video."""
    return manager.submit(prompt=prompt, duration=3).wait(60)


def test_filling_in_can_be_taken_back(studio: VideoStudio, manager: TaskManager) -> None:
    """The form says what it is from; ✕ restores what was typed, and that can be undone as well."""
    studio.form.prompt, studio.form.mode = "Typed for ten minutes", "pro"
    typed, other = studio.form.request, VideoRequest(prompt="A lighthouse in a storm", duration=10)
    studio._column.load(other, other.prompt)
    assert studio.form.request == other
    line = find(studio, Replacement)[0]
    assert "From: A lighthouse in a storm" in text_of(line)
    assert "qingbo-filled" in classes_of(studio.form.controls["prompt"]), "nothing shows what has changed"
    send_click(line.button)
    assert studio.form.request == typed, "typed text is lost"
    click(line, "Undo")
    assert studio.form.request == other
    line.unmark()
    assert "qingbo-filled" not in classes_of(studio.form.controls["prompt"])


@pytest.mark.slow
def test_continue_fills_the_studios_own_form(studio: VideoStudio, manager: TaskManager, until: Until) -> None:
    """Continue puts the last frame into the form of the studio, opens no second one, and submits nothing."""
    studio.form.prompt, studio.form.duration = "A koi", 3
    send_click(studio.generate_button)
    until(lambda: "Continue" in buttons_of(studio))
    (card,) = studio.cards
    manager.upload = str
    click(card, "Continue")
    assert Path(studio.form.image_urls[0]).parent == manager.library.folder / "inputs"
    assert studio.form.prompt == ""
    assert "From: A koi" in text_of(studio)
    assert "qingbo-alarm" not in html_of(studio), "the prompt is called wrong before it could be written"
    assert "Show the image" not in buttons_of(studio), "our own frame waits for a click"
    assert {problem.field for problem in studio.form.problems} == {"prompt"}
    click(card, "Frames")
    click(card, "Continue from this frame")
    assert buttons_of(studio).count("Generate") == 1, "a second form has opened"
    assert len(manager.tasks) == 1


@pytest.mark.slow
def test_continue_shows_at_once_and_leaves_the_kernel_free(
    studio: VideoStudio, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the frame is taken, the button says so and other clicks work; an error is shown."""
    studio.form.prompt, studio.form.duration = "A koi", 3
    send_click(studio.generate_button)
    until(lambda: "Continue" in buttons_of(studio))
    (card,) = studio.cards
    gate, taken, take = threading.Event(), list[Path](), frames.save_frame

    def slow(video: Path, seconds: float | None) -> Path:
        assert gate.wait(30)
        taken.append(video)
        if len(taken) == 1:
            raise QingboError("The disk is full.")
        return take(video, seconds)

    monkeypatch.setattr(follow_up, "save_frame", slow)

    async def act() -> None:
        click(card, "Continue")
        assert "Taking the last frame…" in buttons_of(card), "nothing shows that the click has arrived"
        click(card, "Edit and regenerate")
        assert studio.form.prompt == "A koi", "the kernel waits for the frame"
        gate.set()
        while "The disk is full." not in text_of(card):
            await asyncio.sleep(0.01)
        click(card, "Continue")
        while not studio.form.request.is_image_to_video:
            await asyncio.sleep(0.01)
        assert "The disk is full." not in text_of(card)

    asyncio.run(asyncio.wait_for(act(), 60))


def test_examples_until_there_is_text(studio: VideoStudio) -> None:
    """An empty studio offers prompts; a click fills one in, and with text in the prompt they are gone."""
    (examples,) = find(studio, Examples)
    assert len(examples.buttons) == 3
    send_click(examples.buttons[0])
    assert studio.form.prompt == EXAMPLES[0]
    assert "qingbo-has-text" in classes_of(examples)
    studio.form.prompt = ""
    assert "qingbo-has-text" not in classes_of(examples)
    studio.form.prompt = "A koi"
    send_click(studio.generate_button)
    assert find(studio, Examples) == [], "they stand above the cards"


def test_examples_are_in_the_language_of_the_interface(manager: TaskManager) -> None:
    """A Chinese studio offers Chinese prompts."""
    try:
        set_locale("zh")
        studio = VideoStudio(manager)
        studio.get_ready()
        (examples,) = find(studio, Examples)
        assert [button.description for button in examples.buttons] == [tr(text) for text in EXAMPLES]
        assert not any(text.isascii() for text in (button.description for button in examples.buttons))
        studio.close()
    finally:
        set_locale(None)


@pytest.mark.slow
def test_examples_are_for_an_empty_studio(studio: VideoStudio, until: Until) -> None:
    """Once a studio has had a card, no large box says that videos appear there, even after clearing."""
    assert len(find(studio, Examples)) == 1
    studio.form.prompt = "A koi"
    send_click(studio.generate_button)
    until(lambda: studio.cards[0].task.video_path)
    studio._list.clear()
    studio.form.prompt = ""
    assert studio.cards == ()
    assert not is_displayed(studio, studio._column.examples), "the box is there again"


@pytest.mark.parametrize("by_shortcut", [False, True])
def test_the_source_goes_with_generate(studio: VideoStudio, by_shortcut: bool) -> None:
    """The line that says where the form's content is from goes when that content is submitted."""
    studio._column.load(VideoRequest(prompt="A fox"), "A fox")
    (line,) = find(studio, Replacement)
    assert is_displayed(studio, line)
    if by_shortcut:
        ctrl_enter(studio, "Prompt", "A fox")
    else:
        send_click(studio.generate_button)
    assert len(studio.cards) == 1
    assert not is_displayed(studio, line)
    studio._column.load(VideoRequest(prompt="A heron"), "A heron")
    assert is_displayed(studio, line)


def is_deleted(video: Path) -> bool:
    """Delete a video; return whether that is possible yet: Windows deletes no file that is being read."""
    try:
        video.unlink()
    except PermissionError:
        return False
    return True


@pytest.mark.slow
def test_recent_videos_of_the_library(manager: TaskManager, workdir: Path, until: Until) -> None:
    """Videos from elsewhere are offered with their settings; a click on one plays it, another closes it."""
    finish(manager, "A fox in the snow")
    studio = VideoStudio(manager, prompt="Typed")
    assert find(studio, Recent) == [], "the form waits for the library"
    studio.get_ready()
    (recent,) = find(studio, Recent)
    assert "qw.Gallery()" in text_of(recent)
    (tile,) = recent.tiles
    assert tile.poster_button.description == "Play: A fox in the snow"
    send_click(tile.poster_button)
    assert "<video" in outputs_of(recent)[0]
    send_click(tile.poster_button)
    assert outputs_of(recent) == []
    click(recent, "Use settings")
    assert (studio.form.prompt, studio.form.duration) == ("A fox in the snow", 3)
    assert "From: A fox in the snow" in text_of(studio)
    (video,) = manager.library.folder.glob("*.mp4")
    until(lambda: is_deleted(video))
    studio.update_recent()
    assert "Use settings" not in buttons_of(studio), "a deleted video is offered"
    studio.close()


@pytest.mark.slow
def test_a_recent_video_stays_open_until_it_is_closed(manager: TaskManager, until: Until) -> None:
    """Newer videos do not close the one that is being watched, nor draw it again; a deleted one goes."""
    task = finish(manager, "A fox in the snow")
    entries = [entry] if (entry := manager.library.get(task.key)) else []
    (video,) = [manager.library.video_of(entry) for entry in entries]
    newer = [replace(entry, key=f"{number:032}") for entry in entries for number in range(MOST)]
    recent = Recent(lambda _: None)
    recent.show(manager.library, entries)
    send_click(recent.tiles[0].poster_button)
    (player,) = (part for part in find(recent, ipywidgets.Output))
    before: Any = player.outputs
    recent.show(manager.library, newer)
    assert player.outputs is before, "the video that is watched starts again, or is gone"
    assert len(find(recent, type(recent.tiles[0]))) == MOST
    assert recent.tiles[MOST - 1].poster_button.description == f"Play: A fox in the snow · {MOST} of {MOST}"
    labels = [text_of(tile).partition(" of ")[0] for tile in recent.tiles]
    assert labels == [str(number) for number in range(1, MOST + 1)], "equal requests look the same"
    send_click(recent.tiles[MOST - 1].poster_button)
    recent.show(manager.library, newer[:1])
    assert len(find(recent, type(recent.tiles[0]))) == 1
    send_click(recent.tiles[0].poster_button)
    assert video is not None
    until(lambda: is_deleted(video))
    recent.show(manager.library, newer[1:])
    assert outputs_of(recent) == [], "the player of a deleted video is there"
    recent.close()


@pytest.mark.slow
def test_own_videos_are_not_recent_before_they_are_cleared(
    studio: VideoStudio, manager: TaskManager, until: Until
) -> None:
    """A video that is a card is not in the strip as well; a cleared one is."""
    studio.form.prompt, studio.form.duration = "A koi", 3
    send_click(studio.generate_button)
    until(lambda: all(card.task.video_path for card in studio.cards))
    studio.update_recent()
    assert find(studio, Recent) == []
    studio._list.clear()
    studio.update_recent()
    assert len(find(studio, Recent)) == 1


def test_the_form_folds_and_unfolds(studio: VideoStudio) -> None:
    """After a click on Generate a narrow studio shows one line; that or a change of a field unfolds it."""
    studio.form.prompt = "A paper boat"
    column = studio._column
    send_click(studio.generate_button)
    assert "qingbo-folded" in classes_of(column)
    assert column.summary_button.description == "A paper boat · kling-v3 · 5 s · Edit"
    assert is_displayed(studio, studio.generate_button)
    send_click(column.summary_button)
    assert "qingbo-folded" not in classes_of(column)
    assert studio.form.prompt == "A paper boat", "what was typed is gone"
    column.fold()
    studio.form.prompt = "A paper boat, and a heron"
    assert "qingbo-folded" not in classes_of(column), "the form is folded while the user types"


def test_what_follows_the_form_is_not_drawn_again(studio: VideoStudio) -> None:
    """Lines above the form come into a box of their own, so that the page keeps what is being typed."""
    column: ipywidgets.VBox = studio._column
    before = column.children
    studio._column.load(VideoRequest(prompt="A fox"), "A fox")
    column.fold()
    assert column.children == before
