"""Uploads by a function of the user: ``connect(upload=f)``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from ...exceptions import UploadFailed
from ...i18n import tr
from .shown import shown
from .uploader import Link, Progress

__all__ = ["FunctionUploader"]


class FunctionUploader:
    """A function that uploads a file and returns its URL.

    How long its URLs live is unknown, and so is whether it keeps the files: ``renew`` always asks for
    another upload, and ``remove`` does nothing.
    """

    lifetime: timedelta | None = None
    removes = False
    lasts = True

    def __init__(self, upload: Callable[[Path], str]) -> None:
        self._upload = upload
        name = str(getattr(upload, "__qualname__", "")).replace("<locals>.", "")
        #: Two functions are two places, and the same function of a cell that ran twice is one.
        self.destination = f"{name}()" if name and "<" not in name else "upload()"

    def publish(self, file: Path, on_progress: Progress) -> Link:
        """Call the function, and return a link with the URL that it returns.

        Raises:
            UploadFailed: the function raised an error, or did not return a text.
        """
        size = file.stat().st_size if file.exists() else 0
        on_progress(0, size)
        try:
            url = self._upload(file)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also sys.exit(), and the end of an asyncio task of the function
            failure = _failure(error)
        else:
            if isinstance(url, str):
                on_progress(size, size)
                return Link(url)
            message = tr("upload() returned a value of type {type}; it must return the URL of the file.")
            failure = UploadFailed(message.format(type=type(url).__name__))
        # Outside of the except block: the frames of the function may hold a login.
        raise failure

    def renew(self, file: Path) -> Link | None:
        """Return ``None``: the file must be uploaded again."""

    def remove(self, file: Path) -> None:
        """Do nothing."""


def _failure(error: BaseException) -> UploadFailed:
    if isinstance(error, UploadFailed):
        return error
    text = shown(_text_of(error)) or tr("without a message")
    return UploadFailed(tr("upload() failed: {type}: {text}").format(type=type(error).__name__, text=text))


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""
