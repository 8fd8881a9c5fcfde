"""Small pictures of files that a request refers to, for its form."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from ..service.http.image_probe import Size, size_of
from ..system.folder import read_inside
from .clips import clip_length
from .frames import frame_at
from .pictures.decoding import decode
from .pictures.limits import check_pixels
from .pictures.pillow import has_pillow

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["picture_preview", "video_preview"]

#: Pixels of the longest side, and bytes up to which a picture is shown as it is.
_SIDE, _SMALL = 640, 100_000
#: Bytes of a picture that is saved to be sent.
_LARGEST = 20_000_000
_QUALITY = 85


def picture_preview(file: Path) -> tuple[Size | None, bytes]:
    """Return the size of a saved picture, and a small one for a page; that is empty without Pillow.

    Raises:
        OSError: the file cannot be read.
        UnusableMedia: it has too many pixels to be shown, or is damaged.
    """
    content = read_inside(file, _LARGEST)
    size = size_of(content)
    if size is not None:
        check_pixels(size.width, size.height)
    if len(content) <= _SMALL or size is None:
        return size, content
    return size, _jpeg(decode(content).image) if has_pillow() else b""


def video_preview(file: Path) -> tuple[Size, bytes, float]:
    """Return the size of a video, its first frame as a small picture, and its length in seconds.

    Raises:
        QingboError: it cannot be decoded.
        ImportError: the extra ``[frames]`` is not installed.
    """
    picture = frame_at(file, 0.0)
    size = Size(file.suffix[1:].upper(), picture.width, picture.height)
    return size, _jpeg(picture), clip_length(file)


def _jpeg(picture: Image) -> bytes:
    small = picture.convert("RGB")
    small.thumbnail((_SIDE, _SIDE))
    target = BytesIO()
    small.save(target, "JPEG", quality=_QUALITY)
    return target.getvalue()
