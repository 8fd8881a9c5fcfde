"""The sky of a landscape: a gradient that slowly brightens, drifting clouds, a sun or a moon."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .film import Frame, Plane, planes
from .mood import Mood

_HORIZON = 0.64  # fraction of the height where the gradient ends, behind the hills
_DEEPEST = 0.80  # fraction of the height down to which a valley between the hills may show the sky
_CLOUD_SPEED = 7.0  # units per second


class Sky:
    """The sky of one shot, painted for its first and its last moment; every frame blends the two.

    Args:
        size: width and height of the picture in pixels.
        unit: pixels per unit of length.
        mood: the colours.
        rng: the random number generator.
        light: the position of the sun or the moon, in pixels.
        reach: the maximum turn of the camera, in fractions of the width and the height.
    """

    def __init__(
        self,
        size: tuple[int, int],
        unit: float,
        mood: Mood,
        rng: np.random.Generator,
        light: tuple[float, float],
        reach: tuple[float, float],
    ) -> None:
        self._size = size
        self._unit = unit
        self._is_night = mood.air == "stars"
        self._rise = 0.03 * size[1]
        self._light = light
        self._disc = [float(plane) for plane in planes(np.array(mood.light))]
        # Even, because the colour planes have half the size.
        self._margin = math.ceil(reach[0] * size[0] / 2) * 2, math.ceil(reach[1] * size[1] / 2) * 2
        full = size[0] + 2 * self._margin[0], round(_DEEPEST * size[1] / 2) * 2 + 2 * self._margin[1]
        noise = rng.random((full[1], full[0]), np.float32)
        self._dawn = self._gradient(full, mood, noise, 0.0)
        self._day = self._gradient(full, mood, noise, 1.0)
        self._clouds = self._paint_clouds(full, rng)

    def paint(
        self, frame: Frame, seconds: float, moment: float, turn: tuple[float, float], down_to: float
    ) -> None:
        """Fill the upper part of a frame.

        Args:
            frame: the frame.
            seconds: the time since the start of the shot.
            moment: the same from 0 to 1, the end of the shot.
            turn: the camera's turn to the right and down, in pixels.
            down_to: the lowest row that the hills leave visible.
        """
        left, top = (round((margin + part) / 2) * 2 for margin, part in zip(self._margin, turn, strict=True))
        weight = int(256 * (0.5 - 0.5 * math.cos(math.pi * moment)))
        drift = round(self._unit * _CLOUD_SPEED * seconds)
        for number, plane in enumerate(frame[:3]):
            part = 1 if number == 0 else 2
            dawn, day = (
                painted[number][top // part :, left // part :] for painted in (self._dawn, self._day)
            )
            rows = max(min(len(plane), len(dawn), int(down_to) // part + 2), 0)
            cut = slice(rows), slice(plane.shape[1])
            mixed = dawn[cut].astype(np.uint16) * (256 - weight) + day[cut].astype(np.uint16) * weight >> 8
            if number == 0:
                mixed += self._clouds[top : top + rows, left + drift : left + drift + plane.shape[1]]
                np.minimum(mixed, 235, out=mixed)
            plane[:rows] = mixed
        self._paint_disc(frame, self._light[0] - turn[0], self._light[1] - turn[1] - self._rise * moment)

    def _gradient(
        self, full: tuple[int, int], mood: Mood, noise: NDArray[np.float32], moment: float
    ) -> tuple[Plane, Plane, Plane]:
        width, height = full
        x = np.arange(width, dtype=np.float32)[None, :] - self._margin[0]
        y = np.arange(height, dtype=np.float32)[:, None] - self._margin[1]
        down = np.clip(y[:, 0] / (_HORIZON * self._size[1]) + 0.06 * moment, 0, 1)
        centre = self._light[0], self._light[1] - self._rise * moment
        far = np.hypot(x - centre[0], (y - centre[1]) * 1.15) / self._unit
        glow = (0.62 + 0.16 * moment) * np.exp(-far / 95) + 0.24 * np.exp(-far / 330)
        stops = [planes(np.array(colour)) for colour in (mood.zenith, mood.middle, mood.horizon)]
        painted = []
        for number in range(3):
            column = np.interp(down, (0.0, 0.58, 1.0), [float(stop[number]) for stop in stops])[:, None]
            plane = column + (self._disc[number] - column) * glow
            if number:
                plane = plane[::2, ::2]
            # Noise of one level prevents banding in an 8-bit gradient.
            painted.append((plane + noise[: plane.shape[0], : plane.shape[1]]).astype(np.uint8))
        return painted[0], painted[1], painted[2]

    def _paint_clouds(self, full: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint16]:
        """Return the light that the clouds add; wider than the picture by the clouds that drift in."""
        width, height = full[0] + math.ceil(16 * _CLOUD_SPEED * self._unit), full[1]
        small = max(width // 4, 8), max(height // 4, 8)
        total = np.zeros((small[1], small[0]), np.float32)
        for octave in range(1, 6):
            cells = max(round(2**octave * width / height * 0.42), 2), 2**octave + 1
            grid = Image.fromarray(rng.random((cells[1], cells[0]), np.float32))
            total += np.asarray(grid.resize(small, Image.Resampling.BICUBIC)) / 1.75**octave
        low, high = np.quantile(total, (0.52, 0.995))
        amount = np.clip((total - low) / (high - low), 0, 1) ** 1.3
        amount *= np.linspace(0.55, 1.0, small[1], dtype=np.float32)[:, None]
        strength = 20 if self._is_night else 42
        texture = Image.fromarray((strength * amount).astype(np.float32))
        clouds = np.asarray(texture.resize((width, height), Image.Resampling.BICUBIC), np.float32)
        dither = rng.random((height, width), np.float32)
        return np.asarray(np.maximum(clouds, 0) + dither, np.uint16)

    def _paint_disc(self, frame: Frame, x: float, y: float) -> None:
        radius = (34 if self._is_night else 40) * self._unit
        for part, plane, colour in zip((1, 2, 2), frame[:3], self._disc, strict=True):
            cx, cy, r = x / part, y / part, radius / part
            rows = slice(max(int(cy - r - 2), 0), max(int(cy + r + 3), 0))
            columns = slice(max(int(cx - r - 2), 0), max(int(cx + r + 3), 0))
            region = plane[rows, columns]
            if not region.size:
                continue
            px = np.arange(columns.start, columns.start + region.shape[1])[None, :]
            py = np.arange(rows.start, rows.start + region.shape[0])[:, None]
            cover = np.clip(r - np.hypot(px - cx, py - cy) + 0.5, 0, 1)
            if self._is_night:  # a crescent: the moon less its shadow
                cover *= np.clip(
                    (np.hypot(px - cx + 0.42 * r, py - cy + 0.22 * r) - 0.86 * r) / (0.08 * r) + 0.5, 0, 1
                )
            region[:] = region + (colour - region) * cover
