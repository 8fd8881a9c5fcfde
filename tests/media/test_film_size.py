"""Tests of the size that an mp4 file announces in its boxes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from qingbo_widgets.media.film_size import FilmSize, film_size

TKHD = b"\0" * 76 + (1920 << 16).to_bytes(4, "big") + (1080 << 16).to_bytes(4, "big")


def box(kind: bytes, content: bytes = b"", length: int | None = None) -> bytes:
    """Return a box; ``length`` is the length that it announces."""
    return (8 + len(content) if length is None else length).to_bytes(4, "big") + kind + content


def numbers(*values: int) -> bytes:
    """Return numbers of four bytes; the first one is version and flags."""
    return b"".join(value.to_bytes(4, "big") for value in values)


def size_in(content: bytes) -> FilmSize:
    """Return the size that a file announces."""
    return film_size(io.BytesIO(content), len(content))


def index(*tables: bytes) -> bytes:
    """Return a file with an index of one track, with these tables."""
    inner = box(b"tkhd", TKHD) + box(b"mdia", box(b"minf", box(b"stbl", b"".join(tables))))
    return box(b"ftyp", b"isom") + box(b"moov", box(b"trak", inner)) + box(b"mdat", b"x" * 1000)


def test_an_honest_film() -> None:
    """The pictures' size and the numbers of samples and tracks are read from the index."""
    size = size_in(index(box(b"stsz", numbers(0, 0, 3, 10, 10, 10)), box(b"stts", numbers(0, 1, 3, 1))))
    assert (size.width, size.height, size.samples, size.tracks) == (1920, 1080, 3, 1)
    assert size.is_decodable


def test_sound_that_is_not_compressed() -> None:
    """An hour of uncompressed sound, 172,800,000 samples without entries, is decodable."""

    def hour(kind: bytes, step: int) -> bool:
        tables = (
            box(b"hdlr", numbers(0, 0) + kind),
            box(b"stts", numbers(0, 1, 172_800_000, step)),
            box(b"stsz", numbers(0, 4, 172_800_000)),
        )
        return film_size(io.BytesIO(index(*tables)), 700_000_000).is_decodable

    assert hour(b"soun", 1)
    assert not hour(b"vide", 1)
    assert not hour(b"soun", 2)


@pytest.mark.parametrize(
    "table",
    [
        box(b"stsz", numbers(0, 0, 20_000_000)),
        box(b"stsz", numbers(0, 1, 20_000_000)),
        box(b"stsz", numbers(0, 100, 2**32 - 1)),
        box(b"stz2", numbers(0, 8, 20_000_000)),
        box(b"stts", numbers(0, 2**32 - 1, 1, 1)),
        box(b"stco", numbers(0, 2**31, 1)),
        box(b"elst", numbers(0, 2**31)),
        box(b"trun", numbers(0, 20_000_000)),
        box(b"udta", box(b"trun", numbers(0x200, 1000, 1))),
        box(b"cmov", b"x"),
        box(b"trak") * 100,
    ],
)
@pytest.mark.parametrize("place", [index, lambda table: index() + table, lambda table: table])
def test_implausible_numbers(table: bytes, place: object) -> None:
    """A file with an implausible table anywhere is not decodable, because a decoder reads it anywhere."""
    assert callable(place)
    assert not size_in(place(table)).is_decodable


@pytest.mark.parametrize("length", [0, 1, 7, 8, 2**32 - 1])
def test_boxes_that_lie_about_their_length(length: int) -> None:
    """A box with a wrong length ends with its outer box, and the reading ends, too."""
    content = box(b"moov", box(b"trak", box(b"tkhd", TKHD), length), length)
    size = size_in(content + b"\0" * 64)
    assert size.width in (0, 1920)


def test_a_box_of_gigabytes(tmp_path: Path) -> None:
    """A sparse file with a box of gigabytes is decodable only if the box holds media data."""
    for kind, is_decodable in ((b"mdat", True), (b"udta", False), (b"ftyp", False)):
        path = tmp_path / kind.decode()
        with path.open("wb") as file:
            file.write(index() + box(kind, b"", 2 * 10**9))
            file.truncate(2 * 10**9)
        with path.open("rb") as film:
            assert film_size(film, 2 * 10**9).is_decodable is is_decodable


def test_boxes_without_end() -> None:
    """Neither too many boxes nor deeply nested ones are read without limit."""
    assert not size_in(box(b"free") * 300_000).is_decodable
    content = b""
    for _ in range(1000):
        content = box(b"moov", content)
    assert size_in(content).is_decodable
