"""The service's rules for a picture, and the size that a picture gets to keep them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...i18n import N_, tr
from ..unusable import UnusableMedia
from .limits import LONGEST_SIDE

__all__ = ["PictureRules", "exact_size", "fitting_size", "scaled"]

#: How much a small picture is enlarged at most; more looks blurred.
_MOST_ENLARGED = 2.0

_TOO_LONG = N_(
    "The picture's ratio is {shape}:1 ({width} × {height} pixels); the limit is {widest:g}:1. "
    "Crop it to {new_width} × {new_height}."
)
_TOO_SMALL = N_(
    "The picture has {width} × {height} pixels; each side needs at least {least}. "
    "Use one of {new_width} × {new_height} or more."
)
_ENLARGED = N_("Enlarged to {width} × {height} pixels: each side needs at least {least}.")
_REDUCED = N_("Reduced to {width} × {height} pixels.")

Size = tuple[int, int]


@dataclass(frozen=True)
class PictureRules:
    """The service's rules for a picture.

    Attributes:
        largest: bytes of the file.
        shortest_side: pixels.
        widest: the long side to the short side.
        exact: whether the picture is a mask: a PNG, whose pixels are never changed.
    """

    largest: int = 10_000_000
    shortest_side: int = 300
    widest: float = 2.5
    exact: bool = False

    @property
    def widest_here(self) -> float:
        """The widest shape whose short side is long enough where the long side is bounded."""
        return min(self.widest, LONGEST_SIDE / self.shortest_side)


def fitting_size(size: Size, rules: PictureRules) -> tuple[Size, str]:
    """Return the size that a picture gets, and a note about it; empty if the size stays the same.

    Raises:
        UnusableMedia: no size is possible: the shape is too long, or the picture much too small.
    """
    short, long = sorted(size)
    if _MOST_ENLARGED * short < rules.shortest_side:
        raise _too_small(size, rules)
    _check_shape(size, rules)
    if long > LONGEST_SIDE:
        width, height = scaled(size, LONGEST_SIDE / long, rules)
        return (width, height), tr(_REDUCED).format(width=width, height=height)
    if short < rules.shortest_side:
        width, height = scaled(size, rules.shortest_side / short, rules)
        return (width, height), tr(_ENLARGED).format(width=width, height=height, least=rules.shortest_side)
    return size, ""


def exact_size(size: Size, rules: PictureRules) -> None:
    """Raise an error unless a mask fits. It may be as large as its picture, which may be at any URL.

    Raises:
        UnusableMedia: it is too long or too small.
    """
    if min(size) < rules.shortest_side:
        raise _too_small(size, rules)
    _check_shape(size, rules)


def scaled(size: Size, factor: float, rules: PictureRules) -> Size:
    """Return a size times a factor, in whole pixels, of a shape that is allowed."""
    long = round(max(size) * factor)
    # Rounding must not make the longest shape that is allowed any longer.
    short = max(round(min(size) * factor), math.ceil(long / rules.widest_here), 1)
    return _turned((long, short), size)


def _turned(size: Size, original: Size) -> Size:
    """Return a long and a short side as width and height, in the order of the original."""
    return size if original[0] >= original[1] else size[::-1]


def _check_shape(size: Size, rules: PictureRules) -> None:
    short, long = sorted(size)
    if long <= rules.widest_here * short:
        return
    new_width, new_height = _turned((math.floor(short * rules.widest_here), short), size)
    # Rounded up, so that it is never shown as the limit itself.
    shape = f"{math.ceil(100 * long / short) / 100:g}"
    values = {"shape": shape, "widest": rules.widest_here, "new_width": new_width, "new_height": new_height}
    raise UnusableMedia(tr(_TOO_LONG).format(width=size[0], height=size[1], **values))


def _too_small(size: Size, rules: PictureRules) -> UnusableMedia:
    """Return the error for a picture that is too small, with a size that works, of its shape if possible."""
    least = rules.shortest_side
    long = min(math.ceil(max(size) * least / min(size)), math.floor(least * rules.widest_here))
    new_width, new_height = _turned((long, least), size)
    values = {"least": least, "new_width": new_width, "new_height": new_height}
    return UnusableMedia(tr(_TOO_SMALL).format(width=size[0], height=size[1], **values))
