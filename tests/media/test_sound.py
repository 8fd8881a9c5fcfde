"""Tests of copies with MP3 sound, which VS Code plays."""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from qingbo_widgets.exceptions import QingboError
from qingbo_widgets.library.importing import import_folder
from qingbo_widgets.library.library import Library
from qingbo_widgets.media.sound import has_aac, make_sound_copy
from qingbo_widgets.system.sound_copies import is_sound_copy, sound_copy, sound_copy_path
from tests.films import MATRICES, damaged, turned, written

RATE, SECONDS = 24, 4


def clapped(path: Path, rate: int = 44_100, layout: str = "stereo", codec: str = "aac") -> Path:
    """Write a video with a white frame and a beep at each full second, and return its path."""
    time = np.arange(SECONDS * rate) / rate
    beep = np.where((time >= 0.5) & (time % 1 < 0.01), np.sin(2 * np.pi * 1000 * time), 0)
    with av.open(str(path), "w") as file:
        shown: Any = file.add_stream("libx264", rate=RATE, options={"g": "12", "bf": "2"})
        shown.width, shown.height, shown.pix_fmt = 64, 32, "yuv420p"
        heard: Any = file.add_stream(codec, rate=rate, layout=layout)
        for number in range(SECONDS * RATE):
            picture = np.full((32, 64, 3), 255 * (number > 0 and number % RATE == 0), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            file.mux(shown.encode(frame))
        file.mux(shown.encode(None))
        channels = np.tile(0.8 * beep, (heard.codec_context.channels, 1)).astype(np.float32)
        sound = av.AudioFrame.from_ndarray(channels, format="fltp", layout=layout)
        sound.sample_rate, sound.pts, sound.time_base = rate, 0, Fraction(1, rate)
        file.mux(heard.encode(sound))
        file.mux(heard.encode(None))
    return path


def test_a_copy_of_another_version_is_not_played(tmp_path: Path) -> None:
    """VS Code would show the pictures of the video that was there before; the next copy replaces that one."""
    video = clapped(tmp_path / "koi.mp4")
    made = make_sound_copy(video)
    old = made.stat()
    os.utime(video, ns=(old.st_atime_ns, old.st_mtime_ns + 10**9))
    assert sound_copy(video) is None
    os.utime(made, ns=(old.st_atime_ns, old.st_mtime_ns))
    os.utime(video, ns=(old.st_atime_ns, old.st_mtime_ns + 1))
    assert make_sound_copy(video) == made
    assert sound_copy(video) == made


def packets(path: Path) -> list[tuple[bytes, Fraction, Fraction]]:
    """Return the content and the times of each packet of the pictures."""
    with av.open(str(path)) as file:
        (stream,) = file.streams.video
        found: list[Any] = [packet for packet in file.demux(stream) if packet.dts is not None]
        return [(bytes(one), one.pts * one.time_base, one.dts * one.time_base) for one in found]


def beeps(path: Path) -> tuple[str, list[float]]:
    """Return the codec of the sound, and the time of each beep in seconds."""
    times: list[float] = []
    with av.open(str(path)) as file:
        (stream,) = file.streams.audio
        frames: Any = file.decode(stream)
        for frame in frames:
            for index in np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.3):
                time = float(frame.time + index / frame.sample_rate)
                if not times or time - times[-1] > 0.3:
                    times.append(time)
        return stream.codec_context.codec.canonical_name, times


@pytest.mark.parametrize(
    ("rate", "layout"),
    [(44_100, "stereo"), (48_000, "mono"), (96_000, "stereo"), (48_000, "5.1"), (22_050, "mono")],
)
def test_the_copy_has_the_same_pictures_and_sound_in_step(tmp_path: Path, rate: int, layout: str) -> None:
    """Not a byte of the pictures differs, and each beep is within a frame of its picture."""
    video = clapped(tmp_path / "koi.mp4", rate, layout)
    before = video.read_bytes()
    assert (has_aac(video), sound_copy(video)) == (True, None)
    copy = make_sound_copy(video)
    assert copy == tmp_path / "koi-mp3.mp4" == sound_copy(video)
    assert video.read_bytes() == before, "the paid video was changed"
    assert packets(copy) == packets(video)
    codec, times = beeps(copy)
    assert codec == "mp3"
    assert times == pytest.approx([1, 2, 3], abs=1 / RATE)
    assert not has_aac(copy)
    assert make_sound_copy(video) == copy
    assert sorted(path.name for path in tmp_path.iterdir()) == ["koi-mp3.mp4", "koi.mp4"]


def test_a_picture_stays_turned(tmp_path: Path) -> None:
    """A video of a phone is upright in its copy too."""
    video = turned(clapped(tmp_path / "koi.mp4"), MATRICES["right"])
    with av.open(str(video)) as file, av.open(str(make_sound_copy(video))) as copy:
        expected, found = (next(one.decode(video=0)).rotation for one in (file, copy))
    assert found == expected != 0


@pytest.mark.parametrize("codec", ["libmp3lame", "libopus", None])
def test_other_sound_needs_no_copy(tmp_path: Path, codec: str | None) -> None:
    """Only AAC is offered a copy; MP3 has the same name in an MP4."""
    path = tmp_path / "koi.mp4"
    video = written(path) if codec is None else clapped(path, 48_000, codec=codec)
    assert not has_aac(video)
    with pytest.raises(QingboError, match="has no AAC sound"):
        make_sound_copy(video)
    assert list(tmp_path.iterdir()) == [video]


def test_damaged_sound(tmp_path: Path) -> None:
    """The sound that can be decoded is copied; without any, the error names the file and nothing is left."""
    assert beeps(make_sound_copy(damaged(clapped(tmp_path / "part.mp4"), 0.7, 0.8)))[0] == "mp3"
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clapped(tmp_path / "whole.mp4").read_bytes()[:3000])
    with pytest.raises(QingboError, match=r"cut\.mp4"):
        make_sound_copy(cut)
    assert sound_copy(cut) is None
    assert not has_aac(tmp_path / "gone.mp4")


def test_another_video_with_the_name_of_a_copy(tmp_path: Path) -> None:
    """A file of the user's is neither replaced nor played in place of the video."""
    video, other = clapped(tmp_path / "koi.mp4"), written(tmp_path / "koi-mp3.mp4")
    before = other.read_bytes()
    assert sound_copy(video) is None
    with pytest.raises(QingboError, match="Rename it"):
        make_sound_copy(video)
    assert other.read_bytes() == before


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the command that installs it."""
    video = clapped(tmp_path / "koi.mp4")
    monkeypatch.setitem(sys.modules, "av", None)
    assert has_aac(video)
    with pytest.raises(ImportError, match=r'pip install "qingbo_widgets\[frames\]"'):
        make_sound_copy(video)


def test_the_copy_is_no_video_of_its_own(tmp_path: Path) -> None:
    """An import leaves it out as long as the video is there, and takes any other file of such a name."""
    make_sound_copy(clapped(tmp_path / "koi.mp4"))
    written(tmp_path / "fox.mp4")
    written(tmp_path / "fox-mp3.mp4")
    library = Library(tmp_path)
    try:
        import_folder(library)
        assert sorted(str(entry.file) for entry in library.entries()) == ["fox-mp3.mp4", "fox.mp4", "koi.mp4"]
    finally:
        library.close()


def test_a_copy_is_recognised_by_its_content(tmp_path: Path) -> None:
    """Neither a folder, nor a broken file, nor another name makes one."""
    copy = make_sound_copy(clapped(tmp_path / "koi.mp4"))
    assert is_sound_copy(copy)
    assert not is_sound_copy(copy.rename(tmp_path / "koi-2.mp4"))
    assert sound_copy_path(tmp_path / "koi.webm").name == "koi.webm-mp3.mp4"
    copy.write_bytes(b"\0\0\0\1moov")
    assert not is_sound_copy(copy)
