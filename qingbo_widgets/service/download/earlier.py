"""The complete part of an earlier download, which lacks only its name."""

from __future__ import annotations

from pathlib import Path

from ...exceptions import DownloadFailed
from ...i18n import tr
from ...system.files import is_passing, reason_of
from . import messages
from .partial import Partial

__all__ = ["finish_earlier"]


def finish_earlier(path: Path, film: str) -> bool:
    """Rename the complete part that an earlier download of a video has left. Return whether there was one.

    Args:
        path: the file to write.
        film: the name that was passed to that download.

    Raises:
        DownloadFailed: there is one, and it could not be renamed; its ``part`` is that file.
    """
    part = Partial(path, film)
    try:
        if not part.open_whole():
            return False
        part.finish()
    except (OSError, ValueError) as error:
        if not part.is_whole:
            return False
        message = tr(messages.NOT_NAMED).format(path=path, part=part.path, reason=reason_of(error, part.path))
        raise DownloadFailed(message, transient=is_passing(error), part=part.path) from None
    finally:
        part.close()
    return True
