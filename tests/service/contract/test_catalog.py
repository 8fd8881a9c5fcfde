"""The tables of the contract."""

from __future__ import annotations

import dataclasses

import pytest

from qingbo_widgets.service.contract import catalog
from qingbo_widgets.service.contract.request import VideoRequest


def test_the_models_are_those_of_the_contract() -> None:
    """In the order of the documentation."""
    assert list(catalog.MODELS) == ["kling-v3", "kling-v2-master", "kling-v1-6", "kling-v1"]


def test_every_named_field_exists() -> None:
    """A table that names a field which VideoRequest does not have would be read by nobody."""
    fields = {field.name for field in dataclasses.fields(VideoRequest)}
    assert fields >= catalog.COMMON_FIELDS
    assert fields == catalog.COMMON_FIELDS.union(*(spec.fields for spec in catalog.MODELS.values()))


@pytest.mark.parametrize(
    ("model", "field", "expected"),
    [
        ("kling-v3", "shots", True),
        ("kling-v3", "negative_prompt", False),
        ("kling-v2-master", "cfg_scale", False),
        ("kling-v1", "camera_control", False),
        ("kling-v1-6", "camera_control", True),
        ("kling-v1", "mode", True),
        ("kling-v9", "anything", True),
        (None, "shots", True),
    ],
)
def test_takes(model: object, field: str, expected: bool) -> None:
    """A form can ask which controls to offer; an unknown model may take anything."""
    assert catalog.takes(model, field) is expected


@pytest.mark.parametrize(
    ("typed", "meant"), [("kling_v3", "kling-v3"), ("Kling-V1.6", "kling-v1-6"), ("sora", None)]
)
def test_closest_model(typed: str, meant: str | None) -> None:
    """A slip of the pen is recognised, another name is not bent into ours."""
    assert catalog.closest_model(typed) == meant
