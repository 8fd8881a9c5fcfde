"""Copies of videos with MP3 sound, as files: their names, and the mark by which they are recognised.

A folder may have any names, so a file with the name of a copy may be a video of the user's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .boxes import read_box
from .companions import companion_stem
from .folder import open_inside

__all__ = ["MARK", "contents_of", "is_sound_copy", "sound_copy", "sound_copy_path"]

#: The comment in a copy.
MARK = "qingbo_widgets:sound=mp3"
_SUFFIX = "-mp3.mp4"
_COMMENTS = (b"moov", b"udta")
#: Bytes that are read of a box, and boxes that are looked at in another one.
_LONGEST, _MOST_BOXES = 4096, 1000


def sound_copy_path(video: Path) -> Path:
    """Return the path of the copy of a video with MP3 sound, whether or not it exists."""
    return video.with_name(f"{companion_stem(video)}{_SUFFIX}")


def sound_copy(video: Path) -> Path | None:
    """Return the copy of a video with MP3 sound, if it has been made of this version of the video."""
    path = sound_copy_path(video)
    try:
        is_of_another = path.stat().st_mtime_ns < video.stat().st_mtime_ns
    except OSError:
        return None
    return path if not is_of_another and is_sound_copy(path) else None


def is_sound_copy(path: Path) -> bool:
    """Return whether a file is the copy of a video with MP3 sound that this package has made."""
    if not path.name.endswith(_SUFFIX):
        return False
    try:
        with open_inside(path) as file:
            return any(MARK.encode() in content for content in contents_of(file, *_COMMENTS))
    except OSError:
        return False


def contents_of(file: IO[bytes], *way: bytes) -> Iterator[bytes]:
    """Yield the beginning of the content of each box of an mp4 file.

    Args:
        file: a readable and seekable file.
        *way: the types of the boxes from the outermost to the wanted one.
    """
    return _contents(file, 0, os.fstat(file.fileno()).st_size, way)


def _contents(file: IO[bytes], start: int, end: int, way: tuple[bytes, ...]) -> Iterator[bytes]:
    if not way:
        file.seek(start)
        yield file.read(min(end - start, _LONGEST))
        return
    for _ in range(_MOST_BOXES):
        box = read_box(file, start, end) if start + 8 <= end else None
        if box is None:
            return
        if box.kind == way[0]:
            yield from _contents(file, box.start, min(box.end, end), way[1:])
        start = box.end
