"""``Publisher``: the links at which the service reads the input files of a library."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ...library.inputs import InputFiles, Link
from ..uploading.uploader import Uploader

__all__ = ["Publisher"]

#: The share of its lifetime that a link must still have to be sent. A submission that is repeated within that
#: time has the same link, and so the same body.
_FRESH = 0.5


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
        #: One upload of a file at a time: the others then find its link.
        self._uploads: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
        #: The tasks that still need each file at its place.
        self._users: defaultdict[Path, set[str]] = defaultdict(set)

    def link(self, file: Path, on_progress: Callable[[int, int], object]) -> str:
        """Return a link to a file; upload it unless that was done.

        Args:
            file: a file of the library.
            on_progress: called with the bytes sent and all bytes, on this thread or one of a library; an
                error that it raises ends the upload.

        Raises:
            UploadFailed: the file could not be uploaded.
        """
        with self._lock:
            upload = self._uploads[file]
        with upload:
            known = self.known(file)
            if known is not None and self._is_fresh(known):
                return known.url
            link = None if known is None else self.uploader.renew(file)
            link = link or self.uploader.publish(file, on_progress)
            self._files.remember(file, self.uploader.destination, link)
            return link.url

    def known(self, file: Path) -> Link | None:
        """Return the link that a file has, without asking the place; ``None`` if it has none."""
        return self._files.link_of(file, self.uploader.destination)

    def use(self, file: Path, key: str) -> None:
        """Note that a task needs a file."""
        with self._lock:
            self._users[file].add(key)

    def release(self, file: Path, key: str) -> None:
        """Remove an upload that no task needs any more, if uploads are to be removed.

        Raises:
            UploadFailed: it could not be removed.
        """
        with self._lock:
            users, upload = self._users[file], self._uploads[file]
            users.discard(key)
        if not self.uploader.removes:
            return
        with upload:  # a task that begins to use the file now finds that it must be uploaded
            if not users:
                self._files.forget(file, self.uploader.destination)
                self.uploader.remove(file)

    def _is_fresh(self, link: Link) -> bool:
        lifetime = self.uploader.lifetime
        if link.expires_at is None or lifetime is None:
            return True
        return link.expires_at - datetime.now(UTC) >= lifetime * _FRESH
