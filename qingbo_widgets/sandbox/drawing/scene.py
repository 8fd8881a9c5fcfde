"""A landscape: sky and light, hills and waves in eight depths, a paper boat; painted into YUV planes.

Every hill and wave is a curve over the width of the picture, computed for each frame, so that it moves by
fractions of a pixel and the camera can pass it. Its colour depends only on the distance below the curve, so
it is one table lookup. Rows that a nearer wave hides are not painted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .air import Air
from .boat import Boat
from .camera import View, apply_view
from .film import Frame, Plane, blank, planes
from .mood import Mood, mix
from .sky import Sky

Floats = NDArray[np.float32]

_STEPS = 2  # entries of a colour table per pixel of depth
_HILLS = ((0.545, 0.105, 0.05), (0.595, 0.075, 0.10), (0.635, 0.045, 0.17))  # baseline, height, nearness
_WAVES = (
    (0.668, 0.009, 0.34),
    (0.722, 0.013, 0.50),
    (0.800, 0.019, 0.72),
    (0.900, 0.026, 1.0),
    (1.035, 0.036, 1.3),
)
_BOAT_ON = 1  # the second wave
_DRIFT = 0.012  # fraction of the width per second at nearness 1, if the request does not move the camera


class _Places(NamedTuple):
    """The ranges of places for the light and the boat, in fractions of the width and the height."""

    light_x: tuple[float, float]
    light_y: tuple[float, float]
    boat_x: tuple[float, float]


_USUAL = _Places((0.60, 0.74), (0.27, 0.34), (0.40, 0.56))
#: Wide ranges, because two tasks of one request should differ at first sight.
_VARIED = _Places((0.16, 0.84), (0.16, 0.42), (0.18, 0.72))


@dataclass(frozen=True)
class _Layer:
    """A hill or a wave: its curve, and the colours below it."""

    base: float
    nearness: float
    swings: Floats  # rows of amplitude (pixels), frequency (per pixel), speed (per second), phase
    is_wave: bool
    tables: tuple[Plane, Plane, Plane]
    gleam: NDArray[np.uint16]  # reflected part of the light, by depth

    def curve(self, x: Floats, seconds: float) -> Floats:
        """Return the height at each x, in pixels from the top."""
        height = np.full_like(x, self.base)
        for amplitude, frequency, speed, phase in self.swings:
            angle = x * frequency + (speed * seconds + phase)
            if self.is_wave:  # round troughs and sharp crests, like folded paper
                height += amplitude * (2.2 * np.sqrt(np.sin(angle / 2) ** 2 + np.float32(0.02)) - 1.2)
            else:
                height += amplitude * np.sin(angle)
        return height


class Landscape:
    """The scene for a request without a picture.

    Args:
        size: width and height in pixels, both even.
        mood: the colours and the weather.
        seed: equal seeds give equal landscapes.
        reach: the maximum turn of the camera, in fractions of the width and the height.
        drifts: True if the picture moves slowly by itself.
        variation: decides the light, the clouds, the boat's place and the particles, over the same hills and
            waves; 0 for those of the seed.
    """

    def __init__(
        self,
        size: tuple[int, int],
        mood: Mood,
        seed: int,
        reach: tuple[float, float],
        drifts: bool,
        variation: int = 0,
    ) -> None:
        self._size = width, height = size
        self._unit = math.sqrt(width * height) / 960  # pixels per unit of length; 1 for 1280x720
        rng = np.random.default_rng(seed)
        chance = np.random.default_rng((seed, variation)) if variation else rng
        places = _VARIED if variation else _USUAL
        self._drift = float(chance.choice((-1, 1))) * _DRIFT * width if drifts else 0.0
        self._light = width * chance.uniform(*places.light_x), height * chance.uniform(*places.light_y)
        self._sky = Sky(size, self._unit, mood, chance, self._light, reach)
        self._layers = [self._hill(mood, rng, *hill) for hill in _HILLS]
        self._layers += [self._wave(mood, rng, *wave) for wave in _WAVES]
        self._boat = Boat(64 * self._unit)
        self._boat_x = width * chance.uniform(*places.boat_x)
        self._air = Air(mood, size, self._unit, seed + variation)
        self._x = np.arange(width, dtype=np.float32)
        self._shade = _vignette(size)

    def paint(self, seconds: float, moment: float, view: View) -> Frame:
        """Return one frame.

        Args:
            seconds: the time since the start of the shot.
            moment: the same from 0 to 1, the end of the shot.
            view: the view of the camera.
        """
        frame = blank(*self._size)
        width, height = self._size
        turn = view.turn[0] * width, -view.turn[1] * height
        shift = view.shift[0] * width + self._drift * seconds, -view.shift[1] * height
        moved = [
            (turn[0] + near * shift[0], turn[1] + near * shift[1])
            for near in (a.nearness for a in self._layers)
        ]
        pairs = zip(self._layers, moved, strict=True)
        curves = [layer.curve(self._x + np.float32(x), seconds) - np.float32(y) for layer, (x, y) in pairs]
        skyline = np.minimum.reduce(curves[: len(_HILLS)])
        self._sky.paint(frame, seconds, moment, turn, float(skyline.max()))
        if self._air.is_far:
            self._air.paint(frame, seconds, turn)
        for index, (layer, curve) in enumerate(zip(self._layers, curves, strict=True)):
            hidden_from = float(curves[index + 1].max()) + 2 if index + 1 < len(curves) else height
            _paint_layer(frame, layer, curve, hidden_from, self._glow(layer.nearness, seconds, turn[0]))
            if index == len(_HILLS) + _BOAT_ON:
                self._boat.float_on(frame, curve, self._boat_x - moved[index][0] + 9 * self._unit * seconds)
        if not self._air.is_far:
            self._air.paint(frame, seconds, turn)
        apply_view(frame, view)
        frame.y[:] = ((frame.y.astype(np.uint16) - 16) * self._shade >> 8) + 16
        return frame

    def _glow(self, nearness: float, seconds: float, turn: float) -> NDArray[np.uint16]:
        """Return the path of light on the water by column: broken into glints, and wider if nearer."""
        away = (self._x - (self._light[0] - turn)) / ((50 + 90 * nearness) * self._unit)
        wave = self._x * (0.16 / (0.4 + nearness) / self._unit) + 37 * nearness
        glints = 0.5 + 0.3 * np.sin(wave + 1.9 * seconds) + 0.2 * np.sin(1.7 * wave - 1.3 * seconds)
        glow: NDArray[np.uint16] = (256 * glints * np.exp(-(away**2))).astype(np.uint16)
        return glow

    def _hill(self, mood: Mood, rng: np.random.Generator, base: float, size: float, near: float) -> _Layer:
        unit, height = self._unit, self._size[1]
        octaves = np.arange(1, 7)
        swings = np.stack(
            [
                size * height * 0.62 / octaves**1.35,
                0.0042 / unit * octaves**1.25 * rng.uniform(0.85, 1.15, 6),
                np.zeros(6),
                rng.uniform(0, 2 * math.pi, 6),
            ],
            axis=1,
        ).astype(np.float32)
        depth = np.arange(0, height, 1 / _STEPS)[:, None] / height
        mist = mix(mood.horizon, mood.far, 0.3)
        colour = mix(mood.far, mood.near, 4.2 * (near - 0.05) ** 0.9)
        colours = mix(colour, mist, 0.75 * np.clip(depth / 0.15, 0, 1) ** 0.8)
        return _Layer(base * height, near, swings, False, _tables(colours), np.zeros(len(depth), np.uint16))

    def _wave(self, mood: Mood, rng: np.random.Generator, base: float, size: float, near: float) -> _Layer:
        unit, height = self._unit, self._size[1]
        direction = rng.choice((-1, 1))
        length = np.array([2 * math.pi / (150 + 230 * near), 2 * math.pi / (330 + 420 * near)]) / unit
        swings = np.stack(
            [
                np.array([size, 0.7 * size]) * height,
                length * rng.uniform(0.9, 1.1, 2),
                direction * np.array([0.55, -0.38]) * rng.uniform(0.85, 1.15, 2),
                rng.uniform(0, 2 * math.pi, 2),
            ],
            axis=1,
        ).astype(np.float32)
        depth = np.arange(0, height, 1 / _STEPS)[:, None] / unit
        body = mix(mood.far, mood.near, min(0.34 + 0.6 * near, 1))
        colours = mix(body, mood.near, 0.75 * np.clip(depth / 190, 0, 1))
        light = 0.36 * np.exp(-depth / 16) + 0.55 * np.exp(-((depth / 1.9) ** 4))
        for line, strength in ((11, 0.20), (23, 0.13), (38, 0.08), (56, 0.05)):
            light = light + strength * np.exp(-(((depth - line) / 1.0) ** 2))
        colours = mix(colours, mood.rim, np.clip(light, 0, 0.9) * (1 - 0.25 * near))
        gleam = (95 * np.exp(-depth[:, 0] / 5) + 14 * np.exp(-depth[:, 0] / 24)).astype(np.uint16)
        return _Layer(base * height, near, swings, True, _tables(colours), gleam)


def _tables(colours: NDArray[np.floating]) -> tuple[Plane, Plane, Plane]:
    y, u, v = (np.round(plane).astype(np.uint8) for plane in planes(colours))
    return y, u, v


def _paint_layer(
    frame: Frame, layer: _Layer, curve: Floats, hidden_from: float, glow: NDArray[np.uint16]
) -> None:
    """Paint the area below a curve, down to where a nearer layer hides all of it."""
    height = len(frame.y)
    top = min(max(int(curve.min()) - 2, 0), height) & ~1
    bottom = min(max(int(hidden_from) + 1, 0), height) & ~1
    if bottom <= top:
        return
    edge = min(max(int(curve.max()) + 3, top), bottom) & ~1  # below this row the layer fills the whole width
    below = np.arange(top, bottom, dtype=np.float32)[:, None] - curve
    index = (below * _STEPS).astype(np.int16)
    # Measure the distance across the edge, not downwards, so that a steep edge is as soft as a flat one.
    across = below[: edge - top] / np.sqrt(1 + np.gradient(curve) ** 2)
    cover = (256 * np.clip(across + 0.5, 0, 1)).astype(np.uint16)
    colour = layer.tables[0].take(index, mode="clip")
    if layer.is_wave:
        colour = colour + (layer.gleam.take(index, mode="clip") * glow >> 8)
        np.minimum(colour, 235, out=colour)
    _blend(frame.y[top:bottom], colour, cover)
    for plane, table in zip((frame.u, frame.v), layer.tables[1:], strict=True):
        _blend(plane[top // 2 : bottom // 2], table.take(index[::2, ::2], mode="clip"), cover[::2, ::2])


def _blend(plane: Plane, colour: NDArray[np.integer], cover: NDArray[np.uint16]) -> None:
    rows = len(cover)
    plane[rows:] = colour[rows:]
    plane[:rows] = (plane[:rows] * (256 - cover) + colour[:rows] * cover) >> 8


def _vignette(size: tuple[int, int]) -> NDArray[np.uint16]:
    """Return the remaining light of 256: less in the corners, and at the bottom, where the title is."""
    width, height = size
    x = np.linspace(-1, 1, width)[None, :]
    y = np.linspace(-1, 1, height)[:, None]
    corners = 1 - 0.26 * np.clip((x**2 + y**2) / 2, 0, 1) ** 1.4
    foot = 1 - 0.30 * np.clip((y - 0.2) / 0.8, 0, 1) ** 1.5
    shade: NDArray[np.uint16] = (256 * corners * foot).astype(np.uint16)
    return shade
