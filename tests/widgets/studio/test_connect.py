"""``connect``: Jupyter can neither store nor show the key."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import pytest

import qingbo_widgets as qw
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.key_check import KeyCheck, Verdict
from qingbo_widgets.service.secrets import key_ring
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base.key_field import KeyField
from qingbo_widgets.widgets.studio.connect import ConnectPanel
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.faults.server import FaultServer, answer, close
from tests.waiting import until
from tests.widgets.page import below, click, enter, html_of, is_displayed, read, send, text_of

SENTINEL = "sk-sentinel-1234567890"
UNKNOWN_TASK = answer({"error": {"message": "no such task", "code": "task_not_found"}}, 404)
UNKNOWN_KEY = answer({"error": {"message": "no such key", "code": "invalid_api_key"}}, 401)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, no_proxy: None) -> Iterator[FaultServer]:
    """Yield the service of the environment, which knows every key and no task."""
    with FaultServer(otherwise=UNKNOWN_TASK) as server:
        monkeypatch.setenv("QINGBO_BASE_URL", server.url)
        yield server


@pytest.fixture
def field() -> Iterator[KeyField]:
    """Yield a field."""
    field = KeyField()
    yield field
    field.close()


def test_what_is_typed_is_moved_out_at_once(field: KeyField) -> None:
    """The synced trait is blank again before the message has been handled."""
    field.set_state({"value": SENTINEL})
    assert field.value == ""
    assert field.is_filled
    assert field.take().reveal() == SENTINEL
    assert not field.is_filled
    assert not field.take()


def test_no_message_carries_the_key(field: KeyField, monkeypatch: pytest.MonkeyPatch) -> None:
    """Echoes to other clients and updates do not contain the key."""
    monkeypatch.setattr(ipywidgets.widgets.widget, "JUPYTER_WIDGETS_ECHO", True, raising=False)
    sent: list[str] = []
    monkeypatch.setattr(field, "_send", lambda message, **_: sent.append(json.dumps(message)))
    field.set_state({"value": SENTINEL})
    assert not any(SENTINEL in message for message in sent)
    field.send_state("value")
    assert '"value": ""' in sent[-1]


def test_the_state_is_blank_even_in_the_moment_of_moving() -> None:
    """The state is blank even for an observer that runs before the field's own."""
    states: list[str] = []

    class Watched(KeyField):
        """A field with an observer that runs before its own."""

        def __init__(self) -> None:
            self.observe(lambda _: states.append(json.dumps(self.get_state())), "value")
            super().__init__()

    field = Watched()
    field.set_state({"value": SENTINEL})
    assert states
    assert not any(SENTINEL in state for state in states)
    assert SENTINEL not in json.dumps(ipywidgets.Widget.get_manager_state(widgets=[field]))
    field.close()


def test_repr_and_log_show_nothing(field: KeyField, caplog: pytest.LogCaptureFixture) -> None:
    """The key is not in ``repr`` or the log."""
    with caplog.at_level(logging.DEBUG):
        field.set_state({"value": SENTINEL})
    assert SENTINEL not in repr(field) + caplog.text + repr(vars(field))
    assert repr(field) == "KeyField(filled)"


@pytest.mark.parametrize("logger", ["Comm", "IPKernelApp"])
def test_jupyter_logs_no_message_of_the_field(
    field: KeyField, caplog: pytest.LogCaptureFixture, logger: str
) -> None:
    """At DEBUG, Jupyter logs the messages of other widgets, but not those of the field."""
    with caplog.at_level(logging.DEBUG, logger):
        logging.getLogger(logger).debug("handle_msg[%s](%s)", field.model_id, {"value": SENTINEL})
        logging.getLogger(logger).debug("Content: %s", {"comm_id": field.model_id, "value": SENTINEL})
        logging.getLogger(logger).debug("handle_msg[%s](%s)", "another", {"value": "a prompt"})
    assert SENTINEL not in caplog.text
    assert "a prompt" in caplog.text


def test_the_field_sends_only_when_it_is_left(field: KeyField) -> None:
    """The field sends one message when it loses focus, even with ``continuous_update=True``."""
    assert field.continuous_update is False
    assert KeyField(continuous_update=True).continuous_update is False


def test_the_panel_names_the_variable_and_the_ways() -> None:
    """The panel names the environment variable and the sandbox."""
    panel = ConnectPanel(lambda _: None)
    intro = panel.children[0].value
    assert "QINGBO_API_KEY" in intro
    assert "sandbox" in intro
    panel.close()


@pytest.mark.parametrize(("variable", "first"), [("", "2026-04"), ("2026-11", "2026-11")])
def test_the_first_service_in_the_list_is_the_chosen_one(
    monkeypatch: pytest.MonkeyPatch, variable: str, first: str
) -> None:
    """The list begins with the service that is preselected."""
    monkeypatch.setenv("QINGBO_CONTRACT", variable)
    panel = ConnectPanel(lambda _: None)
    assert panel.contract_field.value == first
    assert next(value for _, value in panel.contract_field.options) == first
    assert len(panel.contract_field.options) == 2
    panel.close()


def message_of(panel: ConnectPanel) -> str:
    """Return the message beside the key field, as a user reads it."""
    return read(below(panel, panel.key_field).value)


def test_connect_without_a_key_says_so() -> None:
    """Connect without a key shows a message."""
    connected: list[TaskManager] = []
    panel = ConnectPanel(connected.append)
    panel.connect_button.click()
    assert "Enter a key first." in text_of(panel)
    assert connected == []
    panel.close()


def test_the_error_of_a_key_outlives_a_double_click(workdir: object) -> None:
    """The second click finds the field empty and asks for a key; the reason of the first stays."""
    panel = ConnectPanel(lambda _: None)
    panel.key_field.set_state({"value": "a key\nof two lines"})
    panel.connect_button.click()
    reason = message_of(panel)
    assert reason
    panel.connect_button.click()
    assert message_of(panel) == f"{reason} Enter a key first."
    panel.close()


def test_a_key_connects_and_is_not_kept(workdir: object, service: FaultServer) -> None:
    """After Connect only the manager has the key."""
    connected: list[TaskManager] = []
    panel = ConnectPanel(connected.append)
    panel.key_field.set_state({"value": SENTINEL})
    assert "Press Connect" in text_of(panel)
    panel.connect_button.click()
    until(lambda: connected)
    assert len(connected) == 1
    assert panel.note == ""
    assert not panel.key_field.is_filled
    assert SENTINEL not in repr(connected)
    panel.close()


def test_a_keyring_that_waits_to_be_unlocked(
    workdir: object, service: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The panel of a studio says so; once the keyring is unlocked, Connect uses its key."""
    unlocked, lookup = threading.Event(), key_ring._Lookup()

    class Keyring:
        """A keyring that is locked."""

        @staticmethod
        def get_password(*_: str) -> str:
            """Return the key once the user has unlocked the keyring."""
            unlocked.wait(20.0)
            return SENTINEL

    monkeypatch.setitem(sys.modules, "keyring", Keyring)
    monkeypatch.setattr(key_ring, "PATIENCE", 0.01)
    monkeypatch.setattr(key_ring, "_pending", lookup)
    lookup.start()
    studio = VideoStudio()
    (panel,) = (child for child in studio.children if isinstance(child, ConnectPanel))
    assert "The keyring does not answer; it may be locked" in text_of(panel)
    panel.connect_button.click()
    assert studio.manager is None
    assert text_of(panel).count("keyring does not answer") == 2, "the click changed nothing that a user sees"
    unlocked.set()
    assert lookup.is_done.wait(20.0)
    panel.connect_button.click()
    until(lambda: studio.manager)
    assert SENTINEL not in html_of(studio)
    studio.close()


def options_of(panel: ConnectPanel) -> dict[str, str]:
    """Return the labels of the contracts, by their dates."""
    return {name: label for label, name in panel.contract_field.options}


@pytest.mark.parametrize(
    ("contract", "base_url"),
    [("2026-11", "https://api.qingbo.ai/v1"), ("2026-04", "https://qingbo.dev/v1")],
)
def test_the_key_goes_to_the_host_that_is_shown(
    workdir: object, monkeypatch: pytest.MonkeyPatch, contract: str, base_url: str
) -> None:
    """The chosen contract brings its host, and a later change of the environment does not move the key."""
    monkeypatch.setattr(Client, "check_key", lambda _: KeyCheck(Verdict.known))  # no test asks the service
    connected: list[TaskManager] = []
    panel = ConnectPanel(connected.append)
    assert panel.contract_field.value == "2026-04"
    panel.contract_field.value = contract
    assert f"({base_url.removeprefix('https://').removesuffix('/v1')})" in options_of(panel)[contract]
    monkeypatch.setenv("QINGBO_BASE_URL", "https://elsewhere.example/v1")
    panel.key_field.set_state({"value": SENTINEL})
    panel.connect_button.click()
    (manager,) = until(lambda: connected)
    assert (manager.contract, manager.client.base_url) == (contract, base_url)
    panel.close()


@pytest.mark.parametrize(
    ("base_url", "shown"),
    [
        ("https://relay.example:8443/v1", "relay.example:8443"),
        (SENTINEL, "QINGBO_BASE_URL"),
        ("https://[" + SENTINEL, "QINGBO_BASE_URL"),
    ],
)
def test_the_address_in_the_environment_is_shown(
    monkeypatch: pytest.MonkeyPatch, base_url: str, shown: str
) -> None:
    """With an address in the environment both contracts show its host; a key put there is not shown."""
    monkeypatch.setenv("QINGBO_BASE_URL", base_url)
    monkeypatch.setenv("QINGBO_CONTRACT", "2026-11")
    panel = ConnectPanel(lambda _: None)
    assert panel.contract_field.value == "2026-11"
    assert options_of(panel) == {
        "2026-11": f"Current, contract 2026-11 ({shown})",
        "2026-04": f"Earlier, contract 2026-04 ({shown})",
    }
    panel.close()


def test_a_key_that_cannot_be_one_is_told_and_not_shown(workdir: object) -> None:
    """An invalid key shows an error without the key."""
    panel = ConnectPanel(lambda _: None)
    panel.key_field.set_state({"value": f"{SENTINEL} and more"})
    panel.connect_button.click()
    assert "qingbo-alarm" in html_of(panel)
    assert SENTINEL not in html_of(panel)
    panel.close()


def test_a_missing_sandbox_is_told_with_the_line_that_installs_it(
    workdir: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of ``connect`` is shown in the panel."""

    def refuse(*_: object, **__: object) -> TaskManager:
        raise ImportError('pip install "qingbo_widgets[sandbox]"')

    monkeypatch.setattr("qingbo_widgets.tasks.connection.connect", refuse)
    panel = ConnectPanel(lambda _: None)
    panel.sandbox_button.click()
    assert "qingbo_widgets[sandbox]" in text_of(panel)
    panel.close()


def test_a_hundred_panels_leave_nothing(live_widgets: Callable[[], int]) -> None:
    """Closing a panel closes all of its widgets."""
    before = live_widgets()
    for _ in range(100):
        ConnectPanel(lambda _: None).close()
    assert live_widgets() == before


# ---------------------------------------------------------------------- the check of a key


def test_a_wrong_key_is_said_at_once(workdir: object, service: FaultServer) -> None:
    """The message is beside the empty field, which has the focus; nothing was connected or submitted."""
    connected: list[TaskManager] = []
    panel = ConnectPanel(connected.append)
    focused: list[object] = []
    panel.key_field.send = lambda content, *_: focused.append(content)
    service.then(UNKNOWN_KEY)
    enter(panel.key_field, SENTINEL)
    click(panel, "Connect")
    until(lambda: "does not accept" in message_of(panel))
    assert message_of(panel).startswith(
        'The service does not accept this key. Its response: "no such key". No'
    )
    assert "qingbo-alarm" in below(panel, panel.key_field).value
    until(lambda: focused)
    assert focused == [{"do": "focus"}]
    assert not panel.key_field.is_filled
    assert connected == []
    assert [request.method for request in service.requests] == ["GET"]
    assert_secret(panel)
    enter(panel.key_field, "sk-another-1234567890")
    click(panel, "Connect")
    until(lambda: connected)
    assert (
        connected[0].client.key_source
        == "The current key was typed into a field. This kernel forgets it when it ends."
    )
    panel.close()


def test_another_key_is_used_as_soon_as_the_error_is_there(workdir: object, service: FaultServer) -> None:
    """A user who answers the error with another key and Enter at once need not press Enter again."""
    connected: list[TaskManager] = []
    panel = ConnectPanel(connected.append)

    def answer_the_error(change: Any) -> None:
        if "does not accept" in change["new"]:
            enter(panel.key_field, "sk-another-1234567890")
            send(panel.key_field, {"event": "submit"})

    below(panel, panel.key_field).observe(answer_the_error, "value")
    service.then(UNKNOWN_KEY)
    enter(panel.key_field, SENTINEL)
    click(panel, "Connect")
    until(lambda: connected)
    panel.close()


@pytest.mark.parametrize("comes_first", ["enter", "key"])
def test_enter_in_the_field_is_the_button(workdir: object, service: FaultServer, comes_first: str) -> None:
    """Enter uses the key. A page sends it before the key, unless the key was there before."""
    connected: list[TaskManager] = []
    panel = ConnectPanel(connected.append)
    messages = [lambda: send(panel.key_field, {"event": "submit"}), lambda: enter(panel.key_field, SENTINEL)]
    for message in messages if comes_first == "enter" else messages[::-1]:
        message()
    until(lambda: connected)
    assert len(service.requests) == 1, "the key was checked twice"
    assert not panel.key_field.is_filled
    panel.close()


def test_enter_in_an_empty_field_does_nothing(
    workdir: object, service: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that is put in later is not used before a click: the user may still want another service."""
    now = [100.0]
    monkeypatch.setattr("qingbo_widgets.widgets.base.key_field.time.monotonic", lambda: now[0])
    panel = ConnectPanel(lambda _: None)
    send(panel.key_field, {"event": "submit"})
    assert message_of(panel) == ""
    now[0] += 10
    enter(panel.key_field, SENTINEL)
    assert message_of(panel) == "The key is entered and hidden. Press Connect."
    assert service.requests == []
    panel.close()


def assert_secret(panel: ConnectPanel) -> None:
    """Fail if the key is in anything that Jupyter could store or show of a panel."""
    state = json.dumps(ipywidgets.Widget.get_manager_state(widgets=[panel]), default=repr)
    assert SENTINEL not in state + html_of(panel) + repr(panel) + repr(vars(panel)) + repr(vars(panel._entry))


def test_while_a_key_is_checked_the_panel_says_so_and_ignores_clicks(
    workdir: object, service: FaultServer
) -> None:
    """The second of a double click neither checks again nor complains of an empty field."""
    connected: list[TaskManager] = []
    answered = threading.Event()
    panel = ConnectPanel(connected.append)
    service.then(lambda exchange: answered.wait(20.0) and UNKNOWN_TASK(exchange))
    enter(panel.key_field, SENTINEL)
    click(panel, "Connect")
    assert message_of(panel) == "Checking the key…"
    click(panel, "Connect")
    assert message_of(panel) == "Checking the key…"
    answered.set()
    until(lambda: connected)
    assert len(service.requests) == 1
    panel.close()


def test_the_sandbox_can_be_chosen_while_a_key_is_checked(
    workdir: object, service: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The late answer to the check connects to nothing."""
    connected: list[TaskManager] = []
    answered, handled = threading.Event(), threading.Event()
    panel = ConnectPanel(connected.append)
    carry_out = panel._entry._carry_out
    monkeypatch.setattr(panel._entry, "_carry_out", lambda *result: (carry_out(*result), handled.set()))
    service.then(lambda exchange: answered.wait(20.0) and UNKNOWN_TASK(exchange))
    enter(panel.key_field, SENTINEL)
    click(panel, "Connect")
    until(lambda: service.requests)
    click(panel, "Use the sandbox")
    assert [manager.is_sandbox for manager in connected] == [True]
    answered.set()
    assert handled.wait(20.0)
    assert [manager.is_sandbox for manager in connected] == [True]
    panel.close()


def test_a_key_that_cannot_be_checked_is_used_and_the_studio_says_so(
    workdir: object, service: FaultServer
) -> None:
    """Network trouble says nothing about a key."""
    service.then(close, close)
    studio = VideoStudio()
    (panel,) = (child for child in studio.children if isinstance(child, ConnectPanel))
    enter(panel.key_field, SENTINEL)
    click(panel, "Connect")
    until(lambda: studio.manager)
    until(lambda: is_displayed(studio, studio.generate_button))
    until(lambda: "The key could not be checked. " in text_of(studio))
    studio.close()


@pytest.mark.parametrize("contract", ["2026-04", "2026-11"])
def test_the_documented_answer_of_each_contract(
    workdir: object, no_proxy: None, monkeypatch: pytest.MonkeyPatch, contract: str
) -> None:
    """A server of each contract refuses a wrong key, and lets the right one in."""
    with Sandbox(contract=contract) as server:
        monkeypatch.setenv("QINGBO_BASE_URL", server.base_url)
        monkeypatch.setenv("QINGBO_CONTRACT", contract)
        studio = VideoStudio()
        (panel,) = (child for child in studio.children if isinstance(child, ConnectPanel))
        enter(panel.key_field, SENTINEL)
        click(panel, "Connect")
        until(lambda: "does not accept this key" in text_of(panel))
        assert studio.manager is None
        enter(panel.key_field, server.api_key)
        click(panel, "Connect")
        until(lambda: is_displayed(studio, studio.generate_button))
        studio.close()


def test_the_advice_is_right() -> None:
    """A kernel inherits the environment of Jupyter, so that must start again; keys are one click away."""
    panel = ConnectPanel(lambda _: None)
    text = text_of(panel)
    assert "then restart Jupyter. Restarting only the kernel is not enough" in text
    assert "keyring set qingbo_widgets api_key" in text
    assert "anyone who opens the notebook can read the key" in text
    assert 'href="https://wave.qingbo.ai/dashboard/keys"' in html_of(panel)
    panel.close()


# ---------------------------------------------------------------------- another key


@pytest.fixture
def refused(workdir: object, no_proxy: None) -> Iterator[tuple[Sandbox, VideoStudio]]:
    """Yield a server and a studio that is connected to it with a wrong key."""
    with Sandbox(speed=50, draft=True) as server:
        studio = VideoStudio(qw.connect(SENTINEL, base_url=server.base_url))
        yield server, studio
        studio.close()


def put_in(studio: VideoStudio, key: str) -> None:
    """Type a key into the field of a studio and use it."""
    panel = until(lambda: studio._key.panel)  # opened by another thread, a moment after the refusal
    enter(panel.key_field, key)
    click(panel, "Use this key")


def test_a_studio_finds_a_wrong_key_before_the_first_click(refused: tuple[Sandbox, VideoStudio]) -> None:
    """The refusal and the field are there as soon as the background check was answered; the prompt stays."""
    server, studio = refused
    studio.form.prompt = "A koi"
    studio.get_ready()
    until(lambda: "does not accept this key" in text_of(studio))
    until(lambda: f"Not connected to {server.base_url}" in text_of(studio))
    put_in(studio, "sk-wrong-too-1234567890")
    until(lambda: "Nothing was submitted. Enter another key." in text_of(studio))
    assert studio.manager is not None
    assert studio.manager.client.key_source == "The current key was passed in code."
    put_in(studio, server.api_key)
    until(lambda: "The new key is in use." in text_of(studio))
    until(lambda: f"Connected to {server.base_url}" in text_of(studio))
    assert "does not accept" not in text_of(studio)
    assert studio._key.panel is None
    assert studio.form.prompt == "A koi"
    assert SENTINEL not in html_of(studio)


def test_a_refused_submission_is_sent_again_with_the_new_key(refused: tuple[Sandbox, VideoStudio]) -> None:
    """The card has a field for another key; then one click on Submit again is enough."""
    server, studio = refused
    studio.form.prompt = "A koi"
    studio.generate_button.click()
    (card,) = studio.cards
    until(lambda: card.task.is_done)
    card.redraw_now()
    assert "401" in text_of(card)
    click(card, "Change key")
    change = card.buttons.key_change
    assert change is not None
    enter(change.key_field, server.api_key)
    click(change, "Use this key")
    until(lambda: "The new key is in use." in text_of(card))
    assert card.buttons.key_change is None
    click(card, "Submit again")
    assert card.task.wait(60).video_path is not None
    assert len({entry.key for entry in studio.manager.library.entries()}) == 1


def test_the_key_can_be_changed_at_any_time(refused: tuple[Sandbox, VideoStudio]) -> None:
    """The head has a button for it, which leaves the key as it is if the field is closed."""
    _, studio = refused
    click(studio, "Change key")
    assert "The current key was passed in code." in text_of(studio)
    click(studio, "Use this key")
    assert "Enter a key first." in text_of(studio)
    click(studio, "Close")
    assert studio._key.panel is None
    assert studio.manager is not None
    assert studio.manager.client.key_refusal == ""


def test_the_sandbox_has_no_key_to_change_and_is_not_asked(workdir: object) -> None:
    """A sandbox of one's own needs no key."""
    with Sandbox(speed=50, draft=True) as server:
        studio = VideoStudio(qw.connect(sandbox=server))
        studio.get_ready()
        assert not is_displayed(studio, studio._key.change_button)
        assert studio.manager is not None
        assert not studio.manager.client.was_checked
        studio.close()
