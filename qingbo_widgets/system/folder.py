"""Access by name to the files of an untrusted folder, never outside the folder.

A folder that was cloned or unpacked may contain symbolic links (on Windows also junctions) to anywhere, and
the names in its journal may be any text. A link that stays inside is followed; one that leads out is refused.
The folder itself is the user's choice and may be a link.

If the system supports it, each step of the path is opened on its own without following links, so a link
created between the check and the use is refused as well. Windows does not support that: there the open file
is compared with the file that its name resolves to.
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
from .files import move, remove, remove_if_empty, replace, retry_while_open
from .locks import held

__all__ = [
    "Folder",
    "OutsideFolder",
    "is_file_inside",
    "open_inside",
    "read_inside",
    "why_unwritable",
    "write_whole",
]

_OUTSIDE = N_("it leads out of the folder")
_NO_FILE = N_("it is not a file")
_NO_FOLDER = N_("it is not a folder")
_DANGLING = N_("it is a link to a folder that does not exist")
_NOT_ALLOWED = N_("writing is not allowed")
_TOO_LARGE = N_("it is too large")

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
#: Opening a step requires only the permission to traverse it, on systems with O_PATH.
_STEP = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", os.O_RDONLY)
#: Without O_NONBLOCK, opening a pipe that has no writer would block forever.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_LOCK = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
_STEPS = bool(_NO_LINK) and {os.open, os.mkdir, os.unlink, os.rename, os.rmdir, os.stat} <= os.supports_dir_fd


class OutsideFolder(OSError):
    """The error for a name that leads out of its folder."""

    def __init__(self, name: object) -> None:
        super().__init__(errno.EACCES, tr(_OUTSIDE), str(name))


class Folder:
    """A folder whose files are accessed by relative name, with slashes: ``koi.mp4``, ``posters/koi.jpg``.

    Args:
        path: the folder; it need not exist before the first write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def place(self, name: str) -> Path | None:
        """Return the path of a file directly in the folder, which need not exist; ``None`` if it leads out.

        Args:
            name: the file's name, for example from a journal; only the last part of a path is used.
        """
        path = self.path / Path(name).name
        try:
            # One system call instead of one per step of the path: a library may have thousands of videos.
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
            OSError: the name leads out of the folder, is not a file, or cannot be read.
        """
        *steps, last = self._inner(name)

        def open_file() -> int:
            with self._walk(steps) as (folder, path):
                return os.open(path / last, _READ | _NO_LINK, dir_fd=folder)

        descriptor = retry_while_open(open_file)
        try:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                raise OSError(errno.EINVAL, tr(_NO_FILE), name)
            if not _STEPS and not os.path.samestat(info, self._real.joinpath(*self._inner(name)).stat()):
                raise OutsideFolder(name)
            return FileIO(descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def read(self, name: str, most: int) -> bytes:
        """Return the content of a file of at most ``most`` bytes.

        Raises:
            OSError: as in ``open``, or the file is larger.
        """
        with self.open(name) as file:
            content = bytearray()
            while len(content) <= most and (chunk := file.read(most + 1 - len(content))):
                content += chunk
        if len(content) > most:
            raise OSError(errno.EFBIG, tr(_TOO_LARGE), name)
        return bytes(content)

    def has_file(self, name: str) -> bool:
        """Return whether a file of this name exists and does not lead out of the folder."""
        try:
            return self._real.joinpath(*self._inner(name)).is_file()
        except (OSError, ValueError):
            return False

    def names(self, folder: str, suffix: str | None = None) -> list[str]:
        """Return the names in a subfolder, prefixed with its name; empty if it leads out.

        Args:
            folder: the subfolder.
            suffix: only the names that end with it.
        """
        try:
            place = self._real.joinpath(*self._inner(folder))
            return sorted(
                f"{folder}/{file.name}" for file in place.iterdir() if suffix in (None, file.suffix)
            )
        except (OSError, ValueError):
            return []

    def modified_at(self, name: str) -> float:
        """Return a file's modification time in Unix seconds; 0 if there is no such file."""
        try:
            return self._real.joinpath(*self._inner(name)).stat().st_mtime
        except (OSError, ValueError):
            return 0.0

    def create(self, name: str) -> FileIO:
        """Create a file, and its folder if missing, and open it for writing.

        Raises:
            FileExistsError: a file has this name.
            OSError: its folder leads out or cannot be written.
        """
        *steps, last = Path(name).parts
        self.path.mkdir(parents=True, exist_ok=True)
        with self._walk(self._inner(*steps) if steps else (), make=True) as (folder, path):
            return FileIO(os.open(path / last, _MAKE | _NO_LINK, 0o666, dir_fd=folder), "w")

    def write(self, name: str, content: str | bytes | FileIO) -> None:
        """Write a file atomically: another kernel or the user may read it at any moment.

        Args:
            name: the file's name; a link with this name is replaced, not followed. Its folder is created
                if missing.
            content: the content, or an open file to copy it from. A lone surrogate, which UTF-8 cannot
                encode, becomes a question mark.

        Raises:
            OSError: its folder leads out or cannot be written; an existing file is unchanged.
        """
        if isinstance(content, str):
            content = content.encode(errors="replace")
        source = BytesIO(content) if isinstance(content, bytes) else content
        *steps, last = Path(name).parts
        self.path.mkdir(parents=True, exist_ok=True)
        with self._walk(self._inner(*steps) if steps else (), make=True) as (folder, path):
            # Not a file of the tempfile module, which only its owner could read.
            part = path / f"{uuid.uuid4().hex}.part"
            try:
                with os.fdopen(os.open(part, _MAKE | _NO_LINK, 0o666, dir_fd=folder), "wb") as file:
                    shutil.copyfileobj(source, file)
                replace(part, path / last, folder=folder)
            finally:
                with suppress(OSError):  # a leftover is useless but harmless
                    remove(part, folder=folder)

    @contextmanager
    def locked(self, name: str, patience: float) -> Iterator[None]:
        """Keep other kernels that lock the same file out, so that none overwrites what another one writes.

        The system releases the lock of a kernel that dies. Where no lock is possible, there is none.

        Args:
            name: the name of the file, which has no content. It is created if missing.
            patience: seconds after which the lock of another kernel is ignored.
        """
        *steps, last = Path(name).parts
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._inner(name)
            with self._walk(self._inner(*steps) if steps else (), make=True) as (folder, path):
                descriptor = os.open(path / last, _LOCK | _NO_LINK, 0o666, dir_fd=folder)
        except OSError:  # it leads out, or belongs to another user
            yield
            return
        try:
            with held(descriptor, patience):
                yield
        finally:
            os.close(descriptor)

    def move(self, name: str, target: str) -> None:
        """Give a file another name in the folder; for a link, the link itself gets it.

        Args:
            name: the file's name.
            target: its new name, which no file may have. Its folder is created if missing.

        Raises:
            FileExistsError: a file has the new name.
            FileNotFoundError: there is no such file.
            OSError: a folder leads out, or the file could not be moved; it is unchanged.
        """
        (*steps, last), (*target_steps, target_last) = Path(name).parts, Path(target).parts
        inner = self._inner(*steps) if steps else ()
        target_inner = self._inner(*target_steps) if target_steps else ()
        with (
            self._walk(inner) as (folder, path),
            self._walk(target_inner, make=True) as (target_folder, target_path),
        ):
            move(path / last, target_path / target_last, folder=folder, target_folder=target_folder)

    def remove_folder(self, name: str) -> None:
        """Remove an empty subfolder; one that has files, or is not there, stays as it is.

        Raises:
            OSError: its folder leads out.
        """
        *steps, last = self._inner(name)
        with suppress(FileNotFoundError), self._walk(steps) as (folder, path):
            remove_if_empty(path / last, folder=folder)

    def remove(self, name: str) -> None:
        """Remove a file if it exists; for a link, the link itself.

        Raises:
            OSError: its folder leads out, or the file could not be removed.
        """
        *steps, last = Path(name).parts
        with suppress(FileNotFoundError), self._walk(self._inner(*steps) if steps else ()) as (folder, path):
            remove(path / last, folder=folder)

    @property
    def _real(self) -> Path:
        return Path(os.path.realpath(self.path))

    def _inner(self, *names: str) -> tuple[str, ...]:
        """Return the path parts from the folder to the file that a name resolves to, with links followed.

        Raises:
            OutsideFolder: the file is not in the folder.
        """
        real = self._real
        try:
            steps = Path(os.path.realpath(real.joinpath(*names))).relative_to(real).parts
        except ValueError:  # also raised for a name with a null character
            raise OutsideFolder("/".join(names)) from None
        if not steps:
            raise OutsideFolder("/".join(names))
        return steps

    @contextmanager
    def _walk(
        self, steps: tuple[str, ...] | list[str], *, make: bool = False
    ) -> Iterator[tuple[int | None, Path]]:
        """Yield the descriptor of an open folder and a path in it; on Windows ``None`` and a full path."""
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
    """Open a file for reading, unless it leads out of its folder.

    Raises:
        OSError: as in ``Folder.open``.
    """
    return Folder(path.parent).open(path.name)


def read_inside(path: Path, most: int) -> bytes:
    """Return the content of a file, unless it leads out of its folder.

    Raises:
        OSError: as in ``Folder.read``.
    """
    return Folder(path.parent).read(path.name, most)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file atomically, as ``Folder.write`` does.

    Raises:
        OSError: as in ``Folder.write``.
    """
    Folder(path.parent).write(path.name, content)


def why_unwritable(folder: Path) -> str | None:
    """Return the reason why nothing can be written into a folder, which need not exist; else ``None``.

    Nothing is written to find out, so another error is possible later.
    """
    for path in (folder, *folder.parents):
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            if path.is_symlink():
                return tr(_DANGLING)
            continue
        except OSError as error:
            return error.strerror or str(error)
        if not is_folder:
            return tr(_NO_FOLDER)
        return None if os.access(path, os.W_OK | os.X_OK) else tr(_NOT_ALLOWED)
    return None


def is_file_inside(path: Path) -> bool:
    """Return whether a file exists and does not lead out of its folder."""
    return Folder(path.parent).has_file(path.name)


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..")


def _is_special(path: Path) -> bool:
    """Return whether the path may not be a plain file of the folder: on Windows a device or a junction."""
    return os.name == "nt" or not _is_plain(path.name)
