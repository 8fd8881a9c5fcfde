"""Tests of the recognition of containers, and of their completeness."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from qingbo_widgets.service.download.containers import remark_on, shape_of
from qingbo_widgets.service.download.shape import Shape
from qingbo_widgets.system.video_files import is_film, suffix_of
from tests.faults.film import CONTAINERS, ebml, film


def shape(data: bytes) -> Shape:
    """Return the shape of a file of these bytes."""
    return shape_of(io.BytesIO(data), len(data))


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_a_container(suffix: str) -> None:
    """Each container is recognised by its first 12 bytes, and a whole file is whole."""
    data = CONTAINERS[suffix]
    assert suffix_of(data) == suffix
    assert is_film(data[:12])
    assert shape(data) is Shape.whole


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".mov", ".mkv", ".avi"])
def test_a_container_that_is_cut(suffix: str) -> None:
    """A container that contains its length is incomplete without its last byte."""
    assert shape(CONTAINERS[suffix][:-1]) is Shape.cut


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".mov", ".mkv", ".gif", ".avi"])
def test_a_container_with_other_bytes_behind_it(suffix: str) -> None:
    """Bytes behind the end are odd, and the remark says that they were kept."""
    data = CONTAINERS[suffix] + b"\r\nmore"
    assert shape(data) is Shape.odd
    assert "All received bytes were kept" in remark_on(io.BytesIO(data), len(data), suffix)


@pytest.mark.parametrize(
    "data",
    [b"", b"<!doctype html>", b'{"error": "no"}', b"\x89PNG\r\n\x1a\n....", b"RIFF\0\0\0\0WEBP", b"GIF"]
    + [b"\0\0\0\x1cftyp" + kind for kind in (b"avif", b"heic")],
)
def test_other_content(data: bytes) -> None:
    """Pages, answers of programs and pictures are no videos."""
    assert suffix_of(data) is None
    assert not is_film(data[:12])
    assert shape(data) is Shape.cut


def test_a_webm_of_unknown_length() -> None:
    """A WebM need not contain its length, and any length is whole then."""
    assert [shape(ebml(b"webm", None)[:-cut]) for cut in (1, 30)] == [Shape.whole] * 2


def test_an_mp4_without_a_first_box() -> None:
    """QuickTime's older files begin with another box, and fragments without their first one are mp4."""
    assert suffix_of(film(b"")[24:]) == ".mov"
    assert suffix_of(b"\0\0\0\x18styp....") == ".mp4"


def test_the_remark_on_a_usual_file() -> None:
    """A whole mp4 has no remark; another container has one that names its suffix."""
    remarks = {suffix: remark_on(io.BytesIO(data), len(data), suffix) for suffix, data in CONTAINERS.items()}
    assert remarks.pop(".mp4") == ""
    assert all(suffix in remark for suffix, remark in remarks.items())


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"\x1aE\xdf\xa3" + size + bytes(60)
            for size in (b"\x01" + b"\x7f" * 7, b"\x01" + b"\xff" * 6 + b"\xfe")
        ),
        *(b"\0\0\0\x01moov" + size + bytes(60) for size in (b"\x7f" * 8, b"\xff" * 8)),
    ],
)
def test_a_length_that_no_file_has(data: bytes, tmp_path: Path) -> None:
    """A part may announce more bytes than any file system can address; the file is incomplete then."""
    path = tmp_path / "film"
    path.write_bytes(data)
    with path.open("rb") as file:
        assert shape_of(file, len(data)) is Shape.cut


def test_an_avi_of_very_many_parts() -> None:
    """Only the first parts are read: an AVI has one for each gigabyte, and this one is not worth the time."""
    assert shape(b"RIFF\x04\0\0\0AVI " + b"RIFF\0\0\0\0" * 100_000) is Shape.odd
