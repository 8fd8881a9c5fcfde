"""What it would take to decode an mp4 file, read from its boxes (ISO 14496-12) before anything is decoded.

A file of a few hundred kilobytes can announce pictures of a gigabyte, or samples by the thousand million for
each of which a decoder keeps an entry. The numbers stand in the file's index, so they are checked there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

__all__ = ["MOST_PIXELS", "FilmSize", "film_size"]

#: Of one picture: 4096 × 4096. Twice as much as 4K has; a decoder keeps about twenty pictures.
MOST_PIXELS = 4096 * 4096
#: Pictures and pieces of sound: ten hours of a film. A decoder keeps some 40 bytes of each.
_MOST_SAMPLES = 3_000_000
#: Bytes of one moment of sound that is not compressed: eight channels of 32 bits.
_SMALLEST_PIECE = 32
_MOST_TRACKS = 64
#: A film in fragments of a second has some 40,000 an hour.
_MOST_BOXES = 200_000
_DEEPEST = 16
#: Boxes that consist of boxes. FFmpeg takes each of them anywhere.
_OUTER = frozenset(b"moov trak mdia minf stbl edts mvex moof traf udta dinf gmhd wave sinf schi tref".split())
#: Tables, with the bytes of an entry: as many as are announced must be there.
_TABLES = {b"stts": 8, b"ctts": 8, b"stss": 4, b"stps": 4, b"stsc": 12, b"stco": 4, b"co64": 8, b"elst": 12}
#: Fields of which each sample in a ``trun`` may have its own, four bytes each.
_OWN_FIELDS = (0x100, 0x200, 0x400, 0x800)


@dataclass
class FilmSize:
    """What the index announces.

    Attributes:
        width: pixels of the widest picture.
        height: pixels of the highest picture.
        samples: pictures and pieces of sound.
        tracks: pictures, sound, subtitles.
        is_sound: whether tables and sizes can be true.
    """

    width: int = 0
    height: int = 0
    samples: int = 0
    tracks: int = 0
    is_sound: bool = True

    @property
    def is_decodable(self) -> bool:
        """Whether decoding takes a reasonable amount of memory."""
        return (
            self.is_sound
            and self.width * self.height <= MOST_PIXELS
            and self.samples <= _MOST_SAMPLES
            and self.tracks <= _MOST_TRACKS
        )


def film_size(file: IO[bytes], size: int) -> FilmSize:
    """Return what an mp4 file announces; not decodable as well where there are too many boxes.

    Args:
        file: can be read and sought in.
        size: its length in bytes.
    """
    found = FilmSize()
    for boxes, (kind, start, end) in enumerate(_boxes(file, 0, size, _DEEPEST)):
        if boxes == _MOST_BOXES:
            found.is_sound = False
        if not found.is_sound:
            break
        _note(found, kind, file, start, end, size)
    return found


def _boxes(file: IO[bytes], start: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the content of every box, at every level, as FFmpeg reads them."""
    at = start
    while at + 8 <= end:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        length, begin = int.from_bytes(head[:4], "big"), 8
        if length == 1:  # it needs 64 bits
            length, begin = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:  # as far as the outer one goes
            length = end - at
        if length < begin:
            return
        stop = min(at + length, end)
        yield head[4:8], at + begin, stop
        if head[4:8] in _OUTER and depth:
            yield from _boxes(file, at + begin, stop, depth - 1)
        at = stop


def _note(found: FilmSize, kind: bytes, file: IO[bytes], start: int, end: int, size: int) -> None:
    if kind == b"trak":
        found.tracks += 1
    elif kind == b"cmov":  # a compressed index: a film has none since the last century
        found.is_sound = False
    elif kind in (b"tkhd", b"stsz", b"stz2", b"trun", *_TABLES):
        file.seek(start)
        _note_numbers(found, kind, file.read(min(end - start, 96)), end - start, size)


def _note_numbers(found: FilmSize, kind: bytes, body: bytes, length: int, size: int) -> None:
    """Note the numbers in a box.

    Args:
        found: where to.
        kind: of the box.
        body: its first bytes.
        length: all its bytes.
        size: all bytes of the file.
    """

    def number(at: int) -> int:
        return int.from_bytes(body[at : at + 4], "big")

    if kind == b"tkhd":
        # In fixed point: the upper two bytes are the pixels.
        at = 88 if body[:1] == b"\1" else 76
        found.width, found.height = (
            max(found.width, number(at) >> 16),
            max(found.height, number(at + 4) >> 16),
        )
    elif kind == b"stsz" and number(4):  # all of one size: no table, so any number can be written here
        found.is_sound = number(4) * number(8) <= size
        # Of sound that is not compressed there are 48,000 in a second, which nothing keeps an entry for.
        found.samples += 0 if number(4) <= _SMALLEST_PIECE else number(8)
    elif kind in (b"stsz", b"stz2"):
        found.samples += number(8)
        found.is_sound = number(8) <= 2 * length
    elif kind == b"trun":
        own = sum(1 for field in _OWN_FIELDS if number(0) & field)
        found.samples += number(4)
        found.is_sound = 4 * own * number(4) <= length
    else:
        found.is_sound = _TABLES[kind] * number(4) <= length
