"""Files of a folder that may have come from a stranger: reached by name, and never outside the folder.

A folder that was cloned or unpacked may hold symbolic links (on Windows junctions, too) to anywhere, and
names in its journal may be any text. A link that stays inside is followed, one that leads out is refused. The
folder itself is the user's choice, and may well be a link.

Where the system has it, each step of the way is opened on its own and takes no link, so a link that is put in
place between the check and the use is refused as well. Windows lacks that: there the file is compared with
what its name stands for, once it is open.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO, FileIO
from pathlib import Path

from ..i18n import N_, tr
from .files import patiently, remove, replace

__all__ = ["Folder", "Outside", "is_file_inside", "open_inside", "read_inside", "write_whole"]

_OUTSIDE = N_("it leads out of the folder")
_NO_FILE = N_("it is not a file")
_TOO_LARGE = N_("it is too large")

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
#: A step needs no permission but to pass through it, where the system can say so.
_STEP = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", os.O_RDONLY)
#: A pipe that nothing writes to would block for ever.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_STEPS = bool(_NO_LINK) and {os.open, os.mkdir, os.unlink, os.rename, os.stat} <= os.supports_dir_fd


class Outside(OSError):
    """A name that leads out of its folder."""

    def __init__(self, name: object) -> None:
        super().__init__(errno.EACCES, tr(_OUTSIDE), str(name))


class Folder:
    """One folder. Names are relative to it, with slashes: ``koi.mp4``, ``posters/koi.jpg``.

    Args:
        path: the folder; it need not exist before something is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def place(self, name: str) -> Path | None:
        """Return the path of a file directly in the folder, which need not exist; ``None`` if it leads out.

        Args:
            name: out of a journal, say: of a path in it only the last part counts.
        """
        path = self.path / Path(name).name
        try:
            # One question in place of one for each folder on the way: a library may have thousands of videos.
            if stat.S_ISLNK(path.lstat().st_mode) or _is_special(path):
                self._inner(path.name)
        except FileNotFoundError:
            return path if _is_plain(path.name) else None
        except (OSError, ValueError):
            return None
        return path

    def open(self, name: str) -> FileIO:
        """Open a file for reading.

        Raises:
            OSError: it leads out of the folder, is not a file, or cannot be read.
        """
        *steps, last = self._inner(name)

        def at_once() -> int:
            with self._walk(steps) as (folder, path):
                return os.open(path / last, _READ | _NO_LINK, dir_fd=folder)

        descriptor = patiently(at_once)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, tr(_NO_FILE), name)
            if not _STEPS and not os.path.samestat(found, self._real.joinpath(*self._inner(name)).stat()):
                raise Outside(name)
            return FileIO(descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def read(self, name: str, most: int) -> bytes:
        """Return the content of a file of at most so many bytes.

        Raises:
            OSError: as in ``open``, or the file is larger.
        """
        with self.open(name) as file:
            content = bytearray()
            while len(content) <= most and (piece := file.read(most + 1 - len(content))):
                content += piece
        if len(content) > most:
            raise OSError(errno.EFBIG, tr(_TOO_LARGE), name)
        return bytes(content)

    def has_file(self, name: str) -> bool:
        """Return whether there is a file of this name that does not lead out."""
        try:
            return self._real.joinpath(*self._inner(name)).is_file()
        except (OSError, ValueError):
            return False

    def names(self, folder: str, suffix: str) -> list[str]:
        """Return the names of the files in a folder of this one, after its name; none if it leads out."""
        try:
            place = self._real.joinpath(*self._inner(folder))
            return sorted(f"{folder}/{file.name}" for file in place.iterdir() if file.suffix == suffix)
        except (OSError, ValueError):
            return []

    def age(self, name: str) -> float:
        """Return when a file was changed, in Unix seconds; 0 if there is none."""
        try:
            return self._real.joinpath(*self._inner(name)).stat().st_mtime
        except (OSError, ValueError):
            return 0.0

    def write(self, name: str, content: str | bytes | FileIO) -> None:
        """Put a file in its place in one step: another kernel, or a person, may read it at any moment.

        Args:
            name: its name; a link that has it is replaced and not followed. Its folder is made if need be.
            content: what it holds, or an open file that does. Half a surrogate pair, which UTF-8 cannot say,
                becomes a question mark.

        Raises:
            OSError: its folder leads out or cannot be written; what was there is there still.
        """
        if isinstance(content, str):
            content = content.encode(errors="replace")
        source = BytesIO(content) if isinstance(content, bytes) else content
        *steps, last = Path(name).parts
        self.path.mkdir(parents=True, exist_ok=True)
        with self._walk(self._inner(*steps) if steps else (), make=True) as (folder, path):
            # Not a temporary file of the system's, which only its owner may read.
            part = path / f"{uuid.uuid4().hex}.part"
            try:
                with os.fdopen(os.open(part, _MAKE | _NO_LINK, 0o666, dir_fd=folder), "wb") as file:
                    shutil.copyfileobj(source, file)
                replace(part, path / last, folder=folder)
            finally:
                with suppress(OSError):  # it is of no use, and of no harm
                    remove(part, folder=folder)

    def remove(self, name: str) -> None:
        """Remove a file if it is there; of a link the link itself.

        Raises:
            OSError: its folder leads out, or the file is there still.
        """
        *steps, last = Path(name).parts
        with suppress(FileNotFoundError), self._walk(self._inner(*steps) if steps else ()) as (folder, path):
            remove(path / last, folder=folder)

    @property
    def _real(self) -> Path:
        return Path(os.path.realpath(self.path))

    def _inner(self, *names: str) -> tuple[str, ...]:
        """Return the steps from the folder to what a name stands for, after every link.

        Raises:
            Outside: it is not in the folder.
        """
        real = self._real
        try:
            steps = Path(os.path.realpath(real.joinpath(*names))).relative_to(real).parts
        except ValueError:  # also for a name with the character 0
            raise Outside("/".join(names)) from None
        if not steps:
            raise Outside("/".join(names))
        return steps

    @contextmanager
    def _walk(
        self, steps: tuple[str, ...] | list[str], *, make: bool = False
    ) -> Iterator[tuple[int | None, Path]]:
        """Yield an open folder and a path relative to it; on Windows ``None`` and a whole path."""
        if not _STEPS:
            path = self._real.joinpath(*steps)
            if make:
                path.mkdir(parents=True, exist_ok=True)
            yield None, path
            return
        folder = os.open(self._real, _STEP)
        try:
            for step in steps:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(step, dir_fd=folder)
                inner = os.open(step, _STEP | _NO_LINK, dir_fd=folder)
                os.close(folder)
                folder = inner
            yield folder, Path()
        finally:
            os.close(folder)


def open_inside(path: Path) -> FileIO:
    """Open a file for reading that must not lead out of the folder it is in.

    Raises:
        OSError: as in ``Folder.open``.
    """
    return Folder(path.parent).open(path.name)


def read_inside(path: Path, most: int) -> bytes:
    """Return the content of a file that must not lead out of the folder it is in.

    Raises:
        OSError: as in ``Folder.read``.
    """
    return Folder(path.parent).read(path.name, most)


def write_whole(path: Path, content: str | bytes) -> None:
    """Put a file in its place in one step, see ``Folder.write``.

    Raises:
        OSError: as there.
    """
    Folder(path.parent).write(path.name, content)


def is_file_inside(path: Path) -> bool:
    """Return whether there is a file that does not lead out of the folder it is in."""
    return Folder(path.parent).has_file(path.name)


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..")


def _is_special(path: Path) -> bool:
    """Return whether Windows may mean something else than a file in the folder: a device, a junction."""
    return os.name == "nt" or not _is_plain(path.name)
