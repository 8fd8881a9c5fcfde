"""Whether an mp4 file is whole, by the boxes of which it consists (ISO 14496-12, 4.2).

A connection that breaks off looks like an end where no length was announced, and a proxy may announce the
length of what it happens to have. The file itself knows better.
"""

from __future__ import annotations

from typing import IO

__all__ = ["is_whole"]

#: A film in fragments of a second has 3600 an hour; more than this is made to keep us busy.
_MOST_BOXES = 100_000
#: What it takes to play: the index, and the pictures.
_NEEDED = {b"moov", b"mdat"}


def is_whole(file: IO[bytes], size: int) -> bool:
    """Whether the outermost boxes fill the file exactly, and index and pictures are among them.

    Args:
        file: can be read and sought in.
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
        if length == 1:  # it needs 64 bits
            length, shortest = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:  # as far as the file goes
            length = size - at
        if length < shortest:
            return False
        kinds.add(head[4:8])
        at += length
    return False
