"""``VideoStudio``: form, button and cards."""

from __future__ import annotations

import gc
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.i18n import locale, set_locale
from qingbo_widgets.library.library import Library
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.connection import connect
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import clicks
from qingbo_widgets.widgets.base.html import Markup
from qingbo_widgets.widgets.card import static_copy as card_copy
from qingbo_widgets.widgets.card.task_card import TaskCard
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.studio import form_column, video_studio
from qingbo_widgets.widgets.studio.connect import ConnectPanel
from qingbo_widgets.widgets.studio.examples import Examples
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.faults.server import Exchange, FaultServer, answer
from tests.widgets.page import (
    box_of,
    buttons_of,
    classes_of,
    click,
    ctrl_enter,
    find,
    html_of,
    is_displayed,
    outputs_of,
    text_of,
)


@pytest.fixture
def studio(manager: TaskManager) -> Iterator[VideoStudio]:
    """Yield a studio that is ready to generate."""
    studio = VideoStudio(manager, prompt="A koi in a clear pond", duration=3)
    yield studio
    for card in studio.cards:
        card.close()
    studio.close()


@pytest.mark.slow
def test_generate_submits_and_shows_a_card(studio: VideoStudio, manager: TaskManager, until: Any) -> None:
    """The click returns at once, and the card follows the task to its video."""
    studio.generate_button.click()
    (task,) = manager.tasks
    assert [card.task for card in studio.cards] == [task]
    assert find(studio, TaskCard) == [studio.cards[0]]
    assert task.request == studio.form.request
    until(lambda: outputs_of(studio.cards[0]))


def is_waiting(studio: VideoStudio) -> bool:
    """Return whether Generate shows that it ignores a second click."""
    return "qingbo-busy" in classes_of(studio.generate_button)


def test_a_double_click_submits_once(studio: VideoStudio, manager: TaskManager) -> None:
    """The second of a double click is ignored in the kernel, because the page would be too late."""
    studio.generate_button.click()
    studio.generate_button.click()
    assert len(manager.tasks) == 1
    assert is_waiting(studio), "the button shows that it ignores clicks"
    assert not studio.generate_button.disabled, "a disabled button loses the focus"


@pytest.mark.slow
def test_another_click_later_submits_again(
    studio: VideoStudio, manager: TaskManager, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same prompt can be submitted again once the button is enabled."""
    monkeypatch.setattr(clicks, "DOUBLE_CLICK", 0.05)
    studio.generate_button.click()
    until(lambda: not is_waiting(studio))
    studio.generate_button.click()
    assert len(manager.tasks) == 2


@pytest.mark.slow
def test_several_tasks_at_once_newest_first(studio: VideoStudio, until: Any) -> None:
    """Several tasks run at once, newest first, with a card each."""
    for prompt in ("one", "two", "three"):
        studio.form.prompt = prompt
        studio.generate_button.click()
    assert [card.task.request.prompt for card in studio.cards] == ["three", "two", "one"]
    # On the page the last one is on top; one that came before another would be drawn again, with its video.
    assert find(studio, TaskCard)[::-1] == list(studio.cards)
    until(lambda: all(card.task.video_path for card in studio.cards), 60)


def test_generate_is_disabled_with_a_reason(studio: VideoStudio) -> None:
    """A disabled Generate button shows the reason."""
    studio.form.prompt = ""
    assert studio.generate_button.disabled
    assert "Write a prompt" in text_of(box_of(studio, studio.generate_button))
    studio.form.prompt = "A koi"
    assert not studio.generate_button.disabled
    assert "Write a prompt" not in text_of(box_of(studio, studio.generate_button))


def test_an_error_of_submitting_is_told_beside_the_button(studio: VideoStudio, manager: TaskManager) -> None:
    """The error of a click made in code on a disabled button is shown beside it."""
    studio.form.prompt = ""
    studio.generate_button.click()
    assert "qingbo-alarm" in html_of(box_of(studio, studio.generate_button))
    assert studio.cards == ()
    assert manager.tasks == ()


def test_without_a_key_the_studio_shows_how_to_get_on(workdir: object) -> None:
    """Without a key the studio shows the panel that connects, and no form."""
    studio = VideoStudio()
    assert studio.manager is None
    assert find(studio, ConnectPanel)
    assert not is_displayed(studio, studio.form)
    assert "Generate" not in buttons_of(studio)
    studio.close()


def test_the_sandbox_button_leads_to_the_form(workdir: object, live_widgets: Callable[[], int]) -> None:
    """The sandbox button opens the form, under a permanent note about the sandbox."""
    before = live_widgets()
    studio = VideoStudio()
    click(studio, "Use the sandbox")
    assert studio.manager.is_sandbox
    assert is_displayed(studio, studio.form)
    assert find(studio, ConnectPanel) == []
    assert "not AI" in text_of(studio)
    studio.get_ready()  # as the studio itself does a moment later
    studio.close()
    assert live_widgets() == before


@pytest.mark.slow
def test_the_contract_of_the_server_is_one_click_away(
    workdir: object, no_proxy: None, until: Any, live_widgets: Callable[[], int]
) -> None:
    """A refusal for the wrong contract offers the right one: same key, address and form; nothing is sent."""
    body = {"error": {"message": "no extra", "code": "capability_violation", "param": "extra"}}
    failed = answer({"task_id": "t", "status": "failed", "cost": 0, "error": {"message": "No."}})
    absent = answer({"error": {"message": "There are no prices here."}}, 404)

    def respond(exchange: Exchange) -> bool:
        if exchange.request.path.startswith("/tasks"):
            return failed(exchange)
        return absent(exchange)

    with FaultServer(answer(body, 400), otherwise=respond) as server:
        before = live_widgets()
        first = connect("some-key", base_url=server.url)
        first.client.was_checked = True  # the script has no answer to the check of the key
        studio = VideoStudio(first, prompt="A koi")
        assert "Use contract 2026-11" not in buttons_of(studio)
        studio.generate_button.click()
        until(lambda: "Use contract 2026-11" in buttons_of(studio))
        until(lambda: "seems to use contract 2026-11" in text_of(studio))
        studio.form.prompt = "A koi, and a heron"
        click(studio, "Use contract 2026-11")
        second = studio.manager
        assert isinstance(second, TaskManager)
        assert (second.contract, second.client.base_url) == ("2026-11", server.url)
        assert second.library.folder == first.library.folder
        assert not first.is_closed
        assert "contract 2026-11" in text_of(studio)
        assert "Use contract 2026-11" not in buttons_of(studio)
        assert studio.form.prompt == "A koi, and a heron"
        assert len([sent for sent in server.requests if sent.path == "/tasks"]) == 1
        until(lambda: not is_waiting(studio))
        studio.generate_button.click()
        until(lambda: len([sent for sent in server.requests if sent.path == "/tasks"]) == 2)
        (_, sent) = [sent for sent in server.requests if sent.path == "/tasks"]
        assert sent.headers["authorization"] == "Bearer some-key"
        assert "extra" not in sent.json
        until(lambda: all(card.task.is_done for card in studio.cards))
        for card in studio.cards:
            card.close()
        studio.close()
        assert live_widgets() == before
        first.close()
        second.close()


def test_a_change_of_the_contract_keeps_the_shortcut(
    workdir: Path, live_widgets: Callable[[], int], until: Any
) -> None:
    """A studio that was ready before the change keeps its style sheet and Ctrl+Enter, and closes whole."""
    before = live_widgets()
    first = TaskManager(
        Client("sk-test-key", "http://127.0.0.1:9/v1"), Library("videos"), submit_patience=0.0
    )
    studio = VideoStudio(first, prompt="A koi")
    studio.get_ready()
    studio._use_contract("2026-11")
    second = studio.manager
    assert isinstance(second, TaskManager)
    assert second.contract == "2026-11"
    second.submit_patience = 0.0
    ctrl_enter(studio, "Prompt", "A heron")
    (card,) = studio.cards
    assert card.task.contract == "2026-11"
    studio.close()
    card.close()
    assert live_widgets() == before
    first.close()
    second.close()


def test_a_refused_task_is_not_offered_again_in_the_same_contract(
    workdir: object, no_proxy: None, until: Any
) -> None:
    """The card of a task that was refused for its contract has no button that would be refused again."""
    body = {"error": {"message": "no extra", "code": "capability_violation", "param": "extra"}}
    with FaultServer(answer(body, 400)) as server:
        manager = connect("some-key", base_url=server.url)
        manager.client.was_checked = True  # the script has no answer to the check of the key
        studio = VideoStudio(manager, prompt="A koi")
        studio.generate_button.click()
        until(lambda: "Use contract 2026-11" in buttons_of(studio))
        until(lambda: studio.cards[0].task.is_done)
        assert buttons_of(studio.cards[0]) == []
        studio.cards[0].close()
        studio.close()
        manager.close()


@pytest.mark.parametrize("contract", ["2026-04", "2026-11"])
def test_the_header_names_the_contract(workdir: object, contract: str) -> None:
    """The line above the form says which contract is spoken, whichever it is."""
    studio = VideoStudio(connect("sk-test-key", base_url="http://127.0.0.1:9/v1", contract=contract))
    assert f"contract {contract}" in text_of(studio)
    studio.close()


@pytest.mark.parametrize(("value", "shown"), [("2026-1", "'2026-1'"), ("sk-secret-1234567", "<hidden>")])
def test_a_misspelt_contract_leads_to_the_panel(
    workdir: object, monkeypatch: pytest.MonkeyPatch, value: str, shown: str
) -> None:
    """The panel names the variable, its value unless it may be a key, and the valid values."""
    monkeypatch.setenv("QINGBO_CONTRACT", value)
    studio = VideoStudio(prompt="A koi", resolution="1080p")
    text = text_of(studio)
    assert f"QINGBO_CONTRACT: {shown}" in text or f"QINGBO_CONTRACT: '{shown}'" in text
    assert "2026-04, 2026-11" in text
    assert "secret" not in html_of(studio)
    (panel,) = find(studio, ConnectPanel)
    panel.contract_field.value = "2026-04"
    click(studio, "Use the sandbox")
    assert studio.manager.client.contract.name == "2026-04"
    assert (studio.form.prompt, studio.form.mode) == ("A koi", "pro")
    assert is_displayed(studio, studio.form)
    studio.close()


def test_a_key_in_the_environment_is_used_once_the_contract_is_chosen(
    workdir: object, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    """With a key in the environment, only the service has to be chosen; the key is not asked for again."""
    monkeypatch.setenv("QINGBO_CONTRACT", "2026-1")
    monkeypatch.setenv("QINGBO_API_KEY", "sk-test-key")
    monkeypatch.setenv("QINGBO_BASE_URL", "http://127.0.0.1:9/v1")
    studio = VideoStudio(prompt="A koi")
    assert "A key was found" in text_of(studio)
    assert "No API key" not in text_of(studio)
    click(studio, "Connect")
    until(lambda: is_displayed(studio, studio.form))
    assert studio.manager.client.contract.name == "2026-11"
    assert "The key could not be checked." in text_of(studio)
    studio.close()
    studio.manager.close()


def test_a_closed_connection_offers_to_connect_again(workdir: Path) -> None:
    """The form stays with what was typed, cannot submit, and leads to the panel; then it goes on."""
    manager = connect(sandbox=True, library="elsewhere", contract="2026-11")
    studio = VideoStudio(manager)
    studio.get_ready()
    studio.form.prompt = "A koi"
    manager.close()
    text = text_of(studio)
    assert "Closed: tasks are no longer followed." in text
    assert "Connect again here" in text
    assert studio.generate_button.disabled, "a click could only fail"
    assert "The connection is closed. Connect again above." in text
    assert is_displayed(studio, studio.form), "what was typed is gone"
    (panel,) = find(studio, ConnectPanel)
    assert panel.contract_field.value == "2026-11"
    click(studio, "Use the sandbox")
    again = studio.manager
    assert isinstance(again, TaskManager)
    assert (again.is_closed, again.library.folder) == (False, manager.library.folder)
    assert again.client.connect_arguments == manager.client.connect_arguments
    assert (studio.form.prompt, studio.generate_button.disabled) == ("A koi", False)
    assert not find(studio, ConnectPanel)
    studio.close()
    again.close()


@pytest.mark.slow
def test_cards_follow_their_tasks_after_a_new_connection(
    studio: VideoStudio, manager: TaskManager, server: Sandbox, until: Any
) -> None:
    """The tasks of a closed connection end on the studio's cards, one for each, in their order."""
    studio.get_ready()
    studio.variations.value = 2
    studio.generate_button.click()
    keys = [card.task.key for card in studio.cards]
    manager.close()
    until(lambda: all("Not followed" in text_of(card) for card in studio.cards))
    (panel,) = find(studio, ConnectPanel)
    panel.key_field.value = server.api_key
    click(panel, "Connect")
    until(lambda: studio.manager is not manager)
    again = studio.manager
    assert isinstance(again, TaskManager)
    try:
        until(lambda: all(card.task.video_path for card in studio.cards), 60)
        assert [card.task.key for card in studio.cards] == keys
        assert len(find(studio, TaskCard)) == 2, "a card of the closed connection is still there"
        assert "Not followed" not in text_of(studio)
    finally:
        again.close()


def test_a_studio_of_a_closed_default_connection_offers_to_connect_again(workdir: object) -> None:
    """A cell with a studio does not end in an error, and does not connect to the service by itself."""
    connect(sandbox=True).close()
    studio = VideoStudio(prompt="A koi")
    assert "Connect again here" in text_of(studio)
    click(studio, "Use the sandbox")
    assert not studio.generate_button.disabled
    studio.manager.close()
    assert studio.generate_button.disabled, "the second closing is not shown"
    studio.close()


def test_the_default_manager_is_used(server: Sandbox, workdir: object) -> None:
    """A studio uses the default manager if there is one."""
    manager = connect(server.api_key, base_url=server.base_url)
    studio = VideoStudio()
    assert studio.manager is manager
    assert f"Connected to {server.base_url}" in text_of(studio)
    studio.close()


@pytest.mark.slow
def test_the_static_copy_has_the_videos(
    studio: VideoStudio, cell: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The static copy, hidden while the widget is alive, contains every task."""
    studio._ipython_display_()
    assert cell.views == 1
    assert "<video" not in cell.html
    studio.generate_button.click()
    until(lambda: "nothing is lost" in cell.html or studio.cards[0].task.is_done)
    until(lambda: "Finished" in cell.html)
    assert cell.html.count("<video") == 1
    assert f'class="{studio.cell_output.copy_class}"' in cell.html
    assert any(f".{studio.cell_output.copy_class}" in part.value for part in find(studio, ipywidgets.HTML))
    assert cell.views == 1


def test_the_static_copy_delays_no_click(
    studio: VideoStudio, cell: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The static copy is written in the background, once for simultaneous changes."""
    writers: list[str] = []
    studio._ipython_display_()
    monkeypatch.setattr(
        studio.cell_output, "set_copy", lambda *_: writers.append(threading.current_thread().name)
    )
    studio.generate_button.click()
    for _ in range(50):
        studio.cards[0].redraw_now()
    until(lambda: writers)
    assert set(writers) == {"qingbo-views"}
    assert len(writers) < 10


@pytest.mark.slow
def test_only_a_changed_task_is_rendered_again(
    studio: VideoStudio, cell: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of one task does not render the others again."""
    for prompt in ("one", "two"):
        studio.form.prompt = prompt
        studio.generate_button.click()
    until(lambda: all(card.task.is_done for card in studio.cards))
    until(lambda: all("Finished" in card.static_html for card in studio.cards))
    rendered: list[Any] = []
    monkeypatch.setattr(card_copy, "ended", lambda task, _: rendered.append(task) or Markup("drawn"))

    def rendered_again() -> set[Any]:
        rendered.clear()
        studio.cards[0].redraw_now()
        studio._ipython_display_()
        return set(rendered)

    # A thread that ends a task may draw the other card once more, but not each time.
    until(lambda: rendered_again() == {studio.cards[0].task})


def test_its_cards_are_displayed_with_it(studio: VideoStudio, kernel: None, cell: Any) -> None:
    """Cards become visible with their studio, whether created before or after."""
    studio.generate_button.click()
    assert not studio.cards[0].cell_output.is_seen
    studio._ipython_display_()
    studio.form.prompt = "another"
    studio.generate_button.click()
    assert [card.cell_output.is_seen for card in studio.cards] == [True, True]


@pytest.mark.parametrize("make", [VideoStudio, RequestForm])
@pytest.mark.parametrize("by_name", [False, True])
def test_a_key_in_place_of_a_manager_is_not_shown(make: type, by_name: bool) -> None:
    """A key passed as manager appears neither in the message nor in the locals of our frames."""
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
    """Closing the studio does not cancel its tasks."""
    studio.generate_button.click()
    studio.close()
    (task,) = manager.tasks
    assert task.wait(60).status == TaskStatus.completed


@pytest.mark.slow
def test_a_hundred_studios_leave_nothing(manager: TaskManager, live_widgets: Callable[[], int]) -> None:
    """A hundred closed studios leave no widgets."""
    before = live_widgets()
    for _ in range(100):
        studio = VideoStudio(manager, prompt="A koi")
        studio.get_ready()  # as the studio itself does a moment later
        studio.close()
    assert live_widgets() == before


@pytest.mark.parametrize("moment", ["before", "meanwhile"])
def test_a_closed_studio_creates_nothing(
    moment: str, manager: TaskManager, live_widgets: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that still works for a studio that is closed leaves no widgets in the kernel and the page."""
    before = live_widgets()
    studio = VideoStudio(manager)
    if moment == "before":
        studio.close()
    else:
        monkeypatch.setattr(video_studio, "install_bell", studio.close)
    studio.get_ready()
    assert studio.comm is None
    studio.update_recent()
    studio._show_earlier()
    studio._on_redraw()
    studio._update_offer()
    assert live_widgets() == before


@pytest.mark.slow
def test_a_studio_gets_ready_once(manager: TaskManager, live_widgets: Callable[[], int]) -> None:
    """Two threads that get a studio ready at the same time create its late parts once."""
    before = live_widgets()
    studio = VideoStudio(manager)
    threads = [threading.Thread(target=studio.get_ready) for _ in range(4)]
    with pytest.MonkeyPatch.context() as patch:
        made, examples = threading.Event(), Examples

        def slow(*arguments: Any) -> Any:
            made.wait(0.2)  # the other threads come meanwhile
            return examples(*arguments)

        patch.setattr(form_column, "Examples", slow)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(find(studio, Examples)) == 1, "the examples stand there twice"
    studio.close()
    assert live_widgets() == before


@pytest.mark.slow
def test_a_closed_studio_is_forgotten(manager: TaskManager) -> None:
    """A closed studio is freed."""
    studio = VideoStudio(manager, prompt="A koi")
    studio.get_ready()  # as the studio itself does a moment later
    reference = weakref.ref(studio)
    studio.close()
    del studio
    gc.collect()
    assert reference() is None


@pytest.mark.slow
def test_a_finished_task_can_be_had_again(studio: VideoStudio, manager: TaskManager, until: Any) -> None:
    """A click on "Regenerate" submits the same request as a new task, once for a double click."""
    studio.generate_button.click()
    card = studio.cards[0]
    until(lambda: "Regenerate" in buttons_of(card))
    until(lambda: not is_waiting(studio))
    studio.form.prompt = "A fox"
    click(card, "Regenerate")
    click(card, "Regenerate")
    assert [task.request.prompt for task in manager.tasks] == ["A koi in a clear pond"] * 2
    assert len(studio.cards) == 2


@pytest.mark.slow
def test_a_finished_task_can_be_changed(studio: VideoStudio, manager: TaskManager, until: Any) -> None:
    """A click on "Edit and regenerate" loads the request into the form and submits nothing."""
    studio.generate_button.click()
    until(lambda: "Edit and regenerate" in buttons_of(studio.cards[0]))
    studio.form.prompt, studio.form.duration = "A fox", 12
    click(studio.cards[0], "Edit and regenerate")
    assert studio.form.request == manager.tasks[0].request
    assert len(manager.tasks) == 1


def test_the_language_is_an_argument(manager: TaskManager, live_widgets: Callable[[], int]) -> None:
    """The language applies to everything shown from then on; an unknown one is rejected."""
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


def test_a_form_without_a_manager_has_the_fields_of_the_environment(
    workdir: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With QINGBO_CONTRACT the studio shows today's fields before anything is connected."""
    monkeypatch.setenv("QINGBO_CONTRACT", "2026-11")
    studio = VideoStudio()
    assert "resolution" in studio.form.controls
    assert "mode" not in studio.form.controls
    studio.close()


@pytest.mark.slow
def test_ctrl_enter_with_todays_fields(workdir: Path) -> None:
    """Ctrl+Enter submits a request of contract 2026-11, with the text that is on the page."""
    client = Client("sk-test-key", "http://127.0.0.1:9/v1", contract="2026-11")
    with TaskManager(client, Library(workdir / "videos"), submit_patience=0.0) as manager:
        studio = VideoStudio(manager, prompt="A koi", resolution="1080p")
        ctrl_enter(studio, "Prompt", "A heron")
        (card,) = studio.cards
        assert card.task.request is not None
        assert (card.task.request.prompt, card.task.request.resolution) == ("A heron", "1080p")
        studio.close()
