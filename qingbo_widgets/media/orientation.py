"""Frames as a player shows them: turned and mirrored as the video's display matrix requires.

Phones save every video as the sensor reads it, and how it was held as a matrix.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["upright"]

#: Names of Pillow's transpositions, by the signs of the matrix's numbers a, b, c, d. A point (x, y) is shown
#: at (ax + cy, bx + dy), with y downwards.
_TRANSPOSITIONS: dict[tuple[int, ...], str] = {
    (0, 1, -1, 0): "ROTATE_270",
    (-1, 0, 0, -1): "ROTATE_180",
    (0, -1, 1, 0): "ROTATE_90",
    (-1, 0, 0, 1): "FLIP_LEFT_RIGHT",
    (1, 0, 0, -1): "FLIP_TOP_BOTTOM",
    (0, 1, 1, 0): "TRANSPOSE",
    (0, -1, -1, 0): "TRANSVERSE",
}
_NUMBERS = struct.Struct("=9i")


def upright(frame: Any, **size: int) -> Image:
    """Return a decoded frame as an upright PIL image.

    Args:
        frame: the frame of PyAV.
        **size: width and height in pixels before it is turned; by default those of the frame.
    """
    from PIL.Image import Transpose

    image: Image = frame.to_image(**size)
    turn = _TRANSPOSITIONS.get(_signs(frame))
    return image if turn is None else image.transpose(Transpose[turn])


def _signs(frame: Any) -> tuple[int, ...]:
    """Return the signs of the matrix's numbers a, b, c, d; none if the frame has no matrix."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None or len(content := bytes(data)) < _NUMBERS.size:
        return ()
    a, b, _, c, d, *_ = _NUMBERS.unpack_from(content)
    # Any other angle is shown by no player; the nearest quarter is what was meant.
    numbers = (a, 0, 0, d) if abs(a) + abs(d) > abs(b) + abs(c) else (0, b, c, 0)
    return tuple((number > 0) - (number < 0) for number in numbers)
