"""Input videos that are files of this machine: whether the service takes them."""

from __future__ import annotations

from pathlib import Path

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..system.video_files import HEAD, suffix_of
from .frames import duration_of
from .local_file import open_local, within
from .unusable import UnusableMedia

__all__ = ["check_clip", "clip_length"]

#: Containers that the service takes.
_KINDS = (".mp4", ".mov", ".webm")

_KIND = N_("The file is not a video that the service takes: convert it to MP4, MOV or WebM.")
_UNREADABLE = N_("The video is damaged: {reason}.")
_LENGTH = N_("The video is {length:g} s long; the limits are {shortest:g} to {longest:g} s.")


def check_clip(path: str | Path, seconds: tuple[float, float] | None, largest: int) -> float | None:
    """Check a video that is to be sent, and return its length in seconds.

    Args:
        path: the video.
        seconds: the shortest and the longest length, of which the service counts whole seconds; ``None`` if
            any length is possible.
        largest: bytes of the file.

    Returns:
        The length; ``None`` without the extra ``[frames]``, which reads it.

    Raises:
        UnusableMedia: the service would refuse the file, or it cannot be read.
    """
    with open_local(path) as (file, real, size):
        within(size, largest)
        if suffix_of(file.read(HEAD)) not in _KINDS:
            raise UnusableMedia(tr(_KIND))
    try:
        length = clip_length(real)
    except ImportError:
        return None
    except QingboError as error:
        raise UnusableMedia(tr(_UNREADABLE).format(reason=str(error).rstrip(".。"))) from None
    if seconds is not None and not seconds[0] <= int(length) <= seconds[1]:
        values = {"length": length, "shortest": seconds[0], "longest": seconds[1]}
        raise UnusableMedia(tr(_LENGTH).format(**values))
    return length


def clip_length(path: Path) -> float:
    """Return the length of a video in seconds, to a tenth.

    Raises:
        QingboError, ImportError: as in ``duration_of``.
    """
    return round(duration_of(path), 1)
