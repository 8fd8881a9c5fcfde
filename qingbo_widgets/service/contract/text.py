"""Text from external sources, cleaned for one line of a terminal, a log or a card."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["in_lines", "plain_line", "shorten", "urls_in"]

#: The blanks before a URL. Elsewhere they may be part of a path.
_BEFORE_URL = re.compile(r"\s+(?=https?://)")


def urls_in(text: str) -> tuple[str, ...]:
    """Return the URLs and paths in a text: each on a line of its own, or a URL after a blank."""
    parts = [part for line in text.splitlines() for part in _BEFORE_URL.split(line)]
    return tuple(part.strip() for part in parts if part.strip())


def in_lines(urls: Iterable[object]) -> str:
    """Return URLs and paths as a text, from which ``urls_in`` reads them."""
    return "\n".join(map(str, urls))


def plain_line(text: object) -> str:
    """Return the text on one line, without characters that a terminal interprets or a file cannot hold.

    These are escape and other control characters, bidirectional overrides and lone surrogates.
    """
    return "".join(character for character in " ".join(str(text).split()) if character.isprintable())


def shorten(text: object, limit: int = 160) -> str:
    """Return the beginning of a text on one line, with an ellipsis where it is cut."""
    line = plain_line(text)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
