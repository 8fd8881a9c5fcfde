"""A film on its way to the disk, and the proof of which film it is."""

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
from .mp4 import is_whole

__all__ = ["HEAD", "OVERLAP", "Differs", "Partial"]

#: Bytes by which a video is recognised.
HEAD = 12
#: Bytes that are asked for once more when a download goes on: they must be those that are here.
OVERLAP = 16 * 1024
#: Seconds for which a whole video waits for its name: a virus scanner reads all of it first.
PATIENCE = 30.0
_PIECE = 1024**2


class Differs(Exception):
    """The server goes on with another film than the one whose beginning is here."""


class Partial:
    """A part of one film, in a file of its own beside the film to be.

    No other download writes into this file, and no byte of it is ever overwritten. So what an earlier
    download has left stays until the film has its name, also where this download begins anew; but for a disk
    that has no room for both.

    Args:
        path: the file to be; its folder exists.
        films: names of the film, the present one first: where it comes from, without a signature, say.

    Attributes:
        path: where the bytes are meanwhile.
        size: bytes that are here.
        total: bytes of the whole file, ``None`` while unknown.
        validator: the whole file's strong ``ETag``, or ``Last-Modified``; ``None`` where no later download
            can go on with what is here.
        head: its first bytes, at most ``HEAD``.
        is_whole: the file is complete, and only its name is missing, which another program kept from it.
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
    def can_go_on(self) -> bool:
        """Tell whether a server can prove that it has the rest of what is here."""
        return self.size > 0 and self.validator is not None

    @property
    def overlap(self) -> int:
        """The first byte to ask for when going on."""
        return max(0, self.size - OVERLAP)

    def open(self) -> None:
        """Open what an earlier download of the same film has left, or else an empty file.

        Raises:
            OSError, ValueError: it cannot be written.
        """
        for part in leftovers.parts_of(self._path):
            if self._take_over(part):
                return
        self._create()

    def begin(self, total: int | None, validator: str | None) -> None:
        """Start a film from its first byte, in an empty file.

        Raises:
            OSError: it cannot be written.
        """
        if os.fstat(self.file.fileno()).st_size:
            self.set_aside()
        self.total, self.validator = total, validator
        with suppress(OSError):  # then no later download can go on with it
            leftovers.write_note(self.path, link=self._films[0], validator=validator, total=total)

    def go_on(self) -> None:
        """Expect the bytes from ``overlap`` on: first those that are here, then new ones."""
        self.file.seek(self.overlap)
        self._expected = self.file.read(self.size - self.overlap)

    def write(self, chunk: bytes) -> None:
        """Add a piece.

        Raises:
            OSError: it cannot be written.
            Differs: it is of another film.
        """
        if self._expected:
            here = min(len(self._expected), len(chunk))
            if chunk[:here] != self._expected[:here]:
                raise Differs
            chunk, self._expected = chunk[here:], self._expected[here:]
        rest = memoryview(chunk)
        while rest:
            written = rest[: self._put(rest)]
            self._digest.update(written)
            self.size += len(written)
            rest = rest[len(written) :]
        self.head = (self.head + chunk[:HEAD])[:HEAD]

    def is_intact(self) -> bool:
        """Tell whether the file holds the bytes that were written, and no others.

        Raises:
            OSError: it cannot be read.
        """
        return _digest(self.file) == self._digest.digest()

    def set_aside(self) -> None:
        """Leave what is here to later downloads, and go on with an empty file.

        Raises:
            OSError: it cannot be made.
        """
        self._let_go()
        self._create()

    def finish(self) -> None:
        """Give it the name of a whole file, and remove what other downloads have left of it.

        Raises:
            OSError: that name is not to be had. The file is kept, for a later download to give it its name.
        """
        # On the disk before it has its name: after a power cut it is whole, or not there.
        if not self.is_whole:
            flush_to_disk(self.file.fileno())
            self.is_whole = True
            with suppress(OSError):
                self._note_whole()
        self.file.close()
        try:
            replace(self.path, self._path, PATIENCE)
        except OSError:
            if not self._is_saved():
                raise
        self.validator, self.is_whole = None, False
        leftovers.tidy_up(self._path, self._digest.hexdigest())

    def close(self) -> None:
        """Leave it to a later download, or remove what none can go on with."""
        if self._file is None:
            return
        self._let_go()
        if self.is_whole or self.can_go_on:
            # Beside this part, only the largest of the older ones: a disk is not filled by many tries.
            others = [part for part in leftovers.parts_of(self._path) if part != self.path]
            for part in sorted(others, key=_size, reverse=True)[1:]:
                leftovers.tidy(part, self._digest.hexdigest())

    def _put(self, rest: memoryview) -> int:
        try:
            return self.file.write(rest)
        except OSError as error:
            if not is_full(error) or not self._makes_room():
                raise
        return self.file.write(rest)

    def _makes_room(self) -> bool:
        """Remove a part that an earlier download of the film has left; return whether there was any."""
        digest = self._digest.hexdigest()
        others = [part for part in leftovers.parts_of(self._path) if part != self.path]
        return any(leftovers.tidy(part, digest, unlockable=False) for part in others)

    def _forget(self) -> None:
        self.size, self.total, self.validator, self.is_whole = 0, None, None, False
        self.head = self._expected = b""
        self._digest = hashlib.blake2b()

    def _create(self) -> None:
        self._forget()
        self.path, self._file = leftovers.create(self._path)

    def _let_go(self) -> None:
        """Close the file. One with which no later download can go on is removed."""
        with suppress(OSError):
            self.file.close()
        if not self.is_whole and not self.can_go_on:
            leftovers.discard(self.path)

    def _take_over(self, part: Path) -> bool:
        file = leftovers.take_over(part)
        if file is None:
            return False
        self.path, self._file = part, file
        with suppress(OSError, ValueError, LookupError, TypeError):  # it is not what its note says
            if self._recall():
                return True
        file.close()
        self._file = None
        self._forget()
        return False

    def _recall(self) -> bool:
        note, found = leftovers.read_note(self.path), os.fstat(self.file.fileno())
        if note.get("link") not in self._films or not found.st_size:
            return False
        # Where the power went off since, there may be blanks for bytes that never reached the disk.
        is_sound = found.st_mtime > time.time() - time.monotonic()
        self._digest = _digest_of(self.file)
        if note.get("whole") == found.st_size:
            self.is_whole = note.get("digest", self._digest.hexdigest()) == self._digest.hexdigest()
        elif is_sound and note.get("total") == found.st_size:
            self.is_whole = is_whole(self.file, found.st_size)
        self.size = found.st_size
        if self.is_whole:
            return True
        self.validator, self.total = note.get("validator"), int(note["total"])
        self.file.seek(0)
        self.head = self.file.read(HEAD)
        self.file.seek(self.size)
        return is_sound and isinstance(self.validator, str) and self.size <= self.total

    def _note_whole(self) -> None:
        digest = self._digest.hexdigest()
        leftovers.write_note(self.path, link=self._films[0], whole=self.size, digest=digest)

    def _is_saved(self) -> bool:
        """Tell whether another download has saved the same film under this name."""
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
