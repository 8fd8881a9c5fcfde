"""Opening a file of this machine that the user names: a picture or a video to be sent to the service."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from ..i18n import N_, tr
from ..service.contract.urls import is_network_path
from ..system.folder import open_inside
from .unusable import UnusableMedia

__all__ = ["megabytes", "open_local", "within"]

_MISSING = N_("There is no file {path} here.")
_ELSEWHERE = N_("{path} is on another computer: copy the file to this one first.")
_UNREADABLE = N_("{path} cannot be read: {reason}.")
_TOO_LARGE = N_("The file has {size}; the limit is {most}.")
_EMPTY = N_("The file is empty.")
#: Characters of a path in a message.
_LONGEST = 200


@contextmanager
def open_local(path: str | os.PathLike[str]) -> Iterator[tuple[FileIO, Path, int]]:
    """Yield a file that is open for reading, its path with all links followed, and its size in bytes.

    Only a plain file is opened: no folder, device or pipe, and nothing on another computer, to which Windows
    would send the user's login.

    Raises:
        UnusableMedia: it is no such file, or cannot be read.
    """
    name = os.fsdecode(path)
    shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
    if is_network_path(name):
        raise UnusableMedia(tr(_ELSEWHERE).format(path=shown))
    try:
        real = Path(os.path.realpath(Path(name).expanduser()))
        file = open_inside(real)
    except FileNotFoundError:
        raise UnusableMedia(tr(_MISSING).format(path=shown)) from None
    except (OSError, ValueError, RuntimeError) as error:  # a null character; a home that is not known
        reason = getattr(error, "strerror", None) or str(error)
        raise UnusableMedia(tr(_UNREADABLE).format(path=shown, reason=reason)) from None
    with file:
        try:
            yield file, real, os.fstat(file.fileno()).st_size
        except OSError as error:
            reason = error.strerror or str(error)
            raise UnusableMedia(tr(_UNREADABLE).format(path=shown, reason=reason)) from None


def within(size: int, most: int) -> None:
    """Raise an error if a file is empty or too large.

    Args:
        size: its bytes.
        most: the limit.

    Raises:
        UnusableMedia: it is.
    """
    if not size:
        raise UnusableMedia(tr(_EMPTY))
    if size > most:
        # A file that is only just too large must not be shown with the size of the limit.
        digits = 1 if size >= most + 50_000 else 6
        raise UnusableMedia(tr(_TOO_LARGE).format(size=megabytes(size, digits), most=megabytes(most)))


def megabytes(size: int, digits: int = 1) -> str:
    """Return a number of bytes as a text, in units of a thousand as the service counts: ``2.5 MB``."""
    if size < 100_000:
        return f"{size / 1000:.{digits}f}".rstrip("0").rstrip(".") + " KB"
    return f"{round(size / 1e6, digits):.{digits}f}".rstrip("0").rstrip(".") + " MB"
