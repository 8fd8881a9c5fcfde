"""A lock on an open file that the system releases when the process ends, however it ends."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["held", "lock", "unlock"]

#: Error codes for a lock that another open file has.
_TAKEN = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES)
#: The byte to lock on Windows, at the largest offset possible: other processes cannot read a locked byte.
_FAR_OUT = 2**31 - 2
#: Seconds between two attempts to get the lock of another process.
_PAUSE = 0.005


def lock(descriptor: int) -> bool | None:
    """Lock an open, writable file for as long as it stays open. Never wait.

    The lock belongs to the open file, so it also excludes other threads of this process.

    Returns:
        ``True`` if the lock is ours, ``False`` if another open file has it, ``None`` if the file system does
        not support locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _FAR_OUT, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _TAKEN else None
    return True


def unlock(descriptor: int) -> None:
    """Release our lock on an open file, before it is closed.

    Closing the file is not enough: a process that was forked meanwhile has the same open file, whose lock
    lasts until that process closes it too.
    """
    if sys.platform != "win32":  # where no process is forked
        import fcntl

        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def held(descriptor: int, patience: float) -> Iterator[None]:
    """Hold the lock on an open file; without it if it cannot be had.

    Args:
        descriptor: the file.
        patience: seconds to wait for another open file's lock.
    """
    end = time.monotonic() + patience
    while (is_ours := lock(descriptor)) is False and time.monotonic() < end:
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        if is_ours:
            unlock(descriptor)
