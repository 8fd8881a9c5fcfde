"""A partially downloaded video on the disk, and the proof of its identity."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from io import FileIO
from pathlib import Path

from ...system.files import flush_to_disk, is_full, replace
from ...system.folder import open_inside
from . import leftovers
from .containers import shape_of
from .shape import Shape

__all__ = ["HEAD", "OVERLAP", "DifferentFile", "Partial"]

#: Bytes at the start of a file that identify it as a video.
HEAD = 12
#: Bytes that a resumed download requests again: they must equal those on the disk.
OVERLAP = 16 * 1024
#: Seconds for which renaming a complete video is retried, because a virus scanner reads all of it first.
PATIENCE = 30.0
_PIECE = 1024**2


class DifferentFile(Exception):
    """The server resumes with a different file from the one in the part."""


class Partial:
    """A part of one video, in its own file beside the target.

    No other download writes to this file, and no byte of it is ever overwritten. So the part of an earlier
    download stays until the video is saved, even if this download starts over, unless the disk has no room
    for both.

    Args:
        path: the target file; its folder exists.
        films: names of the video, the current one first, for example its link without the signature.

    Attributes:
        path: the file that holds the bytes until they are complete.
        size: bytes in the part.
        total: bytes of the complete file, ``None`` while unknown.
        validator: the complete file's strong ``ETag`` or ``Last-Modified``; ``None`` if no later download can
            resume from the part.
        head: the first bytes, at most ``HEAD``.
        is_whole: True if the file is complete but not renamed yet, because another program prevented it.
    """

    def __init__(self, path: Path, *films: str) -> None:
        self._path = path
        self._films = films
        self.path = path.with_name(f"{path.name}.part")
        self._file: FileIO | None = None
        self._expected = b""
        self._digest = hashlib.blake2b()
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

    @property
    def can_resume(self) -> bool:
        """True if a server can prove that it has the remainder of this part."""
        return self.size > 0 and self.validator is not None

    @property
    def is_proving(self) -> bool:
        """True while the bytes that a resumed download sends again have not all arrived."""
        return bool(self._expected)

    @property
    def overlap(self) -> int:
        """The first byte to request when resuming."""
        return max(0, self.size - OVERLAP)

    def open(self) -> None:
        """Open an earlier download's part of the same video, or else an empty file.

        Raises:
            OSError, ValueError: the file cannot be written.
        """
        for part in leftovers.parts_of(self._path):
            if self._take_over(part):
                return
        self._create()

    def open_whole(self) -> bool:
        """Open a complete part of the same video that an earlier download left; return whether one exists."""
        for part in leftovers.parts_of(self._path):
            if self._take_over(part):
                if self.is_whole:
                    return True
                self._leave()
        return False

    def begin(self, total: int | None, validator: str | None) -> None:
        """Start a video from its first byte, in an empty file.

        Raises:
            OSError: the file cannot be written.
        """
        if os.fstat(self.file.fileno()).st_size:
            self.set_aside()
        self.total, self.validator = total, validator
        with suppress(OSError):  # without its note, no later download can resume from the part
            leftovers.write_note(self.path, link=self._films[0], validator=validator, total=total)

    def resume(self) -> None:
        """Expect the bytes from ``overlap`` on: first those already in the part, then new ones."""
        self.file.seek(self.overlap)
        self._expected = self.file.read(self.size - self.overlap)

    def write(self, chunk: bytes) -> None:
        """Append a piece.

        Raises:
            OSError: the piece cannot be written.
            DifferentFile: the piece belongs to a different file.
        """
        if self._expected:
            overlap = min(len(self._expected), len(chunk))
            if chunk[:overlap] != self._expected[:overlap]:
                raise DifferentFile
            chunk, self._expected = chunk[overlap:], self._expected[overlap:]
        rest = memoryview(chunk)
        while rest:
            written = rest[: self._write_some(rest)]
            self._digest.update(written)
            self.size += len(written)
            rest = rest[len(written) :]
        self.head = (self.head + chunk[:HEAD])[:HEAD]

    def is_intact(self) -> bool:
        """Return whether the file holds exactly the bytes that were written.

        Raises:
            OSError: the file cannot be read.
        """
        return _digest(self.file) == self._digest.digest()

    def set_aside(self) -> None:
        """Leave this part to later downloads, and continue with an empty file.

        Raises:
            OSError: the file cannot be created.
        """
        self._release()
        self._create()

    def finish(self) -> None:
        """Rename the complete part to the target, and remove the parts of other downloads of it.

        Raises:
            OSError: the part cannot be renamed. It is kept, so that a later download can rename it.
        """
        # Flush before renaming: after a power cut the target is complete, or does not exist.
        if not self.is_whole:
            try:
                flush_to_disk(self.file.fileno())
            except OSError:  # bytes are lost, whatever the file seems to contain now
                self.validator = None
                raise
            self.is_whole = True
            with suppress(OSError):
                self._write_complete_note()
        leftovers.release(self.file)
        try:
            replace(self.path, self._path, PATIENCE)
        except OSError:
            if not self._is_saved():
                raise
        self.validator, self.is_whole = None, False
        leftovers.tidy_up(self._path, self._digest.hexdigest())

    def close(self) -> None:
        """Close the part: leave it to a later download, or remove it if none can resume from it."""
        if self._file is None:
            return
        self._release()
        if self.is_whole or self.can_resume:
            # Keep only the largest of the older parts beside this one: many tries must not fill the disk.
            others = [part for part in leftovers.parts_of(self._path) if part != self.path]
            for part in sorted(others, key=_size, reverse=True)[1:]:
                leftovers.tidy(part, self._digest.hexdigest())

    def _write_some(self, rest: memoryview) -> int:
        try:
            return self.file.write(rest)
        except OSError as error:
            if not is_full(error) or not self._make_room():
                raise
        return self.file.write(rest)

    def _make_room(self) -> bool:
        """Remove a part of an earlier download of the video. Return whether there was one."""
        digest = self._digest.hexdigest()
        others = [part for part in leftovers.parts_of(self._path) if part != self.path]
        return any(leftovers.tidy(part, digest, unlockable=False) for part in others)

    def _reset(self) -> None:
        self.size, self.total, self.validator, self.is_whole = 0, None, None, False
        self.head = self._expected = b""
        self._digest = hashlib.blake2b()

    def _create(self) -> None:
        self._reset()
        self.path, self._file = leftovers.create(self._path)

    def _release(self) -> None:
        """Close the file. Remove it if no later download can resume from it."""
        with suppress(OSError):
            leftovers.release(self.file)
        if not self.is_whole and not self.can_resume:
            leftovers.discard(self.path)

    def _take_over(self, part: Path) -> bool:
        file = locked = leftovers.take_over(part)
        if file is None:  # without locks, another download may be writing it, unless it is complete
            file = leftovers.take_over(part, unlockable=True)
        if file is None:
            return False
        self.path, self._file = part, file
        with suppress(OSError, ValueError, LookupError, TypeError):  # the part does not match its note
            if self._restore() and (self.is_whole or locked is not None):
                return True
        self._leave()
        return False

    def _leave(self) -> None:
        """Close a part that was taken over, unchanged."""
        leftovers.release(self.file)
        self._file = None
        self._reset()

    def _restore(self) -> bool:
        note, state = leftovers.read_note(self.path), os.fstat(self.file.fileno())
        if note.get("link") not in self._films or not state.st_size:
            return False
        # If the machine has restarted since (a power cut), bytes that never reached the disk may be zeros.
        is_sound = state.st_mtime > time.time() - time.monotonic()
        self._digest = _digest_of(self.file)
        if note.get("whole") == state.st_size:
            self.is_whole = note.get("digest", self._digest.hexdigest()) == self._digest.hexdigest()
        elif is_sound and note.get("total") == state.st_size:
            self.is_whole = shape_of(self.file, state.st_size) is Shape.whole
        self.size = state.st_size
        if self.is_whole:
            return True
        self.validator, self.total = note.get("validator"), int(note["total"])
        self.file.seek(0)
        self.head = self.file.read(HEAD)
        self.file.seek(self.size)
        return is_sound and isinstance(self.validator, str) and self.size <= self.total

    def _write_complete_note(self) -> None:
        digest = self._digest.hexdigest()
        leftovers.write_note(self.path, link=self._films[0], whole=self.size, digest=digest)

    def _is_saved(self) -> bool:
        """Return whether another download has saved the same video as the target."""
        with suppress(OSError):
            if self._path.stat().st_size == self.size:
                with open_inside(self._path) as file:
                    return _digest(file) == self._digest.digest()
        return False


def _digest_of(file: FileIO) -> hashlib.blake2b:
    digest = hashlib.blake2b()
    file.seek(0)
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest


def _digest(file: FileIO) -> bytes:
    return _digest_of(file).digest()


def _size(part: Path) -> int:
    with suppress(OSError):
        return part.stat().st_size
    return 0
