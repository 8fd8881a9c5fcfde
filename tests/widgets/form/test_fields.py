"""The table of fields is complete, and dropdowns offer the values of the description."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.service.contract.models import declared, models_of
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.values import CameraControl, DynamicMask, Shot
from qingbo_widgets.widgets.form.fields import fields, seconds_options
from qingbo_widgets.widgets.form.request_form import RequestForm
from tests.widgets.page import below, html_of


def test_every_field_of_a_request_is_explained() -> None:
    """Every field of a request is declared, and every field with a control is one of them."""
    assert set(declared()) == set(VideoRequest.field_names())
    assert set(fields()) < set(declared())


@pytest.mark.parametrize("model", list(models_of()))
def test_a_model_offers_its_lengths(model: str) -> None:
    """The dropdown offers the durations of the model's description, with the unit."""
    described = models_of()[model].parameters["duration"]
    options = seconds_options(described, models_of())
    assert tuple(seconds for _, seconds in options) == described.choices
    assert all(label == f"{seconds} s" for label, seconds in options)


MASK = {"mask_url": "https://example.com/m.png", "trajectories": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}
AREA = DynamicMask("https://example.com/m.png", ((1, 2), (3, 4)))

#: For each type, with the shortest description possible: the input, and the value of the field.
TYPES: dict[str, tuple[str, str, Any, Any]] = {
    "name": ("name", "", " koi ", "koi"),
    "name with a default": ("name", 'default = "fox"', "koi", "koi"),
    "text": ("text", "", "koi", "koi"),
    "choice": ("choice", 'choices = ["x", "y"]', "y", "y"),
    "choice of numbers": ("choice", "choices = [720, 1080]", 1080, 1080),
    "choice of numbers with a default": ("choice", "choices = [720, 1080]\ndefault = 720", 1080, 1080),
    "seconds": ("seconds", "choices = [2, 4]", 4, 4),
    "seconds with a default": ("seconds", "choices = [2, 4]\ndefault = 2", 4, 4),
    "any seconds": ("seconds", "", "4", 4),
    "integer": ("integer", "range = [0, 10]", "7", 7),
    "integer with a default": ("integer", "range = [0, 10]\ndefault = 3", "7", 7),
    "number": ("number", "range = [-1, 1]", "0.25", 0.25),
    "number with an example": ("number", "range = [-1, 1]\nexample = 0.5", 0.25, 0.25),
    "number with a default": ("number", "range = [-1, 1]\ndefault = 1", 0.25, 0.25),
    "boolean": ("boolean", "", True, True),
    "boolean with a default": ("boolean", "default = true", False, False),
    "url": ("url", "", "https://example.com/a.png", "https://example.com/a.png"),
    "urls": ("urls", "", "https://example.com/a.png", ("https://example.com/a.png",)),
    "camera": ("camera", 'choices = ["spin"]', "spin", CameraControl("spin")),
    "camera as JSON": ("camera", 'choices = ["spin"]', '{"type": "spin"}', CameraControl("spin")),
    "masks": ("masks", "most = 2\npoints = [2, 5]", json.dumps([MASK]), (AREA,)),
    "shots": ("shots", "", '[{"prompt": "One", "duration": 5}]', (Shot("One", 5),)),
}


@pytest.mark.parametrize("case", TYPES)
def test_every_type_has_a_control(described: Callable[[str], None], case: str) -> None:
    """A control of every type sends nothing until it is used, accepts input, and shows values set in code."""
    type_, words, shown, value = TYPES[case]
    help_ = "The length of the video in seconds."
    described(
        f'[parameters.extra_one]\ntype = "{type_}"\nhelp = "{help_}"\n{words}\n'
        '[models.kling-v9]\ntakes = ["extra_one"]'
    )
    form, other = RequestForm(prompt="A koi"), RequestForm(prompt="A koi", model="kling-v9", extra_one=value)  # type: ignore[call-arg]  # the test's own field
    control = form.controls["extra_one"]
    form.controls["model"].value = "kling-v9"
    assert control.layout.display is None
    assert form.request == VideoRequest("kling-v9", "A koi")
    control.value = shown
    assert form.request == VideoRequest("kling-v9", "A koi", extra_one=value)  # type: ignore[call-arg]  # the test's own field
    assert control.value == shown, "what is typed stays"
    assert fields()["extra_one"].read(other.controls["extra_one"].value, declared()["extra_one"]) == value
    form.close()
    other.close()


@pytest.mark.parametrize("type_", ["integer", "number", "camera", "masks", "shots"])
@pytest.mark.parametrize("typed", ['[{"half', "-"])
def test_invalid_input_stays_as_typed(described: Callable[[str], None], type_: str, typed: str) -> None:
    """Input that cannot be parsed stays as typed, is shown as a problem, and can be cleared."""
    described(
        f'[parameters.extra_one]\ntype = "{type_}"\nhelp = "The length of the video in seconds."\n'
        'choices = ["spin"]\nrange = [0, 10]\npoints = [2, 5]\n[models.kling-v9]\ntakes = ["extra_one"]'
    )
    form = RequestForm(prompt="A koi", model="kling-v9")
    control = form.controls["extra_one"]
    control.value = typed
    assert control.value == typed
    assert {problem.field for problem in form.problems} == {"extra_one"}
    assert "qingbo-alarm" in html_of(below(form, control))
    form.refresh()
    assert control.value == typed
    control.value = ""
    assert form.request == VideoRequest("kling-v9", "A koi")
    assert form.problems == ()
    form.close()


def test_a_control_that_is_never_empty_shows_the_likely_value_of_the_model(
    described: Callable[[str], None],
) -> None:
    """A control that cannot be empty shows the chosen model's default or example while the field is unset."""
    described("[models.kling-v9]\ntakes = ['enable_audio', 'cfg_scale']\nenable_audio = { example = false }")
    form = RequestForm(prompt="A koi")
    assert isinstance(form.controls["enable_audio"], ipywidgets.Checkbox)
    assert form.controls["enable_audio"].value is True
    form.model = "kling-v9"
    assert form.controls["enable_audio"].value is False
    assert form.request.enable_audio is None
    form.close()


def test_ctrl_enter_takes_the_text_of_any_text_area(described: Callable[[str], None]) -> None:
    """A text from Ctrl+Enter is found by its label in any text area, including JSON fields."""
    described(
        '[parameters.scenes]\ntype = "shots"\nlabel = "Mode"\nhelp = "The length of the video in seconds."\n'
        '[models.kling-v9]\ntakes = ["scenes"]'
    )
    form = RequestForm(prompt="A koi", model="kling-v9")
    request = form.with_text("Mode", '[["One", 5]]')
    assert request == form.request == VideoRequest("kling-v9", "A koi", scenes=[("One", 5)])  # type: ignore[call-arg]  # the test's own field
    assert form.with_text("Aspect ratio", "16:9") is None
    form.close()
