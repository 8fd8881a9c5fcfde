"""The visible change of an edited source video: the colours of a mood, and the particles in its air."""

from __future__ import annotations

import math

import numpy as np

from .air import Air
from .film import Frame, planes
from .mood import Mood, mix

_BRIGHTNESS = 0.5  # the share of the mood's colours in the brightness
_COLOUR = 0.8  # and in the colour


class Grade:
    """A colour grade: dark parts take the colour of the mood's waves, light parts that of its sky.

    Args:
        mood: the mood.
        size: width and height of the frames in pixels.
        seed: equal seeds give equal particles.
    """

    def __init__(self, mood: Mood, size: tuple[int, int], seed: int) -> None:
        levels = np.linspace(0, 1, 256)[:, None]
        middle = mix(mood.near, mood.middle, np.clip(2 * levels, 0, 1))
        colours = mix(middle, mood.light, np.clip(2 * levels - 1, 0, 1))
        y, u, v = planes(colours)
        self._y = np.round(mix(np.arange(256.0), y, _BRIGHTNESS)).astype(np.uint8)
        self._tints = [np.round(256 * _COLOUR * tint).astype(np.uint16) for tint in (u, v)]
        self._air = Air(mood, size, math.sqrt(size[0] * size[1]) / 960, seed)

    def apply(self, frame: Frame, seconds: float) -> Frame:
        """Change a frame in place, and return it.

        Args:
            frame: the frame.
            seconds: the time since the start of the film, which moves the particles.
        """
        bright = frame.y[::2, ::2]
        kept = round(256 * (1 - _COLOUR))
        for plane, tint in zip((frame.u, frame.v), self._tints, strict=True):
            plane[:] = plane.astype(np.uint16) * kept + tint.take(bright) >> 8
        frame.y[:] = self._y.take(frame.y)
        self._air.paint(frame, seconds, (0.0, 0.0))
        return frame
