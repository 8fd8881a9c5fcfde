"""The controls of a form and its request stay in sync."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from PIL import Image
from traitlets import TraitError, link

from qingbo_widgets.library.library import Library
from qingbo_widgets.media.frames import continuation
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.models import declared, models_of
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.values import CameraControl, Shot
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.form import loading
from qingbo_widgets.widgets.form.fields import fields
from qingbo_widgets.widgets.form.request_form import RequestForm
from tests.descriptions import INVENTED
from tests.widgets.page import below, html_of, text_of

#: For each field with a control: a model that takes it, the control's value, and the field's value.
EXAMPLES: dict[str, tuple[str, Any, Any]] = {
    "model": ("kling-v3", "kling-v1-6", "kling-v1-6"),
    "prompt": ("kling-v3", "一条锦鲤", "一条锦鲤"),
    "image_urls": ("kling-v3", " https://example.com/a.png ", ("https://example.com/a.png",)),
    "aspect_ratio": ("kling-v3", "9:16", "9:16"),
    "duration": ("kling-v3", 12, 12),
    "mode": ("kling-v3", "pro", "pro"),
    "enable_audio": ("kling-v3", False, False),
    "cfg_scale": ("kling-v1", 0.35, 0.35),
    "last_frame": ("kling-v3", "https://example.com/z.png", "https://example.com/z.png"),
    "callback_url": ("kling-v3", "https://example.com/hook", "https://example.com/hook"),
    "negative_prompt": ("kling-v1", "blur", "blur"),
}

HIDDEN = ("callback_url", "camera_control", "duration")
#: The maximum number of widgets of an untouched form.
MOST_WIDGETS = 75


@pytest.fixture
def form() -> Iterator[RequestForm]:
    """Yield a new form."""
    form = RequestForm()
    yield form
    form.close()


def note(form: RequestForm, field: str) -> str:
    """Return the note below a control."""
    form.panels.buttons["more"].value = True
    return html_of(below(form, form.controls[field]))


def test_every_field_is_a_trait_with_help_and_the_same_default(form: RequestForm) -> None:
    """A new form has the default request, and every field is a trait with help."""
    for name, default in VideoRequest().values().items():
        assert form.traits()[name].help == declared()[name].help
        assert getattr(form, name) == default
    assert form.request == VideoRequest()
    assert set(form.controls) == set(fields()) == set(EXAMPLES)


@pytest.mark.parametrize("field", EXAMPLES)
def test_typing_changes_the_trait_and_the_request(form: RequestForm, field: str) -> None:
    """Input in a control sets the field and changes the request."""
    model, shown, value = EXAMPLES[field]
    form.model = model
    form.controls[field].value = shown
    assert getattr(form, field) == value
    assert getattr(form.request, field) == value


@pytest.mark.parametrize("field", EXAMPLES)
def test_setting_the_trait_moves_the_control(form: RequestForm, field: str) -> None:
    """Setting a field updates its control."""
    model, shown, value = EXAMPLES[field]
    form.model = model
    setattr(form, field, value)
    assert form.controls[field].value == (shown.strip() if isinstance(shown, str) else shown)
    assert getattr(form.request, field) == value


@pytest.mark.parametrize("field", EXAMPLES)
def test_an_initial_value_is_shown(field: str) -> None:
    """``RequestForm(prompt=…)`` shows the value in the control."""
    model, _, value = EXAMPLES[field]
    form = RequestForm(**{"model": model, field: value})
    assert fields()[field].read(form.controls[field].value, declared()[field]) == value
    form.close()


def test_an_unknown_field_is_a_type_error() -> None:
    """A misspelt field is not ignored."""
    with pytest.raises(TypeError, match="promt"):
        RequestForm(promt="A koi")  # type: ignore[call-arg]  # the mistake


def test_nothing_is_written_back_while_the_user_types(form: RequestForm) -> None:
    """The control keeps white space that the field strips, so that the cursor does not move."""
    form.controls["last_frame"].value = "  https://example.com/z.png "
    assert form.last_frame == "https://example.com/z.png"
    assert form.controls["last_frame"].value == "  https://example.com/z.png "


@pytest.mark.parametrize("model", list(models_of()))
def test_only_what_the_model_takes_is_shown(form: RequestForm, model: str) -> None:
    """Fields that the model does not take are neither shown nor sent."""
    form.model = model
    for field, control in form.controls.items():
        assert (control.layout.display != "none") == (field in models_of()[model].parameters)


def test_input_is_kept_until_a_model_takes_it_again(form: RequestForm) -> None:
    """Switching to another model and back restores the input."""
    form.prompt, form.model = "A koi", "kling-v1"
    form.controls["negative_prompt"].value = "blur"
    form.controls["cfg_scale"].value = 0.8
    form.model = "kling-v3"
    assert form.request == VideoRequest(prompt="A koi")
    form.model = "kling-v1"
    assert (form.request.negative_prompt, form.request.cfg_scale) == ("blur", 0.8)


def test_a_length_comes_back_with_its_model(form: RequestForm) -> None:
    """12 s becomes the nearest duration of the other model, and is restored with the first model."""
    form.controls["duration"].value = 12
    form.model = "kling-v1"
    assert (form.duration, form.controls["duration"].value) == (10, 10)
    form.model = "kling-v3"
    assert (form.duration, form.controls["duration"].value) == (12, 12)


def test_a_length_chosen_in_between_stays(form: RequestForm) -> None:
    """A duration chosen in between replaces the requested one."""
    form.duration, form.model = 12, "kling-v1"
    form.controls["duration"].value = 5
    form.model = "kling-v3"
    assert form.duration == 5


def test_an_impossible_length_is_shown_with_its_problem(form: RequestForm) -> None:
    """An impossible duration set in code is kept and reported below its control."""
    form.model, form.duration = "kling-v1", 7
    assert form.controls["duration"].value == 7
    assert "7 is not a length that kling-v1 renders" in note(form, "duration")
    form.duration = 10
    assert [seconds for _, seconds in form.controls["duration"].options] == [5, 10]


def test_an_unknown_model_can_be_set(form: RequestForm) -> None:
    """A model unknown to this version can be set; all fields apply, and a hint is shown."""
    form.prompt, form.model = "A koi", "kling-v9"
    assert form.controls["model"].value == "kling-v9"
    assert form.problems == ()
    assert "is not a known model" in note(form, "model")


def test_a_blank_prompt_is_no_alarm_before_anything_was_typed(form: RequestForm) -> None:
    """A blank prompt prevents submission, but is no error until the user has typed one."""
    assert [problem.field for problem in form.problems] == ["prompt"]
    assert "Write a prompt" in form.obstacle
    assert "alarm" not in note(form, "prompt")
    form.controls["prompt"].value = "A"
    assert (form.obstacle, form.problems) == ("", ())
    form.controls["prompt"].value = ""
    assert "alarm" in note(form, "prompt")


def test_characters_are_counted_as_typed(form: RequestForm) -> None:
    """A Chinese character counts as one, and the limit is always shown."""
    assert "0 / 2500" in note(form, "prompt")
    form.controls["prompt"].value = "锦鲤" * 60
    assert "120 / 2500" in note(form, "prompt")
    form.controls["prompt"].value = "x" * 2501
    assert "leave out 1" in note(form, "prompt")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image_urls", "/home/me/koi.png"),
        ("last_frame", "https://example.com/z.png"),
        ("callback_url", "ftp://example.com"),
        ("negative_prompt", "x" * 2501),
        ("cfg_scale", 1.5),
        ("aspect_ratio", "4:3"),
        ("mode", "ultra"),
    ],
)
def test_a_problem_is_shown_below_its_control(form: RequestForm, field: str, value: object) -> None:
    """A problem is shown below its control, and the message beside Generate names the field."""
    form.prompt, form.model = "A koi", "kling-v1"
    setattr(form, field, value)
    assert [problem.field for problem in form.problems] == [field]
    assert "qingbo-alarm" in note(form, field)
    assert declared()[field].label in form.obstacle


def test_a_problem_in_a_closed_panel_is_shown_outside(form: RequestForm) -> None:
    """A problem in a closed panel is shown on its button and below the buttons."""
    form.prompt, form.callback_url = "A koi", "nonsense"
    more = form.panels.buttons["more"]
    assert more.description == "More (1 error)"
    assert (
        "Callback URL: enter a public http(s) URL instead of &#39;nonsense&#39;" in form.panels.message.value
    )
    form.callback_url = None
    assert more.description == "More"


def test_an_image_decides_the_shape(form: RequestForm) -> None:
    """With an image, the aspect ratio is disabled and not sent, but keeps its value."""
    form.prompt, form.aspect_ratio = "A koi", "9:16"
    form.image_urls = "https://example.com/a.png"
    assert form.controls["aspect_ratio"].disabled
    assert "image decides" in note(form, "aspect_ratio")
    assert form.request.aspect_ratio == "16:9"
    form.image_urls = ()
    assert not form.controls["aspect_ratio"].disabled
    assert form.request.aspect_ratio == "9:16"


def test_values_set_in_code_are_shown(form: RequestForm) -> None:
    """Values without a control are shown, because they cost money, as are values in closed panels."""
    form.prompt, form.model = "A koi", "kling-v1-6"
    form.camera_control = {"type": "simple", "config": {"zoom": 5}}
    form.action = "extend"
    assert form.request.camera_control == CameraControl("simple", {"zoom": 5})
    assert form.panels.buttons["camera"].description == "Camera: By axis"
    assert "Action: extend (set in code)" in text_of(form)
    form.model = "kling-v3"
    assert form.request.camera_control is None
    assert form.panels.buttons["camera"].layout.display == "none"


def test_shots_stand_instead_of_the_prompt(form: RequestForm) -> None:
    """With shots, prompt and duration are omitted from the request but keep their values."""
    form.prompt, form.duration = "A koi", 7
    form.shots = [("One", 5), {"prompt": "Two", "duration": 5}]
    assert form.request == VideoRequest(shots=(Shot("One", 5), Shot("Two", 5)))
    assert form.problems == ()
    assert form.controls["prompt"].layout.display == "none"
    assert form.controls["duration"].disabled
    form.shots = ()
    assert form.controls["prompt"].layout.display is None
    assert form.request == VideoRequest(prompt="A koi", duration=7)


def test_problems_can_be_observed_and_not_set(form: RequestForm) -> None:
    """The read-only trait ``problems`` follows changes by the user and by code."""
    seen = []
    form.observe(lambda change: seen.append(change["new"]), "problems")
    form.controls["prompt"].value = "A koi"
    assert seen == [()]
    with pytest.raises(TraitError):
        form.problems = ()


def test_what_is_typed_never_becomes_markup(form: RequestForm) -> None:
    """Hostile text is escaped in notes."""
    hostile = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
    form.prompt, form.model = "A koi", "kling-v1-6"
    form.image_urls, form.last_frame, form.callback_url = hostile, hostile, hostile
    form.camera_control, form.static_mask = hostile, hostile
    assert all("alarm" in note(form, field) for field in ("image_urls", "last_frame", "callback_url"))
    written = html_of(form)
    assert "alarm" in written
    assert "<img src=x" not in written
    assert "<script" not in written


def test_a_form_submits_what_it_shows(manager: TaskManager) -> None:
    """A form submits its request without a studio."""
    form = RequestForm(manager, prompt="A koi")
    assert form.submit().request == form.request
    form.close()


@pytest.mark.slow
def test_a_hundred_forms_leave_nothing(live_widgets: Callable[[], int]) -> None:
    """A hundred closed forms leave no widgets."""
    gc.collect()
    before = live_widgets()
    for _ in range(100):
        RequestForm().close()
    assert live_widgets() == before


def test_the_rare_fields_are_folded_away(form: RequestForm) -> None:
    """A button shows and hides the rare fields."""
    more = form.panels.buttons["more"]
    assert "last_frame" not in form.controls.made
    more.value = True
    folded = form.panels.editor("more")
    assert form.controls["last_frame"] in folded.children
    assert folded.layout.display is None
    more.value = False
    assert folded.layout.display == "none"


def test_a_field_can_be_fixed() -> None:
    """A fixed field is shown and sent, and can be changed neither in the form nor in code."""
    form = RequestForm(prompt="A koi", fixed={"mode": "pro", "duration": 7})
    assert form.controls["mode"].disabled
    assert "Set in code; it cannot be changed here." in note(form, "mode")
    with pytest.raises(TraitError, match="mode is fixed in this form, to 'pro'"):
        form.mode = "std"
    form.mode = "pro"
    form.model = "kling-v1"
    assert (form.request.mode, form.request.duration) == ("pro", 7)
    assert [problem.field for problem in form.problems] == ["duration"]
    form.close()


def test_a_field_can_be_hidden() -> None:
    """A hidden field has no control, but is sent, and its problems are shown."""
    form = RequestForm(model="kling-v1-6", prompt="A koi", camera_control="down_back", hide=HIDDEN)
    assert not set(HIDDEN) & set(form.controls)
    assert form.panels.buttons["camera"].layout.display == "none"
    assert form.request.camera_control == CameraControl("down_back")
    form.callback_url = "ftp://example.com"
    form.panels.buttons["more"].value = True  # problems in a closed panel are shown below the buttons
    assert "Callback URL: enter a public http(s) URL instead of 'ftp://example.com'" in text_of(form)
    assert form.obstacle == "Fix first: Callback URL."
    form.close()


def test_hiding_the_shots_leaves_the_prompt() -> None:
    """A form with hidden shots has no switch, and shows the prompt."""
    form = RequestForm(prompt="A koi", hide="shots")
    assert form.switch is None
    assert form.controls["prompt"].layout.display is None
    form.close()


@pytest.mark.parametrize("wrong", [{"fixed": {"moed": "std"}}, {"hide": ["moed"]}])
def test_fixing_or_hiding_an_unknown_field_is_a_type_error(wrong: dict[str, Any]) -> None:
    """A misspelt field is not ignored."""
    with pytest.raises(TypeError, match="moed"):
        RequestForm(**wrong)


def test_a_field_has_one_value() -> None:
    """A field with both a fixed and an initial value is a TypeError."""
    with pytest.raises(TypeError, match="mode"):
        RequestForm(mode="pro", fixed={"mode": "std"})


def test_fields_link_with_other_widgets(form: RequestForm) -> None:
    """Any field can be linked in both directions with other objects that have traits."""
    slider, text = ipywidgets.IntSlider(min=3, max=15), ipywidgets.Text()
    link((form, "duration"), (slider, "value"))
    link((form, "prompt"), (text, "value"))
    slider.value, text.value = 9, "A koi"
    assert (form.controls["duration"].value, form.controls["prompt"].value) == (9, "A koi")
    form.controls["duration"].value = 4
    assert slider.value == 4
    other = RequestForm()
    link((form, "shots"), (other, "shots"))
    form.switch.value = True
    other.slots["prompt"].editor.rows[1].prompt.value = "Two"
    assert form.slots["prompt"].editor.rows[1].prompt.value == "Two"
    other.close()


def test_a_control_is_made_when_it_is_first_needed(form: RequestForm) -> None:
    """A control is created when its panel opens or on access, and shows the value set before."""
    form.last_frame = "https://example.com/z.png"
    assert "last_frame" not in form.controls.made
    assert form.controls["last_frame"].value == "https://example.com/z.png"
    form.panels.buttons["more"].value = True
    assert form.controls["last_frame"] in form.panels.editor("more").children
    with pytest.raises(KeyError):
        form.controls["shots"]


def test_the_first_form_is_small(live_widgets: Callable[[], int]) -> None:
    """A new form has few widgets, because panels are created on first use."""
    before = live_widgets()
    form = RequestForm()
    assert live_widgets() - before <= MOST_WIDGETS
    form.close()


def test_nothing_below_jumps_when_the_model_changes(form: RequestForm) -> None:
    """The switch and the row of buttons are shown for every model, so that nothing below them jumps."""
    for model in models_of():
        form.model = model
        assert form.switch.layout.display is None
        assert form.panels.buttons["more"].layout.display is None


def test_the_length_of_a_prompt_is_counted_against_the_limit_of_the_model(
    described: Callable[[str], None],
) -> None:
    """The character count uses the limit of the chosen model."""
    described("[models.kling-v9]\ntakes = []\nprompt = { most = 100 }")
    form = RequestForm(prompt="a koi")
    assert "5 / 2500 characters" in note(form, "prompt")
    form.model = "kling-v9"
    assert "5 / 100 characters" in note(form, "prompt")
    form.close()


def test_an_invented_image_is_previewed(
    described: Callable[[str], None], sandbox: Sandbox, tmp_path: Path
) -> None:
    """A new image parameter is previewed and omitted like the built-in ones."""
    described(
        """
        [parameters.backdrop]
        type = "url"
        media = "image"
        label = "Image"
        example = "sky.png"

        [models.kling-v9]
        takes = ["backdrop"]

        [[constraints]]
        when = { backdrop = "*" }
        omit = ["aspect_ratio"]
        require = "negative_prompt"
        note = "duration: it is not sent, the durations of the shots decide."
        instead = "The image decides the shape."
        """
    )
    file = tmp_path / "sky.png"
    Image.new("RGB", (640, 360)).save(file)
    manager = TaskManager(Client(sandbox.api_key, sandbox.base_url), Library(tmp_path), sandbox=sandbox)
    form = RequestForm(manager, model="kling-v9", prompt="a koi")
    form.backdrop = str(file)  # type: ignore[attr-defined]  # the test's own field
    assert form.slots["backdrop"].editor.url == form.backdrop  # type: ignore[attr-defined]  # the test's own field
    assert "The image decides the shape." in note(form, "aspect_ratio")
    (problem,) = form.problems
    assert "needs negative_prompt too" in problem.message
    assert loading.fields_of(form)["backdrop"] == str(file), "a preset names the file"
    after = continuation(form.request, "https://example.com/last.png", "it dives", "2026-04")
    assert after.backdrop is None, "it belongs to the first video"  # type: ignore[attr-defined]  # the test's own field
    form.close()
    manager.close()


def test_an_invented_parameter_has_its_control(described: Callable[[str], None]) -> None:
    """A model and a parameter added in a description appear in the form without other changes."""
    described(INVENTED)
    form = RequestForm(prompt="a koi")
    assert "kling-v9" in [value for _, value in form.controls["model"].options]
    assert form.controls["grain"].layout.display == "none", "the first model does not take it"
    form.model = "kling-v9"
    assert form.controls["grain"].layout.display is None
    assert [value for _, value in form.controls["grain"].options] == ["fine", "coarse"]
    assert [value for _, value in form.controls["duration"].options] == [5, 12]
    form.controls["grain"].value = "coarse"
    assert form.request == VideoRequest("kling-v9", "a koi", grain="coarse")  # type: ignore[call-arg]  # the test's own field
    form.grain = "fine"  # type: ignore[attr-defined]  # the test's own field
    assert form.controls["grain"].value == "fine"
    form.close()
