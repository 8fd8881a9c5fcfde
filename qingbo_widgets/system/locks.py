"""A lock on an open file, which the system releases when its process ends, in whatever way that happens."""

from __future__ import annotations

import errno
import os
import sys

__all__ = ["lock"]

#: Answers of a system on which another open file has the lock.
_TAKEN = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES)
#: The byte that Windows locks, as far out as its call reaches: a locked byte cannot be read by others.
_FAR_OUT = 2**31 - 2


def lock(descriptor: int) -> bool | None:
    """Lock an open, writable file for as long as it stays open. Never waits.

    The lock belongs to the open file, so it also holds against other threads of this process.

    Returns:
        ``True`` if the lock is ours, ``False`` if another open file has it, ``None`` where the file system
        knows no locks.
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
