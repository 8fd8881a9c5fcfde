"""Completeness check of a video file, by the structure of its container."""

from __future__ import annotations

from typing import IO

from ...i18n import N_, tr
from ...system.video_files import EBML, HEAD, suffix_of
from .mp4 import shape_of_mp4
from .shape import Shape

__all__ = ["remark_on", "shape_of"]

#: The main part of an EBML file.
_SEGMENT = b"\x18\x53\x80\x67"
#: Parts of an AVI file that are read; a file with more of them is an attack.
_MOST_PARTS = 1000

_OTHER_CONTAINER = N_("The service sent the video as {suffix}, not mp4; it is saved with that extension.")
_ODD_END = N_(
    "The length of the saved file does not match its structure, so it may be incomplete. All received bytes "
    "were kept."
)


def shape_of(file: IO[bytes], size: int) -> Shape:
    """Return the shape of a video file; a container that need not contain its length counts as whole.

    Args:
        file: a readable and seekable file.
        size: its length in bytes.
    """
    file.seek(0)
    head = file.read(HEAD)
    suffix = suffix_of(head)
    if suffix in (".mp4", ".mov"):
        return shape_of_mp4(file, size)
    if suffix in (".webm", ".mkv"):
        return _shape_at(_end_of_ebml(file, head, size), size)
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


def _end_of_ebml(file: IO[bytes], head: bytes, size: int) -> int | None:
    """Return the byte at which a WebM or Matroska file ends; ``None`` if it does not say."""
    at = len(EBML) + _width(head, len(EBML))
    at += _number(head, len(EBML)) or 0
    if at > size:
        return at  # no system can seek as far as the header may say
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
    for _ in range(_MOST_PARTS):
        file.seek(at)
        head = file.read(8)
        if at >= size or len(head) < 8 or (at and head[:4] != b"RIFF"):
            break
        length = int.from_bytes(head[4:], "little")
        at += 8 + length + length % 2
    return at
