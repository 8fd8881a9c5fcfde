"""Real videos, each odd in one way: a stream, a picture, a clock, a container, or damage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

__all__ = ["MATRICES", "add_cover", "add_sound", "box", "damaged", "number_of", "turned", "written"]

RATE = 10
#: Displays a frame turned: the numbers a, b, c, d of the matrix in an mp4's track header, as phones write it.
MATRICES = {
    "none": (1, 0, 0, 1),
    "right": (0, 1, -1, 0),
    "half": (-1, 0, 0, -1),
    "left": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "flipped": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "transverse": (0, -1, -1, 0),
}


def written(
    path: Path,
    count: int = 30,
    *,
    size: tuple[int, int] = (64, 32),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    times: Sequence[int] | None = None,
    form: str | None = None,
    picture: Callable[[int], Any] | None = None,
    also: Callable[[Any], Callable[[], None]] | None = None,
    is_default: bool = False,
) -> Path:
    """Write a video whose frames are as bright as their numbers, and return its path.

    Args:
        path: the file; its ending selects the container, unless ``form`` does.
        count: the number of frames, ten a second.
        size: width and height in pixels.
        codec: the encoder.
        pixels: the pixel format.
        options: options of the encoder; by default few key frames, and frames that refer to later ones.
        container: options of the container.
        times: the time of each frame in tenths of a second.
        form: the container.
        picture: returns the pixels of a frame (height, width, 3) instead.
        also: adds another stream before that of the frames, and returns the function that writes it.
        is_default: mark the stream as the one that players select.
    """
    width, height = size
    with av.open(str(path), "w", format=form, options=container or {}) as file:
        before = also(file) if also else None
        stream: Any = file.add_stream(codec, rate=RATE, options=options or {"g": "12", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.codec_context.time_base = Fraction(1, RATE)
        if is_default:
            stream.disposition = av.stream.Disposition.default.value
        if before:
            file.start_encoding()
            before()
        for number in range(count):
            content = np.full((height, width, 3), 8 * number % 256, np.uint8)
            content = content if picture is None else picture(number)
            frame = av.VideoFrame.from_ndarray(content, format="rgb24").reformat(format=pixels)
            frame.pts = number if times is None else times[number]
            frame.time_base = Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def add_sound(seconds: float) -> Callable[[Any], Callable[[], None]]:
    """Return a function for ``written`` that adds silence of this length."""

    def add(file: Any) -> Callable[[], None]:
        stream: Any = file.add_stream("aac", rate=44_100)

        def write() -> None:
            for number in range(round(seconds * 44_100 / 1024)):
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
                frame.rate, frame.pts = 44_100, 1024 * number
                file.mux(stream.encode(frame))
            file.mux(stream.encode(None))

        return write

    return add


def add_cover(file: Any) -> Callable[[], None]:
    """Add a cover picture before the video, as tools do that tag films."""
    stream: Any = file.add_stream("mjpeg", rate=1)
    stream.width, stream.height, stream.pix_fmt = 200, 300, "yuvj420p"
    stream.disposition = av.stream.Disposition.attached_pic.value  # PyAV 17 takes numbers only

    def write() -> None:
        content = np.full((300, 200, 3), 255, np.uint8)
        frame = av.VideoFrame.from_ndarray(content, format="rgb24").reformat(format="yuvj420p")
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))

    return write


def number_of(image: object) -> int:
    """Return the number of a frame of the video."""
    return round(float(np.asarray(image).mean()) / 8)


def turned(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write a display matrix into the track header of an mp4."""
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 4 + 40
    values = dict(zip((0, 1, 3, 4), matrix, strict=True)) | {8: 1 << 14}
    for place in range(9):
        at = start + 4 * place
        content[at : at + 4] = (values.get(place, 0) << 16).to_bytes(4, "big", signed=True)
    path.write_bytes(content)
    return path


def damaged(path: Path, begin: float, end: float, *, fill: bytes | None = bytes(1)) -> Path:
    """Overwrite a part of the media data of an mp4, between two fractions of it; ``None`` cuts the file."""
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    length = int.from_bytes(content[start - 8 : start - 4], "big") - 8
    first, last = start + int(begin * length), start + int(end * length)
    if fill is None:
        del content[first:]
    else:
        content[first:last] = fill * (last - first)
    path.write_bytes(content)
    return path


def box(kind: bytes, content: bytes = b"") -> bytes:
    """Return a box of an mp4."""
    return (8 + len(content)).to_bytes(4, "big") + kind + content
