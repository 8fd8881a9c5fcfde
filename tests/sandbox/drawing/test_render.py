"""Rendered videos of requests of contract 2026-04, decoded again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.sandbox.contracts.v2026_04.request import order_of
from qingbo_widgets.sandbox.drawing.media import UnusablePicture
from qingbo_widgets.sandbox.drawing.render import render
from qingbo_widgets.sandbox.render_pool import Job
from tests.sandbox.drawing.films import Film, difference

SECOND: dict[str, Any] = {
    "model": "kling-v1",
    "prompt": "a pond",
    "duration": 1,
}  # shorter than the service allows


@pytest.fixture
def film(tmp_path: Path) -> Any:
    """Return a function that renders a request, as a draft by default, and decodes the video."""

    def draw(request: dict[str, Any], *, draft: bool = True) -> Film:
        render(order_of(request), tmp_path / "film.mp4", draft=draft)
        return Film(tmp_path / "film.mp4")

    return draw


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Any]:
    """Yield a function that publishes a picture at the URL of a sandbox."""
    with Sandbox() as sandbox:

        def publish(picture: Image.Image, name: str = "picture.png") -> str:
            picture.save(tmp_path / name)
            return sandbox.publish(tmp_path / name)

        yield publish


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        pytest.param({}, (1280, 720), marks=pytest.mark.slow),
        pytest.param({"aspect_ratio": "9:16"}, (720, 1280), marks=pytest.mark.slow),
        ({"aspect_ratio": "1:1"}, (720, 720)),
        pytest.param({"extra": {"mode": "pro"}}, (1920, 1080), marks=pytest.mark.slow),
        pytest.param(
            {"aspect_ratio": "9:16", "extra": {"mode": "pro"}}, (1080, 1920), marks=pytest.mark.slow
        ),
        pytest.param({"aspect_ratio": "1:1", "extra": {"mode": "pro"}}, (1080, 1080), marks=pytest.mark.slow),
    ],
)
def test_the_requested_size(film: Any, fields: dict[str, Any], size: tuple[int, int]) -> None:
    """Each aspect ratio is rendered in 720p or 1080p, in a format that every browser can stream."""
    drawn = film({**SECOND, **fields}, draft=False)
    assert drawn.size == size
    assert (drawn.codec, drawn.pixels, drawn.rate) == ("h264", "yuv420p", 24)
    assert len(drawn.frames) == 24
    assert drawn.bytes.index(b"moov") < drawn.bytes.index(b"mdat")


@pytest.mark.parametrize(
    "seconds",
    [
        3,
        pytest.param(5, marks=pytest.mark.slow),
        pytest.param(10, marks=pytest.mark.slow),
        pytest.param(15, marks=pytest.mark.slow),
    ],
)
def test_the_duration_is_exact(film: Any, seconds: int) -> None:
    """The film has the exact number of frames, and its sound does not lengthen it."""
    drawn = film({"model": "kling-v3", "prompt": "x", "duration": seconds})
    assert len(drawn.frames) == 24 * seconds
    assert drawn.seconds == pytest.approx(seconds, abs=0.001)


@pytest.mark.slow
def test_native_audio(film: Any) -> None:
    """kling-v3 has sound unless the request disables it; the other models are silent."""
    audible = film({**SECOND, "model": "kling-v3"})
    assert audible.sound == [("aac", 48_000)]
    assert 0.1 < audible.loudness < 0.95
    assert film({**SECOND, "model": "kling-v3", "extra": {"enable_audio": False}}).sound == []
    assert film(SECOND).sound == []


@pytest.mark.slow
def test_equal_requests_give_equal_videos(film: Any) -> None:
    """Equal requests give the same pixels; another prompt gives another picture."""
    first, again = film(SECOND).frames[5], film(SECOND).frames[5]
    other = film({**SECOND, "prompt": "a volcano"}).frames[5]
    assert difference(first, again) == 0
    assert difference(first, other) > 1


@pytest.mark.slow
def test_the_landscape_moves(film: Any) -> None:
    """The picture changes over seconds, but does not jump from one frame to the next."""
    frames = film({**SECOND, "duration": 3}).frames
    steps = [difference(before, after) for before, after in pairwise(frames)]
    assert difference(frames[0], frames[-1]) > 1
    assert max(steps) < 3


@pytest.mark.slow
def test_the_mark_and_the_prompt_are_written(film: Any) -> None:
    """There is white text at the positions of the mark and the prompt, and less without a prompt."""
    frame = film({**SECOND, "prompt": "湖边的清晨"}, draft=False).frames[0]
    white = frame.min(axis=-1) > 200
    assert white[47:80, 52:170].sum() > 150
    assert white[570:640, 52:300].sum() > 600
    bare = film({**SECOND, "prompt": "🎬"}, draft=False).frames[0]
    assert (bare.min(axis=-1) > 200)[570:640, 52:300].sum() < 300


@pytest.mark.slow
def test_shots_are_cut_hard(film: Any) -> None:
    """Each shot has its own picture and length, with a cut between two frames."""
    extra: dict[str, object] = {}
    for number, (prompt, seconds) in enumerate((("sea", 1), ("sunset", 2), ("night", 1)), 1):
        extra |= {f"shot_{number}_prompt": prompt, f"shot_{number}_duration": seconds}
    frames = film({"model": "kling-v3", "extra": extra}).frames
    steps = [difference(before, after) for before, after in pairwise(frames)]
    assert [index + 1 for index, step in enumerate(steps) if step > 20] == [24, 72]


def shifted(frames: list[NDArray[np.int16]], axis: int, depth: slice) -> int:
    """Return by how many pixels some rows have moved from the first to the last frame."""
    free = slice(None) if axis else slice(180, None)  # without the text, which does not move
    first, last = (frame[depth, free].mean(axis=2).mean(axis=1 - axis) for frame in (frames[0], frames[-1]))
    first, last = np.gradient(first), np.gradient(last)
    limit = len(first) // 3
    scores = {by: float(np.dot(np.roll(first, by), last)) for by in range(-limit, limit + 1)}
    return max(scores, key=lambda by: scores[by])


def seen_by(film: Any, **config: float) -> list[NDArray[np.int16]]:
    """Return the frames of a landscape with a camera move."""
    control = {"type": "simple", "config": config}
    request = {"model": "kling-v1-6", "prompt": "night", "duration": 1, "extra": {"camera_control": control}}
    frames: list[NDArray[np.int16]] = film(request).frames
    return frames


SKY = slice(35, 90)


@pytest.mark.slow
@pytest.mark.parametrize("amount", [-10, 10])
def test_pan_and_tilt_turn_the_camera(film: Any, amount: int) -> None:
    """A turn to the right moves the picture left, a turn up moves it down: pan is about X, tilt about Y."""
    assert np.sign(shifted(seen_by(film, tilt=amount), 1, SKY)) == -np.sign(amount)
    assert np.sign(shifted(seen_by(film, pan=amount), 0, slice(20, None))) == np.sign(amount)


@pytest.mark.slow
def test_moving_sideways_shows_depth(film: Any) -> None:
    """The sky stays in place when the camera moves right, but not when it turns right."""
    assert abs(shifted(seen_by(film, horizontal=10), 1, SKY)) <= 3
    assert abs(shifted(seen_by(film, tilt=10), 1, SKY)) > 30


@pytest.mark.slow
@pytest.mark.parametrize(
    "config", [{"horizontal": -10}, {"vertical": 10}, {"roll": 10}, {"roll": -10}, {"zoom": 10}]
)
def test_every_axis_changes_the_picture(film: Any, config: dict[str, float]) -> None:
    """A moving camera changes the picture more than the waves do in front of a still one."""
    moved, still = seen_by(film, **config), seen_by(film, pan=0)
    assert difference(moved[0], moved[-1]) > 1.4 * difference(still[0], still[-1])


@pytest.mark.slow
def test_zoom_and_roll_of_a_picture(film: Any, published: Any) -> None:
    """Zoom - enlarges and + reduces the picture; a clockwise roll turns it counter-clockwise."""
    picture = Image.new("RGB", (640, 360), "black")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((280, 140, 360, 220), fill="red")  # in the middle
    pen.rectangle((460, 160, 500, 200), fill="lime")  # right of it
    url = published(picture)

    def frames(**config: float) -> list[NDArray[np.int16]]:
        extra = {"camera_control": {"type": "simple", "config": config}}
        request = {**SECOND, "model": "kling-v1-6", "image_urls": [url], "extra": extra}
        drawn: list[NDArray[np.int16]] = film(request).frames
        return drawn

    def red(frame: NDArray[np.int16]) -> int:
        return int((frame[..., 0] > 150).sum() - (frame.min(axis=-1) > 150).sum())

    nearer, away = frames(zoom=-10), frames(zoom=10)
    assert red(nearer[-1]) > 1.5 * red(nearer[0])
    assert red(away[-1]) < red(away[0]) / 1.5

    def green_row(frame: NDArray[np.int16]) -> float:
        rows, _ = np.nonzero((frame[..., 1] > 150) & (frame[..., 0] < 100))
        return float(rows.mean())

    rolled = frames(roll=10)
    assert green_row(rolled[-1]) < green_row(rolled[0]) - 5  # from the right towards the top


@pytest.mark.parametrize("kind", ["down_back", "forward_up", "right_turn_forward", "left_turn_forward"])
def test_presets_move_the_camera(film: Any, kind: str) -> None:
    """Each of the four presets changes the picture."""
    extra = {"camera_control": {"type": kind}}
    frames = film({**SECOND, "model": "kling-v1-6", "extra": extra}).frames
    assert difference(frames[0], frames[-1]) > 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((1600, 900), (320, 180)),
        ((300, 400), (180, 240)),
        ((500, 500), (180, 180)),
        ((1200, 480), (320, 128)),
    ],
)
def test_the_input_image_decides_the_shape(
    film: Any, published: Any, shape: tuple[int, int], size: tuple[int, int]
) -> None:
    """The film has the picture's shape, whatever the aspect ratio says; its first frame is the picture."""
    picture = Image.linear_gradient("L").resize(shape).convert("RGB")
    drawn = film({**SECOND, "aspect_ratio": "9:16", "image_urls": [published(picture)]})
    assert drawn.size == size
    wanted = np.asarray(picture.resize(size), np.int16)
    middle = slice(size[1] // 4, size[1] // 2), slice(size[0] // 2, None)
    assert difference(drawn.frames[0][middle], wanted[middle]) < 6


def test_the_first_frame_becomes_the_last(film: Any, published: Any) -> None:
    """The film begins with the first frame, ends with the last, and blends both in the middle."""
    red, blue = (
        published(Image.new("RGB", (400, 400), colour), f"{colour}.png") for colour in ("red", "blue")
    )
    frames = film({**SECOND, "image_urls": [red], "last_frame": blue}).frames
    colours = [frames[index][40:80, 60:120].mean(axis=(0, 1)) for index in (0, 12, -1)]
    assert colours[0] == pytest.approx([255, 0, 0], abs=12)
    assert 60 < colours[1][0] < 200
    assert 60 < colours[1][2] < 200
    assert colours[2] == pytest.approx([0, 0, 255], abs=12)


def test_masks_hold_and_move(film: Any, published: Any) -> None:
    """The static part stays where it is; the brushed part follows its path and leaves no hole."""
    picture = Image.new("RGB", (400, 400), (90, 90, 90))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((40, 150, 99, 209), fill="lime")
    pen.rectangle((200, 180, 259, 239), fill="red")
    still, brush = Image.new("RGBA", picture.size), Image.new("RGBA", picture.size)
    ImageDraw.Draw(still).rectangle((40, 150, 99, 209), fill="black")
    ImageDraw.Draw(brush).rectangle((198, 178, 261, 241), fill="black")
    path = [{"x": 230, "y": 190}, {"x": 330, "y": 290}]  # to the right, and up
    extra = {
        "static_mask": published(still, "still.png"),
        "dynamic_masks": [{"mask_url": published(brush, "brush.png"), "trajectories": path}],
    }
    frames = film(
        {**SECOND, "model": "kling-v1-6", "image_urls": [published(picture)], "extra": extra}
    ).frames

    def centre(frame: NDArray[np.int16], channel: int) -> NDArray[np.float64]:
        other = 1 - channel
        rows, columns = np.nonzero((frame[..., channel] > 150) & (frame[..., other] < 90))
        return np.array([columns.mean(), rows.mean()]) * 400 / 180

    assert centre(frames[-1], 1) == pytest.approx(centre(frames[0], 1), abs=2)
    assert centre(frames[-1], 0) - centre(frames[0], 0) == pytest.approx([100, -100], abs=6)
    left_behind = frames[-1][85:105, 93:113].mean(axis=(0, 1))
    assert left_behind == pytest.approx([90, 90, 90], abs=25)


def test_a_picture_that_cannot_be_fetched(film: Any, published: Any) -> None:
    """Rendering fails with the reason if a picture cannot be fetched."""
    url = published(Image.new("RGB", (8, 8))) + "x"
    with pytest.raises(UnusablePicture, match="404"):
        film({**SECOND, "image_urls": [url]})


@pytest.mark.slow
@pytest.mark.timeout(60)  # two to three seconds on two idle cores
def test_five_seconds_are_drawn_quickly(tmp_path: Path) -> None:
    """A video is drawn within the limit, from the start of the process to the finished file."""
    order = order_of({"model": "kling-v3", "prompt": "一条锦鲤"})
    assert Job().run(order, tmp_path / "a.mp4") is None
    assert (tmp_path / "a.mp4").stat().st_size > 0


def test_the_progress_counts_the_end_of_the_drawing(tmp_path: Path) -> None:
    """The bar moves with the pictures, waits nowhere, and reaches its end only with a complete file."""
    path, seen = tmp_path / "film.mp4", [0.0]

    def report(share: float) -> None:
        seen.append(share)
        if share == 1:
            Film(path)  # raises while the file is still being written

    render(order_of(SECOND), path, draft=True, report=report)
    steps = [after - before for before, after in pairwise(seen)]
    assert seen[-1] == 1
    assert 0 < min(steps) <= max(steps) < 0.1, f"the bar leaps: {seen}"
