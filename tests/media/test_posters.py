"""Tests of posters, the small JPEG of each video."""

from __future__ import annotations

import io
import os
import stat
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from qingbo_widgets.media.posters import (
    can_make_posters,
    make_poster,
    poster_path,
    read_poster,
    read_small,
)
from qingbo_widgets.sandbox.drawing.render import render
from qingbo_widgets.sandbox.order import Order, Shot
from qingbo_widgets.tasks.background.poster_queue import PosterQueue


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a real video of five seconds."""
    path = tmp_path_factory.mktemp("videos") / "koi-12345678.mp4"
    render(Order((Shot("koi", 5),), has_sound=True), path, draft=True)
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a real video of the service's usual size."""
    path = tmp_path_factory.mktemp("large") / "koi-12345678.mp4"
    render(Order((Shot("koi", 3),)), path)
    return path


@pytest.mark.slow
def test_a_poster_is_as_large_as_a_player_shows_it(large: Path) -> None:
    """A poster has the video's name and shape and a few kilobytes, and is in a visible folder."""
    poster = make_poster(large)
    assert poster == poster_path(large) == large.parent / "posters" / "koi-12345678.jpg"
    with Image.open(poster) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (640, 360), "a player in a studio shows it blurred"
    assert poster.stat().st_size < 50_000
    assert [file.name for file in poster.parent.iterdir()] == [poster.name], "no half-written file"


@pytest.mark.slow
def test_lists_get_a_smaller_picture(large: Path) -> None:
    """A list of videos is sent with all its pictures, so each of them is small."""
    assert make_poster(large) is not None
    small, whole = read_small(large), read_poster(large)
    assert small is not None
    assert whole is not None
    with Image.open(io.BytesIO(small)) as picture:
        assert picture.size == (320, 180)
        picture.load()
    assert len(small) < 20_000
    assert len(small) < len(whole) / 2
    assert whole.endswith(small)


@pytest.mark.slow
def test_a_poster_of_an_earlier_version(video: Path, tmp_path: Path) -> None:
    """A poster with one picture of 320 pixels is shown in players and in lists."""
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(video.read_bytes())
    poster_path(copy).parent.mkdir()
    Image.new("RGB", (320, 180), "orange").save(poster_path(copy), "JPEG")
    content = poster_path(copy).read_bytes()
    assert make_poster(copy) == poster_path(copy)
    assert read_poster(copy) == read_small(copy) == content


def test_a_picture_for_lists_that_is_too_large_is_not_sent(tmp_path: Path) -> None:
    """A folder may be from anywhere: a large second picture is not put into a page dozens of times."""
    video, file = tmp_path / "koi.mp4", io.BytesIO()
    for width in (640, 6400):
        Image.new("RGB", (width, 360)).save(file, "JPEG")
    poster_path(video).parent.mkdir()
    poster_path(video).write_bytes(file.getvalue())
    assert read_poster(video) is not None
    assert read_small(video) is None


def test_a_file_that_is_no_video_has_no_poster(tmp_path: Path) -> None:
    """A damaged or missing file has no poster, and raises nothing."""
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")
    assert make_poster(broken) is None
    assert make_poster(tmp_path / "missing.mp4") is None
    assert list(tmp_path.iterdir()) == [broken]


@pytest.mark.slow
def test_without_av_there_are_no_posters(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra for decoding, no poster is made."""
    assert can_make_posters()
    monkeypatch.setitem(sys.modules, "av", None)
    assert not can_make_posters()
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(video.read_bytes())
    assert make_poster(copy) is None


def test_posters_are_made_in_the_background_and_once(video: Path, tmp_path: Path) -> None:
    """The first request for a poster is called back when it exists; a second one does not decode again."""
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(video.read_bytes())
    made, called = threading.Event(), []
    background = PosterQueue()
    background.add(copy, lambda: (called.append(1), made.set()))
    background.add(copy, lambda: called.append(2))
    assert made.wait(30)
    assert poster_path(copy).is_file()
    assert called == [1]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640)])
def test_who_may_see_the_video_may_see_its_poster(video: Path, tmp_path: Path, mask: int, mode: int) -> None:
    """A poster has the permissions of its video, so that other users of a shared folder can read it."""
    before = os.umask(mask)
    try:
        copy = tmp_path / "copy.mp4"
        copy.write_bytes(video.read_bytes())
        poster = make_poster(copy)
    finally:
        os.umask(before)
    assert poster is not None
    assert stat.S_IMODE(poster.stat().st_mode) == stat.S_IMODE(copy.stat().st_mode) == mode
