"""Encoding an image as a file of limited size. The same image gives the same bytes, and no metadata."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ..local_file import megabytes
from ..unusable import UnusableMedia
from .rules import PictureRules, scaled

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["as_jpeg", "as_png", "check_png", "resized"]

#: Qualities of a JPEG: the first looks like the original.
_QUALITIES = (92, 85, 75)
#: The factor by which the sides of a picture shrink until its file is small enough.
_STEP = 0.8

_TOO_LARGE = N_("The picture has {size} as a PNG; the limit is {most}.")
_NO_SMALLER = N_("The picture cannot be compressed to {most} while each side keeps {least} pixels.")
_REDUCED = N_("Reduced to {width} × {height} pixels, so that the file has at most {most}.")
_COMPRESSED = N_("Compressed more, so that the file has at most {most}.")


def resized(image: Image, size: tuple[int, int]) -> Image:
    """Return the image in another size."""
    from PIL.Image import Resampling

    if image.size == size:
        return image
    # Of a large photograph, Lanczos takes seconds, and its difference to this filter is not seen.
    is_smaller = size[0] < image.width
    return image.resize(size, Resampling.HAMMING if is_smaller else Resampling.LANCZOS)


def as_png(image: Image) -> bytes:
    """Return the image as a PNG file."""
    return _saved(image, "PNG")


def as_jpeg(image: Image, rules: PictureRules) -> tuple[Image, bytes, str]:
    """Return an image as a JPEG file that is small enough: with less quality, and then in a smaller size.

    Returns:
        The image in its size, the file, and a note, which is empty if the file has the best quality.

    Raises:
        UnusableMedia: the image would become smaller than is allowed.
    """
    most = megabytes(rules.largest)
    for quality in _QUALITIES:
        content = _saved(image, "JPEG", quality)
        if len(content) <= rules.largest:
            return image, content, tr(_COMPRESSED).format(most=most) if quality < _QUALITIES[0] else ""
    factor = 1.0
    while len(content) > rules.largest:
        factor *= _STEP
        size = scaled(image.size, factor, rules)
        if min(size) < rules.shortest_side or size == scaled(image.size, factor / _STEP, rules):
            raise UnusableMedia(tr(_NO_SMALLER).format(most=most, least=rules.shortest_side))
        smaller = resized(image, size)
        content = _saved(smaller, "JPEG", _QUALITIES[1])
    return smaller, content, tr(_REDUCED).format(width=size[0], height=size[1], most=most)


def check_png(content: bytes, rules: PictureRules) -> bytes:
    """Return the file of a mask, if it is not too large; nothing can make it smaller.

    Raises:
        UnusableMedia: it is too large.
    """
    if len(content) > rules.largest:
        sizes = {"size": megabytes(len(content)), "most": megabytes(rules.largest)}
        raise UnusableMedia(tr(_TOO_LARGE).format(**sizes))
    return content


def _saved(image: Image, form: str, quality: int = 0) -> bytes:
    import PIL.Image

    file = io.BytesIO()
    # A copy of the pixels alone: an image may carry EXIF, comments and texts that would be saved with it.
    bare = PIL.Image.new(image.mode, image.size)
    bare.paste(image)
    if form == "JPEG":
        # Not with optimize: Pillow's buffer for that is too small for noise, which then raises an error.
        bare.save(file, form, quality=quality, subsampling=0)
    else:
        bare.save(file, form)
    return file.getvalue()
