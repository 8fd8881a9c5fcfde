"""The table of fields is complete, and each control tells what it is for."""

from __future__ import annotations

import ipywidgets
import pytest

from qingbo_widgets.service.contract.models import declared, models_of
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.widgets.form.fields import build, duration_options, fields, offer
from tests.widgets.page import tooltip_of


def test_every_field_of_a_request_is_explained() -> None:
    """A field that is added to requests cannot be forgotten here."""
    assert set(declared()) == set(VideoRequest.field_names())
    assert set(fields()) < set(declared())


@pytest.mark.parametrize("name", list(fields()))
def test_every_control_has_a_name_and_an_explanation(name: str) -> None:
    """A screen reader says the description; the tooltip says what the field is for."""
    control = build(name)
    assert control.description == declared()[name].label
    assert tooltip_of(control) == declared()[name].help


@pytest.mark.parametrize("name", list(fields()))
def test_building_twice_gives_equal_controls(name: str) -> None:
    """The table is not used up by the first form."""
    first, second = build(name), build(name)
    assert getattr(first, "options", None) == getattr(second, "options", None)


@pytest.mark.parametrize("model", list(models_of()))
def test_a_model_offers_its_lengths(model: str) -> None:
    """What is offered is what the catalogue says, with the unit."""
    options = duration_options(model)
    assert tuple(seconds for _, seconds in options) == models_of()[model].parameters["duration"].choices
    assert all(label == f"{seconds} s" for label, seconds in options)


def test_offer_shows_a_value_that_is_not_offered() -> None:
    """What was set in code is shown, not replaced behind one's back."""
    choice = ipywidgets.Dropdown(options=[("one", 1)])
    offer(choice, [("one", 1), ("two", 2)], 7)
    assert choice.value == 7
    offer(choice, [("one", 1), ("two", 2)], 2)
    assert [value for _, value in choice.options] == [1, 2]
