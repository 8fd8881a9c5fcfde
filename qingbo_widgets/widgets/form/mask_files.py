"""The files of painted masks, in the folder ``masks`` of a library.

A file is named after its content, so the same mask is one file however often it is painted. Earlier versions
put the URL of a mask into the request, and wrote a small JSON file for each URL, named after it: the mask of
such a task or preset can still be shown and painted on.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ...service.contract.urls import is_loopback, is_web_url
from ...system.folder import Folder, read_inside
from .approval import is_unapproved
from .mask_png import png_of

if TYPE_CHECKING:
    from .form_fields import FormFields

__all__ = ["LARGEST", "MaskFiles", "content_of", "files_of", "saved_before"]

#: Subfolder of the library's folder.
MASKS = "masks"
#: Maximum bytes of a mask that is shown.
LARGEST = 10_000_000
_LARGEST_NOTE = 10_000
_NAME = re.compile(r"mask-\d+x\d+-[0-9a-f]{16}\.png")


class MaskFiles:
    """The painted masks of one library.

    Args:
        folder: the library's folder. Nothing is created in it until a mask is saved.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = Folder(folder)

    def save(self, runs: tuple[int, ...], width: int, height: int) -> Path:
        """Save a mask, unless the same one is there already, and return its file.

        Raises:
            OSError: the folder cannot be written.
        """
        content = f"{width} {height} {' '.join(map(str, runs))}"
        name = f"{MASKS}/mask-{width}x{height}-{_digest(content, 16)}.png"
        if not self._files.has_file(name):
            self._files.write(name, png_of(runs, width, height))
        return (self._folder / name).absolute()

    def file_of(self, url: str) -> Path | None:
        """Return the file of the mask that was published under this URL; ``None`` if there is none."""
        return self.own(self._noted(url))

    def own(self, path: str) -> Path | None:
        """Return the painted mask of this name, wherever its folder was before; ``None`` if there is none."""
        name = path.replace("\\", "/").rpartition("/")[2]
        if not _NAME.fullmatch(name) or not self._files.has_file(f"{MASKS}/{name}"):
            return None
        return (self._folder / MASKS / name).absolute()

    def read(self, file: Path) -> bytes:
        """Return the content of a saved mask.

        Raises:
            OSError: the file cannot be read.
        """
        return self._files.read(f"{MASKS}/{file.name}", LARGEST)

    def _noted(self, url: str) -> str:
        """Return the name of the file that was published under a URL; empty if there is no note of it."""
        try:
            note = json.loads(self._files.read(_note_of(url), _LARGEST_NOTE))
        except (OSError, ValueError, RecursionError):
            return ""
        mask = note.get("mask") if isinstance(note, dict) and note.get("url") == url else None
        return mask if isinstance(mask, str) else ""


def _note_of(url: str) -> str:
    """Return the name of the note about a URL."""
    return f"{MASKS}/url-{_digest(url, 32)}.json"


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:length]


def files_of(form: FormFields) -> MaskFiles | None:
    """Return the masks of the form's library; ``None`` for a form without a manager."""
    return None if form.manager is None else MaskFiles(form.manager.library.folder)


def content_of(form: FormFields, url: str) -> bytes | None:
    """Return the content of a mask that is a file of this machine; ``None`` if it is not, or is gone."""
    files = files_of(form)
    if files is None or form.manager is None:
        return None
    with suppress(OSError, RuntimeError):
        if (saved := files.own(url) or files.file_of(url)) is not None:
            return files.read(saved)
        place = None if is_web_url(url) else form.manager.inputs.saver.place_of(url)
        if isinstance(place, Path) and not is_unapproved(form, url):
            return read_inside(place, LARGEST)
    return None


def saved_before(form: FormFields, url: str) -> str:
    """Return the path of a painted mask of an earlier folder, or that an earlier sandbox served.

    Args:
        form: the form.
        url: the URL, or the path of the file; any other text is returned unchanged.
    """
    if (files := files_of(form)) is None:
        return url
    file = files.file_of(url) if is_loopback(url) else files.own(url) if not is_web_url(url) else None
    return url if file is None else str(file)
