"""Tests of malicious videos, made to exhaust the kernel's memory or to disclose other files."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from qingbo_widgets import QingboError
from qingbo_widgets.media.film import open_film
from qingbo_widgets.media.frames import duration_of, frame_number, frame_rate
from qingbo_widgets.media.posters import make_poster

#: Megabytes that opening a video may take.
MOST = 250
MANY = 20_000_000
FRAGMENTS: dict[str, Any] = {"movflags": "frag_keyframe+empty_moov"}
#: A script that opens a video in every way, and prints by how many megabytes the process has grown.
MEASURE = """
import resource, sys
from contextlib import suppress
from pathlib import Path
import av, PIL.Image
from qingbo_widgets import QingboError
from qingbo_widgets.media.frames import contact_sheet, frame_at, frame_number, duration_of
from qingbo_widgets.media.posters import make_poster
from qingbo_widgets.media.frames import frame_rate
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
before, path = peak(), Path(sys.argv[1])
for read in (duration_of, frame_rate, make_poster, lambda path: frame_at(path, 0), contact_sheet,
             lambda path: frame_number(path, -1)):
    with suppress(QingboError):
        read(path)
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
    """Make a video of 8192 × 8192 pixels that announces this size."""
    film(path, 8192, 8192)


def large_pictures_denied(path: Path) -> None:
    """Make a video of 8192 × 8192 pixels whose index announces a small size."""
    film(path, 8192, 8192)
    changed(path, b"tkhd", 76, 64 << 16, 32 << 16)
    changed(path, b"avc1", 24, (64 << 16) + 32)


def many_samples(path: Path) -> None:
    """Make a video in which one number replaces a table of sample sizes."""
    film(path)
    changed(path, b"stsz", 4, 1, MANY)
    changed(path, b"stsc", 12, MANY)
    changed(path, b"stts", 8, MANY)


def many_samples_in_a_fragment(path: Path) -> None:
    """Make a video with a fragment of many equal samples."""
    film(path, **FRAGMENTS)
    changed(path, b"trun", 0, 0, MANY)


def long_sound(path: Path) -> None:
    """Make a video with normal pictures, and sound that announces packets of 16 million samples."""
    with av.open(str(path), "w", format="mp4") as container:
        stream, sound = container.add_stream("libx264", rate=10), container.add_stream("alac", rate=44_100)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64), np.uint8), format="yuv420p")
        noise = np.random.default_rng(0).integers(-9999, 9999, (2, 4096)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(noise, "s16p", "stereo")
        frame.rate = 44_100
        container.mux([*stream.encode(picture), *stream.encode(None)])
        container.mux([*sound.encode(frame), *sound.encode(None)])
    content = bytearray(path.read_bytes())
    at = content.index(b"alac", content.index(b"alac") + 4) + 8
    content[at : at + 4] = (4096 * 4096 - 1).to_bytes(4, "big")
    content[at + 5], content[at + 9] = 32, 8
    path.write_bytes(content)


def box(kind: bytes, *content: bytes | int) -> bytes:
    """Return a box; numbers have four bytes."""
    inner = b"".join(part.to_bytes(4, "big") if isinstance(part, int) else part for part in content)
    return (8 + len(inner)).to_bytes(4, "big") + kind + inner


def description(*inner: bytes) -> bytes:
    """Return a sample description of pictures."""
    picture = bytes(6) + b"\0\1" + bytes(16) + b"\0@\0@" + b"\0H\0\0" * 2 + bytes(4) + b"\0\1" + bytes(32)
    return box(b"stsd", 0, 1, box(b"avc1", picture + b"\0\x18\xff\xff", *inner))


def hidden_tables(path: Path, samples: Callable[[bytes], bytes], index: bytes = b"moov") -> None:
    """Write tables of many samples within a box in which a video has none."""
    tables = box(b"stts", 0, 1, MANY, 1) + box(b"stsz", 0, 1, MANY)
    tables += box(b"stsc", 0, 1, 1, MANY, 1) + box(b"stco", 0, 1, 40)
    track = box(b"tkhd", bytes(76), 64 << 16, 32 << 16)
    time, handler = box(b"mdhd", bytes(12), 1000, bytes(8)), box(b"hdlr", 0, 0, b"vide", bytes(13))
    media = box(b"mdia", time, handler, box(b"minf", box(b"stbl", samples(tables))))
    header = box(b"mvhd", bytes(12), 1000, bytes(84))
    path.write_bytes(box(b"ftyp", b"isom", 512, b"isom") + box(index, header, box(b"trak", track, media)))


def in_a_description(path: Path) -> None:
    """Hide the tables beside the configuration of the decoder."""
    hidden_tables(path, description)


def in_metadata(path: Path) -> None:
    """Hide the tables in metadata, where FFmpeg searches for the first box."""
    hidden_tables(
        path, lambda tables: description() + box(b"meta", bytes(40), box(b"hdlr", bytes(24)), tables)
    )


def in_itunes_metadata(path: Path) -> None:
    """Hide the tables beside title and cover."""
    hidden_tables(path, lambda tables: description() + box(b"ilst", tables))


def in_free_space(path: Path) -> None:
    """Hide the tables in free space, which FFmpeg reads as the index if there is no other."""
    hidden_tables(path, lambda tables: description() + tables, b"free")


def in_a_box_of_an_old_program(path: Path) -> None:
    """Hide the tables in the other box that FFmpeg reads as the index."""
    hidden_tables(path, lambda tables: description() + tables, b"hoov")


def many_stills(path: Path) -> None:
    """Write a long list of still pictures, as phones save them."""
    film(path)
    path.write_bytes(path.read_bytes() + box(b"iinf", 1 << 24, 10 * MANY))


def places_of_many_stills(path: Path) -> None:
    """Write a long list of the positions of still pictures."""
    film(path)
    listed = box(b"iloc", 2 << 24, b"\x44\0", 10 * MANY)
    path.write_bytes(path.read_bytes() + box(b"meta", 0, box(b"hdlr", bytes(24)), listed))


def element(name: str, *content: bytes | int) -> bytes:
    """Return an element of a WebM file."""
    inner = b"".join(part.to_bytes(4, "big") if isinstance(part, int) else part for part in content)
    return bytes.fromhex(name) + (1 << 56 | len(inner)).to_bytes(8, "big") + inner


def compressed_tracks(path: Path) -> None:
    """Write a WebM file with a compressed decoder configuration in each track."""
    compression = element("5034", element("4254", 0))
    encodings = element("6d80", element("6240", element("5032", 3), element("5033", 0), compression))
    packed = element("63a2", zlib.compress(bytes(9_000_000), 9))
    picture = element("e0", element("b0", 64), element("ba", 32))
    tracks = [
        element("ae", element("d7", n), element("73c5", n), element("83", 1), element("86", b"V_VP9"), packed,
                encodings, picture)
        for n in range(1, 41)
    ]  # fmt: skip
    block = element("a3", b"\x81\0\0\x80\x82\x49\x83\x42", bytes(40))
    parts = (
        element("1549a966", element("2ad7b1", 10**6), element("4d80", b"x"), element("5741", b"x")),
        element("1654ae6b", *tracks),
        element("1f43b675", element("e7", 0), block),
    )
    path.write_bytes(element("1a45dfa3", element("4282", b"webm")) + element("18538067", *parts))


BOMBS = [
    large_pictures,
    large_pictures_denied,
    many_samples,
    many_samples_in_a_fragment,
    in_a_description,
    in_metadata,
    in_itunes_metadata,
    in_free_space,
    in_a_box_of_an_old_program,
    many_stills,
    places_of_many_stills,
    compressed_tracks,
]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows reports a process's peak memory differently")
@pytest.mark.parametrize("bomb", [*BOMBS, long_sound])
def test_a_small_file_takes_little_memory(tmp_path: Path, bomb: Callable[[Path], None]) -> None:
    """A small file needs little memory, even if it announces a large video."""
    path = tmp_path / "film.mp4"
    bomb(path)
    assert path.stat().st_size < 500_000
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < MOST, f"reading the video took {done.stdout.strip()} MB"


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_explained(tmp_path: Path, bomb: Callable[[Path], None]) -> None:
    """The error names the malicious file, and the gallery has no poster of it."""
    path = tmp_path / "film.mp4"
    bomb(path)
    with pytest.raises(QingboError, match=r"film\.mp4 cannot be decoded"):
        frame_number(path, -1)
    assert make_poster(path) is None


@pytest.mark.parametrize("options", [{}, pytest.param(FRAGMENTS, marks=pytest.mark.slow)])
def test_honest_videos_are_decoded(tmp_path: Path, options: dict[str, str]) -> None:
    """A normal 4K video is decoded, in one piece and in fragments."""
    path = film(tmp_path / "film.mp4", 3840, 2160, **options)
    assert frame_number(path, 0).size == (3840, 2160)
    assert frame_rate(path) == pytest.approx(10)


def test_a_webm_is_decoded(tmp_path: Path) -> None:
    """A WebM is decoded, even under the name of an mp4."""
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
    """A playlist is not opened as a video, because FFmpeg would open the files that it names."""
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
            duration_of(folder / name)
        assert make_poster(folder / name) is None


def test_a_video_without_pictures_is_explained(tmp_path: Path) -> None:
    """A video with sound only raises an error that says so."""
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(QingboError, match="no video frames"), open_film(path):
        pass
    assert frame_rate(path) is None
