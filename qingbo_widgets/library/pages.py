"""Pages of a search: the numbers of the rows of one page, whichever page it is, without reading other rows.

A page is counted off in an index that has the order and the columns of the filters, from the nearer end: the
last page costs as much as the first, and the middle of 100,000 tasks a few milliseconds more. So a page needs
no memory of the page before it, and stays correct while other kernels add tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..service.contract.models import DEFAULT_CONTRACT
from ..service.contract.snapshot import TaskStatus
from ..service.contract.terms import RATES
from .conditions import IS_RATED, Condition, Query
from .journal.tables import judgements, row_id, tasks

__all__ = ["count", "page"]

Order = Sequence[tuple[sa.ColumnElement[Any], bool]]

#: The cost of finding a task by an index and sorting it, compared with passing it in an index.
_COST_OF_SORTING = 5
_NEWEST: Order = ((tasks.c.submitted_at, True), (tasks.c.key, False))


@dataclass(frozen=True)
class _Section:
    """A run of tasks in the order of the search, of which the first ones come from an index.

    Attributes:
        total: the number of its tasks.
        order: the columns to sort by, each with whether its order is descending.
        condition: what distinguishes them from other sections; ``None`` if there is only this one.
        ids: the query for their keys, if another table has these.
    """

    total: int
    order: Order
    condition: Condition | None = None
    ids: sa.Select[Any] | None = None


def count(query: Query) -> int:
    """Return the number of tasks that match."""
    if query.selection.unrated:  # the unrated ones are those that no index of the ratings has
        every = query.conditions(by_walk=False, but_rating=True)
        return _count(query, every) - sum(number for _, number in _rated(query, every))
    return _count(query, query.conditions(by_walk=False))


def page(query: Query, total: int, offset: int, limit: int) -> list[Any]:
    """Return the ids of the rows of one page, in order; see ``row_id``.

    Args:
        query: the search.
        total: the number of tasks that match.
        offset: the number of tasks before the page.
        limit: the maximum number of tasks on the page.
    """
    found: list[Any] = []
    offset = max(0, offset)
    if query.connection.dialect.name == "postgresql":
        # Several processes walk far past the few tasks of a page before any of them stops.
        query.connection.exec_driver_sql("SET LOCAL max_parallel_workers_per_gather = 0")
    for section in _sections(query, total):
        if offset < section.total and limit > len(found):
            found += _page(query, section, offset, min(limit - len(found), section.total - offset))
        offset = max(0, offset - section.total)
    return found


def _sections(query: Query, total: int) -> Iterator[_Section]:
    """Yield the sections of the order.

    There is one for each rating, which is in another table; or one for each unit of cost, because amounts in
    different ones cannot be compared; or only one.
    """
    if query.selection.is_by_cost:
        yield from _sections_by_cost(query, total)
        return
    order = _order(query)
    if query.selection.order != "best" or query.selection.unrated:
        yield _Section(total, order)
        return
    rest = total
    for rating, number in _rated(query, query.conditions(by_walk=False)):
        rest -= number
        ids = sa.select(judgements.c.key).where(judgements.c.rating == rating)
        yield _Section(number, order, ids=ids)
    yield _Section(rest, order, ~IS_RATED)


def _sections_by_cost(query: Query, total: int) -> Iterator[_Section]:
    """Yield the tasks of each contract that have a cost, those in US dollars first; then all others."""
    selection, contract = query.selection, tasks.c.contract
    has_cost: Condition = tasks.c.cost > 0
    cost: sa.ColumnElement[Any] = tasks.c.cost
    if selection.is_by_second:
        has_cost = sa.and_(has_cost, tasks.c.seconds > 0, tasks.c.status == TaskStatus.completed.value)
        cost = cost / tasks.c.seconds
    counts = sa.select(contract, sa.func.count()).where(has_cost, *query.conditions(by_walk=False))
    units: dict[Any, dict[str | None, int]] = {}
    for name, number in query.connection.execute(counts.group_by(contract)):
        units.setdefault(RATES.get(name, name or DEFAULT_CONTRACT), {})[name] = number
    rest = total
    for unit in sorted(units, key=lambda unit: (isinstance(unit, str), unit)):
        contracts = units[unit]
        rest -= sum(contracts.values())
        is_one = sa.or_(*(contract.is_(None) if name is None else contract == name for name in contracts))
        order = [(cost, selection.order.startswith("dearest")), *_NEWEST]
        yield _Section(sum(contracts.values()), order, sa.and_(is_one, has_cost))
    yield _Section(rest, _NEWEST, has_cost.is_not(sa.true()) if units else None)


def _rated(query: Query, conditions: Sequence[Condition]) -> list[tuple[Any, int]]:
    """Return the ratings among the matching tasks, the best first, and the number of tasks with each."""
    joined = judgements.join(tasks, tasks.c.key == judgements.c.key)
    rating = judgements.c.rating
    counts = sa.select(rating, sa.func.count()).select_from(joined).where(rating.is_not(None), *conditions)
    rows = query.connection.execute(counts.group_by(rating).order_by(rating.desc()))
    return [(value, number) for value, number in rows]


def _count(query: Query, conditions: Sequence[Condition]) -> int:
    total = query.connection.execute(sa.select(sa.func.count()).select_from(tasks).where(*conditions))
    return int(total.scalar_one())


def _page(query: Query, section: _Section, offset: int, limit: int) -> list[Any]:
    """Return a part of a section, counted off from its nearer end."""
    from_end = section.total - offset - limit
    backwards = from_end < offset
    skipped = from_end if backwards else offset
    by_walk = _is_walk_cheaper(query.connection, section.total, skipped + limit)
    conditions = query.conditions(by_walk=by_walk)
    if section.condition is not None:
        conditions.append(section.condition)
    if section.ids is not None:
        conditions.append(query.among(tasks.c.key, section.ids, by_walk=by_walk))
    order = [
        column.asc() if is_descending == backwards else column.desc()
        for column, is_descending in section.order
    ]
    ids = sa.select(row_id(query.connection)).select_from(tasks).where(*conditions).order_by(*order)
    found = list(query.connection.execute(ids.limit(limit).offset(skipped)).scalars())
    return found[::-1] if backwards else found


def _is_walk_cheaper(connection: sa.Connection, matching: int, wanted: int) -> bool:
    """Return whether so many tasks match that the wanted ones are soon met on a walk in their order."""
    if connection.dialect.name != "sqlite":
        return False
    every = connection.execute(sa.select(sa.func.count()).select_from(tasks)).scalar_one()
    return bool(matching * matching * _COST_OF_SORTING > every * wanted)


def _order(query: Query) -> Order:
    """Return the columns to sort by, each with whether its order is descending."""
    first: dict[str, Order] = {
        "oldest": [(tasks.c.submitted_at, False), (tasks.c.key, True)],
        "model": [(tasks.c.model, False), *_NEWEST],
        "prompt": [(query.prompt, False), *_NEWEST],
        "shuffled": [(tasks.c.key, False)],  # random when the task was created, and the same on every page
    }
    return first.get(query.selection.order, _NEWEST)
