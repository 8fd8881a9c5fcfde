"""Turning photographs upright: a camera stores them as its sensor stands, and says how to turn them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["UPRIGHT", "orientation_of", "turned", "turned_size"]

#: The orientation (EXIF 2.32, 4.6.4) of an image that is stored upright, and its tag.
UPRIGHT, _TAG = 1, 0x0112
#: How the others are turned, by Pillow's names.
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
#: Orientations whose turn exchanges width and height.
_QUARTERS = (5, 6, 7, 8)


def orientation_of(image: Image) -> int:
    """Return how an image is stored, from 1 to 8; ``UPRIGHT`` if that is not known."""
    try:
        orientation = image.getexif().get(_TAG)
    except Exception:  # of damaged metadata, which raises errors of many kinds
        return UPRIGHT
    return orientation if orientation in _TURNS else UPRIGHT


def turned(image: Image, orientation: int) -> Image:
    """Return the image that is stored in this orientation upright."""
    if orientation == UPRIGHT:
        return image
    from PIL.Image import Transpose

    # Not ImageOps.exif_transpose(), which writes all of the EXIF anew, and fails if some of it is damaged.
    return image.transpose(Transpose[_TURNS[orientation]])


def turned_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return the size of the upright image from that of the stored one, or the other way round."""
    return size[::-1] if orientation in _QUARTERS else size
