"""The frames of an open video. A damaged part of it costs only the frames in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import QingboError
from ..i18n import N_, tr
from .orientation import upright

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["NO_PICTURES", "Film", "not_decoded"]

logger = logging.getLogger("qingbo_widgets")

NO_PICTURES = N_("it has no video frames")
_NOT_DECODED = N_("{file} cannot be decoded: {reason}")
#: Consecutive packets that cannot be read, after which the remainder of a file is given up.
_MOST_UNREADABLE = 1000
#: Frames per second, where a video does not contain a rate.
_USUAL_RATE = 24.0
#: Of a length in seconds: microseconds.
_DIGITS = 6


class Film:
    """An open video.

    Args:
        path: its path, for messages.
        container: the container of PyAV.
        stream: its stream of pictures.
    """

    def __init__(self, path: Path, container: Any, stream: Any) -> None:
        self.path, self._container, self._stream = path, container, stream
        self._start = self._seconds(stream.start_time) or 0.0
        self._is_fresh, self._is_damage_reported = True, False
        #: The first error of the decoder, or ``None``.
        self.damage: Exception | None = None

    @property
    def rate(self) -> float | None:
        """The average frame rate in frames per second, or ``None`` if it is unknown."""
        rate = self._stream.average_rate
        return float(rate) if rate else None

    @cached_property
    def length(self) -> float:
        """The time from the first frame until the end of the last in seconds."""
        announced = self._seconds(self._stream.duration)
        # An mp4 announces the time of decoding, which ends before the last frame if the rate varies. A WebM
        # announces only the length of everything, with sound, or none if it was recorded.
        if (measured := self._measured()) is not None:
            return round(max(measured, announced or 0.0), _DIGITS)
        return max(announced if announced is not None else (self._container.duration or 0) / 1e6, 0.0)

    def frames(self, since: float = 0.0, *, only_keys: bool = False) -> Iterator[tuple[float, Any]]:
        """Yield time in seconds and frame of each frame that can be decoded, in the order of display.

        Args:
            since: the time of which the frame is needed; the first frames are before it.
            only_keys: skip the frames that refer to others.
        """
        self._stream.codec_context.skip_frame = "NONKEY" if only_keys else "DEFAULT"
        if since > 0 or not self._is_fresh:
            self._seek(since)
        self._is_fresh = False
        latest = 0.0
        for frame in self._decoded():
            if frame.time is not None:
                latest = frame.time - self._start
            yield latest, frame
            latest += 1 / (self.rate or _USUAL_RATE)

    def image(self, frame: Any, **size: int) -> Image:
        """Return a frame as an upright PIL image, see ``upright``.

        Raises:
            QingboError: there is no frame, or it cannot be converted.
        """
        if frame is None:
            raise not_decoded(self.path, self.damage or tr(NO_PICTURES))
        if self.damage is not None and not self._is_damage_reported:
            self._is_damage_reported = True
            logger.warning("%s is damaged: the frames in the damaged part are left out", self.path.name)
        try:
            return upright(frame, **size)
        except Exception as error:  # no conversion from this format, no memory
            raise not_decoded(self.path, error) from None

    def _decoded(self) -> Iterator[Any]:
        """Yield the frames that the decoder did not have to complete by guesses, or else one that it had."""
        import av

        guessed, has_whole = None, False
        for packet in self._packets():
            try:
                frames = packet.decode()
            except (av.FFmpegError, OSError, ValueError) as error:
                self.damage = self.damage or error
                continue
            for frame in frames:
                if frame.is_corrupt:
                    guessed = guessed or frame
                else:
                    has_whole = True
                    yield frame
        if guessed is not None and not has_whole:
            yield guessed

    def _packets(self) -> Iterator[Any]:
        """Yield the packets of the pictures. After one that cannot be read, others often can."""
        import av

        unreadable = 0
        while unreadable < _MOST_UNREADABLE:
            try:
                for packet in self._container.demux(self._stream):
                    unreadable = 0
                    yield packet
                return
            except (av.FFmpegError, OSError) as error:
                self.damage = self.damage or error
                unreadable += 1

    def _measured(self) -> float | None:
        """Return the end of the last frame by its time stamp, or ``None``."""
        self._seek(self._seconds(self._stream.duration) or (self._container.duration or 0) / 1e6)
        self._is_fresh = False
        ends = (
            float(packet.pts * packet.time_base) + self._lasting(packet)
            for packet in self._packets()
            if packet.pts is not None and not packet.is_discard
        )
        last = max(ends, default=None)
        return None if last is None else last - self._start

    def _lasting(self, packet: Any) -> float:
        return self._seconds(packet.duration) or 1 / (self.rate or _USUAL_RATE)

    def _seek(self, seconds: float) -> None:
        """Continue at the last key frame before a time; where there is none, at the beginning."""
        import av

        for target in (self._start + seconds, self._start, 0.0):
            try:
                self._container.seek(int(target / self._stream.time_base), stream=self._stream)
            except (av.FFmpegError, OSError, OverflowError) as error:
                logger.debug("%s: no seek to %s s: %s", self.path.name, target, error)
            else:
                return

    def _seconds(self, count: int | None) -> float | None:
        """Return a number of the stream's clock ticks in seconds."""
        if count is None or self._stream.time_base is None:
            return None
        return float(count * self._stream.time_base)


def not_decoded(path: Path, reason: str | BaseException) -> QingboError:
    """Return the error for a video that cannot be decoded."""
    if isinstance(reason, BaseException):
        reason = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return QingboError(tr(_NOT_DECODED).format(file=path.name, reason=reason))
