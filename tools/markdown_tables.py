"""Tables in Markdown files, between two comments that name the tool that writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["replaced", "table"]


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return rows, of which the first is the head, as a table in Markdown.

    A vertical bar would begin a new cell, also within code, so it is escaped.
    """
    head, *others = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join([_line(head), "|" + "---|" * len(head), *map(_line, others)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def replaced(content: str, begin: str, end: str, inner: str) -> str:
    """Return the content of a file with ``inner`` between two comments.

    Raises:
        ValueError: the content lacks one of them.
    """
    before, found, rest = content.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"there is no {begin} … {end}")
    return f"{before}{begin}\n\n{inner}\n\n{end}{after}"
