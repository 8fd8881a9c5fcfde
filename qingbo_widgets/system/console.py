"""Output for terminals, pipes and logs that cannot encode every character.

A program that writes to a pipe or a file on Windows uses the system's legacy encoding (cp1252, cp936, cp437).
A character outside that encoding, such as a Chinese one in a prompt, would end it with a UnicodeEncodeError.
"""

from __future__ import annotations

import codecs
import io
import sys
from typing import TextIO

__all__ = ["accept_any_text", "encodable", "write_line"]

#: Substitutes that resemble a missing character; all others become a question mark.
_SUBSTITUTES = dict(zip("─–—→█░×“”", '--->#.x""', strict=True)) | {"…": "..."}
_ERRORS = "qingbo_widgets.substitute"


def _substitute(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_SUBSTITUTES.get(character, "?") for character in missing), error.end


codecs.register_error(_ERRORS, _substitute)


def encodable(text: str, stream: TextIO) -> str:
    """Return the text with the characters that the stream cannot encode replaced."""
    encoding = getattr(stream, "encoding", None)
    if not isinstance(encoding, str):  # a StringIO, which accepts every character
        return text
    try:
        return text.encode(encoding, _ERRORS).decode(encoding)
    except LookupError:  # an encoding unknown to Python
        return text.encode("ascii", _ERRORS).decode("ascii")


def write_line(text: str, stream: TextIO | None = None) -> None:
    """Write a line, by default to standard output, in whatever encoding the stream has."""
    stream = sys.stdout if stream is None else stream
    stream.write(encodable(text, stream) + "\n")


def accept_any_text() -> None:
    """Make standard output and error accept any text. Only for commands, which own their streams."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)
