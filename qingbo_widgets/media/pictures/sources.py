"""The content of a picture, from a path, bytes, an open file, an image, an array or a figure."""

from __future__ import annotations

import io
import os
import re
import sys
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...i18n import N_, tr
from ..local_file import open_local, within
from ..unusable import UnusableMedia
from .arrays import image_of_array
from .figures import content_of_figure
from .limits import LARGEST_FILE

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Source", "source_of", "stem_of"]

#: Characters of a name that is derived from that of a file.
_LONGEST_STEM = 32
#: How a picture without a name is called.
_UNNAMED = "picture"

_NO_PICTURE = N_(
    "A value of type {type} is not a picture: use a path, bytes, a Pillow image, a NumPy array or a figure."
)
_TEXT_FILE = N_('The file is open for text: open it with "rb".')
_UNREADABLE = N_("The file cannot be read: {reason}.")
_NO_CONTENT = N_("The IPython Image has no content, only a URL or nothing.")


@dataclass(frozen=True)
class Source:
    """A picture before it is decoded: the content of a file, or an image in memory.

    Attributes:
        content: the bytes of a file; empty if there is an image.
        image: an image of Pillow, or ``None``.
        stem: a short name of letters, digits and dashes.
    """

    content: bytes = field(default=b"", repr=False)
    image: Image | None = None
    stem: str = _UNNAMED


def source_of(value: Any) -> Source:
    """Return the source of a picture in any of the forms that ``prepare`` takes.

    Raises:
        UnusableMedia: the value is no picture, or cannot be read.
        ImportError: it is an array, and Pillow is not installed.
    """
    if isinstance(value, str | os.PathLike):
        return _from_path(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return Source(_bounded(bytes(value)))
    if _is_a(value, "PIL.Image", "Image"):
        return Source(image=value, stem=stem_of(getattr(value, "filename", "")))
    if _is_a(value, "IPython.core.display", "Image") or _is_a(value, "IPython.display", "Image"):
        return _from_notebook(value)
    if _is_a(value, "ipywidgets", "Image"):
        return Source(_bounded(bytes(value.value)))
    if (content := content_of_figure(value)) is not None:
        return Source(_bounded(content))
    if callable(getattr(value, "read", None)):
        return _from_file(value)
    if hasattr(value, "__array__"):
        return Source(image=image_of_array(value))
    raise UnusableMedia(tr(_NO_PICTURE).format(type=type(value).__name__))


def _is_a(value: Any, module: str, name: str) -> bool:
    """Return whether a value is an instance of a class of a module, which may not be loaded."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _from_path(path: str | os.PathLike[str]) -> Source:
    with open_local(path) as (file, _, size):
        within(size, LARGEST_FILE)
        return Source(_bounded(_read(file)), stem=stem_of(path))


def _from_file(file: Any) -> Source:
    """Return the whole content of an open file, which stays where it is."""
    try:
        place = file.tell() if (can_seek := _can_seek(file)) else 0
        if can_seek:  # a buffer that was just written stands at its end
            file.seek(0)
        content = _read(file)
        if can_seek:
            file.seek(place)
    except (OSError, ValueError) as error:
        raise UnusableMedia(tr(_UNREADABLE).format(reason=error)) from None
    name = getattr(file, "name", "")
    return Source(_bounded(content), stem=stem_of(name if isinstance(name, str) else ""))


def _can_seek(file: Any) -> bool:
    seekable = getattr(file, "seekable", None)
    return bool(callable(seekable) and seekable())


def _read(file: Any) -> bytes:
    """Return the content of an open file, and no more than makes it too large."""
    content = io.BytesIO()
    while content.tell() <= LARGEST_FILE:
        piece = file.read(LARGEST_FILE + 1 - content.tell())
        if isinstance(piece, str):
            raise UnusableMedia(tr(_TEXT_FILE))
        if not piece:
            break
        content.write(piece)
    return content.getvalue()


def _from_notebook(image: Any) -> Source:
    """Return the content of an Image of IPython, which may only know its file or a URL."""
    if isinstance(image.data, bytes) and image.data:
        return Source(_bounded(image.data), stem=stem_of(image.filename or ""))
    if image.filename:
        return _from_path(image.filename)
    raise UnusableMedia(tr(_NO_CONTENT))


def _bounded(content: bytes) -> bytes:
    within(len(content), LARGEST_FILE)
    return content


def stem_of(path: str | bytes | os.PathLike[str]) -> str:
    """Return a name for a file of this path: its letters and digits of any script, joined by dashes."""
    name = unicodedata.normalize("NFC", Path(os.fsdecode(path)).stem)
    return re.sub(r"[\W_]+", "-", name)[:_LONGEST_STEM].strip("-") or _UNNAMED
