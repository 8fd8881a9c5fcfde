"""The estimate of the motion in a video, for synthetic videos whose motion is known."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from qingbo_widgets.sandbox.drawing.motion import Motion, motion_of
from qingbo_widgets.sandbox.drawing.source import Clip
from tests.sandbox.drawing.clips import Pixels, clip

SHAPE = (320, 180)
WORLD = Image.fromarray(np.random.default_rng(1).integers(0, 255, (66, 100, 3), np.uint8)).resize((1000, 660))


def seen(x: float, y: float, zoom: float = 1.0) -> Pixels:
    """Return a textured picture whose content has moved to the right and down, and grown."""
    width, height = SHAPE[0] / zoom, SHAPE[1] / zoom
    left, top = 500 - x - width / 2, 330 - y - height / 2
    box = (left, top, left + width, top + height)
    return np.asarray(WORLD.resize(SHAPE, Image.Resampling.BILINEAR, box=box))


def measured(paint: Callable[[float], Pixels], seconds: float = 2.0) -> Motion:
    """Return the estimate for a video."""
    return motion_of(Clip(io.BytesIO(clip(paint, seconds)), "clip"), SHAPE, seconds)


@pytest.mark.parametrize(("right", "down"), [(40, 0), (-30, 12), (0, -25), (120, 0)])
def test_the_shift_of_the_content(right: float, down: float) -> None:
    """The content's shift is found in direction and size, at every time and after the end."""
    motion = measured(lambda seconds: seen(right * seconds, down * seconds))
    for seconds in (0.5, 1.0, 1.9):
        x, y, zoom = motion.at(seconds)
        assert (x * SHAPE[0], y * SHAPE[1]) == pytest.approx((right * seconds, down * seconds), abs=4)
        assert zoom == pytest.approx(1, abs=0.04)
    assert motion.at(99) == motion.at(2)
    assert motion.at(0) == (0, 0, 1)


@pytest.mark.parametrize("rate", [1.15, 0.9])
def test_the_growth_of_the_content(rate: float) -> None:
    """A camera that comes nearer or goes away is found, without a shift."""
    x, y, zoom = measured(lambda seconds: seen(0, 0, rate**seconds)).at(1.9)
    assert zoom == pytest.approx(rate**1.9, abs=0.08)
    assert (x, y) == pytest.approx((0, 0), abs=0.02)


@pytest.mark.parametrize("colour", [0, 128])
def test_a_plain_video_has_no_motion(colour: int) -> None:
    """A video without any structure moves nothing."""
    motion = measured(lambda _: np.full((SHAPE[1], SHAPE[0], 3), colour, np.uint8))
    assert motion.at(1) == pytest.approx((0, 0, 1), abs=0.01)


def test_a_still_video_has_no_motion() -> None:
    """A video whose camera stands still moves nothing."""
    assert measured(lambda _: seen(0, 0)).at(1.5) == pytest.approx((0, 0, 1), abs=0.01)
