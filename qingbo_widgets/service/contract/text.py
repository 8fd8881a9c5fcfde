"""Text from elsewhere, made fit for a line: of a terminal, a log, a card."""

from __future__ import annotations

__all__ = ["plain_line"]


def plain_line(text: str) -> str:
    """The text on one line, without what a terminal would act on, and no file could hold.

    That is escape sequences, carriage returns, what turns the direction of writing, half a surrogate pair.
    """
    return "".join(character for character in " ".join(text.split()) if character.isprintable())
