"""File operations with retries, for files that another program has open, and the reasons of their errors.

Windows refuses to rename, replace, remove or open a file while another process has it open: a virus scanner,
the search index, a player, another kernel. Most of them close it within a second, so an operation that fails
for this reason is retried, only in this module. Other systems rarely refuse for this reason, so nothing waits
there: a network drive or a sync program that does is worth a later try, see ``is_passing``.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from ..i18n import tr

__all__ = [
    "can_hold",
    "flush_to_disk",
    "is_full",
    "is_held",
    "is_passing",
    "move",
    "reason_of",
    "remove",
    "remove_if_empty",
    "replace",
    "retry_while_open",
]

T = TypeVar("T")

#: Seconds to retry for a small file, while a form waits.
PATIENCE = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25
#: Windows error codes for a file that another program has open: access denied (also for a folder without
#: permission), sharing violation, lock violation.
_DENIED, _SHARED, _LOCKED = 5, 32, 33
#: Windows error codes for a path that is too long: path not found, file name too long.
_NOT_FOUND, _TOO_LONG = 3, 206
_LONGEST_PATH = 259
_FULL = (errno.ENOSPC, errno.EDQUOT)
_PIECE = 2**20


def _numbers(names: str) -> frozenset[int]:
    """Return the numbers of these errors, without those that this system does not have."""
    return frozenset(getattr(errno, name) for name in names.split() if hasattr(errno, name))


#: Errors that may be over later: another program has the file, the disk is full or read-only for now, a
#: network drive or a memory stick is away. The names are those of POSIX, and of Windows sockets.
_PASSING = _numbers(
    "EACCES EPERM EBUSY ETXTBSY EAGAIN EINTR EDEADLK ENOLCK ENOSPC EDQUOT EFBIG EROFS EIO EREMOTEIO ENOENT "
    "ENODEV ENXIO ENOMEDIUM ENOTCONN ECONNREFUSED ECONNRESET ECONNABORTED EHOSTDOWN EHOSTUNREACH ENETDOWN "
    "ENETUNREACH ENETRESET ETIMEDOUT ESTALE EMFILE ENFILE ENOMEM ENOBUFS ESHUTDOWN EPIPE EPROTO"
)
#: The same on Windows, as far as Python maps them to another number: not ready, the network's errors, a full
#: disk, a device that does not answer, a drive that was removed, a file that a sync program cannot fetch.
_PASSING_ON_WINDOWS = frozenset(
    {_DENIED, 19, 21, 31, _SHARED, _LOCKED, 39, 51, 53, 54, 55, 58, 59, 64, 67, 71, 112, 121, 170, 225, 303}
    | {362, 389, 398, 1117, 1167, 1222, 1224, 1231, 1232, 1236, 1295}
)
#: Errors of a file system that cannot flush or reserve: the file is no worse for it.
_NO_FLUSH = _numbers("EINVAL ENOTSUP EOPNOTSUPP ENOSYS ENOTTY EPERM EACCES EROFS")
#: Errors of a file system that cannot rename, as some network drives in user space.
_NO_RENAME = _numbers("EXDEV ENOSYS ENOTSUP EOPNOTSUPP ENOTTY")


def is_held(error: BaseException) -> bool:
    """Return whether the cause of an error may be another program that has the file open."""
    return getattr(error, "winerror", None) in (_DENIED, _SHARED, _LOCKED)


def is_full(error: BaseException) -> bool:
    """Return whether the cause of an error is a full disk or an exhausted quota."""
    return getattr(error, "errno", None) in _FULL


def is_passing(error: BaseException) -> bool:
    """Return whether the same operation may work later, if another program, a disk or a drive lets it."""
    number = getattr(error, "winerror", None)
    if number in (_NOT_FOUND, _TOO_LONG):  # a path that is too long looks like a missing folder
        return number == _NOT_FOUND and len(str(getattr(error, "filename", ""))) <= _LONGEST_PATH
    return number in _PASSING_ON_WINDOWS or getattr(error, "errno", None) in _PASSING


def can_hold(folder: Path, size: int) -> bool:
    """Return whether a file of this size can be written in a folder now. Create the folder if necessary.

    Free space alone does not tell: a quota, a read-only drive and a drive that is away are found only by
    writing.
    """
    path = folder / f"{uuid.uuid4().hex}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if 0 < shutil.disk_usage(folder).free < size:  # some network drives always report 0
            return False
        try:
            with path.open("xb", buffering=0) as file:
                _fill(file.fileno(), size)
        finally:
            remove(path)
    except OSError:
        return False
    return True


def _fill(descriptor: int, size: int) -> None:
    """Make an empty file this large, so that the disk has really reserved the room."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, max(size, 1))
        except OSError as error:
            if error.errno not in _NO_FLUSH:
                raise
        else:
            return
    for start in range(0, size, _PIECE):
        left = memoryview(bytes(min(_PIECE, size - start)))
        while left:
            left = left[os.write(descriptor, left) :]
    flush_to_disk(descriptor)  # some network drives check the quota only now


def retry_while_open(call: Callable[[], T], patience: float = PATIENCE) -> T:
    """Call a function, retry while another program has the file open, and return the result.

    Args:
        call: the function, which opens, renames or removes a file.
        patience: seconds after which the error is raised instead of retrying.

    Raises:
        OSError: as raised by ``call``.
    """
    end, pause = time.monotonic() + patience, _FIRST_PAUSE
    while True:
        try:
            return call()
        except OSError as error:
            if not is_held(error) or time.monotonic() + pause > end:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def replace(source: Path, target: Path, patience: float = PATIENCE, *, folder: int | None = None) -> None:
    """Rename a file, replacing any file that has the new name.

    A file system that cannot rename gets a copy instead; the original is removed after it.

    Args:
        source: the file.
        target: the new name.
        patience: as in ``retry_while_open``.
        folder: the descriptor of an open folder that both paths are relative to.

    Raises:
        OSError: the file could not be renamed; both files are unchanged.
    """
    try:
        retry_while_open(lambda: os.replace(source, target, src_dir_fd=folder, dst_dir_fd=folder), patience)
    except OSError as error:
        if error.errno not in _NO_RENAME or folder is not None:
            raise
        _copy(source, target)
        remove(source, patience)


def move(source: Path, target: Path, *, folder: int | None = None, target_folder: int | None = None) -> None:
    """Rename a file to a name that no file has.

    Args:
        source: the file.
        target: the new name.
        folder: the descriptor of an open folder that ``source`` is relative to.
        target_folder: the same of ``target``.

    Raises:
        FileExistsError: a file has the new name.
        OSError: the file could not be renamed; it is unchanged.
    """
    if os.name == "nt":  # Windows refuses by itself
        retry_while_open(lambda: source.rename(target))
        return
    try:
        os.stat(target, dir_fd=target_folder, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(source, target, src_dir_fd=folder, dst_dir_fd=target_folder)
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))


def _copy(source: Path, target: Path) -> None:
    remove(target)  # not through a link of that name
    try:
        with source.open("rb") as old, target.open("xb") as new:
            shutil.copyfileobj(old, new, _PIECE)
            new.flush()
            flush_to_disk(new.fileno())
    except BaseException:
        with suppress(OSError):
            remove(target)
        raise


def remove(path: Path, patience: float = PATIENCE, *, folder: int | None = None) -> None:
    """Remove a file if it exists.

    Args:
        path: the file.
        patience: as in ``retry_while_open``.
        folder: the descriptor of an open folder that the path is relative to.

    Raises:
        OSError: the file could not be removed.
    """
    with suppress(FileNotFoundError):
        retry_while_open(lambda: os.unlink(path, dir_fd=folder), patience)


def remove_if_empty(path: Path, *, folder: int | None = None) -> None:
    """Remove a folder if it is empty and the system allows it.

    Args:
        path: the folder.
        folder: the descriptor of an open folder that the path is relative to.
    """
    with suppress(OSError):
        os.rmdir(path, dir_fd=folder)


def flush_to_disk(descriptor: int) -> None:
    """Flush an open file to the disk, so that a power cut cannot damage it, if the file system can do that.

    Raises:
        OSError: the file could not be written.
    """
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # not every file system supports it
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync alone stops at the drive's cache
            return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FLUSH:  # EIO: bytes are lost
            raise


def reason_of(error: OSError | ValueError, path: Path) -> str:
    """Return the reason why a file cannot be written, without a full stop."""
    code = getattr(error, "winerror", None)
    if is_full(error):
        return tr("the disk is full")
    if code in (_SHARED, _LOCKED):
        return tr("another program has it open")
    if getattr(error, "errno", None) == errno.EFBIG:
        return tr("the disk cannot hold a file of this size")
    if getattr(error, "errno", None) == errno.EROFS:
        return tr("the disk is read-only")
    if code == _TOO_LONG or (code == _NOT_FOUND and len(str(path)) > _LONGEST_PATH):
        reason = tr("its path has {length} characters, and Windows allows {most}: use a shorter folder path")
        return reason.format(length=len(str(path)), most=_LONGEST_PATH)
    return getattr(error, "strerror", "") or str(error)
