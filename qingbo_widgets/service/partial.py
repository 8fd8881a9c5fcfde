"""Half a file on the disk, and the proof of which file it is half of."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from io import FileIO
from pathlib import Path

from .files import flush_to_disk, patiently, remove, replace
from .folder import read_inside, write_whole

__all__ = ["HEAD", "Partial"]

#: Bytes by which a video is recognised.
HEAD = 12
#: Seconds for which a whole video waits for its name: a virus scanner reads all of it first.
PATIENCE = 30.0
_LONGEST_NOTE = 100_000


class Partial:
    """``<path>.part``. Beside it lies ``<path>.etag``, which says what it is a part of.

    With both, a later download goes on where this one stopped, in another kernel too: the server proves that
    its file is still the same one.

    Args:
        path: the file to be; its folder exists.
        link: where the file comes from, without a signature.

    Attributes:
        size: bytes that are here.
        total: bytes of the whole file, ``None`` while unknown.
        validator: the whole file's strong ``ETag``, or ``Last-Modified``; ``None`` where nobody can
            go on with what is here.
        head: its first bytes, at most ``HEAD``.
        is_whole: the file is complete, and only its name is missing, which another program kept from it.
    """

    def __init__(self, path: Path, link: str) -> None:
        self._path = path
        self._link = link
        self.path = path.with_name(f"{path.name}.part")
        self._note = path.with_name(f"{path.name}.etag")
        self._file: FileIO | None = None
        self.size = 0
        self.total: int | None = None
        self.validator: str | None = None
        self.head = b""
        self.is_whole = False

    @property
    def file(self) -> FileIO:
        """The open file."""
        assert self._file is not None, "open() comes first"
        return self._file

    def open(self) -> None:
        """Opens it, with what an earlier download has left of the same file.

        Raises:
            OSError, ValueError: it cannot be written.
        """
        # Not for appending: should another kernel write here too, each byte still finds its own place.
        if self.path.is_symlink():  # what it leads to is not ours to write
            remove(self.path)
        self._file = patiently(lambda: FileIO(self.path, "r+", opener=_creating))
        with suppress(OSError, ValueError, LookupError, TypeError):  # no note, or none of ours
            self._recall()

    def begin(self, total: int | None, validator: str | None) -> None:
        """Empties it, and notes of what it will be a part from now on.

        Raises:
            OSError: it cannot be written.
        """
        remove(self._note)  # first: a note never lies beside the bytes of another file
        self.file.seek(0)
        if os.fstat(self.file.fileno()).st_size:
            self.file.truncate()
        self.size, self.total, self.validator, self.head = 0, total, validator, b""
        if validator is not None:
            with suppress(OSError):  # then this kernel alone can go on with it
                self._write_note(validator=validator, total=total)

    def write(self, chunk: bytes) -> None:
        """Adds a piece.

        Raises:
            OSError: it cannot be written.
        """
        rest = memoryview(chunk)
        while rest:
            rest = rest[self.file.write(rest) :]
        self.size += len(chunk)
        self.head = (self.head + chunk[:HEAD])[:HEAD]

    def finish(self) -> None:
        """Gives it the name of a whole file.

        Raises:
            OSError: that name is not to be had. The file is kept, for a later download to give it its name.
        """
        # On the disk before it has its name: after a power cut it is whole, or not there.
        if not self.is_whole:
            flush_to_disk(self.file.fileno())
            self.is_whole = True
        ours = os.fstat(self.file.fileno())
        self.file.close()
        try:
            replace(self.path, self._path, PATIENCE)
        except OSError:
            if not self._is_named(ours):
                with suppress(OSError):
                    self._write_note(whole=self.path.stat().st_size)
                raise
        self.validator, self.is_whole = None, False
        with suppress(OSError):  # a note beside nothing is believed by no download
            remove(self._note)

    def close(self) -> None:
        """Leaves it to a later download, or removes what none can go on with."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        if not self.is_whole and (self.validator is None or not self.size):
            for path in (self.path, self._note):
                with suppress(OSError, ValueError):
                    remove(path)

    def _recall(self) -> None:
        note, found = json.loads(read_inside(self._note, _LONGEST_NOTE)), os.fstat(self.file.fileno())
        if note["link"] == self._link and note.get("whole") == found.st_size > 0:
            self.is_whole = True
            return
        link, validator, total = note["link"], str(note["validator"]), int(note["total"])
        # Where the power went off since, there may be blanks for bytes that never reached the disk.
        started = time.time() - time.monotonic()
        if link == self._link and 0 < found.st_size <= total and found.st_mtime > started:
            # One byte at least is left to ask for: what comes is the proof for all the others.
            size = min(found.st_size, total - 1)
            head = self.file.read(HEAD)[:size]
            self.file.seek(size)
            self.size, self.total, self.validator, self.head = size, total, validator, head

    def _is_named(self, ours: os.stat_result) -> bool:
        """Tell whether another kernel has given the file its name."""
        try:
            return os.path.samestat(ours, self._path.stat())
        except OSError:
            return False

    def _write_note(self, **content: object) -> None:
        write_whole(self._note, json.dumps({"link": self._link, **content}))


def _creating(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
