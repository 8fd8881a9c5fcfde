"""Fetching, checking and decoding of the pictures that a request names by URL."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps

from ...i18n import tr
from .web import DownloadError, download, shown

MAX_BYTES = 10_000_000
#: Maximum seconds for a whole picture, however slow its server.
PATIENCE = 30.0
#: As many as the largest phone cameras have whose pictures are below 10 MB; decoded, one takes 200 MB.
MAX_PIXELS = 50_000_000
#: A JPEG is decoded at a fraction of its size, as long as both sides keep this many pixels.
_MIN_SIDE = 2048
FORMATS = ("JPEG", "PNG", "WEBP")


class UnusablePicture(Exception):
    """The error for a picture that cannot be loaded from its URL; the message gives the user the reason."""


def fetch(url: str) -> Image.Image:
    """Fetch a picture from the web, upright and fully decoded.

    Args:
        url: an http or https URL of a JPEG, PNG or WebP of at most 10 MB.

    Raises:
        UnusablePicture: the URL cannot be reached, or its content is too large or not such a picture.
    """
    data = io.BytesIO()
    try:
        download(url, data, accept="image/*", max_bytes=MAX_BYTES, patience=PATIENCE)
    except DownloadError as error:
        raise UnusablePicture(str(error)) from None
    try:
        return decode(data.getvalue())
    except ValueError as error:
        raise UnusablePicture(f"{shown(url)} {error}") from None


def decode(data: bytes) -> Image.Image:
    """Decode the bytes of a JPEG, PNG or WebP, turned upright according to its metadata.

    Raises:
        ValueError: the bytes are not such a picture, or it has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if picture.width * picture.height <= MAX_PIXELS:  # according to the header: nothing is decoded yet
            picture.draft(None, (_MIN_SIDE, _MIN_SIDE))
            ImageOps.exif_transpose(picture, in_place=True)
            picture.load()
            return picture
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        pass
    except (OSError, SyntaxError, ValueError):
        raise ValueError(tr("is not a JPEG, PNG or WebP picture")) from None
    raise ValueError(tr("has more than {count} million pixels").format(count=MAX_PIXELS // 1_000_000))


def read(path: Path) -> bytes:
    """Return the content of a picture file.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is over 10 MB, or the path is not a file.
    """
    if not path.is_file() and path.exists():  # a pipe would never end
        raise ValueError(tr("is not a file"))
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(tr("is over 10 MB"))
    return data
