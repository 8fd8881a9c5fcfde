"""File operations with retries, for files that another program has open.

Windows refuses to rename, replace, remove or open a file while another process has it open: a virus scanner,
the search index, a player, another kernel. Most of them close it within a second, so an operation that fails
for this reason is retried, only in this module. Other systems never refuse for this reason, so nothing waits
there.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from ..i18n import tr

__all__ = ["flush_to_disk", "is_full", "is_held", "reason_of", "remove", "replace", "retry_while_open"]

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


def is_held(error: BaseException) -> bool:
    """Return whether the cause of an error may be another program that has the file open."""
    return getattr(error, "winerror", None) in (_DENIED, _SHARED, _LOCKED)


def is_full(error: BaseException) -> bool:
    """Return whether the cause of an error is a full disk or an exhausted quota."""
    return getattr(error, "errno", None) in _FULL


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

    Args:
        source: the file.
        target: the new name.
        patience: as in ``retry_while_open``.
        folder: the descriptor of an open folder that both paths are relative to.

    Raises:
        OSError: the file could not be renamed; both files are unchanged.
    """
    retry_while_open(lambda: os.replace(source, target, src_dir_fd=folder, dst_dir_fd=folder), patience)


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


def flush_to_disk(descriptor: int) -> None:
    """Flush an open file to the disk, so that a power cut cannot damage it.

    Raises:
        OSError: the file could not be written.
    """
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # not every file system supports it
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync alone stops at the drive's cache
            return
    os.fsync(descriptor)


def reason_of(error: OSError | ValueError, path: Path) -> str:
    """Return the reason why a file cannot be written, without a full stop."""
    code = getattr(error, "winerror", None)
    if is_full(error):
        return tr("the disk is full")
    if code in (_SHARED, _LOCKED):
        return tr("another program has it open")
    if code == _TOO_LONG or (code == _NOT_FOUND and len(str(path)) > _LONGEST_PATH):
        reason = tr("its path has {length} characters, and Windows allows {most}: use a shorter folder path")
        return reason.format(length=len(str(path)), most=_LONGEST_PATH)
    return getattr(error, "strerror", "") or str(error)
