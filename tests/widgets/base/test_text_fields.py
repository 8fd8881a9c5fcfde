"""No text field holds the key: not for a moment, on no thread, in no message of the kernel."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.library.presets import Draft, Presets
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
#: A key that no client here has.
FOREIGN = "Zk91mmQpo2Lw7"


@pytest.fixture(autouse=True)
def key() -> Secret:
    """The key is in use."""
    return remember(Secret(KEY))


@pytest.fixture(params=[Text, Textarea, PasteArea])
def field(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A field of each kind."""
    field = request.param()
    yield field
    field.close()


@pytest.mark.parametrize("text", [KEY, f"A koi\n{KEY} 锦鲤", f"{KEY[:6]}\u200b{KEY[6:]}"])
def test_the_key_never_is_the_value(field: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with the echo on, which repeats what one page sends to others. The page gets the clean text."""
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
    """A form's trait moves its control."""
    field.value = f"A {KEY}"
    assert KEY not in field.value


def test_a_text_without_a_key_is_not_sent_back(field: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would overtake what is being typed."""
    sent: list[Any] = []
    monkeypatch.setattr(field, "_send", lambda message, **_: sent.append(message))
    field.set_state({"value": "A koi"})
    assert field.value == "A koi"
    assert [message for message in sent if message["method"] == "update"] == []


@pytest.mark.parametrize("logger", ["Comm", "IPKernelApp", "traitlets"])
def test_jupyter_logs_no_pasted_text(caplog: pytest.LogCaptureFixture, logger: str) -> None:
    """Nor what Ctrl+Enter sends, nor anything else with the key in use; other messages it does."""
    area, (box,) = PasteArea(), make_shortcut(lambda *_: None)
    log = logging.getLogger(logger)
    with caplog.at_level(logging.DEBUG, logger):
        log.debug("handle_msg[%s](%s)", area.model_id, {"value": FOREIGN})
        log.debug("Content: %s", {"comm_id": box.children[0].model_id, "text": FOREIGN})
        log.debug(f"an old {area.model_id} {FOREIGN}")
        log.debug("handle_msg[%s](%s)", "another", {"value": KEY})
        log.debug("%d", KEY)  # logging complains about it, with its arguments
        log.debug("handle_msg[%s](%s)", "another", {"value": "a prompt"})
    assert FOREIGN not in caplog.text
    assert KEY not in caplog.text
    assert "a prompt" in caplog.text
    area.close()


@pytest.mark.parametrize(
    "name", [name for name, one in fields.fields().items() if one.kind in (Text, Textarea)]
)
def test_the_form_takes_no_key(name: str, presets: Presets) -> None:
    """Typed into a field, twice even, or set in code: neither form, page, draft nor preset has it."""
    form = RequestForm(prompt="A koi")
    control = form.controls[name]
    for typed in (KEY, KEY, f"{KEY} {KEY}"):
        control.set_state({"value": typed})
        assert KEY not in control.value
    setattr(form, name, f"https://example.com/{KEY}")
    assert KEY not in repr(getattr(form, name)) + repr(control.value)
    presets.save(f"my {KEY}", {"prompt": KEY})
    presets.keep_draft("cell", Draft({"prompt": [KEY]}, {"shots": [{"prompt": KEY}]}))
    written = [file.name + file.read_text(encoding="utf-8") for file in presets.folder.rglob("*.json")]
    assert len(written) == 2
    assert KEY not in "".join(written)
    form.close()


def test_shots_take_no_key() -> None:
    """Each has a text of its own."""
    form = RequestForm(shots=[("One", 5), ("Two", 5)])
    row = form.slots["prompt"].editor.prompts[1]
    for _ in range(2):
        row.set_state({"value": f"Two {KEY}"})
        assert KEY not in row.value + repr(form.shots)
    assert any(problem.field == "shots" for problem in form.problems)
    form.close()


def test_a_pasted_key_is_not_paid_for(manager: TaskManager) -> None:
    """Neither Generate nor Ctrl+Enter submits the gap, or the key; the form says why."""
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
    """Not a message with half a key for each letter."""
    area = PasteArea(continuous_update=True)
    assert area.continuous_update is False
    area.close()


@pytest.fixture
def presets(tmp_path: Path) -> Presets:
    """A library's presets."""
    return Presets(tmp_path / "videos")
