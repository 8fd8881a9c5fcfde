"""The fields of a form keep the defaults of the chosen model until a value is chosen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.models import DEFAULT_CONTRACT
from qingbo_widgets.service.contract.problem import Problem
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.widgets.form import image_fields, loading, messages
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.form.state import FormState

#: A model with defaults of its own, and one whose default is 10 seconds.
MODELS = """
[parameters.grain]
type = "choice"
label = "Mode"
help = "The length of the video in seconds."
default = "fine"
choices = ["fine", "coarse"]

[models.kling-v9]
takes = ["negative_prompt", "grain"]
mode = { default = "pro" }
duration = { choices = [7, 12], default = 7 }
negative_prompt = { default = "blur" }

[models.kling-v10]
takes = ["grain"]
duration = { choices = [5, 10], default = 10 }
grain = { default = "coarse" }

[parameters.steps]
type = "integer"
label = "Mode"
help = "The length of the video in seconds."
default = 30

[models.kling-v12]
takes = ["steps"]

[models.kling-v11]
takes = []
duration = { choices = [] }
"""


@pytest.fixture(autouse=True)
def models(described: Callable[[str], None]) -> None:
    """Add the test models to the usual ones."""
    described(MODELS)


def chosen(form: FormState) -> tuple[str, int, str | None]:
    """Return the fields for which kling-v9 has its own defaults."""
    return form.request.mode, form.request.duration, form.request.negative_prompt


def test_a_new_form_has_the_defaults_of_its_model() -> None:
    """A new form shows and sends the same values as ``generate``."""
    form = RequestForm(model="kling-v9", prompt="A koi")
    assert chosen(form) == ("pro", 7, "blur")
    assert (form.controls["mode"].value, form.controls["duration"].value) == ("pro", 7)
    assert form.controls["negative_prompt"].value == "blur"
    assert form.request == VideoRequest("kling-v9", "A koi")
    assert form.problems == ()
    form.close()


def test_values_from_the_code_override_defaults() -> None:
    """Initial and fixed values override defaults, even if they precede the model."""
    assert FormState(mode="std", duration=12, model="kling-v9").request.mode == "std"
    assert FormState(fixed={"mode": "std", "model": "kling-v9"}).request.mode == "std"
    assert FormState(fixed={"model": "kling-v9"}).request.mode == "pro"


def test_choosing_a_model_moves_fields_at_their_default() -> None:
    """Choosing a model and going back moves fields at their default each time."""
    form = RequestForm(prompt="A koi")
    form.controls["model"].value = "kling-v9"
    assert chosen(form) == ("pro", 7, "blur")
    assert (form.controls["mode"].value, form.controls["duration"].value) == ("pro", 7)
    assert form.problems == ()
    form.controls["model"].value = "kling-v3"
    assert form.request == VideoRequest(prompt="A koi")
    form.close()


def test_choosing_a_model_keeps_chosen_values() -> None:
    """Chosen values stay, even if they equal the default of a model in between."""
    form = FormState(aspect_ratio="9:16")
    form.mode, form.duration = "pro", 10
    for model in ("kling-v9", "kling-v10"):
        form.model = model
        assert (form.mode, form.aspect_ratio) == ("pro", "9:16")
    assert form.duration == 10
    form.model = "kling-v3"
    assert (form.mode, form.duration, form.aspect_ratio) == ("pro", 10, "9:16")
    form.mode = "std"  # the default
    form.model = "kling-v9"
    assert form.mode == "pro"


def test_a_fixed_field_does_not_move() -> None:
    """A fixed field keeps its value for every model."""
    form = FormState(fixed={"mode": "std", "duration": 5})
    form.model = "kling-v9"
    assert (form.mode, form.duration) == ("std", 5)


def test_a_field_that_a_model_does_not_take_moves_with_the_models_that_do() -> None:
    """A field that is not chosen has the default of the current model that takes it."""
    form = FormState(model="kling-v9")
    assert form.grain == "fine"  # type: ignore[attr-defined]  # the test's own field
    for model, default in (("kling-v3", "fine"), ("kling-v10", "coarse"), ("kling-v1", "fine")):
        form.model = model
        assert form.grain == default  # type: ignore[attr-defined]  # the test's own field
    assert "grain" not in loading.fields_of(form), "a preset of this model is a request of it"
    form.grain = "coarse"  # type: ignore[attr-defined]  # the test's own field
    form.model = "kling-v9"
    assert form.request.grain == "coarse"  # type: ignore[attr-defined]  # the test's own field


def test_an_untouched_duration_is_the_default_and_a_chosen_one_is_restored() -> None:
    """An untouched duration follows the defaults; a chosen one is restored even after meeting a default."""
    form = FormState(model="kling-v9")
    for model, seconds in (("kling-v11", 5), ("kling-v10", 10), ("kling-v3", 5), ("kling-v9", 7)):
        form.model = model
        assert form.duration == seconds
    form.duration = 12
    for model, seconds in (("kling-v10", 10), ("kling-v3", 12), ("kling-v1", 10), ("kling-v9", 12)):
        form.model = model
        assert form.duration == seconds
    for model, seconds in (("kling-v1", 10), ("unlisted", 12), ("kling-v10", 10), ("kling-v11", 12)):
        form.model = model
        assert form.duration == seconds


def test_an_unlisted_model_leaves_other_models_defaults_unset() -> None:
    """An unlisted model can be set, loaded and shown, and only fields that were set are sent."""
    form = RequestForm(model="unlisted", prompt="a koi")
    assert (form.grain, form.request.given.get("grain")) == (None, None)  # type: ignore[attr-defined]  # the test's own field
    form.model = "kling-v9"
    assert form.controls["grain"].value == "fine"
    form.model = "unlisted"
    assert form.controls["model"].value == "unlisted"
    assert "grain" not in form.request.given
    form.load({"model": "unlisted", "prompt": "a koi", "duration": None})
    assert form.request.given == {"model": "unlisted", "action": "generate", "prompt": "a koi"} | {
        name: form.default(name) for name in ("aspect_ratio", "duration", "mode")
    }
    form.close()


def test_an_empty_field_shows_the_default_that_is_sent(described: Callable[[str], None]) -> None:
    """An empty field shows the default that is sent as its placeholder."""
    form = RequestForm(model="kling-v12", prompt="a koi")
    form.controls["steps"].value = ""
    assert form.controls["steps"].placeholder == "30"
    assert form.contract.encode(form.request)["steps"] == 30
    form.close()


def test_model_and_field_can_be_set_together() -> None:
    """A field set with the model in one ``hold_trait_notifications`` keeps its value."""
    form = FormState()
    with form.hold_trait_notifications():
        form.model, form.mode, form.duration = "kling-v9", "ultra", 12
    assert (form.mode, form.duration, form.negative_prompt) == ("ultra", 12, "blur")


@pytest.mark.parametrize(
    "fill",
    [
        lambda form: form.load(VideoRequest("kling-v9", "A koi")),
        lambda form: form.load({"model": "kling-v9", "prompt": "A koi"}),
        lambda form: form.paste('{"model": "kling-v9", "prompt": "A koi"}'),
    ],
)
def test_filling_in_gives_the_defaults_of_the_model_that_is_filled_in(fill: Callable[[Any], Any]) -> None:
    """Fields that are not named get the defaults of the new model, and follow the next one."""
    form = RequestForm(model="kling-v1", mode="pro", duration=10)
    assert fill(form) == ()
    assert form.request == VideoRequest("kling-v9", "A koi")
    assert chosen(form) == ("pro", 7, "blur")
    form.model = "kling-v3"
    assert form.request == VideoRequest("kling-v3", "A koi")
    form.close()


def test_named_fields_keep_their_value_when_a_form_is_filled_in() -> None:
    """A named field keeps its value, even if it is the previous model's default."""
    form = RequestForm()
    form.load(VideoRequest("kling-v9", "A koi", mode="std", duration=12))
    assert chosen(form) == ("std", 12, "blur")
    form.model = "kling-v10"
    form.model = "kling-v9"
    assert chosen(form) == ("std", 12, "blur")
    body = CONTRACTS[DEFAULT_CONTRACT].encode(form.request)
    form.load(VideoRequest())
    form.paste(json.dumps(body))
    assert chosen(form) == ("std", 12, "blur")
    form.close()


def test_a_model_that_does_not_take_a_field_with_a_default_can_be_loaded() -> None:
    """Loading a model that does not take a field with a default reports nothing as left out."""
    form = RequestForm(model="kling-v9", grain="coarse")  # type: ignore[call-arg]  # the test's own field
    assert form.load(VideoRequest("kling-v3", "A koi")) == ()
    assert form.grain == "fine"  # type: ignore[attr-defined]  # the test's own field
    form.close()


def test_a_form_that_is_saved_and_started_afresh_is_what_it_showed() -> None:
    """A form that is saved and reset has the same values, including those at a default."""
    form = RequestForm(model="kling-v9", prompt="A koi")
    saved, request = loading.fields_of(form), form.request
    assert saved == {
        "model": "kling-v9",
        "prompt": "A koi",
        "action": "generate",
        "aspect_ratio": "16:9",
        "duration": 7,
        "negative_prompt": "blur",
        "mode": "pro",
        "grain": "fine",
    }
    form.model = "kling-v3"
    assert form.load(saved) == ()
    assert form.request == request
    form.load(VideoRequest())
    form.reset()
    assert form.request == request
    form.close()


def test_a_default_that_is_emptied_is_not_sent() -> None:
    """An emptied field is omitted from the body, and its default is not sent either."""
    form = RequestForm(model="kling-v9", prompt="A koi")
    form.controls["negative_prompt"].value = ""
    assert not form.request.negative_prompt
    assert "negative_prompt" not in CONTRACTS[DEFAULT_CONTRACT].encode(form.request)
    form.close()


def test_a_change_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of one field checks the request once, because each check delays typing."""
    form, looks = RequestForm(prompt="A koi"), []
    check = RequestForm.check
    monkeypatch.setattr(RequestForm, "check", lambda self: (looks.append(1), check(self))[1])
    form.controls["prompt"].value = "A fox"
    assert len(looks) == 1
    form.model = "kling-v9"
    assert form.duration == 7
    assert len(looks) == 2
    form.close()


def test_a_report_during_drawing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image report that arrives while the form is drawn is shown."""
    form, reports = RequestForm(prompt="A koi"), []
    issue = Problem("image_urls", "image_urls: it cannot be loaded.")
    below = messages.below
    monkeypatch.setattr(messages, "below", lambda *args: (reports.append(issue), below(*args))[1])
    monkeypatch.setattr(image_fields, "known_issues", lambda _: (tuple(reports[:1]), ()))
    form.prompt = "A fox"
    assert form.problems == (issue,)
    form.close()
