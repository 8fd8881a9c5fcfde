"""Kinds of video files: by the endings of their names, and by their first bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import IO

__all__ = ["HEAD", "is_film_name", "is_other_film_name", "media_type", "outer_boxes"]

#: Number of a file's first bytes that show what it is.
HEAD = 64
#: Endings of the videos that browsers play.
_ENDINGS = frozenset((".mp4", ".m4v", ".mov", ".webm", ".mkv"))
#: Endings of other videos.
_OTHERS = (
    *(".3g2", ".3gp", ".asf", ".avi", ".divx", ".f4v", ".flv", ".m2ts", ".m2v", ".mpeg", ".mpg", ".mts"),
    *(".mxf", ".ogv", ".rm", ".ts", ".vob", ".wmv"),
)
#: Types of the first box of an mp4 or QuickTime file, after the four bytes of its length.
_FIRST_BOXES = (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"wide", b"free", b"skip")
#: Boxes that are read. A video in fragments of a second has 3600 an hour.
_MOST_BOXES = 100_000
_EBML, _WEBM = b"\x1aE\xdf\xa3", b"webm"


def is_film_name(name: str) -> bool:
    """Return whether a file's name is that of a video that browsers play, in letters of any case."""
    return PurePath(name).suffix.lower() in _ENDINGS


def is_other_film_name(name: str) -> bool:
    """Return whether a file's name is that of a video of another kind."""
    return PurePath(name).suffix.lower() in _OTHERS


def media_type(head: bytes) -> str | None:
    """Return the media type of a video by its first bytes, whatever its name; ``None`` if it is no video.

    A QuickTime video has the type of an mp4: Chromium plays it under this name, and refuses ``quicktime``.

    Args:
        head: at least the first ``HEAD`` bytes, or the whole file.
    """
    if head.startswith(_EBML):
        return "video/webm" if _WEBM in head[:HEAD] else "video/x-matroska"
    return "video/mp4" if head[4:8] in _FIRST_BOXES else None


def outer_boxes(file: IO[bytes], size: int) -> Iterator[tuple[bytes, int]]:
    """Yield type and end of each outermost box of an mp4 or QuickTime file; the last may end beyond the file.

    Args:
        file: a readable and seekable file.
        size: its length in bytes.
    """
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        length, shortest = int.from_bytes(head[:4], "big"), 8
        if length == 1:  # the length has 64 bits
            length, shortest = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:  # the box extends to the end of the file
            length = size - at
        if at >= size or length < shortest:
            return
        at += length
        yield head[4:8], at
