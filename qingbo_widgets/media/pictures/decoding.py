"""Decoding the file of a picture from anywhere, bounded before memory is taken."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ...service.http.image_probe import size_of
from ...system.video_files import HEAD, is_film
from ..unusable import UnusableMedia
from .limits import LONGEST_SIDE, check_pixels
from .parts import chunks_of, is_one_scan

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

__all__ = ["Decoded", "decode", "load"]

#: The decoders of Pillow that are used. Others start programs (EPS), or are of another century.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF", "PPM")
#: Pillow's names of a JPEG, and of one with further pictures behind it.
_JPEGS = ("JPEG", "MPO")
#: Pixels of a JPEG that can be read row by row: it is decoded in a half, a quarter or an eighth of its size.
_MOST_OF_ROWS = 500_000_000
#: Chunks of texts in a PNG: compressed, they may become a thousand times as large.
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
#: Kinds of still pictures in the boxes of an mp4 (ISO 23008-12).
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_SEVERAL, _AVIF = {b"mif1", b"msf1"}, {b"avif", b"avis"}
#: Tags of a TIFF: this picture is a small copy of another one; it is a camera's raw file; the size of a tile.
_SMALL_COPY, _RAW, _TILE_WIDTH, _TILE_HEIGHT = 254, 50706, 322, 323

#: Other files of pictures, by their first bytes.
_OTHERS = {
    b"%PDF": "PDF",
    b"%!PS": "EPS",
    b"\xc5\xd0\xd3\xc6": "EPS",
    b"8BPS": "PSD",
    b"\x00\x00\x01\x00": "ICO",
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
}
_SVG = re.compile(rb"(?!.*<html)[^<]{0,9}<.*?\bsvg\b", re.IGNORECASE | re.DOTALL)
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

_OTHER = N_("{kind} files are not read here: save the picture as JPEG or PNG.")
_HEIC_REFUSED = N_("HEIC is not read here: convert it to JPEG, or pip install pillow-heif.")
_AVIF_REFUSED = N_("AVIF needs Pillow 11.3 or newer: convert it to JPEG, or pip install -U pillow.")
_IS_VIDEO = N_("The file is a video, not a picture.")
_IS_PAGE = N_("The file is text or a web page, not a picture.")
_UNKNOWN = N_("The file is not a picture of a known kind: use JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF.")
_IS_RAW = N_("The file is a camera's raw file: develop it and save it as JPEG.")
_DAMAGED = N_("The picture is damaged or incomplete: {reason}.")
_FIRST_FRAME = N_("Only the first frame of the animation is used.")
_FIRST_PAGE = N_("Only the first page of the TIFF is used.")


@dataclass(frozen=True)
class Decoded:
    """The first image of a file.

    Attributes:
        image: the image, loaded. It is smaller than in the file if a JPEG is much larger than it can be sent.
        size: width and height in the file.
        note: a sentence about further images; empty if there are none.
    """

    image: Image
    size: tuple[int, int]
    note: str = ""


def decode(content: bytes, *, exact: bool = False) -> Decoded:
    """Return the first image of a file.

    Args:
        content: the file.
        exact: decode every pixel.

    Raises:
        UnusableMedia: it is no picture, too large to be decoded, or damaged.
    """
    if content.startswith(b"\x89PNG"):
        content = _without_texts(content)
    size = size_of(content)
    if size is not None and size.format == "WebP":  # which takes memory as soon as it is opened
        check_pixels(size.width, size.height)
    image = _opened(content)
    _check(image, content, exact=exact)
    note = _note(image)
    if image.format not in _JPEGS or exact:
        return Decoded(load(image), image.size, note)
    width, height = image.size
    scale = LONGEST_SIDE / max(width, height)
    image.draft(image.mode, (round(width * scale), round(height * scale)))  # never enlarges it
    return Decoded(load(image), (width, height), note)


def load(image: Image) -> Image:
    """Return the image, with its pixels in memory.

    Raises:
        UnusableMedia: they cannot be decoded.
    """
    check_pixels(*image.size)
    try:
        image.load()
    except Exception as error:  # each decoder has its own errors
        raise _damaged(error) from None
    return image


def _without_texts(content: bytes) -> bytes:
    chunks = list(chunks_of(content))
    if not any(kind in _TEXTS for kind, _ in chunks):
        return content
    return content[:8] + b"".join(chunk for kind, chunk in chunks if kind not in _TEXTS)


def _opened(content: bytes) -> ImageFile:
    """Return the image of a file, of which only the header was read."""
    # Not Image.open(), which refuses a JPEG of 200 million pixels, as phones take them, before its size can
    # be reduced, and whose limit is one for the whole process.
    from PIL import Image

    Image.init()
    if _is_heic(content) and "HEIF" not in Image.OPEN:
        if not find_spec("pillow_heif"):
            raise UnusableMedia(tr(_HEIC_REFUSED))
        import pillow_heif

        pillow_heif.register_heif_opener()
    for name in _FORMATS:
        if name not in Image.OPEN:
            continue
        factory, accepts = Image.OPEN[name]
        accepted = accepts is None or accepts(content[:16])
        if accepted and not isinstance(accepted, str):  # a text says which library is missing
            try:
                return factory(io.BytesIO(content), "")
            except Exception as error:
                raise _damaged(error) from None
    raise UnusableMedia(_why_unknown(content))


def _is_heic(content: bytes) -> bool:
    brands = _brands(content)
    return bool(brands & _HEIC) or (bool(brands & _SEVERAL) and not brands & _AVIF)


def _check(image: ImageFile, content: bytes, *, exact: bool) -> None:
    """Raise an error if the image would take too much memory, or is a small copy of the real one."""
    is_by_rows = image.format in _JPEGS and not exact and is_one_scan(content)
    check_pixels(*image.size, **({"most": _MOST_OF_ROWS} if is_by_rows else {}))
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        return
    if _RAW in tags or tags.get(_SMALL_COPY) == 1 or content[8:10] == b"CR":
        raise UnusableMedia(tr(_IS_RAW))
    tile = tags.get(_TILE_WIDTH), tags.get(_TILE_HEIGHT)
    if all(isinstance(side, int) for side in tile):
        check_pixels(*tile)


def _note(image: ImageFile) -> str:
    """Return a note if the file has more pictures. Those behind a photograph are not meant to be seen."""
    try:
        has_more = image.format not in _JPEGS and getattr(image, "is_animated", False)
    except Exception as error:
        raise _damaged(error) from None
    if not has_more:
        return ""
    return tr(_FIRST_PAGE) if image.format == "TIFF" else tr(_FIRST_FRAME)


def _brands(content: bytes) -> set[bytes]:
    """Return the kinds that a file in boxes says it is of."""
    if content[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(content[:4], "big"), len(content), 256)
    return {content[8:12], *(content[at : at + 4] for at in range(16, end - 3, 4))}


def _why_unknown(content: bytes) -> str:
    """Return a sentence about a file that no decoder accepts."""
    if _brands(content) & _AVIF:
        return tr(_AVIF_REFUSED)
    if is_film(content[:HEAD]):
        return tr(_IS_VIDEO)
    head = content[:1000]
    kind = next((kind for start, kind in _OTHERS.items() if head.startswith(start)), "")
    if not kind and _SVG.match(head):
        kind = "SVG"
    if kind:
        return tr(_OTHER).format(kind=kind)
    return tr(_UNKNOWN) if _BINARY.search(head) else tr(_IS_PAGE)


def _damaged(error: Exception) -> UnusableMedia:
    reason = str(error).strip().rstrip(".") or type(error).__name__
    return UnusableMedia(tr(_DAMAGED).format(reason=reason))
