"""The parts of a request, their conversions, and values that cannot be converted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.v2026_04 import Contract202604
from qingbo_widgets.service.contract.values import (
    CameraControl,
    DynamicMask,
    Shot,
    as_camera,
    as_mask,
    as_shot,
)


@pytest.mark.parametrize("reader", [as_shot, as_camera, as_mask])
@pytest.mark.parametrize("value", [3, None, {"x": 1}, object(), (1, 2, 3)])
def test_an_unreadable_value_is_kept(reader: Callable[[Any], Any], value: object) -> None:
    """A value that cannot be converted is kept unchanged, so that ``problems()`` can report it."""
    assert reader(value) is value


def test_a_config_is_copied() -> None:
    """Changing the dictionary afterwards does not change the request."""
    config = {"zoom": 1}
    camera = CameraControl("simple", config)
    config["zoom"] = 9
    assert camera.config == {"zoom": 1}


def test_equal_movements_have_equal_hashes() -> None:
    """The order of the axes does not matter."""
    one, other = (
        CameraControl("simple", {"zoom": 1, "pan": 2}),
        CameraControl("simple", {"pan": 2, "zoom": 1}),
    )
    assert one == other
    assert hash(one) == hash(other)


def test_points_are_read_in_both_forms() -> None:
    """Points may be pairs or objects; an invalid one is kept."""
    mask = DynamicMask("u", [{"x": 1, "y": 2}, [3, 4], {"x": 5}])
    assert mask.trajectories == ((1, 2), (3, 4), {"x": 5})  # type: ignore[comparison-overlap]  # the mistake


def test_numbers_of_numpy_are_numbers() -> None:
    """Numbers of numpy, common in notebooks, are accepted and sent as JSON numbers."""
    request = VideoRequest(
        model="kling-v1-6",
        prompt="a koi",
        duration=np.int64(5),
        cfg_scale=np.float32(0.5),
        image_urls=["https://example.com/a.png"],
        dynamic_masks=[DynamicMask("https://example.com/m.png", np.array([[0, 0], [10, 20]]))],
    )
    assert request.problems() == ()
    assert json.loads(json.dumps(Contract202604().encode(request)))["duration"] == 5
    assert Shot("a", np.int64(5)) == Shot("a", 5)
    assert CameraControl("simple", {"zoom": np.int64(5)}) == CameraControl("simple", {"zoom": 5})
