"""Tests of frames and posters of odd and damaged videos: pictures, or an error that names the file."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from qingbo_widgets import Comparison, FramePicker, Gallery, QingboError, TaskManager
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.media import frames as frames_module
from qingbo_widgets.media.film import open_film
from qingbo_widgets.media.frames import (
    contact_sheet,
    duration_of,
    frame_at,
    frame_number,
    frame_rate,
    save_frame,
)
from qingbo_widgets.media.posters import make_poster
from tests.films import MATRICES, add_cover, add_sound, damaged, number_of, turned, written

pytestmark = pytest.mark.slow

#: Ways to use a video that have a result or a ``QingboError``.
USES: dict[str, Callable[[Path], object]] = {
    "duration_of": duration_of,
    "frame_at(0)": lambda path: frame_at(path, 0),
    "frame_number(0)": lambda path: frame_number(path, 0),
    "frame_number(-1)": lambda path: frame_number(path, -1),
    "frame_number(-2)": lambda path: frame_number(path, -2),
    "contact_sheet": contact_sheet,
    "save_frame": lambda path: save_frame(path, None),
}
VP9: dict[str, Any] = {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8", "g": "12"}}
FASTSTART = {"movflags": "faststart"}
HDR = "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:hdr10=1"


def noise(number: int) -> Any:
    """Return a picture that takes many bytes, so that damage hits many frames."""
    return np.random.default_rng(number).integers(0, 255, (32, 64, 3), dtype=np.uint8)


def sound_only(path: Path) -> None:
    """Write a file with sound, and nothing else."""
    with av.open(str(path), "w") as file:
        write = add_sound(1)(file)
        file.start_encoding()
        write()


def song_with_cover(path: Path) -> None:
    """Write a song with a cover picture, which FFmpeg lists as a stream of pictures."""
    with av.open(str(path), "w") as file:
        cover, sound = add_cover(file), add_sound(1)(file)
        file.start_encoding()
        cover()
        sound()


UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "sound only": (sound_only, "it has no video frames"),
    "a song with a cover": (song_with_cover, "it has no video frames"),
    "no index": (lambda path: damaged(written(path), 0.5, 1, fill=None), "its index is missing"),
    "nothing but damage": (lambda path: damaged(written(path, picture=noise), 0, 1), "Invalid data"),
    "an index only": (
        lambda path: damaged(written(path, container=FASTSTART), 0, 1, fill=None),
        "it has no video frames",
    ),
    "empty": (lambda path: path.write_bytes(b""), "it is empty"),
    "a text": (lambda path: path.write_text("no film\n" * 99), "neither an MP4 nor a WebM"),
    "a folder": (lambda path: path.mkdir(), "it is not a file"),
    "gone": (lambda _: None, "no longer at"),
    "a GIF": (lambda path: Image.new("RGB", (9, 9)).save(path, "GIF"), "neither an MP4 nor a WebM"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_file_without_pictures_is_explained(tmp_path: Path, kind: str) -> None:
    """Every use of such a file raises the error that names the file and the reason; there is no poster."""
    make, reason = UNUSABLE[kind]
    path = tmp_path / "film.mp4"
    make(path)
    for name, use in USES.items():
        if kind == "an index only" and name == "duration_of":
            continue
        if kind == "nothing but damage" and name == "duration_of":
            continue
        with pytest.raises(QingboError, match=reason) as caught:
            use(path)
        assert "film.mp4" in str(caught.value), name
    assert make_poster(path) is None
    frame_rate(path)  # raises nothing


#: Options of ``written`` for videos whose frames are all there.
WHOLE: dict[str, tuple[str, dict[str, Any]]] = {
    "one frame": ("film.mp4", {"count": 1}),
    "frames that are not decoded in order": ("film.mp4", {"options": {"bf": "8", "g": "30"}}),
    "ten bits": ("film.mp4", {"codec": "libx265", "pixels": "yuv420p10le",
                              "options": {"x265-params": "log-level=none"}}),
    "HDR": ("film.mp4", {"codec": "libx265", "pixels": "yuv420p10le", "options": {"x265-params": HDR}}),
    "4:2:2 with ten bits": ("film.mov", {"codec": "prores_ks", "pixels": "yuv422p10le",
                                         "options": {"profile": "2"}}),
    "4:4:4 with transparency": ("film.mov", {"codec": "prores_ks", "pixels": "yuva444p10le",
                                             "options": {"profile": "4"}}),
    "odd sizes": ("film.mp4", {"size": (63, 35), "pixels": "yuv444p"}),
    "longer sound": ("film.mp4", {"also": add_sound(6)}),
    "longer sound in an MKV": ("film.mkv", {"also": add_sound(6)}),
    "a cover": ("film.mp4", {"also": add_cover}),
    "a late start": ("film.mp4", {"times": range(50, 80)}),
    "a late start in an MKV": ("film.mkv", {"times": range(50, 80)}),
    "a varying rate": ("film.mp4", {"count": 6, "times": [0, 1, 2, 20, 21, 50]}),
    "WebM": ("film.webm", VP9),
    "WebM as it is recorded, without a length": ("film.webm", {**VP9, "container": {"live": "1"}}),
    "MKV": ("film.mkv", {}),
    "MOV": ("film.mov", {}),
    "fragments": ("film.mp4", {"container": {"movflags": "frag_keyframe+empty_moov"}}),
}  # fmt: skip


@pytest.mark.parametrize("kind", WHOLE)
def test_an_odd_film_has_all_its_frames(tmp_path: Path, kind: str) -> None:
    """The first and the last frame are those that a player shows, by number and by time."""
    name, options = WHOLE[kind]
    path = written(tmp_path / name, **options)
    count = options.get("count", 30)
    times = list(options.get("times", range(count)))
    length = duration_of(path)
    assert length == pytest.approx((times[-1] - times[0] + 1) / 10, abs=0.02), "the length in seconds"
    assert [number_of(frame_number(path, number)) for number in (0, -1, -count)] == [0, count - 1, 0]
    assert [number_of(frame_at(path, seconds)) for seconds in (0, length)] == [0, count - 1]
    assert frame_number(path, 0).size == options.get("size", (64, 32))
    assert frame_rate(path) is not None
    poster = make_poster(path)
    assert poster is not None
    with Image.open(poster) as picture:
        assert picture.size == options.get("size", (64, 32))
    # The upper edge of the first and the last picture of the sheet: the time is written at the lower.
    sheet = np.asarray(contact_sheet(path, 2, columns=2, width=64)).astype(int)
    assert [round(sheet[5, left].mean() / 8) for left in (60, 128)] == [0, count - 1]


def test_frames_before_the_beginning_are_not_shown(tmp_path: Path) -> None:
    """An edit list that cuts the first ten frames applies to frames as it does to players."""
    path = written(tmp_path / "film.mp4", times=range(-10, 20))
    assert duration_of(path) == pytest.approx(2)
    assert [number_of(frame_at(path, seconds)) for seconds in (0, 0.5, 2)] == [10, 15, 29]
    assert number_of(frame_number(path, 0)) == 10


def test_of_several_streams_the_usual_one_is_shown(tmp_path: Path) -> None:
    """With two streams of pictures, frames are those of the stream that players select."""

    def second(file: Any) -> Callable[[], None]:
        stream: Any = file.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 64, "yuv420p"
        stream.disposition = av.stream.Disposition.dub.value

        def write() -> None:
            content = np.full((64, 32, 3), 255, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(content, format="rgb24")))
            file.mux(stream.encode(None))

        return write

    path = written(tmp_path / "first.mkv", also=second)
    assert frame_number(path, -1).size == (32, 64), "no stream is marked: the first one"
    path = written(tmp_path / "marked.mkv", also=second, is_default=True)
    assert frame_number(path, -1).size == (64, 32)
    assert duration_of(path) == pytest.approx(3)


@pytest.mark.parametrize("turn", MATRICES)
@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_a_turned_film_is_shown_upright(tmp_path: Path, ending: str, turn: str) -> None:
    """Frames, contact sheets and posters are turned and mirrored as players do it with phones' videos."""

    def corner(_: int) -> Any:
        content = np.zeros((32, 64, 3), np.uint8)
        content[:16, :16] = 255
        return content

    a, b, c, d = MATRICES[turn]
    path = turned(written(tmp_path / f"film.{ending}", 3, picture=corner), (a, b, c, d))
    # The white corner (-1, -1), seen from the centre, as the specification of the format moves it.
    x, y = -a - c, -b - d
    size = (64, 32) if b == 0 else (32, 64)
    poster = make_poster(path)
    assert poster is not None
    with Image.open(poster) as poster_picture:
        pictures = [poster_picture.copy(), frame_at(path, 0), frame_number(path, -1)]
    for picture in pictures:
        assert picture.size == size
        levels = np.asarray(picture.convert("L"))
        width, height = size
        at = (4 if x < 0 else width - 5, 4 if y < 0 else height - 5)
        assert levels[at[1], at[0]] > 200, f"the white corner of a film turned {turn}"
        assert levels[height - 1 - at[1], width - 1 - at[0]] < 60
    assert contact_sheet(path, 1, width=32).size == (40, 8 + round(32 * size[1] / size[0]))


DAMAGES: dict[str, tuple[str, dict[str, Any], tuple[float, float, bytes | None]]] = {
    "a hole of zeros": ("film.mp4", {}, (0.6, 0.7, bytes(1))),
    "a hole of ones": ("film.mp4", {}, (0.6, 0.7, b"\xff")),
    "a bad end": ("film.mp4", {}, (0.5, 1, bytes(1))),
    "a bad beginning": ("film.mp4", {}, (0, 0.5, bytes(1))),
    "cut off": ("film.mp4", {"container": FASTSTART}, (0.5, 1, None)),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_part_does_not_cost_the_rest(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """All frames outside of the damaged part are there, and the log names the damaged video."""
    name, options, (begin, end, fill) = DAMAGES[kind]
    path = written(tmp_path / name, 60, picture=noise, **options)
    # The first or the last second, whichever is far from the damage.
    intact = [50, 54, 59] if begin == 0 else [0, 4, 9]
    before = [frame_number(path, number) for number in intact]
    damaged(path, begin, end, fill=fill)
    with caplog.at_level(logging.WARNING, "qingbo_widgets"):
        results = {use: act(path) for use, act in USES.items()}
    assert make_poster(path) is not None
    assert "film.mp4 is damaged" in caplog.text
    with open_film(path) as film:
        decoded = [film.image(frame) for _, frame in film.frames()]
    assert 20 <= len(decoded) < 60, "the frames outside of the damaged part"
    assert (results["frame_number(0)"], results["frame_number(-1)"]) == (decoded[0], decoded[-1])
    assert [frame_at(path, number / 10) for number in intact] == before
    for tenth in range(0, 60, 5):
        assert frame_at(path, tenth / 10).size == (64, 32), "at a damaged time, the frame before or after it"


@pytest.mark.parametrize("kind", ["cut off", "a hole"])
def test_a_damaged_webm(tmp_path: Path, kind: str) -> None:
    """A WebM that ends early, or has a hole, has its other frames."""
    path = written(tmp_path / "film.webm", picture=noise, **VP9)
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] + (bytes(3000) + content[half + 3000 :] if kind == "a hole" else b""))
    for name, use in USES.items():
        assert use(path), name
    assert make_poster(path) is not None


def test_a_poster_without_a_key_frame(tmp_path: Path) -> None:
    """If the only key frame is damaged, any other frame that can be decoded is the poster."""
    path = written(
        tmp_path / "film.mp4", 40, codec="mpeg4", options={"g": "600", "sc_threshold": "1000000000"}
    )
    damaged(path, 0, 0.02)
    with open_film(path) as film:
        assert not [frame for _, frame in film.frames(only_keys=True)], "this test needs a damaged key frame"
        assert [frame for _, frame in film.frames()]
    assert make_poster(path) is not None


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    """A video that another program cuts while it is read has the frames that were read before."""
    path = written(tmp_path / "film.mp4", 600, picture=noise, container=FASTSTART)
    with open_film(path) as film:
        frames = film.frames()
        first = next(frames)
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
        count = 1 + sum(1 for _ in frames)
    assert 100 < count < 500
    assert first[1].width == 64


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that cannot be saved raises an error with its path and the reason."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    path = written(tmp_path / "film.mp4", 3)
    monkeypatch.setattr(frames_module, "write_whole", refuse)
    with pytest.raises(QingboError, match=r"film-last\.png: Read-only file system"):
        save_frame(path, None)


def test_videos_of_one_name_have_their_own_frames_and_posters(tmp_path: Path) -> None:
    """A folder may have the same name with several endings; none shows the picture of another."""
    bright = written(tmp_path / "koi.mp4", 3, picture=lambda _: np.full((32, 64, 3), 240, np.uint8))
    dark = written(tmp_path / "koi.mov", 3, picture=lambda _: np.full((32, 64, 3), 16, np.uint8))
    for make in (make_poster, lambda path: save_frame(path, None)):
        for path, level in ((bright, 30), (dark, 2)):
            made = make(path)
            assert made is not None
            with Image.open(made) as picture:
                assert number_of(picture) == level


def test_a_very_tall_film_has_a_small_contact_sheet(tmp_path: Path) -> None:
    """A contact sheet is at most three times as tall as a row of square frames."""
    path = written(tmp_path / "film.mp4", 3, size=(16, 4096))
    width, height = contact_sheet(path, 4, width=100).size
    assert height <= 2 * 304 + 4
    assert width <= 2 * 104 + 4


@pytest.mark.parametrize("number", [1.5, "1", None])
def test_a_number_that_is_none(tmp_path: Path, number: Any) -> None:
    """A frame's number is an integer; half a frame is a mistake of the caller."""
    path = written(tmp_path / "film.mp4", 3)
    with pytest.raises(TypeError):
        frame_number(path, number)
    with pytest.raises(ValueError, match="frame -1000"):
        frame_number(path, -(10**30))
    with pytest.raises(ValueError, match="is outside the video"):
        frame_at(path, float("nan"))


@pytest.mark.parametrize("kind", [*UNUSABLE, "damaged", "turned"])
def test_a_task_and_the_widgets_of_an_odd_film(
    make_manager: Callable[..., TaskManager], tmp_path: Path, kind: str
) -> None:
    """A task, its frame picker and a comparison show pictures, or raise an error that the user can read."""
    manager = make_manager()
    manager.upload = lambda _: "https://pictures.example/last.png"
    folder = manager.library.folder
    folder.mkdir(parents=True)
    good, odd = written(folder / "good.mp4", 3), folder / "film.mp4"
    if kind in UNUSABLE:
        UNUSABLE[kind][0](odd)
    elif kind == "turned":
        turned(written(odd), MATRICES["right"])
    else:
        damaged(written(odd, 60, picture=noise), 0.5, 1)
    manager.library.add(Entry("k" * 32, manager.service, "task", status="completed", file="film.mp4"))
    task = manager.adopt("k" * 32)
    assert task is not None
    uses: dict[str, Callable[[], object]] = {
        "frame(0)": lambda: task.frame(0),
        "frame(number=-1)": lambda: task.frame(number=-1),
        "frames()": task.frames,
        "save_frame()": lambda: save_frame(odd, None),
        "FramePicker": lambda: FramePicker(odd).close(),
        "Comparison": lambda: Comparison([good, odd]).close(),
    }
    for name, use in uses.items():
        if kind in UNUSABLE and name != "Comparison":
            with pytest.raises(QingboError):
                use()
        elif kind not in ("a folder", "gone"):
            use()
    gallery = Gallery(manager.library)
    gallery.open_video("k" * 32)
    gallery.close()
