"""Tests of the size that a WebM file announces in its lists of tracks."""

from __future__ import annotations

import io

import pytest

from qingbo_widgets.media.webm_size import is_webm_decodable

TRACKS, TRACK, ENCODINGS, NUMBER = b"\x16\x54\xae\x6b", b"\xae", b"\x6d\x80", b"\xd7"


def element(name: bytes, content: bytes = b"", width: int = 8) -> bytes:
    """Return an element whose length has ``width`` bytes."""
    return name + (1 << 7 * width | len(content)).to_bytes(width, "big") + content


def is_decodable(content: bytes) -> bool:
    """Return whether a file of this content may be decoded."""
    return is_webm_decodable(io.BytesIO(content), len(content))


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_an_honest_list(width: int) -> None:
    """A normal list is decodable, whatever surrounds it, and even if a value looks like encodings."""
    track = element(TRACK, element(NUMBER, b"\1", 1) + element(b"\x63\xa2", ENCODINGS * 9, 1), width)
    listed = element(TRACKS, track * 2, width)
    assert is_decodable(listed)
    assert is_decodable(b"x" * 3_000_000 + listed + ENCODINGS * 1000)
    assert is_decodable(b"")


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize("before", [0, 1, 2**20 - 3, 2**20 - 1, 2**20])
def test_an_encoded_track_is_found_anywhere(width: int, before: int) -> None:
    """An encoded track is found at any position, because FFmpeg reads any position the file refers to."""
    track = element(TRACK, element(NUMBER, b"\1", 1) + element(ENCODINGS, b"", width), width)
    assert not is_decodable(b"\xec" * before + element(TRACKS, element(TRACK) + track, width) + b"x" * 99)


def test_a_length_that_is_not_known() -> None:
    """A list of unknown length extends to the end of the file."""
    track = TRACK + b"\xff" + element(NUMBER, b"\1", 1) + element(ENCODINGS)
    assert not is_decodable(TRACKS + b"\x01" + b"\xff" * 7 + track)


def test_too_many_tracks() -> None:
    """A list with too many tracks or elements is not decodable, and not read without limit."""
    assert is_decodable(element(TRACKS, element(TRACK) * 64))
    assert not is_decodable(element(TRACKS, element(TRACK) * 65))
    assert not is_decodable(element(TRACKS, element(b"\xec", b"", 1) * 2000))
    assert not is_decodable(element(TRACKS, element(TRACK, element(b"\xec", b"", 1) * 2000)))


@pytest.mark.parametrize("rest", [b"", b"\0", b"\0" * 50, b"\xff" * 50, b"\x10\xae", b"\x01"])
def test_a_list_that_is_cut_off(rest: bytes) -> None:
    """The reading of a truncated list ends."""
    assert is_decodable(TRACKS + rest)
