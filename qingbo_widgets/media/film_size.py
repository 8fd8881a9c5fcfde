"""The size of an mp4 file once it is decoded, read from its boxes (ISO 14496-12) before anything is decoded.

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
_MOST_TRACKS = 64
#: Bytes of a box that a decoder keeps in memory; an index of ten hours has a tenth.
_LARGEST = 256 * 2**20
_PICTURES = (b"mdat", b"free", b"skip", b"wide")
#: A film in fragments of a second has some 40,000 an hour.
_MOST_BOXES = 200_000
_DEEPEST = 16
#: Boxes that consist of boxes. FFmpeg takes each of them anywhere.
_OUTER = frozenset(
    b"moov trak mdia minf stbl edts mvex moof traf udta dinf gmhd wave sinf schi tref ilst".split()
)
#: Boxes that FFmpeg takes for an index where the file has no other.
_HIDDEN_INDEX = (b"free", b"hoov")
_FIRST_OF_INDEX = (b"mvhd", b"cmov")
#: Bytes at a time in which the boxes within a ``meta`` are looked for.
_PIECE = 4096
#: Tables, with the bytes of an entry: as many as are announced must be there.
_TABLES = {b"stts": 8, b"ctts": 8, b"stss": 4, b"stps": 4, b"stsc": 12, b"stco": 4, b"co64": 8, b"elst": 12}
#: Lists of still pictures, for which a decoder takes 8 bytes an entry before it has read one.
_LISTS = (b"iinf", b"iloc")
_NUMBERED = frozenset((b"tkhd", b"hdlr", b"stsz", b"stz2", b"trun", *_TABLES, *_LISTS))
#: Bytes of a description of the samples; with the configuration of a decoder it has some hundred.
_LARGEST_DESCRIPTION = 2**20
#: What a description must not have inside: FFmpeg reads the boxes in it like those of an index.
_NOT_DESCRIBED = _NUMBERED | _OUTER - {b"wave", b"sinf", b"schi"} | {b"cmov", b"meta"}
#: Fields of which each sample in a ``trun`` may have its own, four bytes each.
_OWN_FIELDS = (0x100, 0x200, 0x400, 0x800)


@dataclass
class FilmSize:
    """The size that an index announces.

    Attributes:
        width: pixels of the widest picture.
        height: pixels of the highest picture.
        samples: pictures and pieces of sound.
        tracks: pictures, sound, subtitles.
        is_consistent: whether tables and sizes can be true.
    """

    width: int = 0
    height: int = 0
    samples: int = 0
    tracks: int = 0
    is_consistent: bool = True

    @property
    def is_decodable(self) -> bool:
        """Return whether decoding takes a reasonable amount of memory."""
        return (
            self.is_consistent
            and self.width * self.height <= MOST_PIXELS
            and self.samples <= _MOST_SAMPLES
            and self.tracks <= _MOST_TRACKS
        )


@dataclass
class _Track:
    """A track whose samples are all of one size, so that their number is not bound to a table."""

    samples: int = 0
    kinds: frozenset[bytes] = frozenset()
    is_even: bool = False

    @property
    def entries(self) -> int:
        """Samples that a decoder keeps an entry for.

        Of sound that is not compressed there are 48,000 in a second, each one step of time: those have none.
        """
        return 0 if self.is_even and self.kinds == {b"soun"} else self.samples


def film_size(file: IO[bytes], size: int) -> FilmSize:
    """Return what an mp4 file announces; not decodable as well where there are too many boxes.

    Args:
        file: can be read and sought in.
        size: its length in bytes.
    """
    found, track = FilmSize(), _Track()
    for boxes, (kind, start, end) in enumerate(_boxes(file, 0, size, _DEEPEST)):
        if boxes == _MOST_BOXES:
            found.is_consistent = False
        if not found.is_consistent:
            break
        if kind not in _PICTURES and end - start > _LARGEST:
            found.is_consistent = False
        elif kind == b"trak":
            found.samples += track.entries
            found.tracks, track = found.tracks + 1, _Track()
        elif kind == b"cmov":  # a compressed index: a film has none since the last century
            found.is_consistent = False
        elif kind == b"stsd":
            found.is_consistent = _is_description(file, start, end)
        elif kind in _NUMBERED:
            file.seek(start)
            _note(found, track, kind, file.read(min(end - start, 96)), end - start, size)
    found.samples += track.entries
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
        inner = _inner(file, head[4:8], at + begin, stop)
        if inner is not None and depth:
            yield from _boxes(file, inner, stop, depth - 1)
        at = stop


def _inner(file: IO[bytes], kind: bytes, start: int, end: int) -> int | None:
    """Return where the boxes within a box begin, as FFmpeg finds them; ``None`` where it looks for none."""
    if kind in _OUTER:
        return start
    if kind in _HIDDEN_INDEX:
        file.seek(start + 4)
        return start if file.read(4) in _FIRST_OF_INDEX else None
    if kind == b"meta":  # its first box is an hdlr, behind any number of other fields
        for at in range(start, end, _PIECE):
            file.seek(at)
            piece = file.read(min(_PIECE, end - at))
            for place in range(0, len(piece) - 3, 4):
                if piece[place : place + 4] == b"hdlr":
                    return max(at + place - 4, start)
    return None


def _is_description(file: IO[bytes], start: int, end: int) -> bool:
    """Return whether a description of samples has no part of an index inside."""
    if end - start > _LARGEST_DESCRIPTION:
        return False
    file.seek(start)
    content = file.read(end - start)
    return not any(kind in content for kind in _NOT_DESCRIBED)


def _note(found: FilmSize, track: _Track, kind: bytes, body: bytes, length: int, size: int) -> None:
    """Note the numbers in a box.

    Args:
        found: where to.
        track: the track that the box belongs to.
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
        found.width = max(found.width, number(at) >> 16)
        found.height = max(found.height, number(at + 4) >> 16)
    elif kind == b"hdlr":
        track.kinds |= {body[8:12]} & {b"soun", b"vide"}
    elif kind == b"stsz" and number(4):  # all of one size: no table, so any number can be written here
        found.is_consistent = number(4) * number(8) <= size
        track.samples += number(8)
    elif kind in (b"stsz", b"stz2"):
        found.samples += number(8)
        found.is_consistent = number(8) <= 2 * length
    elif kind in _LISTS:
        # Older versions of the boxes count with two bytes.
        at, version = (4, 1) if kind == b"iinf" else (6, 2)
        found.is_consistent = body[:1] < bytes([version]) or 8 * number(at) <= length
    elif kind == b"trun":
        own = sum(1 for field in _OWN_FIELDS if number(0) & field)
        found.samples += number(4)
        found.is_consistent = 4 * own * number(4) <= length
    else:
        found.is_consistent = number(4) <= _MOST_SAMPLES and _TABLES[kind] * number(4) <= length
        if kind == b"stts":
            track.is_even = (number(4), number(12)) == (1, 1)
