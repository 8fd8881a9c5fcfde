"""The studio: form, button, cards."""

from __future__ import annotations

import gc
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.i18n import locale, set_locale
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.connection import connect
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import clicks
from qingbo_widgets.widgets.card import text as words
from qingbo_widgets.widgets.card.task_card import TaskCard
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.studio.connect import ConnectPanel
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.widgets.page import box_of, buttons_of, click, find, html_of, is_displayed, outputs_of, text_of


@pytest.fixture
def studio(manager: TaskManager) -> Iterator[VideoStudio]:
    """A studio that is ready to generate."""
    studio = VideoStudio(manager, prompt="A koi in a clear pond", duration=3)
    yield studio
    for card in studio.cards:
        card.close()
    studio.close()


@pytest.mark.slow
def test_generate_submits_and_shows_a_card(studio: VideoStudio, manager: TaskManager, until: Any) -> None:
    """The click returns at once; the video comes by itself."""
    studio.generate_button.click()
    (task,) = manager.tasks
    assert [card.task for card in studio.cards] == [task]
    assert find(studio, TaskCard) == [studio.cards[0]]
    assert task.request == studio.form.request
    until(lambda: outputs_of(studio.cards[0]))


def test_a_double_click_submits_once(studio: VideoStudio, manager: TaskManager) -> None:
    """Money is real. The page would be told too late, so the second click is refused here."""
    studio.generate_button.click()
    studio.generate_button.click()
    assert len(manager.tasks) == 1
    assert studio.generate_button.disabled


def test_another_click_later_submits_again(
    studio: VideoStudio, manager: TaskManager, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same prompt twice is a wish like any other, once the button is back."""
    monkeypatch.setattr(clicks, "DOUBLE_CLICK", 0.05)
    studio.generate_button.click()
    until(lambda: not studio.generate_button.disabled)
    studio.generate_button.click()
    assert len(manager.tasks) == 2


@pytest.mark.slow
def test_several_tasks_at_once_newest_first(studio: VideoStudio, until: Any) -> None:
    """Each with a card of its own."""
    for prompt in ("one", "two", "three"):
        studio.form.prompt = prompt
        studio.generate_button.click()
    assert [card.task.request.prompt for card in studio.cards] == ["three", "two", "one"]
    assert find(studio, TaskCard) == list(studio.cards)
    until(lambda: all(card.task.video_path for card in studio.cards), 60)


def test_generate_is_disabled_with_a_reason(studio: VideoStudio) -> None:
    """A grey button that says nothing is a riddle."""
    studio.form.prompt = ""
    assert studio.generate_button.disabled
    assert "Write a prompt" in text_of(box_of(studio, studio.generate_button))
    studio.form.prompt = "A koi"
    assert not studio.generate_button.disabled
    assert text_of(box_of(studio, studio.generate_button)) == ""


def test_an_error_of_submitting_is_told_beside_the_button(studio: VideoStudio, manager: TaskManager) -> None:
    """A click on a disabled button cannot come from the page, but from code; it is told all the same."""
    studio.form.prompt = ""
    studio.generate_button.click()
    assert "qingbo-alarm" in html_of(box_of(studio, studio.generate_button))
    assert studio.cards == ()
    assert manager.tasks == ()


def test_without_a_key_the_studio_shows_how_to_get_on(workdir: object) -> None:
    """No traceback, and nothing that looks as if it worked."""
    studio = VideoStudio()
    assert studio.manager is None
    assert find(studio, ConnectPanel)
    assert not is_displayed(studio, studio.form)
    assert "Generate" not in buttons_of(studio)
    studio.close()


def test_the_sandbox_button_leads_to_the_form(workdir: object, live_widgets: Callable[[], int]) -> None:
    """And the studio says for good that this is the sandbox."""
    before = live_widgets()
    studio = VideoStudio()
    click(studio, "Use the sandbox")
    assert studio.manager.is_sandbox
    assert is_displayed(studio, studio.form)
    assert find(studio, ConnectPanel) == []
    assert "not the AI" in text_of(studio)
    studio.get_ready()  # as it does a moment after the form
    studio.close()
    assert live_widgets() == before


def test_the_default_manager_is_used(server: Sandbox, workdir: object) -> None:
    """Whoever has connected already is not asked again."""
    manager = connect(server.api_key, base_url=server.base_url)
    studio = VideoStudio()
    assert studio.manager is manager
    assert f"Connected to {server.base_url}" in text_of(studio)
    studio.close()


@pytest.mark.slow
def test_the_studio_leaves_its_videos_behind(
    studio: VideoStudio, cell: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the widget there is HTML, hidden as long as the widget is alive, that grows with each task."""
    studio._ipython_display_()
    assert cell.views == 1
    assert "<video" not in cell.html
    studio.generate_button.click()
    until(lambda: "resume(" in cell.html or studio.cards[0].task.is_done)
    until(lambda: "Finished" in cell.html)
    assert cell.html.count("<video") == 1
    assert f'class="{studio.lasting.twin_class}"' in cell.html
    assert any(f".{studio.lasting.twin_class}" in part.value for part in find(studio, ipywidgets.HTML))
    assert cell.views == 1


def test_what_it_leaves_behind_holds_up_no_click(
    studio: VideoStudio, cell: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All tasks are written each time: once for what happens together, and by nobody who waits."""
    writers: list[str] = []
    studio._ipython_display_()
    monkeypatch.setattr(studio.lasting, "keep", lambda _: writers.append(threading.current_thread().name))
    studio.generate_button.click()
    for _ in range(50):
        studio.cards[0].redraw_now()
    until(lambda: writers)
    assert set(writers) == {"qingbo-views"}
    assert len(writers) < 10


@pytest.mark.slow
def test_only_what_has_changed_is_put_into_words_again(
    studio: VideoStudio, cell: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn of one task is none of the others'."""
    for prompt in ("one", "two"):
        studio.form.prompt = prompt
        studio.generate_button.click()
    until(lambda: all(card.task.is_done for card in studio.cards))
    until(lambda: all("Finished" in card.left for card in studio.cards))
    told: list[Any] = []
    monkeypatch.setattr(words, "ended", lambda task: told.append(task) or "")
    studio.cards[0].redraw_now()
    studio._ipython_display_()
    assert told == [studio.cards[0].task]


def test_its_cards_are_displayed_with_it(studio: VideoStudio, kernel: None, cell: Any) -> None:
    """Those made before, and those made after; until then nobody sees them."""
    studio.generate_button.click()
    assert not studio.cards[0].lasting.is_seen
    studio._ipython_display_()
    studio.form.prompt = "another"
    studio.generate_button.click()
    assert [card.lasting.is_seen for card in studio.cards] == [True, True]


@pytest.mark.parametrize("make", [VideoStudio, RequestForm])
@pytest.mark.parametrize("by_name", [False, True])
def test_a_key_in_place_of_a_manager_is_not_shown(make: type, by_name: bool) -> None:
    """The message names the type; and no frame of ours has the value for a traceback to print."""
    key = "sk-sentinel-1234567890"
    with pytest.raises(TypeError, match="not str") as raised:
        make(**{"manager": key}) if by_name else make(key)
    assert key not in str(raised.value)
    ours = [
        frame.f_locals
        for frame, _ in traceback.walk_tb(raised.tb)
        if frame.f_globals["__name__"].startswith("qingbo_widgets")
    ]
    assert ours
    assert not any(value is key for values in ours for value in values.values())
    with pytest.raises(TypeError, match="not Sandbox"):
        make(Sandbox())


@pytest.mark.slow
def test_closing_leaves_the_tasks_running(studio: VideoStudio, manager: TaskManager) -> None:
    """A closed view is not a cancelled task."""
    studio.generate_button.click()
    studio.close()
    (task,) = manager.tasks
    assert task.wait(60).status == TaskStatus.completed


@pytest.mark.slow
def test_a_hundred_studios_leave_nothing(manager: TaskManager, live_widgets: Callable[[], int]) -> None:
    """A cell that closes its studio can be run as often as one likes."""
    before = live_widgets()
    for _ in range(100):
        studio = VideoStudio(manager, prompt="A koi")
        studio.get_ready()  # as it does a moment after the form
        studio.close()
    assert live_widgets() == before


def test_a_closed_studio_is_forgotten(manager: TaskManager) -> None:
    """Nobody's variable holds it: the memory of a hundred runs is that of one."""
    studio = VideoStudio(manager, prompt="A koi")
    studio.get_ready()  # as it does a moment after the form
    reference = weakref.ref(studio)
    studio.close()
    del studio
    gc.collect()
    assert reference() is None


@pytest.mark.slow
def test_a_finished_task_can_be_had_again(studio: VideoStudio, manager: TaskManager, until: Any) -> None:
    """The same request as a new task; a double click is one, for it costs money."""
    studio.generate_button.click()
    card = studio.cards[0]
    until(lambda: "Same again" in buttons_of(card))
    until(lambda: not studio.generate_button.disabled)
    studio.form.prompt = "A fox"
    click(card, "Same again")
    click(card, "Same again")
    assert [task.request.prompt for task in manager.tasks] == ["A koi in a clear pond"] * 2
    assert len(studio.cards) == 2


@pytest.mark.slow
def test_a_finished_task_can_be_changed(studio: VideoStudio, manager: TaskManager, until: Any) -> None:
    """Its fields come back into the form, and nothing is submitted."""
    studio.generate_button.click()
    until(lambda: "Same with changes" in buttons_of(studio.cards[0]))
    studio.form.prompt, studio.form.duration = "A fox", 12
    click(studio.cards[0], "Same with changes")
    assert studio.form.request == manager.tasks[0].request
    assert len(manager.tasks) == 1


def test_the_language_is_an_argument(manager: TaskManager, live_widgets: Callable[[], int]) -> None:
    """Chosen before anything is built, for all that is shown from then on; an unknown one is refused."""
    before = live_widgets()
    try:
        VideoStudio(manager, locale="zh").close()
        assert locale() == "zh"
        with pytest.raises(ValueError, match="'fr'"):
            VideoStudio(manager, locale="fr")
        assert locale() == "zh"
        assert live_widgets() == before
    finally:
        set_locale(None)
