"""Check of a WebM file's decoded size by its lists of tracks (RFC 9559).

A track may contain a compressed decoder configuration: ten kilobytes become ten megabytes, in each of a
thousand tracks. WebM does not allow such tracks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

__all__ = ["is_webm_decodable"]

_TRACKS, _TRACK, _ENCODINGS = b"\x16\x54\xae\x6b", b"\xae", b"\x6d\x80"
_MOST_TRACKS = 64
#: Elements of one level. A track has about twenty.
_MOST_ELEMENTS = 1000
_PIECE = 2**20
#: Bytes of an element's longest name and length together.
_LONGEST_HEAD = 12


def is_webm_decodable(file: IO[bytes], size: int) -> bool:
    """Return whether every list of tracks is allowed in a WebM file.

    Args:
        file: a readable and seekable file.
        size: its length in bytes.
    """
    # The structure is ignored: FFmpeg reads a list from any position that the file refers to, and searches
    # for one after bytes that it cannot read.
    return all(_is_plain(file, start, size) for start in _lists(file))


def _lists(file: IO[bytes]) -> Iterator[int]:
    """Yield the start of each list of tracks."""
    at, tail = 0, b""
    while True:
        file.seek(at)
        piece = file.read(_PIECE)
        if not piece:
            return
        searched, begin = tail + piece, at - len(tail)
        place = searched.find(_TRACKS)
        while place >= 0:
            yield begin + place
            place = searched.find(_TRACKS, place + 1)
        at, tail = at + len(piece), searched[1 - len(_TRACKS) :]


def _is_plain(file: IO[bytes], at: int, size: int) -> bool:
    """Return whether a list has few tracks, and no encoded one."""
    file.seek(at)
    _, start, end = _head(file.read(_LONGEST_HEAD), at, size)
    tracks = 0
    for count, (name, inner, stop) in enumerate(_elements(file, start, end, size)):
        tracks += name == _TRACK
        if tracks > _MOST_TRACKS or count == _MOST_ELEMENTS:
            return False
        if name == _TRACK:
            for number, (field, _, _) in enumerate(_elements(file, inner, stop, size)):
                if field == _ENCODINGS or number == _MOST_ELEMENTS:
                    return False
    return True


def _elements(file: IO[bytes], start: int, end: int, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of the content of each element; an element may extend beyond ``end``."""
    at = start
    while at < end:
        file.seek(at)
        name, inner, stop = _head(file.read(_LONGEST_HEAD), at, size)
        yield name, inner, stop
        at = stop


def _head(head: bytes, at: int, size: int) -> tuple[bytes, int, int]:
    """Return name, start and end of the content of the element at a position."""
    name = _width(head, 0, 4)
    length = _width(head, name, 8)
    begin = name + length
    most = (1 << 7 * length) - 1
    value = int.from_bytes(head[name:begin], "big") & most
    # All ones: the length is unknown.
    return head[:name], at + begin, size if value == most else min(at + begin + value, size)


def _width(head: bytes, at: int, most: int) -> int:
    """Return the number of bytes of the number at a position: one more than its leading zeros."""
    first = head[at] if at < len(head) else 0
    return min(9 - first.bit_length(), most)
