"""The boxes of an mp4 or QuickTime file (ISO 14496-12, 4.2): a length, a type, and content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple

__all__ = ["Box", "outer_boxes", "read_box"]

#: Boxes that are read. A video in fragments of a second has 3600 an hour; a file with more is an attack.
_MOST_BOXES = 100_000


class Box(NamedTuple):
    """The place of a box in its file.

    Attributes:
        kind: its type of four bytes; fewer if the file ends within it.
        start: the place of its content.
        end: the place behind its content, which may be beyond the end of the file.
    """

    kind: bytes
    start: int
    end: int


def read_box(file: IO[bytes], at: int, outer_end: int) -> Box | None:
    """Return the box at a place in a file; ``None`` if its length is shorter than its own header.

    Args:
        file: a readable and seekable file.
        at: the place, within the file.
        outer_end: the end of the box around it, or of the file, to which a box without a length extends.
    """
    file.seek(at)
    head = file.read(16)
    length, header = int.from_bytes(head[:4], "big"), 8
    if length == 1:  # the length has 64 bits
        length, header = int.from_bytes(head[8:16], "big"), 16
    elif length == 0:
        length = outer_end - at
    return None if length < header else Box(head[4:8], at + header, at + length)


def outer_boxes(file: IO[bytes], size: int) -> Iterator[Box]:
    """Yield the outermost boxes of a file; the last may end beyond the file.

    Args:
        file: a readable and seekable file.
        size: its length in bytes.
    """
    at = 0
    for _ in range(_MOST_BOXES):
        if at >= size:  # no system can seek as far as a box may say
            return
        if (box := read_box(file, at, size)) is None:
            return
        at = box.end
        yield box
