"""Checks of an image by its URL: whether the service can use it, and the shape that it gives the video.

What this machine cannot fetch, the service may: its server may refuse programs, or a proxy may be in the way.
So only what is certain is a problem; all else is a doubt, with which the request can be submitted.

Format and size are in the first bytes of a file, so the check needs no imaging library, and seldom more than
the beginning of the file.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO

from ...exceptions import ConnectionFailed, DownloadFailed
from ...i18n import N_, tr
from ..contract.urls import is_private_host, is_web_url
from ..secrets.secret import Secret
from .gunzip import Gunzip
from .proxies import proxy_refusal
from .transport import Stream, Transport

__all__ = ["LARGEST", "SMALLEST_SIDE", "WIDEST", "ImageReport", "Size", "probe_image", "size_of"]

#: Largest file that the service accepts, in bytes (its documentation, "Submit: request").
LARGEST = 10_000_000
#: Kling's own limits, which the service does not repeat: pixels of a side, and long side to short side.
SMALLEST_SIDE = 300
WIDEST = 2.5
#: Most pixels of an image that is sent to a page: a few kilobytes can announce a thousand million.
_MOST_PIXELS = 50_000_000
#: Most bytes before an image's size: a camera's metadata and a thumbnail.
_LONGEST_HEAD = 1_000_000
#: Seconds for the whole check of one image, however slowly it arrives.
_TIME_LIMIT = 30.0

#: Bytes that show whether a file is text.
_TEXT_HEAD = 1000
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
#: Files without such bytes that are certainly no images that the service takes.
_OTHER_FILE = re.compile(
    rb"%PDF|GIF8|(?:\xef\xbb\xbf)?(?:\s|<\?xml.*?\?>|<!--.*?-->|<!doctype svg[^>]*>)*<svg\b",
    re.IGNORECASE | re.DOTALL,
)

_KNOWN_SHAPES = ((16, 9), (4, 3), (3, 2), (1, 1), (2, 1), (21, 9), (5, 4), (5, 2))

_DOUBT = N_("The image could not be checked: {reason} The service may still be able to fetch it.")
_LOST = N_("The link redirects too often, or to an address that is not public.")
_REFUSED = N_("Its server returns {status}.")
_TOO_SLOW = N_("The download takes too long.")
_PAGE = N_(
    "Its server sends a web page or text, perhaps a sign-in page. If the link opens a page with the image, "
    "use the address of the image itself."
)
_NOTHING = N_("Its server sends nothing.")
_ENCODED = N_("Its server compresses it in a way that cannot be read here.")
_UNREADABLE = N_("The size of the picture cannot be read.")
_PRIVATE = N_("The image is on this machine or in a private network, but the service needs a public URL.")
_GONE = N_("No image at this address: its server returns {status}.")
_TOO_LARGE = N_("The image is larger than 10 MB, the service's limit.")
_NO_IMAGE = N_("This is not a JPEG, PNG or WebP image.")
_TOO_SMALL = N_("The image has {width} × {height} pixels; Kling needs at least 300 on each side.")
_TOO_LONG = N_("The image has {width} × {height} pixels; Kling needs a shape between 1:2.5 and 2.5:1.")


@dataclass(frozen=True)
class Size:
    """An image's format and size, read from its first bytes.

    Attributes:
        format: ``JPEG``, ``PNG`` or ``WebP``.
        width: pixels, after the rotation that the camera recorded.
        height: pixels, likewise.
    """

    format: str
    width: int
    height: int


@dataclass(frozen=True)
class ImageReport:
    """The result of checking one image.

    Attributes:
        url: the image's URL.
        size: format, width and height; ``None`` if it is not an image, or was not reached.
        problem: a sentence that says why the service certainly cannot use the image; empty if it may.
        is_transient: whether problem or doubt may be gone at the next check.
        content: all bytes of the file, if requested.
        doubt: a sentence that says why this machine could not check the image; empty if it could.
    """

    url: str
    size: Size | None = None
    problem: str = ""
    is_transient: bool = False
    content: bytes = field(default=b"", repr=False)
    doubt: str = ""

    @property
    def warning(self) -> str:
        """The doubt, or a sentence about the limit of Kling's own that the image violates; empty if none."""
        if self.size is None or self.doubt:
            return self.doubt
        short, long = sorted((self.size.width, self.size.height))
        message = tr(_TOO_SMALL) if short < SMALLEST_SIDE else tr(_TOO_LONG) if long > WIDEST * short else ""
        return message.format(width=self.size.width, height=self.size.height)

    @property
    def shape(self) -> str:
        """The aspect ratio of the image, and so of the video: ``16:9``, or ``1.85:1`` if it is uncommon."""
        if self.size is None:
            return ""
        ratio = self.size.width / self.size.height
        for wide, high in _KNOWN_SHAPES:
            if abs(ratio * high / wide - 1) < 0.01:
                return f"{wide}:{high}"
            if abs(ratio * wide / high - 1) < 0.01:
                return f"{high}:{wide}"
        return f"{ratio:.2f}:1" if ratio >= 1 else f"1:{1 / ratio:.2f}"


def probe_image(
    url: str, base_url: str, *, keep: int = 0, timeout: tuple[float, float] = (5.0, 10.0)
) -> ImageReport:
    """Fetch as much of an image as the check needs. Send no key and raise nothing.

    Args:
        url: the image's URL.
        base_url: the service's; only a service on this machine can use images on this machine.
        keep: the most bytes to keep as ``content``; nothing of a larger file is kept.
        timeout: seconds to connect, and seconds between two bytes.
    """
    if not is_web_url(url):
        return ImageReport(url, problem=tr(_NO_IMAGE))
    if is_private_host(url) and not is_private_host(base_url):
        return ImageReport(url, problem=tr(_PRIVATE))
    transport = Transport(Secret(""), base_url, timeout)
    try:
        with transport.stream(url, {"Accept": "image/*"}) as stream:
            return _judge(url, stream, keep)
    except ConnectionFailed as error:
        return _doubtful(url, str(error), is_transient=True)
    except DownloadFailed:
        return _doubtful(url, tr(_LOST))
    finally:
        transport.close()


def _doubtful(url: str, reason: str, *, size: Size | None = None, is_transient: bool = False) -> ImageReport:
    return ImageReport(url, size, is_transient=is_transient, doubt=tr(_DOUBT).format(reason=reason))


def _judge(url: str, stream: Stream, keep: int) -> ImageReport:
    status = stream.status
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return ImageReport(url, problem=tr(_GONE).format(status=status))
    if status != HTTPStatus.OK:
        reason = proxy_refusal(url, status) or tr(_REFUSED).format(status=status)
        is_transient = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return _doubtful(url, reason, is_transient=is_transient)
    length, is_encoded = stream.headers.get("Content-Length", ""), _is_encoded(stream)
    total = int(length) if length.isdecimal() and len(length) < 20 else None
    if total is not None and total > LARGEST:
        return ImageReport(url, problem=tr(_TOO_LARGE))
    gunzip = Gunzip() if is_encoded else None
    try:
        return _judge_content(url, stream, gunzip, None if is_encoded else total, keep)
    except zlib.error:
        return _doubtful(url, tr(_ENCODED))


def _judge_content(
    url: str, stream: Stream, gunzip: Gunzip | None, total: int | None, keep: int
) -> ImageReport:
    """Return the report on a body; ``total`` is its length if that is known, ``gunzip`` decompresses it."""
    data, size, deadline = bytearray(), None, time.monotonic() + _TIME_LIMIT
    for chunk in stream.chunks():
        for piece in (chunk,) if gunzip is None else gunzip.pieces(chunk):
            data += piece
            if len(data) > LARGEST:
                return ImageReport(url, size, tr(_TOO_LARGE))
            if size is None and len(data) <= _LONGEST_HEAD + len(piece):
                size = size_of(data)
        if time.monotonic() > deadline:
            return _doubtful(url, tr(_TOO_SLOW), size=size, is_transient=True)
        if size is not None and total is not None and total > keep:
            return ImageReport(url, size)
    if size is None:
        is_unpacked = gunzip is None or (gunzip.is_compressed and gunzip.is_complete)
        return _no_image(url, data) if is_unpacked else _doubtful(url, tr(_ENCODED))
    is_kept = len(data) <= keep and size.width * size.height <= _MOST_PIXELS
    return ImageReport(url, size, content=bytes(data) if is_kept else b"")


def _no_image(url: str, data: bytes | bytearray) -> ImageReport:
    """Return the report on a complete body without the size of an image.

    A server that serves no programs, or wants a user to sign in, sends a page with the status 200.
    """
    if _kind_of(data):
        return _doubtful(url, tr(_UNREADABLE))
    if not data.strip():
        return _doubtful(url, tr(_NOTHING), is_transient=True)
    head = bytes(data[:_TEXT_HEAD])
    if _BINARY.search(head) or _OTHER_FILE.match(head):
        return ImageReport(url, problem=tr(_NO_IMAGE))
    return _doubtful(url, tr(_PAGE))


def _is_encoded(stream: Stream) -> bool:
    return stream.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity")


def size_of(data: bytes | bytearray) -> Size | None:
    """Return format, width and height from the first bytes; ``None`` if they are not an image, or too few."""
    kind = _kind_of(data)
    if not kind:
        return None
    import imagesize  # slow to import: it also reads images over the network

    # Not get_info(), which needs more of the file than its head.
    width, height = imagesize.get(BytesIO(data))
    return Size(kind, width, height) if min(width, height) > 0 else None


def _kind_of(data: bytes | bytearray) -> str:
    return next((name for name, matches in _KINDS.items() if matches(data)), "")


_KINDS: Mapping[str, Callable[[bytes | bytearray], bool]] = {
    "PNG": lambda data: data[:8] == b"\x89PNG\r\n\x1a\n",
    "WebP": lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP",
    "JPEG": lambda data: data[:2] == b"\xff\xd8",
}
"""The image formats that the service accepts, each with a check of its first bytes."""
