"""Tests of frames of real videos by time and by number, of contact sheets, and of continuations."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from qingbo_widgets import Client, QingboError, Sandbox, TaskManager, VideoRequest
from qingbo_widgets.media.frames import contact_sheet, continuation, frame_at, frame_number
from tests.descriptions import SCENES

RATE = 10


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a video of 30 frames in three seconds, each as bright as its number, with few key frames."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"g": "12", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        for number in range(30):
            picture = np.full((32, 64, 3), 8 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def number_of(image: object) -> int:
    """Return the number of a frame of the video."""
    return round(float(np.asarray(image).mean()) / 8)


@pytest.mark.parametrize(
    ("seconds", "number"), [(0, 0), (0.05, 0), (0.1, 1), (1.19, 11), (1.2, 12), (2.95, 29), (3.0, 29)]
)
def test_a_frame_by_its_time(film: Path, seconds: float, number: int) -> None:
    """A time gives the frame that a player shows, before and after key frames and at both ends."""
    assert number_of(frame_at(film, seconds)) == number


@pytest.mark.parametrize(("asked", "number"), [(0, 0), (13, 13), (29, 29), (-1, 29), (-30, 0)])
def test_a_frame_by_its_number(film: Path, asked: int, number: int) -> None:
    """A number counts from the start, or from the end if it is negative."""
    assert number_of(frame_number(film, asked)) == number


def test_a_frame_that_a_video_does_not_have(film: Path) -> None:
    """The error contains the length of the video."""
    for seconds in (-0.1, 3.1):
        with pytest.raises(ValueError, match="outside the video, which lasts 3 s"):
            frame_at(film, seconds)
    for number in (30, -31):
        with pytest.raises(ValueError, match="the video has 30 frames"):
            frame_number(film, number)


def test_a_contact_sheet_goes_from_the_first_to_the_last(film: Path) -> None:
    """A contact sheet has evenly spaced frames in rows and columns."""
    sheet = contact_sheet(film, 6, columns=3, width=60)
    assert sheet.size == (3 * 64 + 4, 2 * 34 + 4)
    # The upper edge of each picture: the time is written at the lower.
    pixels = np.asarray(sheet).astype(int)
    shown = [
        round(pixels[4 + 34 * row + 2, 4 + 64 * column + 50].mean() / 8)
        for row in range(2)
        for column in range(3)
    ]
    assert shown[0] == 0
    assert shown[-1] == 29
    assert [later - earlier for earlier, later in itertools.pairwise(shown)] == pytest.approx([6] * 5, abs=1)
    assert contact_sheet(film, 4).size == (2 * 324 + 4, 2 * 164 + 4)
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet(film, 0)


def test_a_file_that_is_no_video(tmp_path: Path) -> None:
    """A damaged file raises an error that names it, not FFmpeg's error number."""
    path = tmp_path / "film.mp4"
    path.write_bytes(b"not a film")
    with pytest.raises(QingboError, match=r"film\.mp4 cannot be decoded"):
        frame_at(path, 0)


def test_without_the_extra(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the error names the package to install."""
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"qingbo_widgets\[frames\]"):
        frame_at(film, 0)


@pytest.mark.slow
def test_a_task_returns_its_frames_and_continues_from_the_last(
    make_manager: Callable[..., TaskManager], sandbox: Sandbox
) -> None:
    """A continuation begins with the last frame; with the sandbox it needs no upload."""
    manager = make_manager(Client(sandbox.api_key, sandbox.base_url), sandbox=sandbox)
    task = manager.submit(prompt="koi", duration=3, enable_audio=False, aspect_ratio="1:1")
    with pytest.raises(QingboError, match="not saved yet"):
        task.frame(0)
    task.wait(timeout=60)
    assert task.frame(1.5).size == task.frame(number=-1).size
    assert task.frames(4).width > 600
    with pytest.raises(TypeError, match="seconds or number"):
        task.frame()
    with pytest.warns(UserWarning, match="Enlarged"):  # a draft of the sandbox is small
        following = task.continue_from_last_frame("it leaps", duration=4)
    assert following.request is not None
    assert following.request.prompt == "it leaps"
    assert (following.request.duration, following.request.enable_audio) == (4, False)
    assert following.request.is_image_to_video
    following.wait(timeout=60)
    first, second = (np.asarray(image).mean() for image in (task.frame(number=-1), following.frame(0)))
    assert first == pytest.approx(second, abs=60)


def test_the_service_needs_a_public_url(make_manager: Callable[..., TaskManager], tmp_path: Path) -> None:
    """Without the sandbox an upload is required, and its link is checked before it is sent."""
    manager = make_manager()
    picture = tmp_path / "last.png"
    Image.new("RGB", (640, 480)).save(picture)
    with pytest.raises(QingboError, match=r"public URLs only.*connect\(upload="):
        manager.publish(picture)
    manager.upload = lambda _: "https://example.com/last.png"
    with pytest.warns(UserWarning, match="Anyone with the link"):
        assert manager.publish(picture) == "https://example.com/last.png"
    manager.upload = lambda path: f"not-a-url-of-{path.name}"
    with pytest.raises(QingboError, match=r"is not a public http\(s\) URL"):
        manager.publish(Image.new("RGB", (400, 400)))


def test_a_continuation_has_no_shots_of_the_first_video(described: Callable[[str], None]) -> None:
    """The new prompt replaces the first video's shots, under any parameter name: a request has only one."""
    described(SCENES)
    first = VideoRequest("kling-v9", scenes=[("A koi", 4), ("It leaps", 5)])  # type: ignore[call-arg]  # the test's own field
    second = continuation(first, "https://example.com/last.png", "it dives", "2026-04")
    assert second.scenes == ()  # type: ignore[attr-defined]  # the test's own field
    assert second.problems() == ()


@pytest.mark.parametrize(
    ("contracts", "model", "fields", "expected"),
    [
        (("2026-04", "2026-11"), "kling-v3", {}, {"generate_audio": True}),
        (("2026-04", "2026-11"), "kling-v3", {"generate_audio": False}, {"generate_audio": False}),
        (("2026-04", "2026-11"), "kling-v3", {"enable_audio": False}, {"enable_audio": False}),
        (("2026-04", "2026-11"), "kling-v3", {"model": "kling-v2-6"}, {}),
        (("2026-11", "2026-04"), "kling-v3", {}, {"enable_audio": False}),
        (("2026-11", "2026-04"), "kling-v2-6-motion-control", {}, {}),
        (("2099-01", "2026-11"), "kling-v3", {}, {}),
        (("2026-11", "2026-11"), "kling-v3", {}, {}),
    ],
)
def test_a_continuation_in_another_contract_keeps_the_defaults_of_the_first_video(
    contracts: tuple[str, str], model: str, fields: Any, expected: dict[str, object]
) -> None:
    """The same settings are those with which the first video was made, not those of the other contract."""
    origin, contract = contracts
    image = "https://example.com/last.png"
    second = continuation(VideoRequest(model, prompt="a koi"), image, "it dives", contract, origin, **fields)
    assert second.problems(contract) == ()
    given = {name: value for name, value in second.given.items() if name not in ("model", "prompt")}
    assert given == {"image_urls": (image,), **expected}


def test_a_continuation_keeps_what_was_set_for_the_first_video() -> None:
    """A value of the first request is no default."""
    first = VideoRequest(prompt="a koi", enable_audio=False)
    second = continuation(first, "https://example.com/last.png", "it dives", "2026-11", "2026-04")
    assert second.given["generate_audio"] is False
