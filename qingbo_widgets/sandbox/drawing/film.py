"""Encoding of frames and sound: an mp4 that every browser plays, even before the download is complete."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

FPS = 24
SAMPLE_RATE = 48_000
_PAINTERS = 2
#: The share of a film that is done once its last picture is painted: the encoder has some pictures left then,
#: and the sound and the index of the file follow.
_PAINTED = 0.94

Plane = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Frame(NamedTuple):
    """A picture as YUV 4:2:0 planes, the encoder's input: no conversion, and half the bytes of RGB.

    Attributes:
        y: brightness, 16 to 235, shape (height, width).
        u: blueness around 128, at half the height and width.
        v: redness around 128, at half the height and width.
        i420: all three planes, one after the other in memory.
    """

    y: Plane
    u: Plane
    v: Plane
    i420: Plane


Painter = Callable[[], Frame]


def blank(width: int, height: int) -> Frame:
    """Return an unpainted frame of even width and height, in pixels."""
    return framed(np.empty((height * 3 // 2, width), np.uint8))


def framed(i420: Plane) -> Frame:
    """Return the frame whose planes lie one after the other in an array; see ``Frame.i420``."""
    width, height = i420.shape[1], i420.shape[0] * 2 // 3
    y, u, v = np.split(i420.reshape(-1), (width * height, width * height * 5 // 4))
    half = (height // 2, width // 2)
    return Frame(y.reshape(height, width), u.reshape(half), v.reshape(half), i420)


def planes(rgb: NDArray[np.floating] | Plane) -> tuple[Floats, Floats, Floats]:
    """Return Y, U and V (BT.709, limited range) of RGB 0..255 in the last axis, all at full resolution."""
    r, g, b = np.moveaxis(np.asarray(rgb, np.float32) / np.float32(255), -1, 0)
    y = np.asarray(0.2126 * r + 0.7152 * g + 0.0722 * b, np.float32)
    u, v = (
        np.asarray(128 + 224 / scale * (part - y), np.float32) for part, scale in ((b, 1.8556), (r, 1.5748))
    )
    return np.asarray(16 + 219 * y, np.float32), u, v


def encode(
    path: str | Path,
    size: tuple[int, int],
    count: int,
    prepare: Callable[[int], Painter],
    sound: NDArray[np.float32] | None = None,
    *,
    hold: int = 1,
    enlarge: int = 1,
    report: Callable[[float], object] = lambda _: None,
) -> None:
    """Write an H.264 film, with AAC if it has sound.

    Args:
        path: the mp4 file.
        size: width and height of the frames in pixels, both even.
        count: the number of frames, at ``FPS`` per second.
        prepare: returns the function that paints the frame of an index. It is called with the indices in
            order, on one thread; two of the functions that it returns run at once.
        sound: samples -1..1 of shape (channels, length) at ``SAMPLE_RATE``; None for a silent film.
        hold: the number of frames that show one picture; fewer are painted, including the first and the last.
        enlarge: the factor by which the film is wider and higher than its frames.
        report: called with the share that is done, 0 to 1: after each picture, and once the file is complete.
    """
    pictures = -(-count // hold)
    step = (count - 1) / max(pictures - 1, 1)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        video = film.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "21"})
        video.width, video.height = (side * enlarge for side in size)
        video.pix_fmt = "yuv420p"
        video.gop_size = 2 * FPS
        video.codec_context.color_range = ColorRange.MPEG
        video.codec_context.colorspace = Colorspace.ITU709
        video.codec_context.color_primaries = video.codec_context.color_trc = 1  # BT.709
        audio = None
        if sound is not None:
            audio = film.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
            audio.bit_rate = 128_000
        indices = [round(step * number) for number in range(pictures)]
        for number, frame in enumerate(_painted(indices, prepare)):
            for index in range(number * hold, min((number + 1) * hold, count)):
                picture = av.VideoFrame.from_ndarray(frame.i420, format="yuv420p")
                if enlarge > 1:
                    picture = picture.reformat(video.width, video.height)
                picture.pts, picture.time_base = index, Fraction(1, FPS)
                film.mux(video.encode(picture))
            report(_PAINTED * (number + 1) / pictures)
        film.mux(video.encode())
        if audio is not None and sound is not None:
            samples = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), format="fltp", layout="stereo")
            samples.sample_rate, samples.pts, samples.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
            film.mux(audio.encode(samples))
            film.mux(audio.encode())
    report(1.0)


def _painted(indices: Iterable[int], prepare: Callable[[int], Painter]) -> Iterator[Frame]:
    """Yield these frames in order, painted ahead in threads, which numpy and the encoder let run."""
    with ThreadPoolExecutor(_PAINTERS) as pool:
        ahead: deque[Future[Frame]] = deque()
        for index in indices:
            ahead.append(pool.submit(prepare(index)))
            if len(ahead) > 2 * _PAINTERS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
