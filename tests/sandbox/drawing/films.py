"""Rendered videos, decoded for the tests."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


class Film:
    """A decoded video file."""

    def __init__(self, path: Path) -> None:
        self.bytes = path.read_bytes()
        with av.open(str(path)) as film:
            video = film.streams.video[0]
            self.codec, self.pixels = video.codec_context.name, video.codec_context.pix_fmt
            self.rate = video.average_rate
            self.seconds = float((film.duration or 0) / 1_000_000)
            self.sound = [(audio.codec_context.name, audio.rate) for audio in film.streams.audio]
            self.frames: list[NDArray[np.int16]] = [
                frame.to_ndarray(format="rgb24").astype(np.int16) for frame in film.decode(video)
            ]
            self.samples = np.zeros((2, 0), np.float32)
            if film.streams.audio:
                film.seek(0)
                self.samples = np.concatenate([frame.to_ndarray() for frame in film.decode(audio=0)], axis=1)

    @property
    def size(self) -> tuple[int, int]:
        height, width, _ = self.frames[0].shape
        return width, height

    @property
    def loudness(self) -> float:
        """The largest sample, 0 to 1."""
        return float(np.abs(self.samples).max())

    @property
    def pitch(self) -> float:
        """The strongest frequency of the sound, in hertz."""
        strength = np.abs(np.fft.rfft(self.samples[0]))
        return float(strength.argmax() * 48_000 / self.samples.shape[1])


def difference(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    """Return the mean difference of two pictures, 0 to 255."""
    return float(np.abs(one - other).mean())
