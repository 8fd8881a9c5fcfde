"""Controls have names and tooltips, and show any value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.service.contract.models import declared, models_of
from qingbo_widgets.widgets.form.controls import build, offer
from qingbo_widgets.widgets.form.fields import fields
from qingbo_widgets.widgets.form.request_form import RequestForm
from tests.widgets.page import below, html_of, tooltip_of


@pytest.mark.parametrize("name", list(fields()))
def test_every_control_has_a_name_and_an_explanation(name: str) -> None:
    """Every control has a description for screen readers and a tooltip."""
    control = build(name, models_of().parameters[name], models_of())
    assert control.description == declared()[name].label
    assert tooltip_of(control) == declared()[name].help


@pytest.mark.parametrize("name", list(fields()))
def test_building_twice_gives_equal_controls(name: str) -> None:
    """Building the same control twice gives the same options."""
    first, second = (build(name, models_of().parameters[name], models_of()) for _ in range(2))
    assert getattr(first, "options", None) == getattr(second, "options", None)


def test_offer_shows_a_value_that_is_not_offered() -> None:
    """A value set in code that is not among the options is shown and not replaced."""
    choice = ipywidgets.Dropdown(options=[("one", 1)])
    offer(choice, [("one", 1), ("two", 2)], 7)
    assert choice.value == 7
    offer(choice, [("one", 1), ("two", 2)], 2)
    assert [value for _, value in choice.options] == [1, 2]


def values(form: RequestForm, name: str) -> list[Any]:
    """Return the values that a dropdown offers."""
    return [value for _, value in form.controls[name].options]


def test_a_choice_offers_what_the_chosen_model_takes(described: Callable[[str], None]) -> None:
    """A dropdown offers the model's choices; a value that the next model lacks is set aside."""
    described(
        """
        [models.kling-v9]
        takes = []
        aspect_ratio = { choices = ["21:9", "16:9"] }
        mode = { choices = ["ultra", "std"], labels = { ultra = "Generate audio" } }
        """
    )
    form = RequestForm(prompt="A koi", model="kling-v9")
    assert values(form, "aspect_ratio") == ["21:9", "16:9"]
    assert list(form.controls["mode"].options) == [("Generate audio", "ultra"), ("std", "std")]
    form.controls["aspect_ratio"].value, form.controls["mode"].value = "21:9", "ultra"
    assert (form.request.aspect_ratio, form.request.mode) == ("21:9", "ultra")
    assert form.problems == ()
    form.controls["model"].value = "kling-v3"
    assert values(form, "aspect_ratio") == ["16:9", "9:16", "1:1"]
    assert (form.controls["aspect_ratio"].value, form.controls["mode"].value) == ("16:9", "std")
    assert form.problems == ()
    assert "Set aside" in html_of(below(form, form.controls["model"]))
    form.controls["model"].value = "kling-v9"
    assert (form.request.aspect_ratio, form.request.mode) == ("21:9", "ultra")
    form.mode = "huge"
    assert values(form, "mode") == ["ultra", "std", "huge"]
    assert "qingbo-alarm" in html_of(below(form, form.controls["mode"]))
    form.close()


def test_seconds_that_are_no_duration_have_choices_of_their_own(described: Callable[[str], None]) -> None:
    """A parameter in seconds offers the choices of the chosen model, and can be unset again."""
    described(
        """
        [parameters.fade]
        type = "seconds"
        help = "The length of the video in seconds."
        choices = [1, 2]

        [models.kling-v9]
        takes = ["fade"]

        [models.kling-v10]
        takes = ["fade"]
        fade = { choices = [3, 4], default = 4 }
        """
    )
    form = RequestForm(prompt="A koi", model="kling-v9")
    assert list(form.controls["fade"].options) == [("default", None), ("1 s", 1), ("2 s", 2)]
    form.controls["fade"].value = 2
    assert form.request.fade == 2  # type: ignore[attr-defined]  # the test's own field
    form.controls["fade"].value = None
    assert form.request.fade is None  # type: ignore[attr-defined]  # the test's own field
    form.model = "kling-v10"
    assert list(form.controls["fade"].options) == [("3 s", 3), ("4 s", 4)]
    assert form.controls["fade"].value == form.request.fade == 4  # type: ignore[attr-defined]  # the test's own field
    form.close()
