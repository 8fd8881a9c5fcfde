"""File names derived from prompts, and the names that saved files had before."""

from __future__ import annotations

import errno
import os
import re
import sys
import unicodedata
from pathlib import Path

__all__ = ["fitting_path", "given_name", "readable_name"]

#: Limits of a readable name, which leave room for the key, the suffixes and the time of a frame.
_MAX_BYTES = 200
_MAX_LETTERS = 32
#: The end of the name of a partly downloaded video that is not the first one of its task.
_LONGEST_SUFFIX = "-00.00000000.part"
#: Characters of a path on Windows.
_LONGEST_PATH = 259
#: A file that the library has saved under its name and the beginning of its hash, once or more.
_SAVED = re.compile(r"(?:^|.*[/\\])(?:chosen|inputs)[/\\]([^/\\]+?)(?:-[0-9a-f]{16})+(\.\w+)?")


def readable_name(text: str) -> str:
    """Return a file name for a prompt: letters and digits of any script, joined by dashes.

    The name contains nothing that a path, a shell or a file system could misinterpret. File systems allow 255
    bytes, far more than a name of Chinese characters needs (three bytes each). But macOS may decompose Korean
    characters (nine bytes each), so the length is measured in decomposed form.
    """
    # A system with a legacy encoding rejects letters outside of it, so those become dashes too.
    encodable = unicodedata.normalize("NFC", text).encode(encoding := sys.getfilesystemencoding(), "replace")
    name = re.sub(r"[\W_]+", "-", encodable.decode(encoding)).strip("-")[:_MAX_LETTERS]
    while len(unicodedata.normalize("NFD", name).encode(errors="replace")) > _MAX_BYTES:
        name = name[:-1]
    return name.strip("-") or "video"


def given_name(path: str | Path) -> str:
    """Return the name of a file, of a saved picture without the hash that was added to it."""
    saved = _SAVED.fullmatch(str(path))
    return f"{saved[1]}{saved[2] or ''}" if saved else re.split(r"[/\\]", str(path))[-1]


def fitting_path(folder: Path, title: str, end: str) -> Path:
    """Return the path of a file in a folder; the title is shortened if the file system takes no longer name.

    Encrypted folders take as few as 143 bytes, Windows 259 characters with the folder.

    Args:
        folder: the folder, which need not exist.
        title: the beginning of the name.
        end: its end, which is never shortened.
    """
    while len(title) > 1 and _is_too_long(folder / f"{title}{end}{_LONGEST_SUFFIX}"):
        title = title[: len(title) * 3 // 4].rstrip("-") or title[:1]
    return folder / f"{title}{end}"


def _is_too_long(path: Path) -> bool:
    if os.name == "nt" and len(str(path)) > _LONGEST_PATH:
        return True
    try:
        path.lstat()
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    except ValueError:  # a null character in the folder
        pass
    return False
