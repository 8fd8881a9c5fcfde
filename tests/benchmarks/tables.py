"""Tables for a terminal, in Markdown."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["print_details", "print_table", "shown"]

#: The maximum number of characters in a cell.
MAX_WIDTH = 100


def shown(value: Any) -> str:
    """Return a figure as text: three or four digits, a pair with a slash, a dash for ``None``."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 1 else f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return " / ".join(map(shown, value)) if len(value) <= 3 else ", ".join(map(shown, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(item)}" for name, item in value.items())
    return str(value)


def print_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows below a header row."""
    cells = [[_short(shown(cell)) for cell in row] for row in ([*heads], *rows)]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(heads))]
    print(f"\n{title}\n")
    for number, row in enumerate(cells):
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        print(f"| {' | '.join(padded)} |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    sys.stdout.flush()


def print_details(results: dict[str, Any]) -> None:
    """Print the results of a part: a table for each dictionary of dictionaries, one for the rest."""
    rest = []
    for title, value in results.items():
        if not isinstance(value, dict):
            rest.append((title, value))
        elif value and all(isinstance(row, dict) for row in value.values()):
            heads = list(dict.fromkeys(head for row in value.values() for head in row))
            rows = ([name, *(row.get(head, "") for head in heads)] for name, row in value.items())
            print_table(title, ["", *heads], rows)
        else:
            print_table(title, ["", "measured"], value.items())
    if rest:
        print_table("Further", ["", "measured"], rest)


def _short(text: str) -> str:
    return text if len(text) <= MAX_WIDTH else text[: MAX_WIDTH - 1] + "…"


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
