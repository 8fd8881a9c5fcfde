"""Files that another program may have open for a moment.

Windows refuses to rename, replace, remove or open a file while another process holds it: a virus scanner, the
search index, a player, another kernel. Most of them let go within a second, so what fails for this reason is
tried again, here and nowhere else. Elsewhere nothing fails for this reason, and nothing is waited for.
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

__all__ = ["flush_to_disk", "is_full", "is_held", "patiently", "reason_of", "remove", "replace"]

T = TypeVar("T")

#: Seconds that a small file is worth, and a form that waits for it.
PATIENCE = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25
#: Windows' numbers for a file that is open elsewhere: access denied (also for a folder that is not ours),
#: sharing violation, lock violation.
_DENIED, _SHARED, _LOCKED = 5, 32, 33
#: And for a path that is too long: path not found, file name too long.
_NOT_FOUND, _TOO_LONG = 3, 206
_LONGEST_PATH = 259
_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_held(error: BaseException) -> bool:
    """Tell whether an error may be due to another program that has the file open."""
    return getattr(error, "winerror", None) in (_DENIED, _SHARED, _LOCKED)


def is_full(error: BaseException) -> bool:
    """Tell whether an error is due to a disk, or a share of one, that has no room left."""
    return getattr(error, "errno", None) in _FULL


def patiently(call: Callable[[], T], patience: float = PATIENCE) -> T:
    """Call, again and again while another program has the file open, and return the result.

    Args:
        call: opens, renames or removes a file.
        patience: seconds after which the error is raised all the same.

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
    """Give a file its name, in the place of what has that name.

    Args:
        source: the file.
        target: its name to be.
        patience: as in ``patiently``.
        folder: an open folder that both paths are relative to.

    Raises:
        OSError: the name is not to be had; both files are as they were.
    """
    patiently(lambda: os.replace(source, target, src_dir_fd=folder, dst_dir_fd=folder), patience)


def remove(path: Path, patience: float = PATIENCE, *, folder: int | None = None) -> None:
    """Remove a file, if it is there.

    Args:
        path: the file.
        patience: as in ``patiently``.
        folder: an open folder that the path is relative to.

    Raises:
        OSError: it is there still.
    """
    with suppress(FileNotFoundError):
        patiently(lambda: os.unlink(path, dir_fd=folder), patience)


def flush_to_disk(descriptor: int) -> None:
    """Wait until an open file is on the disk, so that a power cut cannot damage it.

    Raises:
        OSError: it could not be written.
    """
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # not every file system can
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync alone stops at the drive's own memory
            return
    os.fsync(descriptor)


def reason_of(error: OSError | ValueError, path: Path) -> str:
    """Return why a file cannot be written, without a full stop."""
    number = getattr(error, "winerror", None)
    if is_full(error):
        return tr("the disk is full")
    if number in (_SHARED, _LOCKED):
        return tr("another program has it open")
    if number == _TOO_LONG or (number == _NOT_FOUND and len(str(path)) > _LONGEST_PATH):
        reason = tr("its path has {length} characters, and Windows allows {most}: a shorter folder would do")
        return reason.format(length=len(str(path)), most=_LONGEST_PATH)
    return getattr(error, "strerror", "") or str(error)
