"""Text for a terminal, a pipe or a log that may not know every character.

A program that writes into a pipe or a file on Windows does so in the system's old encoding (cp1252, cp936,
cp437). A character that this lacks, a Chinese one in a prompt say, would end it with a UnicodeEncodeError.
"""

from __future__ import annotations

import codecs
import io
import sys
from typing import TextIO

__all__ = ["fitted", "say", "take_any_text"]

#: What looks like a character that is missing; any other is a question mark.
_LIKE = dict(zip("─–—→█░×“”", '--->#.x""', strict=True)) | {"…": "..."}
_ERRORS = "qingbo_widgets.like"


def _like(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_LIKE.get(character, "?") for character in missing), error.end


codecs.register_error(_ERRORS, _like)


def fitted(text: str, stream: TextIO) -> str:
    """Return the text in characters that the stream can write."""
    encoding = getattr(stream, "encoding", None)
    if not isinstance(encoding, str):  # a StringIO, which takes everything
        return text
    try:
        return text.encode(encoding, _ERRORS).decode(encoding)
    except LookupError:  # an encoding that Python does not know
        return text.encode("ascii", _ERRORS).decode("ascii")


def say(text: str, stream: TextIO | None = None) -> None:
    """Write a line, by default to standard output, whatever the encoding."""
    stream = sys.stdout if stream is None else stream
    stream.write(fitted(text, stream) + "\n")


def take_any_text() -> None:
    """Let standard output and error take any text. For commands, whose streams are their own."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)
