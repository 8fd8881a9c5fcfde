"""A form whose manager speaks contract 2026-11 has the fields, limits and names of that contract."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from traitlets import TraitError

from qingbo_widgets.library.library import Library
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.models import models_of
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.form.fields import fields
from qingbo_widgets.widgets.form.image_fields import line_names
from qingbo_widgets.widgets.form.loading import fields_of
from qingbo_widgets.widgets.form.request_form import RequestForm
from tests.waiting import until
from tests.widgets.page import below, html_of, text_of

MODELS = models_of("2026-11")
FIRST, LAST, OTHER = (f"https://a.example/{name}.png" for name in ("first", "last", "other"))
VIDEO = "https://a.example/motion.mp4"
MOTION = "kling-v3-motion-control"
ROLES = ({"url": FIRST, "role": "first_frame"}, {"url": LAST, "role": "last_frame"})
ELEMENT = {"name": "robot", "description": "a red robot", "element_input_urls": (FIRST, OTHER)}

#: For each field with a control: a model that takes it, the control's value, and the field's value.
EXAMPLES: dict[str, tuple[str, Any, Any]] = {
    "model": ("kling-v3", "kling-v2-6", "kling-v2-6"),
    "action": ("kling-v3-omni", "edit", "edit"),
    "prompt": ("kling-v3", "一条锦鲤", "一条锦鲤"),
    "resolution": ("kling-v3", "4k", "4k"),
    "aspect_ratio": ("kling-v3", "9:16", "9:16"),
    "duration": ("kling-v3", 12, 12),
    "negative_prompt": ("kling-v3", "blur", "blur"),
    "image_urls": ("kling-v3", f"{FIRST}\n{LAST}", (FIRST, LAST)),
    "video_urls": (MOTION, VIDEO, (VIDEO,)),
    "generate_audio": ("kling-v3", True, True),
    "shot_type": ("kling-v3", "customize", "customize"),
    "character_orientation": (MOTION, "video", "video"),
    "keep_original_sound": (MOTION, "no", "no"),
    "watermark": ("kling-v3", True, True),
    "callback_url": ("kling-v3", "https://a.example/hook", "https://a.example/hook"),
}


@pytest.fixture
def today(tmp_path: Path) -> Iterator[TaskManager]:
    """Yield a manager that speaks contract 2026-11."""
    client = Client("sk-test", "http://127.0.0.1:9/v1", contract="2026-11")
    with TaskManager(client, Library(tmp_path), submit_patience=0.0) as manager:
        yield manager


@pytest.fixture
def form(today: TaskManager) -> Iterator[RequestForm]:
    """Yield a new form of contract 2026-11."""
    form = RequestForm(today, prompt="A koi")
    yield form
    form.close()


def visible(form: RequestForm) -> set[str]:
    """Return the fields whose control at the top of the form is shown."""
    return {name for name, control in form.controls.made.items() if control.layout.display is None}


def note(form: RequestForm, field: str) -> str:
    """Return the note below a control."""
    return html_of(below(form, form.controls[field]))


def values(form: RequestForm, field: str) -> list[Any]:
    """Return the values that a dropdown offers."""
    return [value for _, value in form.controls[field].options]


def test_it_has_the_fields_of_its_contract(form: RequestForm) -> None:
    """The fields, controls and the request are those of the contract."""
    assert form.field_names == tuple(MODELS.parameters)
    assert set(form.controls) == set(fields("2026-11")) == set(EXAMPLES)
    assert form.contract.encode(form.request) == {
        "model": "kling-v3",
        "action": "generate",
        "prompt": "A koi",
        "resolution": "720p",
        "duration": 5,
    }
    assert form.problems == ()
    with pytest.raises(TraitError, match="mode is not in contract 2026-11"):
        form.mode = "pro"


@pytest.mark.parametrize("field", EXAMPLES)
def test_control_and_field_stay_in_sync(form: RequestForm, field: str) -> None:
    """Input in a control sets the field, and setting the field updates the control."""
    model, shown, value = EXAMPLES[field]
    form.model = model
    form.controls[field].value = shown
    assert getattr(form, field) == value
    setattr(form, field, form.default(field))
    assert getattr(form, field) == form.default(field)
    setattr(form, field, value)
    assert form.controls[field].value == shown
    assert getattr(form.request, field) == value


@pytest.mark.parametrize("model", MODELS)
def test_a_first_look_shows_the_usual_fields(form: RequestForm, model: str) -> None:
    """A model's form shows what it takes, with everything rare behind a button."""
    form.model = model
    shown, taken = visible(form), set(MODELS[model].parameters)
    assert {"model", "prompt", "image_urls", "duration", "resolution"} <= shown <= taken
    assert ("action" in shown) == (len(MODELS[model].actions) > 1)
    assert {"video_urls", "generate_audio", "aspect_ratio"} & taken == shown & {
        "video_urls",
        "generate_audio",
        "aspect_ratio",
    }
    offered = {name for name, button in form.panels.buttons.items() if button.layout.display is None}
    assert ("roles" in offered) == ("image_with_roles" in taken)
    assert ("elements" in offered) == ("element_list" in taken)
    assert not {"camera", "masks"} & form.panels.buttons.keys()


def test_an_unset_choice_shows_default_or_asks(form: RequestForm) -> None:
    """A choice without a default shows "default", a required one "choose", and it can be unset again."""
    ratio = form.controls["aspect_ratio"]
    assert ratio.options[ratio.index] == ("default", None)
    ratio.value = "1:1"
    ratio.value = None
    assert ratio.options[ratio.index] == ("default", None)
    assert form.request.given.get("aspect_ratio") is None
    form.model = MOTION
    orientation = form.controls["character_orientation"]
    assert orientation.options[orientation.index] == ("choose", None)
    assert "Required." in note(form, "character_orientation")
    assert "alarm" not in note(form, "character_orientation")
    form.character_orientation = "image"
    assert "Required." not in note(form, "character_orientation")


def test_choices_shrink_with_other_fields(form: RequestForm) -> None:
    """A switch that another field rules out is disabled with the reason; a value that was chosen is kept."""
    form.model = "kling-v2-6"
    audio = form.controls["generate_audio"]
    assert audio.disabled
    assert "it needs resolution 1080p" in note(form, "generate_audio")
    form.controls["resolution"].value = "1080p"
    assert not audio.disabled
    audio.value = True
    form.controls["resolution"].value = "720p"
    assert form.request.generate_audio is True
    assert not audio.disabled, "the user can turn it off"
    assert "qingbo-alarm" in note(form, "generate_audio")
    audio.value = False
    assert form.problems == ()
    assert audio.disabled


def test_an_edited_video_decides_the_length(form: RequestForm) -> None:
    """With action edit, the length is that of the video and no image is taken; both come back afterwards."""
    form.model = "kling-v3-omni"
    form.controls["duration"].value, form.image_urls, form.video_urls = 8, FIRST, VIDEO
    form.controls["action"].value = "edit"
    assert form.controls["duration"].options == (("as long as the input video", 0),)
    assert form.controls["image_urls"].disabled
    assert "combined with Action &#39;edit a video&#39;, which" in note(form, "image_urls")
    assert form.problems == ()
    body = form.contract.encode(form.request)
    assert (body["duration"], "image_urls" in body) == (0, False)
    form.controls["action"].value = "generate"
    assert (form.duration, form.request.image_urls) == (8, (FIRST,))
    loaded = VideoRequest("kling-v3-omni", "A koi", action="edit", video_urls=VIDEO)
    assert form.load(loaded) == ()
    assert form.problems == ()


def test_motion_control_is_one_block(form: RequestForm) -> None:
    """Image, video, orientation and sound are next to each other."""
    form.model = MOTION
    top = [child for child in form.children if child in form.controls.made.values()]
    names = [name for child in top for name, control in form.controls.made.items() if control is child]
    names = [name for name in names if name in visible(form)]
    start = names.index("image_urls")
    assert names[start : start + 4] == [
        "image_urls",
        "video_urls",
        "character_orientation",
        "keep_original_sound",
    ]
    form.image_urls, form.video_urls, form.character_orientation = FIRST, VIDEO, "video"
    assert form.problems == ()
    assert form.controls["image_urls"].lines[0].description == "Image"


def test_a_video_of_this_machine_is_shown_and_measured(tmp_path: Path) -> None:
    """The path of a video will do; its length is checked against that of the model."""
    av, numpy = pytest.importorskip("av"), pytest.importorskip("numpy")
    path = tmp_path / "long.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", rate=2)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        picture = numpy.zeros((360, 640, 3), dtype="uint8")
        for _ in range(24):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    with Sandbox(draft=True, contract="2026-11") as sandbox:
        client = Client(sandbox.api_key, sandbox.base_url, contract="2026-11")
        manager = TaskManager(client, Library(tmp_path / "library"), sandbox=sandbox)
        form = RequestForm(manager, model="kling-v3-omni", prompt="It snows", video_urls=str(path))
        assert form.video_urls == (str(path),)
        until(lambda: "12 s long" in note(form, "video_urls"))
        until(lambda: bool(form.problems))
        (problem,) = form.problems
        assert "the limits are 3 to 10 s" in problem.message
        assert fields_of(form)["video_urls"] == [str(path)], "a preset names the file"
        form.load({"model": MOTION, "prompt": "x", "video_urls": str(path), "image_urls": FIRST})
        assert "12 s" not in text_of(form), "the length of a file that was filled in is known"
        form.slots["video_urls"].editor.look_button.click()
        form.character_orientation = "video"
        until(lambda: "12 s, 640 × 360" in text_of(form))
        assert form.problems == ()
        form.character_orientation = "image"
        until(lambda: [problem.field for problem in form.problems] == ["video_urls"])
        form.close()
        manager.close()


# ---------------------------------------------------------------------- lists of URLs


def test_urls_have_a_line_each(form: RequestForm) -> None:
    """Each URL has a line with its name, which can be added, moved and removed."""
    control = form.controls["image_urls"]
    assert [line.description for line in control.lines] == ["Images"]
    control.lines[0].value = FIRST
    control.add()
    assert [line.description for line in control.lines] == ["First frame", "Last frame"]
    control.lines[1].value = LAST
    assert form.image_urls == (FIRST, LAST)
    assert [line.description for line in control.lines] == ["First frame", "Last frame"]
    control.move(1, -1)
    assert form.image_urls == (LAST, FIRST)
    form.model = "kling-v3-omni"
    form.image_urls = (FIRST, LAST, OTHER)
    assert [line.description for line in control.lines] == [f"<<<image_{number}>>>" for number in (1, 2, 3)]
    control.remove(0)
    assert (form.image_urls, control.value) == ((LAST, OTHER), f"{LAST}\n{OTHER}")  # type: ignore[comparison-overlap]  # mypy misses that it has changed
    control.lines[0].value = f"{FIRST} {LAST}"
    assert form.image_urls == (FIRST, LAST, OTHER), "two URLs pasted into one line are two"
    assert len(control.lines) == 3
    assert line_names(form, "image_urls", 1) == ("<<<image_1>>>",)


def test_too_many_urls_are_a_problem_below_the_control(form: RequestForm) -> None:
    """A list that is too long is kept, with the reason below it."""
    form.image_urls = (FIRST, LAST, OTHER)
    assert "3 given" in note(form, "image_urls")
    assert len(form.controls["image_urls"].lines) == 3
    assert [line.description for line in form.controls["image_urls"].lines][2] == "Images 3"


def test_every_image_has_its_preview(form: RequestForm) -> None:
    """Each image is shown with its name, and only fetched if its URL was not filled in."""
    form.image_urls = (FIRST, LAST)
    form.model = "kling-v3-omni"
    form.load({"model": "kling-v3-omni", "prompt": "A koi", "image_urls": [FIRST, OTHER]})
    preview = form.slots["image_urls"].editor
    assert preview.urls == (FIRST, OTHER)
    assert "a.example is not loaded yet" in html_of(preview)
    assert preview.look_button in preview.children[1].children
    preview.look_button.click()
    assert form.unapproved == frozenset()


def test_a_video_that_was_filled_in_is_not_loaded_before_the_user_asks(form: RequestForm) -> None:
    """The URL of a video in a preset is not loaded by the page until the user allows it."""
    form.load({"model": MOTION, "prompt": "A koi", "video_urls": [VIDEO], "image_urls": [FIRST]})
    preview = form.slots["video_urls"].editor
    assert "<video" not in html_of(preview)
    assert "a.example" in html_of(preview)
    preview.look_button.click()
    assert VIDEO not in form.unapproved


def test_hostile_urls_never_become_markup(form: RequestForm) -> None:
    """URLs and names with markup are escaped."""
    hostile = 'https://a.example/"><script>alert(1)</script>'
    form.model = "kling-v3-omni"
    form.image_urls, form.video_urls = (hostile, hostile), hostile
    form.element_list = [{"name": "<script>", "description": "<img src=x>", "element_input_urls": [hostile]}]
    for button in form.panels.buttons.values():
        button.value = True
    form.slots["video_urls"].editor._fetch_if_open()
    written = html_of(form)
    assert "<video" in written
    assert "<script>" not in written
    assert "<img src=x" not in written


# ---------------------------------------------------------------------- lists of objects


def test_roles_and_elements_have_an_editor(form: RequestForm) -> None:
    """Images with roles and elements are edited in rows, in both directions."""
    form.model = "kling-v3-omni"
    form.panels.buttons["roles"].value = form.panels.buttons["elements"].value = True
    roles, elements = form.panels.editor("roles"), form.panels.editor("elements")
    roles_button = form.panels.buttons["roles"]
    roles.add_button.click()
    assert [problem.number for problem in form.problems] == [1, 1], "an empty row is not finished"
    assert text_of(roles.rows[0]) == "Required: Image, Role."
    assert "alarm" not in html_of(roles.rows[0])
    assert roles_button.description == "Images with roles: 1"
    roles.rows[0].controls["url"].value = FIRST
    assert "Image 1" in text_of(roles.preview), "a picture without a role has another name than its control"
    roles.rows[0].controls["role"].value = "first_frame"
    assert form.image_with_roles == ROLES[:1]
    form.image_with_roles = ROLES
    assert [row.controls["role"].value for row in roles.rows] == ["first_frame", "last_frame"]
    elements.add_button.click()
    row = elements.rows[0]
    row.controls["element_input_urls"].value = f"{FIRST} {OTHER}"
    assert "Pictures 1.2" in text_of(elements.preview), "a picture has another name than its control"
    row.controls["name"].value, row.controls["description"].value = "robot", "a red robot"
    assert form.element_list == (ELEMENT,)
    assert form.problems == ()
    assert "@robot" in text_of(elements)
    assert form.panels.buttons["elements"].description == "Elements: 1"
    roles.rows[0].remove_button.click()
    assert form.image_with_roles == ROLES[1:]  # type: ignore[comparison-overlap]  # mypy misses that it has changed
    form.element_list = [ELEMENT] * 3
    assert elements.add_button.disabled
    body = form.contract.encode(form.request)
    assert body["element_list"][0]["element_input_urls"] == [FIRST, OTHER]


def test_a_problem_of_an_object_is_below_it(form: RequestForm) -> None:
    """A problem of the second image is shown below the second row only."""
    form.model, form.image_with_roles = "kling-v3-omni", (ROLES[0], {"url": "koi.png", "role": "reference"})
    form.panels.buttons["roles"].value = True
    rows = form.panels.editor("roles").rows
    assert "koi.png" in html_of(rows[1])
    assert "alarm" in html_of(rows[1])
    assert "alarm" not in html_of(rows[0])


def test_a_value_that_is_no_list_of_objects_is_shown_as_a_problem(form: RequestForm) -> None:
    """A value set in code in another form does not break the editor."""
    form.model, form.element_list = "kling-v3-omni", "robot"  # type: ignore[assignment]  # no list, as code may set
    form.panels.buttons["elements"].value = True
    assert "Set in code" in html_of(form.panels.editor("elements"))
    assert {problem.field for problem in form.problems} == {"element_list"}


# ---------------------------------------------------------------------- shots


def test_several_shots_stand_beside_the_prompt(form: RequestForm) -> None:
    """The switch makes shots of the prompt, which stays; the shots decide the length."""
    form.prompt = "A koi. A heron lands."
    form.switch.value = True
    assert form.controls["prompt"].layout.display is None
    assert form.problems == ()
    assert form.contract.encode(form.request) == {
        "model": "kling-v3",
        "action": "generate",
        "prompt": "A koi. A heron lands.",
        "resolution": "720p",
        "duration": 5,
        "multi_shot": True,
        "shot_type": "customize",
        "multi_prompt": [
            {"index": 1, "prompt": "A koi.", "duration": 3},
            {"index": 2, "prompt": "A heron lands.", "duration": 2},
        ],
    }
    editor = form.slots["shot_type"].editor
    editor.rows[1].seconds.value = 4
    assert form.contract.encode(form.request)["duration"] == 7
    duration = form.controls["duration"]
    assert duration.disabled
    assert duration.value == 7
    assert "7 of 15 s, 8 s left" in note(form, "duration")
    form.switch.value = False
    assert (form.duration, duration.disabled) == (5, False)
    assert "multi_prompt" not in form.contract.encode(form.request)
    form.switch.value = True
    assert [item["duration"] for item in form.request.multi_prompt] == [3, 4], "they come back"


def test_shots_may_be_left_to_the_model(form: RequestForm) -> None:
    """Shots chosen by the model are not listed; the listed ones come back with the other type."""
    form.switch.value = True
    form.slots["shot_type"].editor.rows[1].prompt.value = "A heron"
    form.controls["shot_type"].value = "intelligence"
    body = form.contract.encode(form.request)
    assert (body["shot_type"], "multi_prompt" in body, body["duration"]) == ("intelligence", False, 5)
    assert form.slots["shot_type"].layout.display == "none"
    form.controls["shot_type"].value = "customize"
    assert [item["prompt"] for item in form.request.multi_prompt] == ["A koi", "A heron"]


def test_one_to_six_shots_fit(form: RequestForm) -> None:
    """The buttons respect one to six shots, and a sum that the model does not render is a problem."""
    form.switch.value = True
    editor = form.slots["shot_type"].editor
    editor.rows[1].buttons["remove"].click()
    assert len(form.multi_prompt) == 1
    assert editor.rows[0].buttons["remove"].disabled
    for _ in range(5):
        editor.add_button.click()
    assert editor.add_button.disabled
    assert len(form.multi_prompt) == 6
    assert {problem.field for problem in form.problems} == {"multi_prompt"}


def test_ctrl_enter_in_a_shot_sends_its_text(form: RequestForm) -> None:
    """A text from Ctrl+Enter replaces the prompt of its shot, or the prompt above the shots."""
    form.switch.value = True
    request = form.with_text("Shot 2", "A heron")
    assert request is not None
    assert [item["prompt"] for item in request.multi_prompt] == ["A koi", "A heron"]
    request = form.with_text("Prompt", "A pond")
    assert request is not None
    assert request.prompt == "A pond"


# ---------------------------------------------------------------------- changes of the model


def test_frames_keep_their_meaning(form: RequestForm) -> None:
    """First and last frame move to where the next model takes them, and come back as they were."""
    form.controls["image_urls"].value = f"{FIRST} {LAST}"
    form.model = "kling-v3-omni"
    assert form.image_with_roles == ROLES
    assert form.image_urls == ()
    form.model = "kling-3.0-turbo"
    assert form.request.image_urls == (FIRST,)
    assert "Set aside" in note(form, "model")
    assert "last.png" in note(form, "model")
    form.model = "kling-v3"
    assert form.request.image_urls == (FIRST, LAST)  # type: ignore[comparison-overlap]  # mypy misses that it has changed
    assert "Set aside" not in note(form, "model")


def test_an_edit_after_a_change_of_the_model_counts(form: RequestForm) -> None:
    """Images that the user has changed since are not replaced by those set aside."""
    form.model = "kling-v3-omni"
    form.image_urls = (FIRST, LAST, OTHER)
    form.model = "kling-v3"
    assert form.request.image_urls == ()
    assert "Reference images (first.png, last.png, other.png)" in note(form, "model")
    form.image_urls = (OTHER,)
    form.model = "kling-v3-omni"
    assert form.image_with_roles == ({"url": OTHER, "role": "first_frame"},)


def test_a_value_that_the_next_model_lacks_comes_back(form: RequestForm) -> None:
    """A resolution that the next model lacks is set aside, named, and comes back."""
    form.resolution, form.negative_prompt = "4k", "blur"
    form.model = "kling-v2-6"
    assert (form.resolution, form.problems) == ("720p", ())
    assert "Resolution (4k)" in note(form, "model")
    form.model = "kling-video-o1"
    assert "Negative prompt (blur)" in note(form, "model")
    form.model = "kling-v3"
    assert (form.request.resolution, form.request.negative_prompt) == ("4k", "blur")


def test_a_choice_made_in_between_stays(form: RequestForm) -> None:
    """A value chosen after the change of the model replaces the one set aside."""
    form.resolution, form.model = "4k", "kling-v2-6"
    form.controls["resolution"].value = "1080p"
    form.model = "kling-v3"
    assert form.resolution == "1080p"


# ---------------------------------------------------------------------- names of the other contract


APRIL: dict[str, Any] = {
    "prompt": "A koi",
    "mode": "pro",
    "enable_audio": True,
    "image_urls": FIRST,
    "last_frame": LAST,
    "duration": 7,
}
NOVEMBER: dict[str, Any] = {
    "prompt": "A koi",
    "resolution": "1080p",
    "generate_audio": True,
    "image_urls": (FIRST, LAST),
    "duration": 7,
}


def test_values_may_have_the_names_of_april(today: TaskManager) -> None:
    """Initial, loaded and pasted values in the names of contract 2026-04 are translated."""
    expected = RequestForm(today, **NOVEMBER)
    forms = [RequestForm(today, **APRIL), RequestForm(today), RequestForm(today)]
    assert forms[1].load(VideoRequest(**APRIL)) == ()
    assert forms[2].paste(json.dumps(CONTRACTS["2026-04"].encode(VideoRequest(**APRIL)))) == ()
    for form in forms:
        assert form.request == expected.request
        assert form.problems == ()
        form.close()
    expected.close()


def test_what_has_no_place_is_reported(today: TaskManager) -> None:
    """A value without a place in the contract is left out, and named."""
    form = RequestForm(today, prompt="A koi", cfg_scale=0.3)
    assert "CFG scale (0.3)" in note(form, "model")
    assert form.load(VideoRequest("kling-v3", "A fox", cfg_scale=0.7)) == ("CFG scale: 0.7",)
    assert form.prompt == "A fox"
    form.close()


def test_a_fixed_field_and_a_hidden_one_keep_their_meaning(today: TaskManager) -> None:
    """``fixed=`` and ``hide=`` take the names of both contracts."""
    form = RequestForm(today, prompt="A koi", fixed={"mode": "pro"}, hide=("enable_audio", "shots"))
    assert form.request.resolution == "1080p"
    assert form.controls["resolution"].disabled
    assert "generate_audio" not in form.controls
    assert form.switch is None
    with pytest.raises(TraitError, match="resolution is fixed"):
        form.resolution = "720p"
    form.close()


def test_another_manager_changes_the_fields_in_place(today: TaskManager) -> None:
    """A manager of another contract changes fields and controls; what was typed stays, by its meaning."""
    form, started = RequestForm(**APRIL), RequestForm(today, **NOVEMBER)
    april = form.request
    form.manager = today
    assert form.request == started.request
    assert form.controls["prompt"].value == "A koi"
    assert form.controls["prompt"] in form.children
    assert set(form.controls) == set(EXAMPLES)
    assert form.problems == ()
    form.controls["prompt"].value = "A fox"
    form.manager = None
    assert form.request == april.replace(prompt="A fox")
    assert form.controls["mode"].value == "pro"
    form.reset()
    assert form.request == april
    form.close()
    started.close()


def test_a_value_waits_for_the_contract_that_has_it(today: TaskManager) -> None:
    """A form that is created before the key is known takes values of the later contract."""
    form = RequestForm(prompt="A koi", watermark=True, resolution="1080p")
    assert form.request.mode == "pro"
    assert "Watermark" in note(form, "model")
    form.manager = today
    assert (form.request.watermark, form.request.resolution) == (True, "1080p")
    assert "Watermark" not in note(form, "model")
    form.close()


def test_a_change_of_the_contract_leaves_no_widgets(today: TaskManager, live_widgets: Any) -> None:
    """The controls of the former contract are closed."""
    before = live_widgets()
    form = RequestForm(prompt="A koi", image_urls=FIRST)
    form.panels.buttons["more"].value = True
    form.manager = today
    form.model = "kling-v3-omni"
    for button in form.panels.buttons.values():
        button.value = True
    form.manager = None
    form.close()
    assert live_widgets() == before


# ---------------------------------------------------------------------- presets, drafts, code


def test_every_field_survives_a_preset(form: RequestForm, today: TaskManager) -> None:
    """A preset has every field of the contract, and fills another form."""
    form.load(
        {
            "model": "kling-v3-omni",
            "prompt": "A koi",
            "image_urls": [OTHER],
            "image_with_roles": ROLES,
            "element_list": [ELEMENT],
            "generate_audio": True,
            "watermark": True,
            "multi_shot": True,
            "shot_type": "customize",
            "multi_prompt": [{"prompt": "One", "duration": 5}],
        }
    )
    assert form.problems == ()
    form.save("all")
    other = RequestForm(today)
    assert other.load("all") == ()
    assert other.request == form.request
    other.close()


def test_the_python_call_is_in_the_names_of_the_contract(form: RequestForm) -> None:
    """The panel shows JSON and Python in the names of the form's contract."""
    form.model, form.image_with_roles, form.resolution = "kling-v3-omni", ROLES, "1080p"
    form.panels.buttons["sent"].value = True
    shown = html_of(form.panels.editor("sent"))
    assert "resolution=" in shown
    assert "image_with_roles=" in shown
    assert "extra" not in shown


def test_a_form_of_april_does_not_read_the_other_contract() -> None:
    """Importing and opening a form of contract 2026-04 reads no file of contract 2026-11."""
    code = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        "import qingbo_widgets as qw\n"
        "form = qw.RequestForm(prompt='A koi', mode='pro')\n"
        "form.model = 'kling-v1'\n"
        "form.load(qw.VideoRequest(prompt='A fox'))\n"
        "assert any('2026-04.toml' in name for name in opened)\n"
        "print([name for name in opened if name.endswith('.toml') and '2026-11' in name])\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_files_in_lists_and_objects_are_sent(tmp_path: Path) -> None:
    """Paths in lists and objects stay as they are until they are sent, even with spaces in them."""
    files = [tmp_path / "a koi.png", tmp_path / "b.png"]
    for file in files:
        Image.new("RGB", (640, 360)).save(file)
    with Sandbox(draft=True, contract="2026-11") as sandbox:
        client = Client(sandbox.api_key, sandbox.base_url, contract="2026-11")
        manager = TaskManager(client, Library(tmp_path / "library"), sandbox=sandbox)
        form = RequestForm(manager, model="kling-v3-omni", prompt="A koi")
        form.controls["image_urls"].value = f"{files[0]}\n{files[1]}"
        form.image_with_roles = [{"url": files[0], "role": "first_frame"}]
        assert form.image_urls == tuple(map(str, files))
        assert fields_of(form)["image_with_roles"] == [{"url": str(files[0]), "role": "first_frame"}]
        assert form.problems == ()
        request = form.submit().request
        assert request is not None
        places = [*request.image_urls, request.image_with_roles[0]["url"]]
        assert {Path(place).parent.name for place in places} == {"inputs"}
        form.close()
        manager.close()


def test_a_line_keeps_the_path_typed_into_it(tmp_path: Path) -> None:
    """A path is shown as it was typed, and is no problem."""
    file = tmp_path / "koi.png"
    Image.new("RGB", (640, 360)).save(file)
    with Sandbox(draft=True, contract="2026-11") as sandbox:
        client = Client(sandbox.api_key, sandbox.base_url, contract="2026-11")
        manager = TaskManager(client, Library(tmp_path / "library"), sandbox=sandbox)
        form = RequestForm(manager, prompt="A koi")
        line = form.controls["image_urls"].lines[0]
        line.value = str(file)
        assert line.value == form.image_urls[0] == str(file)
        assert form.problems == ()
        form.close()
        manager.close()


def test_an_empty_field_says_what_it_is_for_after_a_change_of_the_model(today: TaskManager) -> None:
    """The text in an empty field, and its help, are those of the chosen model."""
    form = RequestForm(today, model="kling-v3-motion-control")
    assert form.controls["video_urls"].placeholder == "https://…  or a file: the movement"
    form.model = "kling-v3-omni"
    assert form.controls["video_urls"].placeholder == "https://…  or a file (optional)"
    form.model = "kling-v2-6-motion-control"
    assert form.controls["image_urls"].placeholder == "https://…  or a file: the character"
    assert "The movement" in form.controls["video_urls"].tooltip
    form.close()


def test_what_a_limit_changes_shows_in_the_control(form: RequestForm) -> None:
    """A field that another one requires is no longer called optional, and says what goes into it."""
    form.model = "kling-v3-omni"
    control = form.controls["video_urls"]
    assert control.placeholder == "https://…  or a file (optional)"
    form.action = "edit"
    assert control.placeholder == "https://…  the video to edit"
    assert "Required." in note(form, "video_urls")
    form.action = "generate"
    assert control.placeholder == "https://…  or a file (optional)"
    form.video_urls = (VIDEO,)
    assert form.controls["image_urls"].most == 1
    form.video_urls = ()
    assert form.controls["image_urls"].most == 7


@pytest.mark.parametrize(
    ("before", "after", "fields", "named"),
    [
        ("kling-v3-omni", "kling-v3", {"image_urls": (FIRST,)}, "Reference image (first.png)"),
        ("kling-v3", "kling-3.0-turbo", {"image_urls": (FIRST, LAST)}, "Last frame (last.png)"),
        (
            "kling-v3-omni",
            "kling-v3",
            {"image_urls": (FIRST, OTHER), "image_with_roles": ROLES},
            "Reference images (first.png, other.png)",
        ),
        (
            "kling-v3-omni",
            MOTION,
            {"image_urls": (OTHER,), "image_with_roles": ROLES},
            "Last frame (last.png), Reference image (other.png)",
        ),
    ],
)
def test_images_set_aside_are_named_by_their_meaning(
    form: RequestForm, before: str, after: str, fields: dict[str, Any], named: str
) -> None:
    """Images that the next model does not take are called first frame, last frame or reference image."""
    form.load({"model": before, "prompt": "A koi", **fields})
    form.model = after
    text = text_of(below(form, form.controls["model"]))
    assert f"Set aside, because {after} does not take it: {named}. It comes back" in text
    form.model = before
    assert {name: getattr(form, name) for name in fields} == fields


def test_a_reference_image_without_a_place_in_april_is_named(today: TaskManager, tmp_path: Path) -> None:
    """A change of the contract names the images that it leaves out by their meaning as well."""
    with TaskManager(Client("sk-test", "http://127.0.0.1:9/v1"), Library(tmp_path / "april")) as april:
        form = RequestForm(
            today, model="kling-v3-omni", prompt="A koi", image_urls=(FIRST,), video_urls=VIDEO
        )
        form.manager = april
        left_out = "Left out: Reference image (first.png), Input video (motion.mp4). Contract 2026-04 has"
        assert left_out in note(form, "model")
        form.manager = today
        assert (form.image_urls, form.video_urls) == ((FIRST,), (VIDEO,))
        form.close()


def test_a_default_that_differs_after_a_change_of_the_contract_is_told(
    today: TaskManager, tmp_path: Path
) -> None:
    """kling-v3 of April makes sound by default: the note says so, and nothing is turned on."""
    client = Client("sk-test", "http://127.0.0.1:9/v1")
    with TaskManager(client, Library(tmp_path / "april"), submit_patience=0.0) as april:
        form = RequestForm(april, prompt="A koi")
        form.manager = today
        assert (
            "Generate audio: on by default with kling-v3 of contract 2026-04, off with kling-v3 of contract "
            "2026-11. Tick it to turn it on."
        ) in text_of(below(form, form.controls["model"]))
        assert form.generate_audio is None
        form.controls["generate_audio"].value = True
        assert "on by default with" not in note(form, "model")
        form.load(VideoRequest("kling-v3", "A fox"))
        assert "on by default with" not in note(form, "model"), "whose contract is not known"
        form.load(april.submit(prompt="A koi"))
        assert "on by default with" in note(form, "model")
        form.manager = april
        form.load(today.submit(prompt="A koi"))
        assert "off by default with kling-v3 of contract 2026-11, on with" in note(form, "model")
        form.enable_audio = False
        assert "off by default" not in note(form, "model")
        form.close()


def test_a_new_form_tells_of_no_other_contract(today: TaskManager) -> None:
    """A form that was not connected before has shown no default that could change."""
    form = RequestForm(prompt="A koi")
    form.manager = today
    assert "on by default with" not in note(form, "model")
    form.close()


def test_the_tooltip_of_more_lists_what_is_inside(form: RequestForm) -> None:
    """The tooltip of More has the labels of the fields that it shows for the model."""
    more = form.panels.buttons["more"]
    assert more.tooltip == "Callback URL, Negative prompt, Watermark"
    form.model = "kling-video-o1"
    assert more.tooltip == "Callback URL"


def test_the_switch_never_turns_back_while_shots_begin(form: RequestForm) -> None:
    """A click on the switch is one change of it: the page never sees it turn back in between."""
    seen: list[bool] = []
    form.switch.observe(lambda change: seen.append(change["new"]), "value")
    form.switch.value = True
    form.switch.value = False
    assert seen == [True, False]
    assert form.multi_shot is None


@pytest.mark.parametrize("fields", [{"model": MOTION}, {"model": "kling-v3-omni", "action": "edit"}])
def test_an_empty_prompt_beside_other_gaps_is_no_alarm(today: TaskManager, fields: dict[str, str]) -> None:
    """An untouched form has no alarm, whatever else is missing; below the prompt is what to write."""
    form = RequestForm(today)
    for name, value in fields.items():
        setattr(form, name, value)
    assert "Write a prompt: what the video shows." in note(form, "prompt")
    assert "alarm" not in html_of(form)
    form.prompt = "A koi"
    assert "Write a prompt" not in note(form, "prompt")
    form.prompt = " "
    assert "alarm" in note(form, "prompt")
    assert "does not describe" not in note(form, "prompt")
    form.close()


def test_a_row_that_is_being_filled_in_is_no_alarm(form: RequestForm) -> None:
    """Too few pictures are a hint while more are to come, unless one of them is wrong."""
    form.model, form.panels.buttons["elements"].value = "kling-v3-omni", True
    row = form.panels.editor("elements")
    form.element_list = [{**ELEMENT, "element_input_urls": (FIRST,)}]
    assert "takes 2 to 4" in html_of(row)
    assert "alarm" not in html_of(row)
    assert form.panels.buttons["elements"].description == "Elements: 1"
    form.element_list = [{**ELEMENT, "element_input_urls": ("nowhere",)}]
    assert "alarm" in html_of(row)
    form.element_list = [{**ELEMENT, "element_input_urls": (FIRST,) * 5}]
    assert "alarm" in html_of(row)


def test_the_type_of_shots_asks_while_several_are_on(form: RequestForm) -> None:
    """A field that another one requires offers "choose" and says so, and is what Generate waits for."""
    form.model, form.switch.value = "kling-v3-omni", True
    form.multi_prompt = [{"index": 1, "prompt": "A koi", "duration": 5}]
    kind = form.controls["shot_type"]
    assert kind.options[0] == ("choose", None)
    assert form.problems == ()
    kind.value = None
    assert "Required." in note(form, "shot_type")
    assert form.obstacle == "Fix first: Shot type."
    kind.value = "customize"
    assert "Required." not in note(form, "shot_type")
    assert form.problems == ()


def test_a_default_that_the_form_shows_has_no_note(today: TaskManager) -> None:
    """The length of an edited video is shown, so there is no note about that of another model."""
    form = RequestForm(today, model="kling-v3", prompt="A koi")
    form.model, form.action = "kling-v3-omni", "edit"
    form.model = "kling-v3"
    form.model = "kling-v3-omni"
    assert (form.action, form.duration) == ("edit", 0)
    assert "is the default with" not in note(form, "model")
    form.close()


def test_a_panel_whose_value_is_not_sent_says_so(form: RequestForm) -> None:
    """A panel shows no number of what is not sent, but the reason, whether it is open or closed."""
    form.model, form.image_with_roles = "kling-v3-omni", ROLES
    button, reason = form.panels.buttons["roles"], "cannot be combined with Action"
    assert button.description == "Images with roles: 2"
    form.action, form.video_urls = "edit", VIDEO
    assert button.description == "Images with roles"
    assert f"Images with roles: not sent now, because it {reason}" in text_of(form.panels.message)
    button.value = True
    editor = form.panels.editor("roles")
    assert f"Not available now: it {reason}" in text_of(editor)
    assert reason not in text_of(form.panels.message)
    assert editor.add_button.disabled
    assert editor.rows[0].first.disabled
    form.action, form.video_urls = "generate", ()
    assert "Not available now" not in text_of(editor)
    assert not editor.add_button.disabled
    assert button.description == "Images with roles: 2"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"model": "kling-v3-omni", "video_urls": VIDEO},
            "It cannot be combined with an input video; untick it.",
        ),
        ({"model": "kling-v2-6"}, "It needs resolution 1080p; try Resolution '1080p', or untick it."),
    ],
)
def test_a_refused_checkbox_is_spoken_of_as_one(
    form: RequestForm, fields: dict[str, Any], sentence: str
) -> None:
    """A ticked checkbox is not called True; the sentence in code still has it."""
    form.load({"prompt": "A koi", "generate_audio": True, **fields})
    assert text_of(below(form, form.controls["generate_audio"])) == sentence
    (problem,) = form.problems
    assert problem.message.startswith("generate_audio: True ")
