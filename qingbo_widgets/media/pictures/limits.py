"""The limits of pictures that are read: a few kilobytes can announce thousands of millions of pixels."""

from __future__ import annotations

from ...i18n import N_, tr
from ..unusable import UnusableMedia

__all__ = ["LARGEST_FILE", "LONGEST_SIDE", "MOST_PIXELS", "check_pixels"]

#: Bytes of a file.
LARGEST_FILE = 100_000_000
#: Pixels that are decoded: those of the largest full-frame cameras. Pillow takes four bytes for each.
MOST_PIXELS = 80_000_000
#: Pixels of the longer side of a picture that is sent: the largest videos have as many.
LONGEST_SIDE = 4096

_TOO_MANY = N_(
    "The picture has {width} × {height} pixels; the limit is {most} million: save it in a smaller size."
)


def check_pixels(width: int, height: int, most: int = MOST_PIXELS) -> None:
    """Raise an error if a picture has too many pixels to be decoded.

    Raises:
        UnusableMedia: it has.
    """
    if width * height > most:
        message = tr(_TOO_MANY).format(width=width, height=height, most=most // 1_000_000)
        raise UnusableMedia(message)
