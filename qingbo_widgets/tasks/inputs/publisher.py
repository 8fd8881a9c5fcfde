"""``Publisher``: the links at which the service reads the input files of a library."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ...exceptions import UploadFailed
from ...i18n import N_, tr
from ...library.inputs import InputFiles, Link
from ..uploading.uploader import Uploader

__all__ = ["Publisher"]

#: The share of its lifetime that a link must still have to be sent. A submission that is repeated within that
#: time has the same link, and so the same body.
_FRESH = 0.5
_CHANGED = N_("{file} was changed or removed after it was chosen. Choose the picture again.")


class Publisher:
    """Uploads files, each once, and renews links that end soon. Thread-safe.

    Args:
        files: the input files of the library.
        uploader: carries the files.
    """

    def __init__(self, files: InputFiles, uploader: Uploader) -> None:
        self.uploader = uploader
        self._files = files
        self._lock = threading.Lock()
        #: One upload of a file at a time: the others then find its link. A function may publish it itself.
        self._uploads: defaultdict[Path, threading.RLock] = defaultdict(threading.RLock)

    def link(self, file: Path, on_progress: Callable[[int, int], object]) -> str:
        """Return a link to a file; upload it unless that was done.

        Args:
            file: a file of the library.
            on_progress: called with the bytes sent and all bytes, on this thread or one of a library; an
                error that it raises ends the upload.

        Raises:
            UploadFailed: the file could not be uploaded, or is no longer what the user chose.
        """
        with self._lock:
            upload = self._uploads[file]
        with upload:
            if not self._files.is_intact(file):
                raise UploadFailed(tr(_CHANGED).format(file=file.name))
            known = self.known(file)
            if known is not None and self._is_fresh(known):
                return known.url
            link = None if known is None else self.uploader.renew(file)
            link = link or self.uploader.publish(file, on_progress)
            if self.uploader.lasts:
                self._files.remember(file, self.uploader.destination, link)
            return link.url

    def known(self, file: Path) -> Link | None:
        """Return the link that a file has, without asking the place; ``None`` if it has none."""
        return self._files.link_of(file, self.uploader.destination)

    def release(self, file: Path, is_needed: Callable[[], bool]) -> None:
        """Remove an upload that no task needs any more, if uploads are to be removed.

        Args:
            file: a file of the library.
            is_needed: returns whether a task needs it.

        Raises:
            UploadFailed: it could not be removed.
        """
        if not self.uploader.removes:
            return
        with self._lock:
            upload = self._uploads[file]
        with upload:  # a task that begins to use the file now finds that it must be uploaded
            if not is_needed():
                self._files.forget(file, self.uploader.destination)
                self.uploader.remove(file)

    def _is_fresh(self, link: Link) -> bool:
        lifetime = self.uploader.lifetime
        if link.expires_at is None or lifetime is None:
            return True
        return link.expires_at - datetime.now(UTC) >= lifetime * _FRESH
