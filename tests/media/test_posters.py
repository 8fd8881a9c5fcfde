"""Posters: a small JPEG for each video."""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from qingbo_widgets.media.posters import can_make, make_poster, poster_path
from qingbo_widgets.sandbox.drawing.render import render
from qingbo_widgets.tasks.background.poster_queue import Posters


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real video of five seconds."""
    path = tmp_path_factory.mktemp("videos") / "koi-12345678.mp4"
    render({"model": "kling-v3", "prompt": "koi"}, path, draft=True)
    return path


@pytest.mark.slow
def test_a_poster_is_a_small_picture_beside_the_video(video: Path) -> None:
    """Its name is the video's, in a visible folder; it has the video's shape and a few kilobytes."""
    poster = make_poster(video)
    assert poster == poster_path(video) == video.parent / "posters" / "koi-12345678.jpg"
    with Image.open(poster) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (320, 180)
    assert poster.stat().st_size < 25_000
    assert [file.name for file in poster.parent.iterdir()] == [poster.name], "no half-written file"


def test_what_is_no_video_has_no_poster(tmp_path: Path) -> None:
    """A damaged file is told to the log, to nobody else."""
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")
    assert make_poster(broken) is None
    assert make_poster(tmp_path / "missing.mp4") is None
    assert list(tmp_path.iterdir()) == [broken]


def test_without_av_there_are_no_posters(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoding is an extra; without it a gallery draws in its place."""
    assert can_make()
    monkeypatch.setitem(sys.modules, "av", None)
    assert not can_make()
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(video.read_bytes())
    assert make_poster(copy) is None


def test_posters_are_made_in_the_background_and_once(video: Path, tmp_path: Path) -> None:
    """Whoever asks is called when the poster is there; the second to ask causes no second decoding."""
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(video.read_bytes())
    made, called = threading.Event(), []
    background = Posters()
    background.ask(copy, lambda: (called.append(1), made.set()))
    background.ask(copy, lambda: called.append(2))
    assert made.wait(30)
    assert poster_path(copy).is_file()
    assert called == [1]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640)])
def test_who_may_see_the_video_may_see_its_poster(video: Path, tmp_path: Path, mask: int, mode: int) -> None:
    """A colleague on the same machine opens the gallery of a shared folder."""
    before = os.umask(mask)
    try:
        copy = tmp_path / "copy.mp4"
        copy.write_bytes(video.read_bytes())
        poster = make_poster(copy)
    finally:
        os.umask(before)
    assert poster is not None
    assert stat.S_IMODE(poster.stat().st_mode) == stat.S_IMODE(copy.stat().st_mode) == mode
