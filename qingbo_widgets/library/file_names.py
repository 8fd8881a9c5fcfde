"""Names of files out of prompts."""

from __future__ import annotations

import re
import sys
import unicodedata

__all__ = ["readable_name"]

#: Of a readable name; the key, the suffixes and the time of a frame come to it.
_MOST_BYTES = 200
_MOST_LETTERS = 32


def readable_name(text: str) -> str:
    """Return a file name for a prompt: letters and digits of every script, the rest a single dash.

    Nothing is left that a path, a shell or any file system could take for something else. File systems allow
    255 bytes: far more than a name of Chinese characters has (three bytes each), but macOS may take Korean
    ones apart (nine each), so a name is measured like this.
    """
    # A system that is set to an old encoding refuses the letters that this has not: they become dashes too.
    known = unicodedata.normalize("NFC", text).encode(encoding := sys.getfilesystemencoding(), "replace")
    words = re.sub(r"[\W_]+", "-", known.decode(encoding)).strip("-")[:_MOST_LETTERS]
    while len(unicodedata.normalize("NFD", words).encode(errors="replace")) > _MOST_BYTES:
        words = words[:-1]
    return words.strip("-") or "video"
