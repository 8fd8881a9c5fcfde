"""Painted masks as PNG files: white and opaque where painted, black and transparent elsewhere.

The service asks for a PNG with alpha, and does not say whether it reads the alpha or the light: here both say
the same. The page sends the lengths of runs, which need no decoder and can be checked completely.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

__all__ = ["MOST_PIXELS", "is_painted", "png_of", "runs_in"]

#: Maximum pixels of an image whose mask can be painted: twice that of the largest camera of a phone.
MOST_PIXELS = 50_000_000
_LONGEST_SIDE = 2**16
#: Maximum bytes of the runs of a mask; one that was painted by hand has some thousands.
_LONGEST = 4_000_000

_PAINTED, _BARE = b"\xff\xff\xff\xff", b"\x00\x00\x00\x00"
_RGBA = 6
_UNFILTERED, _SAME_AS_ABOVE = b"\x00", b"\x02"


def runs_in(data: bytes, width: int, height: int) -> tuple[int, ...]:
    """Return the run lengths in a message from the page, of unpainted and painted pixels in turn.

    Args:
        data: variable-length integers, seven bits a byte, the lowest first.
        width: pixels of the image.
        height: pixels of the image.

    Raises:
        ValueError: these are not the runs of an image of this size.
    """
    if not (0 < width < _LONGEST_SIDE and 0 < height < _LONGEST_SIDE and width * height <= MOST_PIXELS):
        raise ValueError(f"{width} x {height} pixels are no size of an image")
    if len(data) > _LONGEST:
        raise ValueError(f"{len(data)} bytes are too many")
    runs, length, shift = [], 0, 0
    for byte in data:
        length |= (byte & 127) << shift
        shift += 7
        if shift > 35:  # more than any image has
            raise ValueError("a run is longer than the image")
        if byte < 128:
            runs.append(length)
            length = shift = 0
    if shift or sum(runs) != width * height:
        raise ValueError(f"the runs have {sum(runs)} pixels, but the image {width * height}")
    return tuple(runs)


def is_painted(runs: tuple[int, ...]) -> bool:
    """Return True if the mask has a painted pixel."""
    return any(runs[1::2])


def png_of(runs: tuple[int, ...], width: int, height: int) -> bytes:
    """Return the PNG file of a mask: eight bits of red, green, blue and alpha for each pixel."""
    header = struct.pack(">IIBBBBB", width, height, 8, _RGBA, 0, 0, 0)
    packed = zlib.compressobj(6)
    rows = b"".join(map(packed.compress, _filtered(_rows(runs, width, height)))) + packed.flush()
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", rows), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _rows(runs: tuple[int, ...], width: int, height: int) -> Iterator[bytes]:
    """Yield the pixels of each row."""
    row, room, rows = bytearray(), width, 0
    for number, length in enumerate(runs):
        colour = _PAINTED if number % 2 else _BARE
        while length >= room:
            yield bytes(row + colour * room)
            length, row, room, rows = length - room, bytearray(), width, rows + 1
            if rows == height:
                return
        row += colour * length
        room -= length


def _filtered(rows: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the rows with their filters: one like that above it is all zeros, which compress faster."""
    above = None
    for row in rows:
        yield _SAME_AS_ABOVE + bytes(len(row)) if row == above else _UNFILTERED + row
        above = row


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
