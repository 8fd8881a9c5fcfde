"""The decoded size of an mp4 file, read from its boxes (ISO 14496-12) before decoding.

A file of a few hundred kilobytes can announce pictures of a gigabyte, or thousands of millions of samples,
for each of which a decoder keeps an entry. These numbers are in the file's index, so the index is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from ..system.boxes import Box, read_box

__all__ = ["MOST_PIXELS", "FilmSize", "film_size"]

#: Pixels of one picture. Twice as many as 4K; a decoder keeps about twenty pictures.
MOST_PIXELS = 4096 * 4096
#: Samples of pictures and sound: ten hours of video. A decoder keeps about 40 bytes of each.
_MOST_SAMPLES = 3_000_000
_MOST_TRACKS = 64
#: Bytes of a box that a decoder keeps in memory. An index of ten hours has a tenth of this.
_LARGEST = 256 * 2**20
_MEDIA_DATA = (b"mdat", b"free", b"skip", b"wide")
#: Boxes of a file. A video in fragments of a second has about 40,000 an hour.
_MOST_BOXES = 200_000
_DEEPEST = 16
#: Boxes that contain boxes. FFmpeg accepts each of them anywhere.
_CONTAINERS = frozenset(
    b"moov trak mdia minf stbl edts mvex moof traf udta dinf gmhd wave sinf schi tref ilst".split()
)
#: Boxes that FFmpeg reads as an index if the file has no other.
_HIDDEN_INDEX = (b"free", b"hoov")
_FIRST_OF_INDEX = (b"mvhd", b"cmov")
#: Bytes read at a time in the search for the boxes within a ``meta``.
_PIECE = 4096
#: Tables, with the bytes of an entry. A table must contain all entries that it announces.
_TABLES = {b"stts": 8, b"ctts": 8, b"stss": 4, b"stps": 4, b"stsc": 12, b"stco": 4, b"co64": 8, b"elst": 12}
#: Lists of still pictures, for which a decoder allocates 8 bytes an entry before it reads one.
_LISTS = (b"iinf", b"iloc")
_NUMBERED = frozenset((b"tkhd", b"hdlr", b"stsz", b"stz2", b"trun", *_TABLES, *_LISTS))
#: Bytes of a sample description. With the configuration of a decoder it has a few hundred.
_LARGEST_DESCRIPTION = 2**20
#: Boxes that a sample description must not contain: FFmpeg reads them like those of an index.
_FORBIDDEN_IN_DESCRIPTION = _NUMBERED | _CONTAINERS - {b"wave", b"sinf", b"schi"} | {b"cmov", b"meta"}
#: Flags of the fields that each sample in a ``trun`` may have, four bytes each.
_SAMPLE_FIELDS = (0x100, 0x200, 0x400, 0x800)


@dataclass
class FilmSize:
    """The size that an index announces.

    Attributes:
        width: pixels of the widest picture, as it is displayed.
        height: pixels of the tallest picture, as it is displayed.
        samples: number of samples of pictures and sound.
        tracks: number of tracks of pictures, sound and subtitles.
        is_consistent: whether the tables and sizes are plausible.
    """

    width: int = 0
    height: int = 0
    samples: int = 0
    tracks: int = 0
    is_consistent: bool = True

    @property
    def is_decodable(self) -> bool:
        """True if decoding needs a reasonable amount of memory."""
        return (
            self.is_consistent
            and self.width * self.height <= MOST_PIXELS
            and self.samples <= _MOST_SAMPLES
            and self.tracks <= _MOST_TRACKS
        )


@dataclass
class _Track:
    """A track whose samples all have the same size, so that no table limits their number."""

    samples: int = 0
    kinds: frozenset[bytes] = frozenset()
    is_uniform: bool = False

    @property
    def entries(self) -> int:
        """The number of samples for which a decoder keeps an entry.

        Uncompressed sound has 48,000 samples a second, each one time step long, and no entries.
        """
        return 0 if self.is_uniform and self.kinds == {b"soun"} else self.samples


def film_size(file: IO[bytes], size: int) -> FilmSize:
    """Return the size that an mp4 file announces. A file with too many boxes is not decodable either.

    Args:
        file: a readable and seekable file.
        size: its length in bytes.
    """
    announced, track = FilmSize(), _Track()
    for boxes, (kind, start, end) in enumerate(_boxes(file, 0, size, _DEEPEST)):
        if boxes == _MOST_BOXES:
            announced.is_consistent = False
        if not announced.is_consistent:
            break
        if kind not in _MEDIA_DATA and end - start > _LARGEST:
            announced.is_consistent = False
        elif kind == b"trak":
            announced.samples += track.entries
            announced.tracks, track = announced.tracks + 1, _Track()
        elif kind == b"cmov":  # a compressed index, which no video has had since the last century
            announced.is_consistent = False
        elif kind == b"stsd":
            announced.is_consistent = _is_description(file, start, end)
        elif kind in _NUMBERED:
            file.seek(start)
            _add_numbers(announced, track, kind, file.read(min(end - start, 96)), end - start, size)
    announced.samples += track.entries
    return announced


def _boxes(file: IO[bytes], start: int, end: int, depth: int) -> Iterator[Box]:
    """Yield every box, at every level, as FFmpeg reads them: none ends behind the one around it."""
    at = start
    while at + 8 <= end:
        box = read_box(file, at, end)
        if box is None or len(box.kind) < 4:
            return
        box = box._replace(end=min(box.end, end))
        yield box
        inner = _inner(file, box)
        if inner is not None and depth:
            yield from _boxes(file, inner, box.end, depth - 1)
        at = box.end


def _inner(file: IO[bytes], box: Box) -> int | None:
    """Return the start of the boxes within a box, as FFmpeg finds them; ``None`` if it searches for none."""
    kind, start, end = box
    if kind in _CONTAINERS:
        return start
    if kind in _HIDDEN_INDEX:
        file.seek(start + 4)
        return start if file.read(4) in _FIRST_OF_INDEX else None
    if kind == b"meta":  # its first box is an hdlr, after any number of other fields
        for at in range(start, end, _PIECE):
            file.seek(at)
            piece = file.read(min(_PIECE, end - at))
            for place in range(0, len(piece) - 3, 4):
                if piece[place : place + 4] == b"hdlr":
                    return max(at + place - 4, start)
    return None


def _is_description(file: IO[bytes], start: int, end: int) -> bool:
    """Return whether a sample description contains no part of an index."""
    if end - start > _LARGEST_DESCRIPTION:
        return False
    file.seek(start)
    content = file.read(end - start)
    return not any(kind in content for kind in _FORBIDDEN_IN_DESCRIPTION)


def _add_numbers(
    announced: FilmSize, track: _Track, kind: bytes, body: bytes, length: int, size: int
) -> None:
    """Add the numbers in a box.

    Args:
        announced: the size to update.
        track: the track that contains the box.
        kind: the type of the box.
        body: the first bytes of its content.
        length: the length of its content in bytes.
        size: the length of the file in bytes.
    """

    def number(at: int) -> int:
        return int.from_bytes(body[at : at + 4], "big")

    if kind == b"tkhd":
        # In fixed point: the upper two bytes are the pixels.
        at = 88 if body[:1] == b"\1" else 76
        width, height = number(at) >> 16, number(at + 4) >> 16
        if number(at - 32) and not number(at - 36):  # the matrix turns the pictures by a quarter
            width, height = height, width
        announced.width = max(announced.width, width)
        announced.height = max(announced.height, height)
    elif kind == b"hdlr":
        track.kinds |= {body[8:12]} & {b"soun", b"vide"}
    elif kind == b"stsz" and number(4):  # all of one size: without a table, any number is possible
        announced.is_consistent = number(4) * number(8) <= size
        track.samples += number(8)
    elif kind in (b"stsz", b"stz2"):
        announced.samples += number(8)
        announced.is_consistent = number(8) <= 2 * length
    elif kind in _LISTS:
        # Older versions of the boxes count with two bytes.
        at, version = (4, 1) if kind == b"iinf" else (6, 2)
        announced.is_consistent = body[:1] < bytes([version]) or 8 * number(at) <= length
    elif kind == b"trun":
        fields = sum(1 for field in _SAMPLE_FIELDS if number(0) & field)
        announced.samples += number(4)
        announced.is_consistent = 4 * fields * number(4) <= length
    else:
        announced.is_consistent = number(4) <= _MOST_SAMPLES and _TABLES[kind] * number(4) <= length
        if kind == b"stts":
            track.is_uniform = (number(4), number(12)) == (1, 1)
