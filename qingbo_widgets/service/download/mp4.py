"""Completeness check of an mp4 or QuickTime file by its boxes (ISO 14496-12, 4.2).

Without an announced length, a broken connection looks like the end of the file, and a proxy may announce the
length of the part that it has. The boxes of the file give its true length.
"""

from __future__ import annotations

from typing import IO

from ...system.boxes import outer_boxes
from .shape import Shape

__all__ = ["shape_of_mp4"]

#: Boxes needed for playback: the index and the media data.
_NEEDED = {b"moov", b"mdat"}
#: Outermost boxes. Other bytes behind the index and the media data belong to no box.
_KNOWN = frozenset(
    b"ftyp styp moov moof mdat free skip wide uuid meta mfra sidx ssix prft emsg pdin udta pnot".split()
)


def shape_of_mp4(file: IO[bytes], size: int) -> Shape:
    """Return the shape of a file: whole if its outermost boxes fill it and include index and media data.

    Args:
        file: a readable and seekable file.
        size: its length in bytes.
    """
    kinds: set[bytes] = set()
    at = 0
    for box in outer_boxes(file, size):
        if box.end > size:
            break
        kinds.add(box.kind)
        at = box.end
    is_playable = kinds >= _NEEDED
    if at == size:
        return Shape.whole if is_playable else Shape.cut
    file.seek(at)
    head = file.read(8)
    # A fragment may be missing; without fragments, all pictures are here.
    is_foreign = len(head) < 8 or head[4:] not in _KNOWN
    return Shape.odd if is_playable and is_foreign and b"moof" not in kinds else Shape.cut
