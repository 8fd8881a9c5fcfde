"""``save_content``: a video that an answer has in place of a link, saved in the way of a download."""

from __future__ import annotations

from pathlib import Path

from .download.download import Download, OnProgress
from .http.memory import Memory

__all__ = ["save_content"]

#: The name of the video in messages.
_LINK = "data:video"


def save_content(
    content: bytes, path: Path, on_progress: OnProgress | None = None, *, max_bytes: int, film: str
) -> Path:
    """Save a video that is already in memory, with the checks and the file operations of a download.

    Args:
        content: the video.
        path: the file to write; its folder exists.
        on_progress: as in ``Client.download``.
        max_bytes: the largest file to accept.
        film: a name of the video.

    Raises:
        DownloadFailed: the content is not a whole video, or cannot be written.
    """
    return Download(
        Memory(content),
        _LINK,
        path,
        on_progress,
        max_bytes=max_bytes,
        film=film,
        sleep=lambda _: None,  # waiting would not change the content
    ).run()
