"""Search of a library's tasks: filtered, sorted and paginated by the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import sqlalchemy as sa

from .conditions import Query
from .entry import Entry
from .journal.journal import Journal
from .journal.rows import SELECT, read_row
from .journal.tables import row_id, tags, tasks
from .judgements import Judgement, Judgements, judgements_of
from .pages import count, page
from .selection import ORDERS, Selection
from .text_index import with_index

__all__ = ["ORDERS", "Choices", "Selection", "choices", "select"]

_BATCH_SIZE = 500


@dataclass(frozen=True)
class Choices:
    """The values to filter by: only those that occur in the library."""

    models: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def select(
    journal: Journal, selection: Selection | None = None, *, limit: int | None = None, offset: int = 0
) -> tuple[int, list[tuple[Entry, Judgement]]]:
    """Return the number of matching tasks, and one page of them with their judgements.

    Args:
        journal: the library's journal.
        selection: the filters and the order.
        limit: the maximum number of tasks on the page.
        offset: the number of tasks to skip before the page.
    """
    if not journal.exists:
        return 0, []
    selection = selection or Selection()
    read = partial(_read, selection=selection, limit=limit, offset=offset)
    if selection.needs_index and (found := with_index(journal, partial(read, is_indexed=True))) is not None:
        return found
    with journal.begin() as connection:
        return read(connection, is_indexed=False)


def choices(journal: Journal) -> Choices:
    """Return the values to filter by that occur in the library."""
    with Judgements(journal).connected() as connection:
        if connection is None:
            return Choices()

        def distinct(column: sa.Column[Any]) -> tuple[str, ...]:
            query = sa.select(column).distinct() if column is tasks.c.status else _distinct(column)
            values = connection.execute(query).scalars()
            return tuple(sorted({value for value in values if value and isinstance(value, str)}))

        return Choices(distinct(tasks.c.model), distinct(tasks.c.status), distinct(tags.c.tag))


def _read(
    connection: sa.Connection, *, selection: Selection, is_indexed: bool, limit: int | None, offset: int
) -> tuple[int, list[tuple[Entry, Judgement]]]:
    query = Query(connection, selection, is_indexed)
    total = count(query)
    ids = page(query, total, offset, total if limit is None else limit)
    column = row_id(connection)
    rows: dict[Any, Entry] = {}
    for batch in _batches(ids):
        found = connection.execute(SELECT.add_columns(column).where(column.in_(batch)))
        rows |= {row[-1]: read_row(row) for row in found}
    entries = [rows[number] for number in ids if number in rows]
    judged = judgements_of(connection, [entry.key for entry in entries])
    return total, [(entry, judged[entry.key]) for entry in entries]


def _distinct(column: sa.Column[Any]) -> sa.Select[Any]:
    """Return the query for the distinct values of a column, the first of its index.

    ``SELECT DISTINCT`` would read an entry of the index for each task, and this one for each value.
    """
    least = sa.func.min(column)
    values = sa.select(least.label("value")).cte("found", recursive=True)
    next_one = sa.select(least).where(column > values.c.value).scalar_subquery()
    values = values.union_all(sa.select(next_one).where(values.c.value.is_not(None)))
    return sa.select(values.c.value)


def _batches(ids: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield the ids in batches, because a database limits the number of values in a query."""
    rest = iter(ids)
    while batch := list(islice(rest, _BATCH_SIZE)):
        yield batch
