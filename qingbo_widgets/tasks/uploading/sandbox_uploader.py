"""The sandbox as a destination: it serves files of this machine itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ...exceptions import UploadFailed
from ...i18n import tr
from .shown import shown
from .uploader import Link, Progress

if TYPE_CHECKING:
    from ...sandbox import Sandbox

__all__ = ["SandboxUploader"]


class SandboxUploader:
    """The sandbox, which reads a file where it is. Its URLs live as long as it runs.

    A file has the same link until the sandbox ends.
    """

    destination = "the sandbox"
    lifetime: timedelta | None = None
    removes = False
    lasts = False

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._urls: dict[tuple[str, Path], str] = {}

    def publish(self, file: Path, on_progress: Progress) -> Link:
        """Return a link at which the sandbox serves the file.

        Raises:
            UploadFailed: the file cannot be read, or is of a kind that the sandbox does not serve.
        """
        link = self._link(file)
        size = file.stat().st_size
        on_progress(size, size)
        return link

    def renew(self, file: Path) -> Link | None:
        """Return another link to the file; ``None`` if it cannot be read."""
        return self._link(file) if file.is_file() else None

    def remove(self, file: Path) -> None:
        """Do nothing: nothing was copied."""

    def _link(self, file: Path) -> Link:
        try:
            key = (self._sandbox.base_url, file)
            if key not in self._urls:
                self._urls[key] = self._sandbox.publish(file)
            return Link(self._urls[key])
        except (OSError, ValueError, RuntimeError) as error:
            text = shown(str(error))
        raise UploadFailed(tr("The sandbox cannot serve {file}: {text}").format(file=file.name, text=text))
