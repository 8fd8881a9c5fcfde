"""Tables in Markdown files, between two comments that name the tool that writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["replaced", "table"]


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return rows, of which the first is the head, as a table in Markdown."""
    head, *others = [f"| {' | '.join(row)} |" for row in rows]
    rule = "|" + "---|" * (head.count("|") - 1)
    return "\n".join([head, rule, *others])


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
