"""The panel shows the request before it is sent, and fills in the form from pasted text."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import qingbo_widgets as qw
from qingbo_widgets.library.library import Library
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.models import DEFAULT_CONTRACT
from qingbo_widgets.tasks import connection
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base.text_fields import PasteArea
from qingbo_widgets.widgets.form.payload import SentPane, json_body, python_call
from qingbo_widgets.widgets.form.request_form import RequestForm
from tests.widgets.page import click, enter, html_of, text_of, the

REQUESTS = [
    qw.VideoRequest(),
    qw.VideoRequest(prompt="一条锦鲤"),
    qw.VideoRequest(
        "kling-v1", 'Line one\nline "two"\t\\', negative_prompt="'blur'", cfg_scale=0.35, duration=10
    ),
    qw.VideoRequest("kling-v3", shots=[qw.Shot("One", 5), qw.Shot("Two", 10)], enable_audio=False),
    qw.VideoRequest("kling-v1-6", "A koi", camera_control="down_back", aspect_ratio="9:16"),
    qw.VideoRequest("kling-v1-6", "A koi", camera_control=qw.CameraControl("simple", {"zoom": -2.5})),
    qw.VideoRequest(
        "kling-v1-6",
        "A koi",
        image_urls="https://example.com/a.png",
        static_mask="https://example.com/s.png",
        dynamic_masks=[qw.DynamicMask(f"https://example.com/{'m' * 60}.png", ((1, 2), (3, 4.5)))],
    ),
    qw.VideoRequest(
        "kling-v9", "A koi", mode="pro", callback_url="https://example.com", last_frame="https://e.com/z"
    ),
    qw.VideoRequest(prompt="A koi", image_urls=["https://example.com/a.png", "https://example.com/b.png"]),
]


def evaluated(call: str) -> qw.VideoRequest:
    """Return the request that a call of ``generate`` would submit."""

    class Fake:
        Shot, CameraControl, DynamicMask = qw.Shot, qw.CameraControl, qw.DynamicMask

        @staticmethod
        def generate(prompt: str = "", **fields: object) -> qw.VideoRequest:
            return qw.VideoRequest(prompt=prompt, **fields)  # type: ignore[arg-type]

    result = eval(call, {"qw": Fake})
    assert isinstance(result, qw.VideoRequest)
    return result


@pytest.mark.parametrize("request_", REQUESTS)
def test_the_python_call_makes_the_same_request(request_: qw.VideoRequest) -> None:
    """Evaluating the call gives the same request."""
    assert evaluated(python_call(request_)) == request_


@given(st.text(), st.text(), st.sampled_from(["A\u202ekoi", "\ud83d", "\u2028", "\x7f", "é"]))
def test_any_text_can_be_copied(prompt: str, negative: str, strange: str) -> None:
    """The call is valid Python with the same meaning for any characters."""
    request = qw.VideoRequest("kling-v1", prompt + strange, negative_prompt=negative + strange)
    assert evaluated(python_call(request)) == request


def test_the_call_omits_defaults() -> None:
    """The call omits arguments at their defaults, as in hand-written code."""
    assert python_call(qw.VideoRequest()) == "qw.generate()"
    assert python_call(qw.VideoRequest(prompt="一条锦鲤")) == 'qw.generate("一条锦鲤")'
    assert (
        python_call(qw.VideoRequest("kling-v1", "A koi", duration=10, image_urls="https://example.com/a.png"))
        == 'qw.generate(\n    "A koi",\n    model="kling-v1",\n    duration=10,\n'
        '    image_urls="https://example.com/a.png",\n)'
    )


@pytest.mark.parametrize("request_", [request for request in REQUESTS if not request.problems()])
def test_the_json_is_what_the_client_sends(request_: qw.VideoRequest) -> None:
    """The JSON equals the client's payload, except for white space."""
    client = Client("sk-sentinel", "http://127.0.0.1:1/v1")
    assert json.loads(json_body(request_, client.contract)) == client.payload(request_)


def test_each_point_of_a_path_is_on_its_own_line() -> None:
    """Each point of a path takes one line; text that looks like a point is unchanged."""
    like = '{\n "x": 1,\n "y": 2\n}'
    body = json_body(REQUESTS[6].replace(prompt=like), CONTRACTS[DEFAULT_CONTRACT])
    assert '{"x": 3, "y": 4.5}' in body
    assert json.loads(body)["prompt"] == like


def test_a_value_that_json_cannot_represent_is_not_shown() -> None:
    """A value that JSON cannot represent gives an empty text instead of an exception."""
    impossible = qw.VideoRequest("kling-v1", "A koi", cfg_scale=object())  # type: ignore[arg-type]
    assert json_body(impossible, CONTRACTS[DEFAULT_CONTRACT]) == ""


@pytest.fixture
def form() -> Iterator[RequestForm]:
    """Yield a form with the panel open."""
    form = RequestForm(prompt="A koi")
    form.panels.buttons["sent"].value = True
    yield form
    form.close()


@pytest.fixture
def pane(form: RequestForm) -> SentPane:
    """Return the panel of the form."""
    pane: SentPane = form.panels.editor("sent")
    return pane


def paste_area(pane: SentPane) -> PasteArea:
    """Return the field for pasted text."""
    return the(pane, PasteArea)


def blocks(pane: SentPane) -> list[str]:
    """Return the texts that can be copied."""
    found = re.findall(r"<pre[^>]*>(.*?)</pre>", html_of(pane), re.DOTALL)
    return [html.unescape(text) for text in found]


def test_both_follow_the_form(form: RequestForm, pane: SentPane) -> None:
    """JSON and Python follow the form while the user types."""
    form.controls["prompt"].value = "一条锦鲤"
    form.controls["mode"].value = "pro"
    body, call = blocks(pane)
    assert (json.loads(body)["prompt"], json.loads(body)["extra"]) == ("一条锦鲤", {"mode": "pro"})
    assert call == 'qw.generate("一条锦鲤", mode="pro")'


def test_a_request_that_is_not_ready_says_so(form: RequestForm, pane: SentPane) -> None:
    """A request with problems is shown with a note."""
    assert "Not complete yet" not in html_of(pane)
    form.prompt = ""
    assert "Not complete yet" in html_of(pane)


def test_a_prompt_never_becomes_markup(form: RequestForm, pane: SentPane) -> None:
    """A hostile prompt is shown as text."""
    form.prompt = "</pre><script>alert(1)</script>"
    assert "<script" not in html_of(pane)
    assert form.prompt in blocks(pane)[0].replace('\\"', '"')


def test_json_fills_the_form_in(form: RequestForm, pane: SentPane) -> None:
    """Fields that the text does not name get their defaults, and the paste field is cleared."""
    form.mode, form.duration = "pro", 12
    paste_area(pane).value = '{"model": "kling-v1", "prompt": "A fox", "extra": {"cfg_scale": 0.8}}'
    click(pane, "Fill in the form")
    assert form.request == qw.VideoRequest("kling-v1", "A fox", cfg_scale=0.8)
    assert form.controls["prompt"].value == "A fox"
    assert paste_area(pane).value == ""
    assert "The form is filled in." in text_of(pane)


def test_a_text_without_a_model_keeps_the_model(form: RequestForm) -> None:
    """A text without a model, such as a bare ``extra`` object, keeps the model."""
    form.model = "kling-v1"
    form.paste('"extra": {"mode": "pro"}')
    assert (form.model, form.mode) == ("kling-v1", "pro")


def test_unknown_fields_are_listed(form: RequestForm, pane: SentPane) -> None:
    """Unknown fields are listed with their escaped values; the rest is filled in."""
    paste_area(pane).value = '{"prompt": "A fox", "seed": 7, "style": "<img>"}'
    click(pane, "Fill in the form")
    assert form.prompt == "A fox"
    assert 'seed: 7; style: "<img>"' in text_of(pane)
    assert "<img" not in html_of(pane)


def test_invalid_text_changes_nothing(form: RequestForm, pane: SentPane) -> None:
    """Text that cannot be parsed stays for correction, and the form is unchanged."""
    paste_area(pane).value = '{"prompt": "A fox"'
    click(pane, "Fill in the form")
    assert form.prompt == "A koi"
    assert paste_area(pane).value == '{"prompt": "A fox"'
    assert "qingbo-alarm" in html_of(pane)


def test_a_fixed_field_stays_and_is_reported(pane: SentPane) -> None:
    """Pasting does not change a fixed field, and reports it."""
    form = RequestForm(fixed={"mode": "std"}, prompt="A koi")
    assert form.paste('{"prompt": "A fox", "extra": {"mode": "pro"}}') == ("Mode: pro, 1080p",)
    assert (form.prompt, form.mode) == ("A fox", "std")
    form.close()


def test_a_key_in_a_command_is_not_kept(form: RequestForm, pane: SentPane) -> None:
    """The key in a pasted command is removed before the trait is set."""
    seen: list[object] = []
    paste_area(pane).observe(lambda change: seen.append(change["new"]), "value")
    enter(paste_area(pane), 'curl -H "Authorization: Bearer sk-sentinel" -d \'{"prompt": "A fox"}\'')
    click(pane, "Fill in the form")
    assert form.prompt == "A fox"
    assert "sentinel" not in repr(seen)
    assert not PasteArea.value.metadata.get("echo_update", True)


def test_a_form_of_a_manager_shows_the_same(manager: TaskManager) -> None:
    """A form with a manager shows the JSON that this manager sends."""
    form = RequestForm(manager, prompt="A koi")
    assert json.loads(json_body(form.request, form.contract)) == manager.client.payload(form.request)
    form.close()


def test_the_call_names_what_differs_from_the_default_of_the_model(described: Callable[[str], None]) -> None:
    """A duration of 5 s is an explicit argument for a model whose default is 12 s."""
    described("[models.kling-v9]\ntakes = []\nduration = { choices = [5, 12], default = 12 }")
    request = qw.VideoRequest("kling-v9", "A koi", duration=5)
    assert python_call(request) == 'qw.generate("A koi", model="kling-v9", duration=5)'
    assert python_call(request.replace(duration=12)) == 'qw.generate("A koi", model="kling-v9")'


def test_the_preview_of_a_request_with_files(manager: TaskManager, workdir: Path) -> None:
    """Files have their paths in the JSON and in a call that runs; a line says that links take their place."""
    Image.new("RGB", (640, 360)).save(workdir / "my koi.png")
    manager.upload = str
    form = RequestForm(manager, prompt="A koi", image_urls=str(workdir / "my koi.png"))
    form.panels.buttons["sent"].value = True
    pane = form.panels.editor("sent")
    line = "Links take the place of the files"
    assert line in text_of(pane)
    assert json.loads(json_body(form.request, form.contract))["image_urls"] == [str(workdir / "my koi.png")]
    assert evaluated(python_call(form.request)) == form.request
    form.image_urls = "https://example.com/koi.png"
    assert line not in text_of(pane)
    form.close()


@pytest.mark.slow
def test_the_python_call_with_a_file_runs(
    server: qw.Sandbox, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call copied from the panel makes the video that the form would make."""
    Image.new("RGB", (640, 360)).save(workdir / "koi.png")
    client = Client(server.api_key, server.base_url)
    manager = TaskManager(client, Library("qingbo_videos"), sandbox=server, poll_interval=0.1)
    form = RequestForm(manager, prompt="A koi", image_urls="koi.png")
    monkeypatch.setattr(connection, "_default", manager)
    task = eval(python_call(form.request), {"qw": qw})
    task.wait(60)
    assert task.request.image_urls == form.submit().request.image_urls
    form.close()
    manager.sandbox = None
    manager.close()
