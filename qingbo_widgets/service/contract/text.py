"""Text from external sources, cleaned for one line of a terminal, a log or a card."""

from __future__ import annotations

__all__ = ["plain_line"]


def plain_line(text: str) -> str:
    """Return the text on one line, without characters that a terminal interprets or a file cannot hold.

    These are escape and other control characters, bidirectional overrides and lone surrogates.
    """
    return "".join(character for character in " ".join(text.split()) if character.isprintable())
