"""Reading of the video that an order follows: its download, its measures, its frames."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import av
from av.container import InputContainer

from .web import DownloadError, Unreachable, download

MAX_BYTES = 100_000_000
#: Maximum seconds for a whole video, however slow its server.
PATIENCE = 60.0
#: As many as a frame of 4096x2304 has.
MAX_PIXELS = 9_437_184
# Beginnings of mp4 and mov, and of webm. FFmpeg is told the format, because when it guesses, a file may
# turn out to be a playlist of other files and addresses.
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_EBML = b"\x1aE\xdf\xa3"
_NO_VIDEO = "is not a readable mp4, mov or webm video"


class UnusableVideo(Exception):
    """The error for a video that cannot be loaded from its URL; the message gives the user the reason."""


class UnreachableVideo(UnusableVideo):
    """The error for a video whose server cannot be reached, such as by a sandbox without a network."""


@dataclass(frozen=True)
class Source:
    """The measures of a video.

    Attributes:
        seconds: its length.
        width: pixels of an upright frame.
        height: pixels of an upright frame.
        has_sound: True if it has an audio stream.
    """

    seconds: float
    width: int
    height: int
    has_sound: bool


def probe(url: str) -> Source:
    """Return the measures of a video on the web. The whole file is downloaded, and one frame decoded.

    Args:
        url: an http or https URL of an mp4, mov or webm of at most 100 MB.

    Raises:
        UnreachableVideo: the server cannot be reached.
        UnusableVideo: the server answers with an error, or its content is too large or not such a video.
    """
    with fetched(url) as file, _named(url):
        return measure(file)


def measure(file: IO[bytes]) -> Source:
    """Return the measures of a video file.

    Raises:
        ValueError: the file is not an mp4, mov or webm video, does not state its length, or is too large.
    """
    with opened(file) as film:
        video = film.streams.video[0]
        if video.width * video.height > MAX_PIXELS:  # according to the header: nothing is decoded yet
            raise ValueError(f"has frames of more than {MAX_PIXELS // 1_000_000} million pixels")
        seconds = _seconds(film)
        frame = next(film.decode(video))
        width, height = (frame.height, frame.width) if frame.rotation % 180 else (frame.width, frame.height)
        return Source(seconds, width, height, bool(film.streams.audio))


@contextmanager
def fetched(url: str) -> Iterator[IO[bytes]]:
    """Open a temporary file with the content of a URL.

    Raises:
        UnreachableVideo: the server cannot be reached.
        UnusableVideo: the server answers with an error, or its content is too large.
    """
    with tempfile.TemporaryFile() as file:
        try:
            download(url, file, accept="video/*", max_bytes=MAX_BYTES, patience=PATIENCE)
        except Unreachable as error:
            raise UnreachableVideo(str(error)) from None
        except DownloadError as error:
            raise UnusableVideo(str(error)) from None
        yield file


@contextmanager
def opened(file: IO[bytes]) -> Iterator[InputContainer]:
    """Open a video file for decoding, from its beginning.

    Raises:
        ValueError: the file is not an mp4, mov or webm video, or what the caller decodes is damaged.
    """
    file.seek(0)
    head = file.read(8)
    file.seek(0)
    kind = "mov" if head[4:] in _BOXES else "matroska" if head.startswith(_EBML) else None
    if kind is None:
        raise ValueError(_NO_VIDEO)
    try:
        with av.open(file, "r", format=kind) as film:
            if not film.streams.video:
                raise ValueError(_NO_VIDEO)
            yield film
    except (av.FFmpegError, StopIteration):  # some of FFmpeg's errors are ValueErrors, too
        raise ValueError(_NO_VIDEO) from None


@contextmanager
def _named(url: str) -> Iterator[None]:
    """Turn the ``ValueError`` about a file into an error about its URL."""
    try:
        yield
    except ValueError as error:
        raise UnusableVideo(f"{url} {error}") from None


def _seconds(film: InputContainer) -> float:
    """Return the length of the pictures, or of the whole file if the stream does not state its own."""
    video = film.streams.video[0]
    if video.duration and video.time_base:
        return float(video.duration * video.time_base)
    if film.duration:
        return film.duration / av.time_base
    raise ValueError("does not state its length")
