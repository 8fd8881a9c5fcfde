"""Completeness check of an mp4 file by its boxes (ISO 14496-12, 4.2).

Without an announced length, a broken connection looks like the end of the file, and a proxy may announce the
length of the part that it has. The boxes of the file give its true length.
"""

from __future__ import annotations

from typing import IO

__all__ = ["is_whole"]

#: Boxes. A video in fragments of a second has 3600 an hour; a file with more than this is an attack.
_MOST_BOXES = 100_000
#: Boxes needed for playback: the index and the media data.
_NEEDED = {b"moov", b"mdat"}


def is_whole(file: IO[bytes], size: int) -> bool:
    """Return whether the outermost boxes fill the file exactly and include index and media data.

    Args:
        file: a readable and seekable file.
        size: its length in bytes.
    """
    at = 0
    kinds: set[bytes] = set()
    for _ in range(_MOST_BOXES):
        if at >= size:
            return at == size and kinds >= _NEEDED
        file.seek(at)
        head = file.read(16)
        length, shortest = int.from_bytes(head[:4], "big"), 8
        if length == 1:  # the length has 64 bits
            length, shortest = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:  # the box extends to the end of the file
            length = size - at
        if length < shortest:
            return False
        kinds.add(head[4:8])
        at += length
    return False
