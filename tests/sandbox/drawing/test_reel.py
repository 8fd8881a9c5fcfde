"""The frames of a source video at the times of a film."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest

from qingbo_widgets.sandbox.drawing.reel import Reel
from qingbo_widgets.sandbox.drawing.source import Clip, UnusableVideo
from tests.sandbox.drawing.clips import Pixels, clip

SIZE = (64, 48)


def brightening(seconds: float) -> Pixels:
    """Return a grey picture that grows brighter."""
    return np.full((SIZE[1], SIZE[0], 3), round(40 + 160 * seconds), np.uint8)


def turned(video: bytes) -> bytes:
    """Return an mp4 whose header says, as that of a phone, to show it turned to the right."""
    at = video.index(b"tkhd") + 44
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    return video[:at] + matrix + video[at + 36 :]


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_the_frame_of_a_time(kind: str) -> None:
    """Each time of the film shows the latest frame of the video; after the end, the last one stays."""
    reel = Reel(Clip(io.BytesIO(clip(brightening, kind=kind)), "clip"), repeats=False)
    seen = [reel.at(seconds, SIZE).y.mean() for seconds in (0, 0.5, 0.51, 0.9, 1.5, 9)]
    assert seen == pytest.approx([50, 119, 119, 165, 176, 176], abs=4)  # twelve frames a second
    reel.close()


def test_a_video_that_repeats() -> None:
    """A video that is shorter than the film begins again."""
    reel = Reel(Clip(io.BytesIO(clip(brightening)), "clip"), repeats=True)
    seen = [reel.at(seconds, SIZE).y.mean() for seconds in (0.5, 1.01, 1.5, 2.01)]
    assert seen == pytest.approx([119, 50, 119, 50], abs=5)
    reel.close()


def test_a_video_of_a_phone_stands_upright() -> None:
    """A video that its header turns is measured and shown upright."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24] = 255  # the upper half, which a turn to the right puts on the right
    video = Clip(io.BytesIO(turned(clip(lambda _: picture))), "clip")
    measures = video.measures()
    assert (measures.width, measures.height) == (48, 64)
    reel = Reel(video, repeats=False)
    frame = reel.at(0, (48, 64))
    assert frame.y.shape == (64, 48)
    assert frame.y[:, 30:].mean() > 200
    assert frame.y[:, :18].mean() < 50
    reel.close()


def test_a_video_that_breaks_off() -> None:
    """A file that is damaged after its beginning is refused by name when the damage is met."""
    video = clip(lambda t: np.random.default_rng(int(99 * t)).integers(0, 255, (48, 64, 3), np.uint8), 3)
    start = video.index(b"mdat") + 4000
    broken = video[:start] + b"\0" * (len(video) - start - 4000) + video[-4000:]
    with pytest.raises(UnusableVideo, match=r"clip is not a readable"):
        for _ in Clip(io.BytesIO(broken), "clip").frames():
            pass
