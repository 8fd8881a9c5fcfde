"""``video_files``: the suffix, the media type and the player of a file, by its first bytes."""

from __future__ import annotations

import pytest

from qingbo_widgets.system.video_files import (
    VIDEO_SUFFIXES,
    has_boxes,
    is_film,
    is_film_name,
    is_image_name,
    is_other_film_name,
    media_type,
    played_type,
    suffix_of,
)
from tests.faults.film import CONTAINERS

TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/mp4",
    ".mkv": "video/x-matroska",
    ".gif": "image/gif",
    ".avi": "video/x-msvideo",
    ".flv": "video/x-flv",
    ".ogv": "video/ogg",
    ".wmv": "video/x-ms-wmv",
    ".mpg": "video/mpeg",
}
PLAYED = (".mp4", ".webm", ".mov", ".mkv")


@pytest.mark.parametrize("suffix", VIDEO_SUFFIXES)
def test_a_kind(suffix: str) -> None:
    """Each container that is saved has its suffix and media type, and browsers play four as videos."""
    data = CONTAINERS[suffix]
    assert (suffix_of(data), media_type(data)) == (suffix, TYPES[suffix])
    assert is_film(data[:12])
    assert played_type(data) == (TYPES[suffix] if suffix in PLAYED else None)
    assert has_boxes(data) is (suffix in (".mp4", ".mov"))


@pytest.mark.parametrize("suffix", VIDEO_SUFFIXES)
def test_a_name(suffix: str) -> None:
    """A name is that of a video to play, of one of another kind, or of an image; in letters of any case."""
    name = f"koi{suffix.upper()}"
    kinds = (is_film_name(name), is_other_film_name(name), is_image_name(name))
    assert kinds == (suffix in PLAYED, suffix not in (*PLAYED, ".gif"), suffix == ".gif")


@pytest.mark.parametrize("brand", [b"avif", b"heic"])
def test_a_picture_with_boxes(brand: bytes) -> None:
    """Pictures that have the boxes of an mp4 are no videos for an import, a player or a download."""
    data = b"\0\0\0\x1cftyp" + brand + bytes(16)
    assert (suffix_of(data), media_type(data), played_type(data), has_boxes(data)) == (
        None,
        None,
        None,
        False,
    )
