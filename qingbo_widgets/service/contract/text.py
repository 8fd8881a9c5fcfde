"""Text from external sources, cleaned for one line of a terminal, a log or a card."""

from __future__ import annotations

__all__ = ["plain_line", "shorten"]


def plain_line(text: object) -> str:
    """Return the text on one line, without characters that a terminal interprets or a file cannot hold.

    These are escape and other control characters, bidirectional overrides and lone surrogates.
    """
    return "".join(character for character in " ".join(str(text).split()) if character.isprintable())


def shorten(text: object, limit: int = 160) -> str:
    """Return the beginning of a text on one line, with an ellipsis where it is cut."""
    line = plain_line(text)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
