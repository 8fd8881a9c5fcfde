"""``boxes``: the headers of the boxes in an mp4 or QuickTime file."""

from __future__ import annotations

import io

import pytest

from qingbo_widgets.system.boxes import Box, outer_boxes, read_box

LONG = b"\0\0\0\1mdat" + (20).to_bytes(8, "big") + b"...."


@pytest.mark.parametrize(
    ("data", "box"),
    [
        (b"\0\0\0\x0cmdat....", Box(b"mdat", 8, 12)),
        (LONG, Box(b"mdat", 16, 20)),
        (b"\0\0\0\0mdat" + b"." * 22, Box(b"mdat", 8, 30)),
        (b"\0\0\1\0mdat....", Box(b"mdat", 8, 256)),
        (b"\0\0\0\x07mdat....", None),
        (b"\0\0\0\1mdat" + (15).to_bytes(8, "big"), None),
        (b"\0\0\0\x20md", Box(b"md", 8, 32)),
    ],
    ids=["plain", "64 bits", "to the end", "beyond the end", "too short", "too short for 64 bits", "cut"],
)
def test_a_header(data: bytes, box: Box | None) -> None:
    """A length of 32 or 64 bits, or none, gives the place of the content; an impossible one gives no box."""
    assert read_box(io.BytesIO(data), 0, len(data)) == box


def test_the_outermost_boxes() -> None:
    """They follow one another, whatever is in them; the last may end beyond the file."""
    data = b"\0\0\0\x10moov\0\0\0\x08trak" + LONG + b"\0\0\1\0free"
    found = [(box.kind, box.end) for box in outer_boxes(io.BytesIO(data), len(data))]
    assert found == [(b"moov", 16), (b"mdat", 36), (b"free", 292)]
