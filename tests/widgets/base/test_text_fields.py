"""Text fields never hold an API key, on any thread or in any message of the kernel."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.library.presets import Draft, DraftOwner, Presets
from qingbo_widgets.service.secrets.known_keys import HIDDEN, remember
from qingbo_widgets.service.secrets.secret import Secret
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base.text_fields import PasteArea, Text, Textarea
from qingbo_widgets.widgets.form import fields
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.studio.shortcut import make_shortcut
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.widgets.page import below, ctrl_enter, enter, text_of

KEY = "sk-sentinel-3e1f9c7a5b2d"
#: A key of no client in these tests.
FOREIGN = "Zk91mmQpo2Lw7"


@pytest.fixture(autouse=True)
def key() -> Secret:
    """Register the key as known."""
    return remember(Secret(KEY))


@pytest.fixture(params=[Text, Textarea, PasteArea])
def field(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Yield a field of each kind."""
    field = request.param()
    yield field
    field.close()


@pytest.mark.parametrize("text", [KEY, f"A koi\n{KEY} 锦鲤", f"{KEY[:6]}\u200b{KEY[6:]}"])
def test_the_key_never_is_the_value(field: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is never in the value, even with echo updates enabled, and the page receives the clean text."""
    monkeypatch.setattr(ipywidgets.widgets.widget, "JUPYTER_WIDGETS_ECHO", True)
    seen: list[str] = []
    monkeypatch.setattr(field, "_send", lambda message, **_: seen.append(json.dumps(message)))
    field.observe(lambda change: seen.append(repr(change) + json.dumps(field.get_state())), "value")
    enter(field, text)
    assert KEY[6:] not in "".join(seen)
    assert KEY[6:] not in repr(vars(field)) + json.dumps(ipywidgets.Widget.get_manager_state(widgets=[field]))
    updates = [json.loads(message) for message in seen if message.startswith('{"method": "update"')]
    assert updates[-1]["state"]["value"] == field.value != text


def test_what_code_sets_is_clean_too(field: Any) -> None:
    """A value set in code, as a form's trait does, is cleaned too."""
    field.value = f"A {KEY}"
    assert KEY not in field.value


def test_a_text_without_a_key_is_not_sent_back(field: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text without a key is not echoed, because the echo could overwrite what the user types."""
    sent: list[Any] = []
    monkeypatch.setattr(field, "_send", lambda message, **_: sent.append(message))
    field.set_state({"value": "A koi"})
    assert field.value == "A koi"
    assert [message for message in sent if message["method"] == "update"] == []


@pytest.mark.parametrize("logger", ["Comm", "IPKernelApp", "traitlets"])
def test_jupyter_logs_no_pasted_text(caplog: pytest.LogCaptureFixture, logger: str) -> None:
    """Jupyter logs neither pasted text, nor Ctrl+Enter messages, nor any known key, but other messages."""
    area, (box,) = PasteArea(), make_shortcut(lambda *_: None)
    log = logging.getLogger(logger)
    with caplog.at_level(logging.DEBUG, logger):
        log.debug("handle_msg[%s](%s)", area.model_id, {"value": FOREIGN})
        log.debug("Content: %s", {"comm_id": box.children[0].model_id, "text": FOREIGN})
        log.debug(f"an old {area.model_id} {FOREIGN}")
        log.debug("handle_msg[%s](%s)", "another", {"value": KEY})
        log.debug("%d", KEY)  # logging reports the error, with the arguments
        log.debug("handle_msg[%s](%s)", "another", {"value": "a prompt"})
    assert FOREIGN not in caplog.text
    assert KEY not in caplog.text
    assert "a prompt" in caplog.text
    area.close()


@pytest.mark.parametrize(
    "name", [name for name, one in fields.fields().items() if one.kind in (Text, Textarea)]
)
def test_the_form_takes_no_key(name: str, presets: Presets) -> None:
    """A key typed or set in code is in neither form, page, draft nor preset."""
    form = RequestForm(prompt="A koi")
    control = form.controls[name]
    for typed in (KEY, KEY, f"{KEY} {KEY}"):
        control.set_state({"value": typed})
        assert KEY not in control.value
    setattr(form, name, f"https://example.com/{KEY}")
    assert KEY not in repr(getattr(form, name)) + repr(control.value)
    presets.save(f"my {KEY}", {"prompt": KEY})
    presets.save_draft(DraftOwner("a.ipynb", "cell"), Draft({"prompt": [KEY]}, {"shots": [{"prompt": KEY}]}))
    written = [file.name + file.read_text(encoding="utf-8") for file in presets.folder.rglob("*.json")]
    assert len(written) == 2
    assert KEY not in "".join(written)
    form.close()


def test_shots_take_no_key() -> None:
    """A key typed in a shot is removed and reported as a problem."""
    form = RequestForm(shots=[("One", 5), ("Two", 5)])
    row = form.slots["prompt"].editor.prompts[1]
    for _ in range(2):
        row.set_state({"value": f"Two {KEY}"})
        assert KEY not in row.value + repr(form.shots)
    assert any(problem.field == "shots" for problem in form.problems)
    form.close()


def test_a_pasted_key_is_not_paid_for(manager: TaskManager) -> None:
    """Generate and Ctrl+Enter submit neither the key nor its placeholder, and the form explains why."""
    studio = VideoStudio(manager)
    studio.form.controls["prompt"].set_state({"value": f"A koi {KEY}"})
    assert studio.form.prompt == f"A koi {HIDDEN}"
    studio.generate_button.click()
    ctrl_enter(studio, "Prompt", f"A koi {KEY}")
    assert studio.cards == ()
    assert manager.tasks == ()
    assert studio.generate_button.disabled
    assert "Replace it with what you meant" in text_of(below(studio, studio.form.controls["prompt"]))
    studio.close()


def test_the_paste_area_sends_when_it_is_left() -> None:
    """The paste area sends its text only on leaving it, not part of a key for each letter."""
    area = PasteArea(continuous_update=True)
    assert area.continuous_update is False
    area.close()


@pytest.fixture
def presets(tmp_path: Path) -> Presets:
    """Return the presets of a library."""
    return Presets(tmp_path / "videos")
