"""Uploaders, which carry local files to where the service can read them, and the links to the files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from ...library.inputs import Link

__all__ = ["Link", "Progress", "Uploader"]

#: Receives the bytes sent and the bytes in all, on any thread.
Progress = Callable[[int, int], object]


class Uploader(Protocol):
    """A destination of local files."""

    @property
    def destination(self) -> str:
        """The name of the destination, as users see it: ``s3://bucket/prefix``, ``upload()``."""

    @property
    def lifetime(self) -> timedelta | None:
        """The lifetime of links; ``None`` if they do not expire, or if that is unknown."""

    @property
    def removes(self) -> bool:
        """True if files are to be removed after their task."""

    @property
    def lasts(self) -> bool:
        """True if links outlive this process, so that they are worth remembering."""

    def publish(self, file: Path, on_progress: Progress) -> Link:
        """Upload a file, unless the destination has it, and return a link to it. Block until then.

        Raises:
            UploadFailed: the destination refused the file or was not reached, or the service cannot read
                the link.
        """

    def renew(self, file: Path) -> Link | None:
        """Return a fresh link to a file that was uploaded; ``None`` if it must be uploaded again.

        Raises:
            UploadFailed: the destination was not reached, or the service cannot read the link.
        """

    def remove(self, file: Path) -> None:
        """Remove the uploaded file, if it is there and the destination can.

        Raises:
            UploadFailed: the destination refused or was not reached.
        """
