"""Small video files for the tests, with pictures and sound that a test can recognise again."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

RATE = 12
"""Pictures per second."""

Pixels = NDArray[np.uint8]


def clip(
    paint: Callable[[float], Pixels],
    seconds: float = 1.0,
    *,
    tone: float = 0.0,
    kind: str = "mp4",
    sample_rate: int = 44_100,
) -> bytes:
    """Return a video file.

    Args:
        paint: returns the RGB picture at a time in seconds.
        seconds: the length.
        tone: the frequency in hertz of the sound, which is mono; 0 for none.
        kind: ``mp4``, ``mov`` or ``webm``.
        sample_rate: samples of the sound per second.
    """
    file = io.BytesIO()
    is_webm = kind == "webm"
    with av.open(file, "w", format=kind) as film:
        video = film.add_stream("libvpx" if is_webm else "libx264", rate=RATE)
        video.height, video.width, _ = paint(0.0).shape
        video.pix_fmt = "yuv420p"
        audio = None
        if tone:
            audio = film.add_stream("libopus" if is_webm else "aac", rate=sample_rate, layout="mono")
        for index in range(round(seconds * RATE)):
            frame = av.VideoFrame.from_ndarray(paint(index / RATE), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            film.mux(video.encode(frame))
        film.mux(video.encode())
        if audio is not None:
            time = np.arange(round(seconds * sample_rate), dtype=np.float32) / sample_rate
            wave = (0.5 * np.sin(2 * np.pi * tone * time)).astype(np.float32)[None]
            samples = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            samples.sample_rate, samples.pts, samples.time_base = sample_rate, 0, Fraction(1, sample_rate)
            film.mux(audio.encode(samples))
            film.mux(audio.encode())
    return file.getvalue()


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (160, 90)) -> Callable[[float], Pixels]:
    """Return a function that paints a picture of one colour."""
    picture = np.full((size[1], size[0], 3), colour, np.uint8)
    return lambda _: picture
