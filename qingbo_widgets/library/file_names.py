"""File names derived from prompts."""

from __future__ import annotations

import re
import sys
import unicodedata

__all__ = ["readable_name"]

#: Limits of a readable name, which leave room for the key, the suffixes and the time of a frame.
_MAX_BYTES = 200
_MAX_LETTERS = 32


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
