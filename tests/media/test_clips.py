"""Tests of input videos that are files of this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from qingbo_widgets.media.clips import check_clip
from qingbo_widgets.media.unusable import UnusableMedia
from tests.films import written

MOST = 100_000_000


@pytest.mark.parametrize("name", ["koi.mp4", "koi.mov", "锦鲤 1.mp4"])
def test_the_length_of_a_video(tmp_path: Path, name: str) -> None:
    """A video within the limits is accepted, and its length returned."""
    path = written(tmp_path / name)
    assert check_clip(path, (3, 10), MOST) == 3.0
    assert check_clip(str(path), None, MOST) == 3.0


def test_a_webm(tmp_path: Path) -> None:
    """A WebM is accepted, whatever its name."""
    path = written(tmp_path / "koi.webm", codec="libvpx", options={})
    path = path.rename(tmp_path / "koi.bin")
    assert check_clip(path, (3, 10), MOST) == 3.0


@pytest.mark.parametrize("limits", [(4, 10), (1, 2)])
def test_a_video_that_is_too_short_or_too_long(tmp_path: Path, limits: tuple[float, float]) -> None:
    """The message has the length and the limits."""
    with pytest.raises(UnusableMedia) as error:
        check_clip(written(tmp_path / "koi.mp4"), limits, MOST)
    assert str(error.value) == f"The video is 3 s long; the limits are {limits[0]} to {limits[1]} s."


def test_the_service_counts_whole_seconds(tmp_path: Path) -> None:
    """A video of 3.9 seconds has three."""
    assert check_clip(written(tmp_path / "koi.mp4", 39), (1, 3), MOST) == 3.9


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """Never shown with the size of the limit itself."""
    path = written(tmp_path / "koi.mp4")
    with pytest.raises(UnusableMedia, match=r"The file has .* KB; the limit is 1 KB\."):
        check_clip(path, None, 1000)
    with path.open("r+b") as file:
        file.truncate(100_000_001)
    with pytest.raises(UnusableMedia, match=r"The file has 100\.000001 MB; the limit is 100 MB\."):
        check_clip(path, None, MOST)


def test_files_that_are_no_videos(tmp_path: Path) -> None:
    """A GIF, another container, a text, a folder, nothing: each is refused."""
    for start in (b"GIF89a", b"RIFF\0\0\0\0AVI ", b"hello, this is text", b"\x1aE\xdf\xa3\x01matroska"):
        (tmp_path / "koi.mp4").write_bytes(start + bytes(100))
        with pytest.raises(UnusableMedia, match="convert it to MP4, MOV or WebM"):
            check_clip(tmp_path / "koi.mp4", None, MOST)
    with pytest.raises(UnusableMedia, match="it is not a file"):
        check_clip(tmp_path, None, MOST)
    with pytest.raises(UnusableMedia, match="There is no file"):
        check_clip(tmp_path / "none.mp4", None, MOST)
    with pytest.raises(UnusableMedia, match="on another computer"):
        check_clip("//server/koi.mp4", None, MOST)
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(UnusableMedia, match="The file is empty"):
        check_clip(tmp_path / "empty.mp4", None, MOST)


def test_a_damaged_video(tmp_path: Path) -> None:
    """A download that was cut off is refused with the reason, before it is sent anywhere."""
    path = written(tmp_path / "koi.mp4")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UnusableMedia, match=r"^The video is damaged: koi\.mp4 cannot be decoded: .*[^.]\.$"):
        check_clip(path, None, MOST)


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kind and size are checked all the same; the length is not known."""
    path = written(tmp_path / "koi.mp4")
    monkeypatch.setitem(sys.modules, "av", None)
    assert check_clip(path, (9, 10), MOST) is None
    with pytest.raises(UnusableMedia, match="limit is 1 KB"):
        check_clip(path, None, 1000)
