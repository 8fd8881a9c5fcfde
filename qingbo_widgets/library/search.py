"""Search of a library's tasks: filtered, sorted and paginated by the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

import sqlalchemy as sa

from ..service.contract.models import DEFAULT_CONTRACT
from ..service.contract.terms import RATES
from .conditions import Query
from .entry import Entry
from .journal.journal import Journal
from .journal.rows import SELECT, read_row, text_of
from .journal.tables import row_id, tags, tasks
from .judgements import Judgement, Judgements, judgements_of
from .ledger import SETTLED, WITH_LEDGER
from .length_column import fill_lengths
from .pages import count, page
from .selection import ORDERS, Selection
from .text_index import with_index
from .worth import Worth, worth_of_sums
from .worth_columns import IS_KEPT, IS_VIDEO, TIMED_COST, TIMED_SECONDS

__all__ = ["ORDERS", "Choices", "Selection", "choices", "select", "worths"]

_BATCH_SIZE = 500
#: Amounts to filter by, in US dollars.
_ROUND_COSTS = tuple(Decimal(digit).scaleb(power) for power in range(-2, 4) for digit in (1, 2, 5))


@dataclass(frozen=True)
class Choices:
    """The values to filter by: only those that occur in the library.

    Attributes:
        models: the models.
        statuses: the statuses.
        tags: the tags.
        costs: round amounts in US dollars that some tasks cost at most, and some do not.
    """

    models: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    costs: tuple[Decimal, ...] = ()


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
    if selection.is_by_second:
        fill_lengths(journal)
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

        models, statuses, names = map(distinct, (tasks.c.model, tasks.c.status, tags.c.tag))
        return Choices(models, statuses, names, _round_costs(connection))


def worths(journal: Journal, selection: Selection) -> list[tuple[Worth, bool]]:
    """Return what the matching tasks have cost, compared with what came out.

    There is one sum for each contract, and one for its tasks in the sandbox, with which ``True`` is returned.
    Tasks that have cost nothing, as far as that is known, have none.

    Args:
        journal: the library's journal.
        selection: the filters.
    """
    if not journal.exists:
        return []
    fill_lengths(journal)
    read = partial(_read_worths, selection=selection)
    if selection.needs_index and (found := with_index(journal, partial(read, is_indexed=True))) is not None:
        return found
    with journal.begin() as connection:
        return read(connection, is_indexed=False)


def _read_worths(
    connection: sa.Connection, *, selection: Selection, is_indexed: bool
) -> list[tuple[Worth, bool]]:
    contract = tasks.c.contract
    is_play: sa.ColumnElement[bool] = sa.literal_column("tasks.service = 'sandbox'")
    sums = map(sa.func.sum, (IS_VIDEO, SETTLED, IS_KEPT, TIMED_COST, TIMED_SECONDS))
    query = sa.select(contract, is_play, *sums).select_from(WITH_LEDGER).group_by(contract, is_play)
    rows = connection.execute(
        query.where(*Query(connection, selection, is_indexed).conditions(by_walk=False))
    )
    found = []
    for name, is_sandbox, videos, quota, kept, paid, seconds in rows:
        if quota:
            known = text_of(name) or DEFAULT_CONTRACT
            worth = worth_of_sums(known, int(videos), int(quota), int(kept), int(paid), float(seconds))
            found.append((worth, bool(is_sandbox)))
    return sorted(found, key=lambda pair: (pair[1], pair[0].contract not in RATES))


def _round_costs(connection: sa.Connection) -> tuple[Decimal, ...]:
    found = []
    for contract, rate in RATES.items():
        for extreme in (sa.func.min, sa.func.max):  # one by one: so each is read at an end of the index
            query = sa.select(extreme(tasks.c.cost)).where(tasks.c.contract == contract, tasks.c.cost > 0)
            cost = connection.execute(query).scalar()
            found += [Decimal(cost) / rate] if type(cost) is int else []
    return tuple(amount for amount in _ROUND_COSTS if found and min(found) <= amount < max(found))


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
