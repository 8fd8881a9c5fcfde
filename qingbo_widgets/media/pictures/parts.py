"""The parts of JPEG, PNG and WebP files: those that make the picture, and those that describe its origin.

A photograph contains where and when it was taken, with which camera, a small copy of itself, and behind its
end perhaps a short video. A file without these parts shows the same picture, to the last pixel.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Parts", "chunks_of", "is_one_scan", "parts_of"]

_PNG = b"\x89PNG\r\n\x1a\n"
#: Chunks of a PNG that make the picture, and those of a fixed length about its colours and resolution.
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_FIXED = {b"sRGB": 1, b"gAMA": 4, b"cHRM": 32, b"pHYs": 9}
#: The transparency of a PNG by the number of its colour type: those of 8 bits a channel, without a palette.
_COLOUR_TYPES = {0: False, 2: False, 4: True, 6: True}
_ANIMATED = b"acTL"

_SCAN, _END = 0xDA, 0xD9
#: Markers of a JPEG's frame: those of the usual kinds, one of which has several scans.
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
#: Segments that make the picture: frame, Huffman and arithmetic tables, quantization, restart interval, scan.
_TABLES = (*_SEQUENTIAL, _PROGRESSIVE, 0xC4, 0xCC, 0xDB, 0xDD, _SCAN)
#: The segments of cameras and programs, and comments.
_DESCRIPTIONS = (*range(0xE0, 0xF0), 0xFE)
#: The two among them that say what the colours are, with the length of their segment without a thumbnail.
_COLOURS = ((0xE0, b"JFIF\0", 16), (0xEE, b"Adobe", 14))
#: The end of the data of a scan: a marker, but no restart and no escaped byte.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True)
class Parts:
    """A complete file of a picture, taken apart.

    Attributes:
        format: ``JPEG``, ``PNG`` or ``WebP``.
        bare: the file with the same pixels, and nothing else.
        is_plain: whether it is one picture of 8 bits a channel, grey or RGB, perhaps with alpha.
        has_alpha: whether it may be transparent.
    """

    format: str
    bare: bytes = field(repr=False)
    is_plain: bool
    has_alpha: bool = False

    @property
    def is_opaque(self) -> bool:
        """True if it is such a picture, and nowhere transparent."""
        return self.is_plain and not self.has_alpha


def parts_of(content: bytes) -> Parts | None:
    """Return the parts of a file; ``None`` if it is of another format, incomplete, or unusual."""
    try:
        if content.startswith(_PNG):
            return _png(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _webp(content)
        return _jpeg(content) if content.startswith(b"\xff\xd8") else None
    except (IndexError, struct.error):
        return None


def chunks_of(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type of each chunk of a PNG, and the whole chunk, until the last one that is complete."""
    at = len(_PNG)
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            return
        yield kind, content[at:end]
        at = end
        if kind == b"IEND":
            return


def _png(content: bytes) -> Parts | None:
    kept, kinds = [_PNG], set()
    for kind, chunk in chunks_of(content):
        kinds.add(kind)
        if kind in _PIXELS or _FIXED.get(kind) == len(chunk) - 12:
            kept.append(chunk)
    if not {b"IHDR", b"IDAT", b"IEND"} <= kinds:
        return None
    depth, colours = struct.unpack_from(">BB", content, 24)
    has_alpha = _COLOUR_TYPES.get(colours, True) or b"tRNS" in kinds
    is_plain = depth == 8 and colours in _COLOUR_TYPES and _ANIMATED not in kinds
    return Parts("PNG", b"".join(kept), is_plain, has_alpha)


def _webp(content: bytes) -> Parts | None:
    end = 8 + struct.unpack_from("<I", content, 4)[0]
    if end > len(content):
        return None
    at, pictures, has_alpha, is_animated = 12, [], False, False
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", content, at)
        chunk = content[at : at + 8 + length + length % 2]
        at += 8 + length + length % 2
        if kind in (b"VP8 ", b"VP8L"):
            pictures.append(chunk)
        is_animated |= kind in (b"ANIM", b"ANMF")
        # In the header of a lossless picture, the lowest of four bits after width and height.
        has_alpha |= kind == b"ALPH" or (kind == b"VP8L" and bool(chunk[12] & 0x10))
    if at > end or not (is_animated or len(pictures) == 1):
        return None
    body = b"WEBP" + b"".join(pictures)
    return Parts("WebP", b"RIFF" + struct.pack("<I", len(body)) + body, not is_animated, has_alpha)


def _jpeg(content: bytes) -> Parts | None:
    kept, is_plain = [b"\xff\xd8"], False
    for code, segment in _segments(content):
        if code in _TABLES or code == _END or _is_about_colours(code, segment):
            kept.append(segment)
        elif code not in _DESCRIPTIONS:
            return None
        if code in (*_SEQUENTIAL, _PROGRESSIVE):  # 8 bits, and grey or three colours
            is_plain = segment[4] == 8 and segment[9] in (1, 3)
    return Parts("JPEG", b"".join(kept), is_plain) if kept[-1] == b"\xff\xd9" else None


def is_one_scan(content: bytes) -> bool:
    """Return whether a decoder can read a JPEG row by row; others take memory for the whole picture."""
    channels = 0
    try:
        for code, segment in _segments(content):
            if code in _SEQUENTIAL:
                channels = segment[9]
            elif code == _SCAN:
                return 0 < channels == segment[4]
    except (IndexError, struct.error):
        pass
    return False


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker of each segment of a JPEG, and the whole segment, until its end or damage."""
    at = 2
    while content[at] == 0xFF:
        while content[at + 1] == 0xFF:  # padding
            at += 1
        code = content[at + 1]
        if code == _END:
            yield code, content[at : at + 2]
            return
        length = struct.unpack_from(">H", content, at + 2)[0]
        end = at + 2 + length
        if code == _SCAN and (marker := _MARKER.search(content, end)) is not None:
            end = marker.start()
        if length < 2 or end > len(content):
            return
        yield code, content[at:end]
        at = end


def _is_about_colours(code: int, segment: bytes) -> bool:
    return any(
        code == known and segment[4:].startswith(start) and len(segment) == length + 2
        for known, start, length in _COLOURS
    )
