"""Containers of videos, recognised by their first bytes, whatever a server calls them."""

from __future__ import annotations

from typing import IO

from ...i18n import N_, tr
from .mp4 import shape_of_mp4
from .shape import Shape

__all__ = ["ENOUGH", "is_film", "remark_on", "shape_of", "suffix_of"]

#: Bytes at the start of a file that identify its container; ``is_film`` needs the first 12.
ENOUGH = 64
_EBML = b"\x1aE\xdf\xa3"
#: Types of the first box of an mp4 or QuickTime file, after the four bytes of its length.
_FIRST_BOXES = (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"wide", b"free", b"skip", b"pnot")
#: Kinds of files that have boxes too, but are pictures.
_PICTURES = (b"avif", b"heic", b"heix", b"mif1")
#: Other containers, by their first bytes.
_OTHERS = {
    b"GIF87a": ".gif",
    b"GIF89a": ".gif",
    b"FLV\x01": ".flv",
    b"OggS\x00": ".ogv",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": ".wmv",
    b"\x00\x00\x01\xba": ".mpg",
}
#: The name of an EBML file's contents, and of its main part.
_MATROSKA, _SEGMENT = b"matroska", b"\x18\x53\x80\x67"

_OTHER_CONTAINER = N_("The service sent the video as {suffix}, not as mp4, so it is saved under that ending.")
_ODD_END = N_("The saved file does not end where its own structure says. All bytes that arrived were kept.")


def is_film(head: bytes) -> bool:
    """Return whether the first 12 bytes of a file are those of a video."""
    return suffix_of(head) is not None


def suffix_of(head: bytes) -> str | None:
    """Return the suffix of a file name for these first bytes; ``None`` if they are not those of a video."""
    if head.startswith(_EBML):
        return ".mkv" if _MATROSKA in head else ".webm"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return ".avi"
    if head[4:8] in _FIRST_BOXES:
        if head[4:8] == b"ftyp":
            brand = head[8:12]
            return None if brand in _PICTURES else ".mov" if brand == b"qt  " else ".mp4"
        return ".mp4" if head[4:8] in (b"styp", b"moof") else ".mov"
    return next((suffix for start, suffix in _OTHERS.items() if head.startswith(start)), None)


def shape_of(file: IO[bytes], size: int) -> Shape:
    """Return the shape of a video file; a container that need not contain its length counts as whole.

    Args:
        file: a readable and seekable file.
        size: its length in bytes.
    """
    file.seek(0)
    head = file.read(ENOUGH)
    suffix = suffix_of(head)
    if suffix in (".mp4", ".mov"):
        return shape_of_mp4(file, size)
    if suffix in (".webm", ".mkv"):
        return _shape_at(_end_of_ebml(file, head), size)
    if suffix == ".gif":
        file.seek(max(size - 1, 0))
        return Shape.whole if file.read(1) == b";" else Shape.odd
    if suffix == ".avi":
        return _shape_at(_end_of_riff(file, size), size)
    return Shape.cut if suffix is None else Shape.whole


def remark_on(file: IO[bytes], size: int, suffix: str) -> str:
    """Return what is unusual about a saved video, for the user; empty if nothing is.

    Args:
        file: a readable and seekable file.
        size: its length in bytes.
        suffix: the suffix of its name.
    """
    remarks = [] if suffix == ".mp4" else [tr(_OTHER_CONTAINER).format(suffix=suffix)]
    if shape_of(file, size) is not Shape.whole:
        remarks.append(tr(_ODD_END))
    return " ".join(remarks)


def _shape_at(end: int | None, size: int) -> Shape:
    if end is None or end == size:
        return Shape.whole
    return Shape.cut if size < end else Shape.odd


def _end_of_ebml(file: IO[bytes], head: bytes) -> int | None:
    """Return the byte at which a WebM or Matroska file ends; ``None`` if it does not say."""
    at = len(_EBML) + _width(head, len(_EBML))
    at += _number(head, len(_EBML)) or 0
    file.seek(at)
    segment = file.read(12)
    length = _number(segment, len(_SEGMENT)) if segment.startswith(_SEGMENT) else None
    return None if length is None else at + len(_SEGMENT) + _width(segment, len(_SEGMENT)) + length


def _width(data: bytes, at: int) -> int:
    """Return the number of bytes of the number at a position: one more than its leading zeros."""
    return 9 - data[at].bit_length() if at < len(data) else 0


def _number(data: bytes, at: int) -> int | None:
    """Return the length at a position; ``None`` if it is unknown, which is written as all ones."""
    width = _width(data, at)
    most = (1 << 7 * width) - 1
    number = int.from_bytes(data[at : at + width], "big") & most
    return None if number == most else number


def _end_of_riff(file: IO[bytes], size: int) -> int:
    """Return the byte at which the last part of an AVI file ends; it has a part for each gigabyte or so."""
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or (at and head[:4] != b"RIFF"):
            break
        length = int.from_bytes(head[4:], "little")
        at += 8 + length + length % 2
    return at
