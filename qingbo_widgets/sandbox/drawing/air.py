"""Particles in the air of a landscape: motes, petals, snow, rain, stars."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .film import Frame, Plane, planes
from .mood import Colour, Mood


@dataclass(frozen=True)
class _Kind:
    """The appearance and motion of one kind of particle; lengths in units, speeds in units per second."""

    count: int
    radius: tuple[float, float]
    stretch: float  # height divided by width
    velocity: tuple[float, float]
    sway: float
    strength: tuple[float, float]  # minimum and maximum opacity
    twinkle: float  # fraction of the opacity that fluctuates
    colour: Colour | None  # None for the colour of the light


_KINDS = {
    "motes": _Kind(34, (1.2, 3.4), 1.0, (5, -13), 16, (0.25, 0.75), 0.6, None),
    "petals": _Kind(26, (2.6, 5.0), 0.62, (-34, 40), 26, (0.75, 0.95), 0.1, (255, 206, 216)),
    "snow": _Kind(80, (1.1, 3.6), 1.0, (-9, 52), 14, (0.45, 0.9), 0.1, (255, 255, 255)),
    "rain": _Kind(80, (0.8, 1.1), 15.0, (-60, 760), 0, (0.14, 0.34), 0.0, (226, 236, 244)),
    "stars": _Kind(80, (0.7, 1.5), 1.0, (0, 0), 0, (0.35, 1.0), 0.5, None),
}


class Air:
    """A field of soft particles.

    Args:
        mood: the mood, which determines the kind of particle.
        size: width and height of the picture in pixels.
        unit: pixels per unit of length.
        seed: equal seeds give equal particles.
    """

    def __init__(self, mood: Mood, size: tuple[int, int], unit: float, seed: int) -> None:
        kind = _KINDS[mood.air]
        rng = np.random.default_rng((seed, 1))
        self._kind = kind
        self._unit = unit
        self.is_far = mood.air == "stars"
        """True if the particles are behind the hills."""
        self._extent = np.array([size[0] * 1.1, size[1] * (0.55 if self.is_far else 1.1)])
        self._start = rng.random((kind.count, 2)) * self._extent
        self._radius = rng.uniform(*kind.radius, kind.count) * unit
        self._parallax = (self._radius / self._radius.max())[:, None]  # small ones are far away, thus slow
        self._phase = rng.uniform(0, 2 * math.pi, kind.count)
        self._strength = rng.uniform(*kind.strength, kind.count)
        self._colour = [float(plane) for plane in planes(np.array(kind.colour or mood.light))]

    def paint(self, frame: Frame, seconds: float, turn: tuple[float, float]) -> None:
        """Paint the particles on a frame.

        Args:
            frame: the frame.
            seconds: the time since the start of the shot.
            turn: the camera's turn to the right and down, in pixels.
        """
        kind = self._kind
        place = self._start + np.array(kind.velocity) * self._unit * self._parallax * seconds - np.array(turn)
        place[:, 0] += kind.sway * self._unit * np.sin(0.9 * seconds + self._phase)
        place = place % self._extent - 0.05 * self._extent
        bright = 1 - kind.twinkle * (0.5 + 0.5 * np.sin(1.7 * seconds + 5 * self._phase))
        for (x, y), radius, strength in zip(place, self._radius, self._strength * bright, strict=True):
            tall = radius * kind.stretch
            _stamp(frame.y, x, y, radius, tall, strength, self._colour[0])
            for plane, colour in zip((frame.u, frame.v), self._colour[1:], strict=True):
                _stamp(plane, x / 2, y / 2, radius / 2, tall / 2, strength, colour)


def _stamp(
    plane: Plane, x: float, y: float, wide: float, tall: float, strength: float, colour: float
) -> None:
    """Paint one soft spot on a plane."""
    left, top = max(int(x - 2 * wide) - 1, 0), max(int(y - 2 * tall) - 1, 0)
    region = plane[top : max(int(y + 2 * tall) + 2, 0), left : max(int(x + 2 * wide) + 2, 0)]
    if region.size:
        across = _gaussian(left, region.shape[1], x, wide)
        down = _gaussian(top, region.shape[0], y, tall)
        region[:] = region + (colour - region) * (strength * down[:, None] * across)


def _gaussian(start: int, count: int, centre: float, width: float) -> NDArray[np.float64]:
    gaussian: NDArray[np.float64] = np.exp(-(((np.arange(start, start + count) - centre) / width) ** 2))
    return gaussian
