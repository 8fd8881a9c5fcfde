"""Videos that were made to take the kernel's memory, or to show files of others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from qingbo_widgets import QingboError
from qingbo_widgets.tasks.film import open_film
from qingbo_widgets.tasks.frames import frame_number, length_of
from qingbo_widgets.tasks.posters import frame_rate, make_poster

#: Megabytes that opening one more video may take.
MOST = 250
MANY = 20_000_000
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}
#: Opens a video in all ways there are, and prints by how many megabytes the process has grown.
MEASURE = """
import resource, sys
from contextlib import suppress
from pathlib import Path
import av, PIL.Image
from qingbo_widgets import QingboError
from qingbo_widgets.tasks.frames import contact_sheet, frame_at, frame_number, length_of
from qingbo_widgets.tasks.posters import frame_rate, make_poster
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
before, path = peak(), Path(sys.argv[1])
for look in (length_of, frame_rate, make_poster, lambda path: frame_at(path, 0), contact_sheet,
             lambda path: frame_number(path, -1)):
    with suppress(QingboError):
        look(path)
print(peak() - before)
"""


def film(path: Path, width: int = 64, height: int = 32, **options: str) -> Path:
    """Make a real video of a few black pictures."""
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((height * 3 // 2, width), np.uint8), format="yuv420p")
        for number in range(5):
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def changed(path: Path, box: bytes, at: int, *numbers: int) -> None:
    """Write numbers of four bytes into the content of a box."""
    content = bytearray(path.read_bytes())
    start = content.index(box) + 4 + at
    content[start : start + 4 * len(numbers)] = b"".join(number.to_bytes(4, "big") for number in numbers)
    path.write_bytes(content)


def large_pictures(path: Path) -> None:
    """8192 × 8192 pixels, and the file says so."""
    film(path, 8192, 8192)


def large_pictures_denied(path: Path) -> None:
    """8192 × 8192 pixels, of which the index knows nothing."""
    film(path, 8192, 8192)
    changed(path, b"tkhd", 76, 64 << 16, 32 << 16)
    changed(path, b"avc1", 24, (64 << 16) + 32)


def many_samples(path: Path) -> None:
    """One number that stands for a table."""
    film(path)
    changed(path, b"stsz", 4, 1, MANY)
    changed(path, b"stsc", 12, MANY)
    changed(path, b"stts", 8, MANY)


def many_samples_in_a_fragment(path: Path) -> None:
    """The same, where each sample is like all others."""
    film(path, **FRAGMENTS)
    changed(path, b"trun", 0, 0, MANY)


def long_sound(path: Path) -> None:
    """Sound that announces packets of 16 million samples on eight channels, beside honest pictures."""
    with av.open(str(path), "w", format="mp4") as container:
        stream, sound = container.add_stream("libx264", rate=10), container.add_stream("alac", rate=44_100)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64), np.uint8), format="yuv420p")
        noise = np.random.default_rng(0).integers(-9999, 9999, (2, 4096)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(noise, "s16p", "stereo")
        frame.rate = 44_100
        for encoder, content in ((stream, picture), (sound, frame)):
            container.mux(encoder.encode(content))
            container.mux(encoder.encode(None))
    content = bytearray(path.read_bytes())
    at = content.index(b"alac", content.index(b"alac") + 4) + 8
    content[at : at + 4] = (4096 * 4096 - 1).to_bytes(4, "big")
    content[at + 5], content[at + 9] = 32, 8
    path.write_bytes(content)


BOMBS = [large_pictures, large_pictures_denied, many_samples, many_samples_in_a_fragment]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows tells a process's peak of memory otherwise")
@pytest.mark.parametrize("bomb", [*BOMBS, long_sound])
def test_a_small_file_takes_little_memory(tmp_path: Path, bomb: Callable[[Path], None]) -> None:
    """However much it announces."""
    path = tmp_path / "film.mp4"
    bomb(path)
    assert path.stat().st_size < 500_000
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < MOST, f"looking at the video took {done.stdout.strip()} MB"


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_explained(tmp_path: Path, bomb: Callable[[Path], None]) -> None:
    """The user learns that the file is meant, and the gallery has no poster of it."""
    path = tmp_path / "film.mp4"
    bomb(path)
    with pytest.raises(QingboError, match=r"film\.mp4 cannot be decoded"):
        frame_number(path, -1)
    assert make_poster(path) is None


@pytest.mark.parametrize("options", [{}, FRAGMENTS])
def test_honest_videos_are_decoded(tmp_path: Path, options: dict[str, str]) -> None:
    """4K too, whole and in fragments."""
    path = film(tmp_path / "film.mp4", 3840, 2160, **options)
    assert frame_number(path, 0).size == (3840, 2160)
    assert frame_rate(path) == pytest.approx(10)


def test_a_webm_is_decoded(tmp_path: Path) -> None:
    """A download may be one, under the name of an mp4."""
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w", format="webm") as container:
        stream = container.add_stream("libvpx-vp9", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        container.mux(
            stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64), np.uint8), format="yuv420p"))
        )
        container.mux(stream.encode(None))
    assert frame_number(path, 0).size == (64, 32)


def test_a_list_of_other_files_is_no_video(tmp_path: Path) -> None:
    """FFmpeg would open what the list names, wherever that is, and a poster would show it."""
    private = film(tmp_path / "private.mp4")
    folder = tmp_path / "videos"
    folder.mkdir()
    film(folder / "beside.bin")
    lists = {
        "beside.mp4": "ffconcat version 1.0\nfile beside.bin\n",
        "concat.mp4": f"ffconcat version 1.0\nfile '{private}'\n",
        "hls.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{private}\n#EXT-X-ENDLIST\n",
    }
    for name, content in lists.items():
        (folder / name).write_text(content, encoding="utf-8")
        with pytest.raises(QingboError, match="neither an MP4 nor a WebM"):
            length_of(folder / name)
        assert make_poster(folder / name) is None


def test_a_video_without_pictures_is_explained(tmp_path: Path) -> None:
    """One with sound only."""
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(QingboError, match="no pictures"), open_film(path):
        pass
    assert frame_rate(path) is None
