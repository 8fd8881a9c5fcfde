"""The frames of a source video at the times of the film that is drawn."""

from __future__ import annotations

from collections.abc import Generator

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from .film import Frame, blank, framed
from .source import Clip


class Reel:
    """A source video that runs along with the film: frames are decoded when they are shown.

    Args:
        clip: the video; nothing else may read it meanwhile.
        repeats: True to begin again after the end, False to stay at the last frame.

    Raises:
        UnusableVideo: the video is damaged.
    """

    def __init__(self, clip: Clip, *, repeats: bool) -> None:
        self._frames = _repeated(clip) if repeats else clip.frames()
        self._shown = next(self._frames)
        self._next = next(self._frames, None)

    def at(self, seconds: float, size: tuple[int, int]) -> Frame:
        """Return the frame at a time of the film. The times of successive calls must not decrease.

        Args:
            seconds: the time since the start of the film.
            size: width and height to scale the frame to, in pixels, both even.

        Raises:
            UnusableVideo: the video is damaged.
        """
        while self._next is not None and self._next[0] < seconds + 1e-6:
            self._shown, self._next = self._next, next(self._frames, None)
        return scaled(self._shown[1], size)

    def close(self) -> None:
        """Stop the decoding."""
        self._frames.close()


def scaled(picture: av.VideoFrame, size: tuple[int, int]) -> Frame:
    """Return a decoded frame, upright and in another size."""
    turns = picture.rotation // 90 % 4  # counterclockwise
    width, height = reversed(size) if turns % 2 else size
    plain = picture.reformat(
        width, height, "yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )
    frame = framed(np.asarray(plain.to_ndarray(), np.uint8))
    if not turns:
        return frame
    upright = blank(*size)
    for target, plane in zip(upright[:3], frame[:3], strict=True):
        target[:] = np.rot90(plane, turns)
    return upright


def _repeated(clip: Clip) -> Generator[tuple[float, av.VideoFrame], None, None]:
    start = 0.0
    while True:
        seconds = step = 0.0
        for time, frame in clip.frames():
            seconds, step = time, time - seconds
            yield start + seconds, frame
        start += seconds + max(step, 0.04)  # the last frame is shown as long as the one before
