"""The length of a video as a short text."""

from __future__ import annotations

from ...i18n import tr

__all__ = ["length_text", "seconds_text"]


def seconds_text(seconds: object) -> str:
    """Return a whole number of seconds as text, such as "5 s"."""
    return tr("{seconds} s").format(seconds=seconds)


def length_text(seconds: object) -> str:
    """Return the whole seconds of a video as text; 0 follows the input video."""
    return seconds_text(seconds) if seconds else tr("as long as the input video")
