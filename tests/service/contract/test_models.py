"""``models`` and ``schema``: the description of a contract's models, and that everything reads it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from qingbo_widgets.service.contract.kinds import KINDS
from qingbo_widgets.service.contract.models import models_of
from qingbo_widgets.service.contract.pasted import read_body
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.v2026_04 import Contract202604
from tests.descriptions import INVENTED


def test_the_models_are_those_of_the_contract() -> None:
    """In the order of the documentation."""
    assert list(models_of("2026-04")) == ["kling-v3", "kling-v2-master", "kling-v1-6", "kling-v1"]


def test_every_parameter_is_of_a_known_type_and_explained() -> None:
    """A form, a tooltip and a table in the documentation are made of it."""
    for name, parameter in models_of("2026-04").parameters.items():
        assert parameter.type in KINDS, name
        assert parameter.label, name
        assert parameter.help, name
        assert set(parameter.labels) <= set(parameter.choices) or parameter.type == "camera", name


@pytest.mark.parametrize(
    ("model", "field", "expected"),
    [
        ("kling-v3", "shots", True),
        ("kling-v3", "negative_prompt", False),
        ("kling-v2-master", "cfg_scale", False),
        ("kling-v1", "camera_control", False),
        ("kling-v1-6", "camera_control", True),
        ("kling-v1", "mode", True),
        ("kling-v9", "dynamic_masks", True),
        (None, "shots", True),
    ],
)
def test_takes(model: object, field: str, expected: bool) -> None:
    """A form can ask which controls to offer; a model that is not listed may take anything."""
    assert (field in models_of().of(model).parameters) is expected


@pytest.mark.parametrize(
    ("typed", "meant"), [("kling_v3", "kling-v3"), ("Kling-V1.6", "kling-v1-6"), ("sora", None)]
)
def test_closest_model(typed: str, meant: str | None) -> None:
    """A slip of the pen is recognised, another name is not bent into ours."""
    assert models_of().closest(typed) == meant


def test_an_invented_model_and_an_invented_parameter(described: Callable[[str], None]) -> None:
    """Checks, defaults, the body and its inverse follow from the description alone."""
    described(INVENTED)
    request = VideoRequest("kling-v9", "a koi", grain="coarse", duration=12)
    assert request.problems() == ()
    assert request.grain == "coarse"
    assert VideoRequest("kling-v9").grain == "fine", "the default of the description"
    body = Contract202604().encode(request)
    assert body["extra"] == {"mode": "std", "film": {"grain": "coarse"}}
    assert read_body(json.loads(json.dumps(body))).request == request
    (problem,) = request.replace(grain="soft").problems()
    assert str(problem) == "grain: 'soft' is not one of fine, coarse; 'fine' would do."
    (problem,) = VideoRequest("kling-v1", "a koi", grain="fine").problems()
    assert "kling-v1 does not take it (kling-v9 would)" in str(problem)
    assert VideoRequest.from_dict(json.loads(json.dumps(request.as_dict()))) == request
    assert models_of().closest("kling-v8") in ("kling-v9", "kling-v3", "kling-v1")


def test_no_field_is_declared_by_a_typing_error() -> None:
    """A name that no model takes is an error, with the names that there are."""
    with pytest.raises(TypeError, match=r"no field grain; it has model, action, prompt"):
        VideoRequest(grain="coarse")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ('[models.kling-v9]\ntakes = ["grian"]', "grian: not described"),
        ("[models.kling-v9]\ntakes = []\ndurations = { choices = [5] }", "durations is no parameter"),
        ('[parameters.grain]\ntype = "choice"\nchoises = ["fine"]', "choises"),
        ('[[constraints]]\nwhen = { shots = "*" }\nforbids = ["prompt"]', "forbids"),
    ],
)
def test_a_word_that_the_schema_lacks_is_an_error(
    described: Callable[[str], None], words: str, error: str
) -> None:
    """A misspelt word would be a rule that nobody keeps."""
    with pytest.raises((TypeError, KeyError), match=error):
        described(words)
