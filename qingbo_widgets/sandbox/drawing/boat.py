"""A folded paper boat that rides a wave."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .film import Frame, planes

# The folds and their colours; in fractions of the boat's width, x from its middle, y up from the water.
_FOLDS = (
    (((-0.02, 0.06), (0.0, 0.56), (0.30, 0.06)), (226, 222, 214)),
    (((-0.30, 0.06), (0.0, 0.56), (0.02, 0.06)), (252, 250, 244)),
    (
        ((-0.50, 0.24), (-0.30, -0.10), (0.30, -0.10), (0.50, 0.24), (0.22, 0.10), (-0.22, 0.10)),
        (240, 237, 229),
    ),
    (((0.04, -0.10), (0.30, -0.10), (0.50, 0.24), (0.22, 0.10)), (214, 209, 200)),
)
_SCALE = 3  # drawn this many times larger, then scaled down


class Boat:
    """A paper boat.

    Args:
        width: the width in pixels.
    """

    def __init__(self, width: float) -> None:
        self._width = width
        self._box = math.ceil(0.8 * width) * 2  # space for the rotation; even

    def float_on(self, frame: Frame, curve: NDArray[np.float32], x: float) -> None:
        """Paint the boat on a wave.

        Args:
            frame: the frame.
            curve: the height of the wave at each x, in pixels from the top.
            x: the position of the boat's middle, in pixels.
        """
        half = 0.4 * self._width
        if not half <= x < len(curve) - half:
            return
        stern, bow = (float(np.interp(x + way * half, np.arange(len(curve)), curve)) for way in (-1, 1))
        y = (stern + bow) / 2 + 0.02 * self._width
        left, top = int(x - self._box / 2) & ~1, int(y - self._box / 2) & ~1
        drawn = self._drawn(x - left, y - top, 0.8 * math.atan2(stern - bow, 2 * half))
        rows, columns = (
            slice(max(top, 0), max(top + self._box, 0)),
            slice(max(left, 0), max(left + self._box, 0)),
        )
        inner = drawn[rows.start - top :, columns.start - left :]
        colours = planes(inner[..., :3])
        cover = inner[..., 3] / np.float32(255)
        for part, plane, colour in zip((1, 2, 2), frame[:3], colours, strict=True):
            region = plane[
                rows.start // part : rows.stop // part, columns.start // part : columns.stop // part
            ]
            cut = slice(None, region.shape[0] * part, part), slice(None, region.shape[1] * part, part)
            region[:] = region + (colour[cut] - region) * cover[cut]

    def _drawn(self, x: float, y: float, angle: float) -> NDArray[np.uint8]:
        box = self._box * _SCALE
        canvas = Image.new("RGBA", (box, box), (236, 232, 224, 0))
        pen = ImageDraw.Draw(canvas)
        cos, sin = math.cos(angle) * self._width, math.sin(angle) * self._width
        for corners, colour in _FOLDS:
            turned = [
                ((x + a * cos - b * sin) * _SCALE, (y - a * sin - b * cos) * _SCALE) for a, b in corners
            ]
            pen.polygon(turned, fill=(*colour, 255))
        return np.asarray(canvas.reduce(_SCALE))
