"""Tables on a terminal, which are Markdown too."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["print_details", "print_table", "shown"]

#: Characters of a cell at most.
WIDEST = 100


def shown(value: Any) -> str:
    """A figure for a person: three or four digits, a pair with a slash, nothing for ``None``."""
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
        return ", ".join(f"{name} {shown(one)}" for name, one in value.items())
    return str(value)


def print_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under their heads."""
    cells = [[_short(shown(cell)) for cell in row] for row in ([*heads], *rows)]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(heads))]
    print(f"\n{title}\n")
    for number, row in enumerate(cells):
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        print(f"| {' | '.join(padded)} |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    sys.stdout.flush()


def print_details(found: dict[str, Any]) -> None:
    """Print what a part has found: dictionaries of dictionaries as one table each, the rest together."""
    rest = []
    for title, value in found.items():
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
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
