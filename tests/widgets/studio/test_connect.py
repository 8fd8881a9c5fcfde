"""``connect``: Jupyter can neither store nor show the key."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator

import ipywidgets
import pytest

from qingbo_widgets.service.secrets import key_ring
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base.key_field import KeyField
from qingbo_widgets.widgets.studio.connect import ConnectPanel
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.widgets.page import html_of, read, text_of

SENTINEL = "sk-sentinel-1234567890"


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


def test_connect_without_a_key_says_so() -> None:
    """Connect without a key shows a message."""
    connected: list[TaskManager] = []
    panel = ConnectPanel(connected.append)
    panel.connect_button.click()
    assert "key in first" in text_of(panel)
    assert connected == []
    panel.close()


def test_the_error_of_a_key_outlives_a_double_click(workdir: object) -> None:
    """The second click finds the field empty and asks for a key; the reason of the first stays."""
    panel = ConnectPanel(lambda _: None)
    panel.key_field.set_state({"value": "a key\nof two lines"})
    panel.connect_button.click()
    reason = read(panel.children[-1].value)
    assert reason
    panel.connect_button.click()
    assert read(panel.children[-1].value) == f"{reason} Put a key in first."
    panel.close()


def test_a_key_connects_and_is_not_kept(workdir: object) -> None:
    """After Connect only the manager has the key."""
    connected: list[TaskManager] = []
    panel = ConnectPanel(connected.append)
    panel.key_field.set_state({"value": SENTINEL})
    assert "Press Connect" in text_of(panel)
    panel.connect_button.click()
    assert len(connected) == 1
    assert not panel.key_field.is_filled
    assert SENTINEL not in repr(connected)
    panel.close()


def test_a_keyring_that_waits_to_be_unlocked(workdir: object, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert "The keyring does not answer, and may be waiting to be unlocked" in text_of(panel)
    panel.connect_button.click()
    assert studio.manager is None
    assert text_of(panel).count("keyring does not answer") == 2, "the click changed nothing that a user sees"
    unlocked.set()
    assert lookup.is_done.wait(20.0)
    panel.connect_button.click()
    assert studio.manager is not None
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
    connected: list[TaskManager] = []
    panel = ConnectPanel(connected.append)
    assert panel.contract_field.value == "2026-04"
    panel.contract_field.value = contract
    assert f"({base_url.removeprefix('https://').removesuffix('/v1')})" in options_of(panel)[contract]
    monkeypatch.setenv("QINGBO_BASE_URL", "https://elsewhere.example/v1")
    panel.key_field.set_state({"value": SENTINEL})
    panel.connect_button.click()
    (manager,) = connected
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
    assert options_of(panel) == {"2026-11": f"Today's service ({shown})", "2026-04": f"April 2026 ({shown})"}
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
