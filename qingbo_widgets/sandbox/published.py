"""``Published``: local files that the sandbox serves to its own tasks."""

from __future__ import annotations

import secrets
from pathlib import Path

from ..i18n import tr
from .drawing.media import decode, read
from .drawing.source import Clip, UnusableVideo

_VIDEOS = {".mp4": "video/mp4", ".webm": "video/webm"}


class Published:
    """Local pictures and videos, by names that cannot be guessed."""

    def __init__(self) -> None:
        self._files: dict[str, Path] = {}

    def add(self, path: str | Path) -> str:
        """Return a name for a file, which is read at each request.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file is not a JPEG, PNG or WebP picture, nor an MP4 or WebM video.
        """
        source = _expanded(Path(path)).resolve()
        suffix = source.suffix.lower()
        if suffix in _VIDEOS:
            _check_video(source)
        else:
            try:
                decode(read(source))
            except ValueError as error:
                message = tr("{path} {reason}; a video must be an .mp4 or .webm file")
                raise ValueError(message.format(path=path, reason=error)) from None
        name = f"{secrets.token_urlsafe(24)}{suffix}"
        self._files[name] = source
        return name

    def file(self, name: str) -> tuple[Path, str | None]:
        """Return the file of a name and, for a video, its content type.

        Raises:
            KeyError: there is no such file.
        """
        path = self._files[name]
        return path, _VIDEOS.get(path.suffix.lower())


def _expanded(path: Path) -> Path:
    """Return a path with its ``~`` replaced, unless there is no such user."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _check_video(path: Path) -> None:
    with path.open("rb") as file:
        try:
            Clip(file, str(path)).measures()
        except UnusableVideo as error:
            raise ValueError(str(error)) from None
