"""The video that an order follows: its download, its measures, its frames and its sound."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import IO

import av
import numpy as np
from av.container import InputContainer

from ...i18n import tr
from .film import SAMPLE_RATE, Floats
from .web import DownloadError, Unreachable, download, shown

MAX_BYTES = 100_000_000
#: Maximum seconds for a whole video, however slow its server.
PATIENCE = 60.0
#: Seconds for the same while a submit waits for it. The client gives up after 30 s, and could not know then
#: whether the task exists.
PROBE_PATIENCE = 20.0
#: As many as a frame of 4096x2304 has.
MAX_PIXELS = 9_437_184
# Beginnings of mp4 and mov, and of webm. FFmpeg gets the format, because when it guesses, a file may
# turn out to be a playlist of other files and addresses.
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_EBML = b"\x1aE\xdf\xa3"


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


@dataclass(frozen=True)
class Clip:
    """A video file. Each of its methods reads it from its beginning, so only one may be in use at a time.

    Attributes:
        file: the file.
        name: its URL or path, for error messages.
    """

    file: IO[bytes]
    name: str

    def measures(self) -> Source:
        """Return the measures of the video; one frame is decoded.

        Raises:
            UnusableVideo: the file is not an mp4, mov or webm, does not state its length, or is too large.
        """
        with self._opened() as film:
            video = film.streams.video[0]
            if video.width * video.height > MAX_PIXELS:  # according to the header: nothing is decoded yet
                message = tr("{name} has frames of more than {count} million pixels")
                raise UnusableVideo(message.format(name=self.name, count=MAX_PIXELS // 1_000_000))
            frame = next(film.decode(video))
            sides = (frame.width, frame.height)
            width, height = reversed(sides) if frame.rotation % 180 else sides
            return Source(self._seconds(film), width, height, bool(film.streams.audio))

    def frames(self) -> Generator[tuple[float, av.VideoFrame], None, None]:
        """Yield the frames, each with its time in seconds from the first one.

        Raises:
            UnusableVideo: the file is damaged.
        """
        with self._opened() as film:
            start = None
            for frame in film.decode(film.streams.video[0]):
                if frame.time is None:
                    continue
                start = frame.time if start is None else start
                yield frame.time - start, frame
            if start is None:
                raise self._refusal()

    def sound(self, length: int) -> Floats | None:
        """Return the sound, cut or continued by silence, or ``None`` if the video has none.

        Args:
            length: the number of samples to return, at ``SAMPLE_RATE``.

        Returns:
            Samples of shape (2, length), -1 to 1.

        Raises:
            UnusableVideo: the file is damaged.
        """
        sound, filled = np.zeros((2, length), np.float32), 0
        with self._opened() as film:
            if not film.streams.audio:
                return None
            resampler = av.AudioResampler("fltp", "stereo", SAMPLE_RATE)
            for frame in chain(film.decode(film.streams.audio[0]), [None]):  # None for the end
                for part in resampler.resample(frame):
                    samples = part.to_ndarray()[:, : length - filled]
                    sound[:, filled : filled + samples.shape[1]] = samples
                    filled += samples.shape[1]
                if filled == length:
                    break
        return sound

    @contextmanager
    def _opened(self) -> Iterator[InputContainer]:
        """Open the file for decoding; FFmpeg's errors in the body become ``UnusableVideo``."""
        self.file.seek(0)
        head = self.file.read(8)
        self.file.seek(0)
        kind = "mov" if head[4:] in _BOXES else "matroska" if head.startswith(_EBML) else None
        if kind is None:
            raise self._refusal()
        try:
            with av.open(self.file, "r", format=kind) as film:
                if not film.streams.video:
                    raise self._refusal()
                yield film
        except (av.FFmpegError, StopIteration):
            raise self._refusal() from None

    def _refusal(self) -> UnusableVideo:
        return UnusableVideo(tr("{name} is not a readable mp4, mov or webm video").format(name=self.name))

    def _seconds(self, film: InputContainer) -> float:
        """Return the length of the pictures, or of the whole file if the stream does not state its own."""
        video = film.streams.video[0]
        if video.duration and video.time_base:
            return float(video.duration * video.time_base)
        if film.duration:
            return film.duration / av.time_base
        raise UnusableVideo(tr("{name} does not state its length").format(name=self.name))


@contextmanager
def fetch(url: str, patience: float | None = None) -> Iterator[Clip]:
    """Open a video on the web.

    Args:
        url: an http or https URL of an mp4, mov or webm of at most 100 MB.
        patience: seconds for the whole video; by default ``PATIENCE``.

    Raises:
        UnreachableVideo: the server cannot be reached.
        UnusableVideo: the server answers with an error, or its content is too large.
    """
    with tempfile.TemporaryFile() as file:
        try:
            download(url, file, accept="video/*", max_bytes=MAX_BYTES, patience=patience or PATIENCE)
        except Unreachable as error:
            raise UnreachableVideo(str(error)) from None
        except DownloadError as error:
            raise UnusableVideo(str(error)) from None
        yield Clip(file, shown(url))


def probe(url: str) -> Source:
    """Return the measures of a video on the web. The whole file is downloaded.

    Args:
        url: an http or https URL of an mp4, mov or webm of at most 100 MB.

    Raises:
        UnreachableVideo: the server cannot be reached.
        UnusableVideo: the server answers with an error, or its content is too large or not such a video.
    """
    with fetch(url, PROBE_PATIENCE) as clip:
        return clip.measures()
