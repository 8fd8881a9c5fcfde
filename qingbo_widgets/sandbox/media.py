"""Pictures that a request names by URL: fetched, checked and opened."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urlsplit

from PIL import Image, ImageOps

MAX_BYTES = 10_000_000
TIMEOUT = 10.0
FORMATS = ("JPEG", "PNG", "WEBP")


class UnusablePicture(Exception):
    """A picture cannot be had from its URL; the message says why, in words for the person who gave it."""


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to http and https only: urllib would go to ftp as well."""

    def redirect_request(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise UnusablePicture(f"{req.full_url} leads to an address that is not on the web")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(url: str) -> Image.Image:
    """Get a picture from the web, upright and fully decoded.

    Args:
        url: An http or https URL of a JPEG, PNG or WebP of at most 10 MB.

    Raises:
        UnusablePicture: It cannot be reached, is too large, or is no such picture.
    """
    try:
        with _opener(url).open(_request(url), timeout=TIMEOUT) as answer:
            data = answer.read(MAX_BYTES + 1)
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
    """Open the bytes of a JPEG, PNG or WebP, turned upright as its camera noted.

    Raises:
        ValueError: They are no such picture.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            return ImageOps.exif_transpose(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise ValueError("is not a JPEG, PNG or WebP picture") from None


def _request(url: str) -> urllib.request.Request:
    return urllib.request.Request(url, headers={"User-Agent": "qingbo-sandbox", "Accept": "image/*"})


def _opener(url: str) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_OnlyWeb()]
    if urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost"):
        handlers.append(urllib.request.ProxyHandler({}))  # no proxy can reach this machine's own loopback
    return urllib.request.build_opener(*handlers)
