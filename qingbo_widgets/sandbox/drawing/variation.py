"""The difference between two films of one request that show a picture or a video of the user."""

from __future__ import annotations

import math

import numpy as np

from .film import Frame

_BRIGHTNESS = 26  # the largest change at the middle of a shot, in levels
_COLOUR = 16


class Light:
    """A light that comes and goes within a shot, whose first and last frame stay as they are.

    Args:
        variation: equal numbers give equal lights.
    """

    def __init__(self, variation: int) -> None:
        rng = np.random.default_rng(variation)
        turn = rng.uniform(0, 2 * math.pi)
        self._changes = (
            float(rng.choice((-1, 1)) * rng.uniform(0.5, 1)) * _BRIGHTNESS,
            _COLOUR * math.cos(turn),
            _COLOUR * math.sin(turn),
        )

    def shine(self, frame: Frame, moment: float) -> None:
        """Change a frame in place.

        Args:
            frame: the frame.
            moment: its time in the shot, 0 to 1.
        """
        strength = math.sin(math.pi * min(max(moment, 0.0), 1.0))
        for plane, change in zip(frame[:3], self._changes, strict=True):
            plane[:] = np.clip(plane.astype(np.int16) + round(change * strength), 16, 235)
