"""Fetching, checking and decoding of the pictures that a request names by URL."""

from __future__ import annotations

import io
import time
import urllib.error
import urllib.request
import warnings
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from PIL import Image, ImageOps

MAX_BYTES = 10_000_000
TIMEOUT = 10.0
#: Maximum seconds for a whole picture, however slow its server.
PATIENCE = 30.0
#: As many as the largest phone cameras have whose pictures are below 10 MB; decoded, one takes 200 MB.
MAX_PIXELS = 50_000_000
#: A JPEG is decoded at a fraction of its size, as long as both sides keep this many pixels.
_MIN_SIDE = 2048
FORMATS = ("JPEG", "PNG", "WEBP")


class UnusablePicture(Exception):
    """The error for a picture that cannot be loaded from its URL; the message gives the user the reason."""


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    """A handler that follows redirects to http and https only, because urllib would follow ftp as well."""

    def redirect_request(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise UnusablePicture(f"{req.full_url} leads to an address that is not on the web")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(url: str) -> Image.Image:
    """Fetch a picture from the web, upright and fully decoded.

    Args:
        url: an http or https URL of a JPEG, PNG or WebP of at most 10 MB.

    Raises:
        UnusablePicture: the URL cannot be reached, or its content is too large or not such a picture.
    """
    try:
        with _opener(url).open(_request(url), timeout=TIMEOUT) as response:
            data = _read(response)
    except urllib.error.HTTPError as error:
        with error:
            raise UnusablePicture(f"{url} answered {error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise UnusablePicture(f"{url} cannot be fetched: {getattr(error, 'reason', error)}") from None
    if len(data) > MAX_BYTES:
        raise UnusablePicture(f"{url} is over 10 MB")
    try:
        return decode(data)
    except ValueError as error:
        raise UnusablePicture(f"{url} {error}") from None


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
        raise ValueError("is not a JPEG, PNG or WebP picture") from None
    raise ValueError(f"has more than {MAX_PIXELS // 1_000_000} million pixels")


def read(path: Path) -> bytes:
    """Return the content of a picture file.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is over 10 MB, or the path is not a file.
    """
    if not path.is_file() and path.exists():  # a pipe would never end
        raise ValueError("is not a file")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError("is over 10 MB")
    return data


def _read(response: Any) -> bytes:
    data, end = bytearray(), time.monotonic() + PATIENCE
    while len(data) <= MAX_BYTES and (piece := response.read1(65_536)):
        data += piece
        if time.monotonic() > end:
            raise TimeoutError("it takes too long")
    return bytes(data)


def _request(url: str) -> urllib.request.Request:
    return urllib.request.Request(url, headers={"User-Agent": "qingbo-sandbox", "Accept": "image/*"})


def _opener(url: str) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_OnlyWeb()]
    if urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost"):
        handlers.append(urllib.request.ProxyHandler({}))  # no proxy can reach this machine's own loopback
    return urllib.request.build_opener(*handlers)
