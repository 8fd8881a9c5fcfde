"""The conditions of a search in SQL.

With a complete index, see ``text_index``, they read only columns that the journal's indexes contain. Without
one they read the requests, which are JSON; ASCII letters alone are then found in upper and lower case.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from math import floor
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.operators import custom_op

from ..service.contract.models import models_of
from ..service.contract.terms import RATES
from .journal.derived import MODES
from .journal.tables import judgements, tags, tasks
from .selection import Selection
from .text_index import ids_with
from .untrusted import sanitised

__all__ = ["IS_RATED", "Query"]

#: Escapes that are valid JSON but not PostgreSQL text: the null character, and half a surrogate pair.
_NOT_TEXT = r"\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]"
IS_RATED = sa.exists().where(judgements.c.key == tasks.c.key, judgements.c.rating.is_not(None))

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class Query:
    """A search on one connection.

    Attributes:
        connection: the connection to the journal.
        selection: the filters and the order.
        is_indexed: whether the index of the prompts is complete.
        filters: the conditions on the columns of the tasks.
    """

    connection: sa.Connection
    selection: Selection
    is_indexed: bool

    def among(self, column: sa.Column[Any], chosen: sa.Select[Any], *, by_walk: bool) -> Condition:
        """Return the condition that a column has one of the chosen values.

        Args:
            column: a column with an index.
            chosen: the query for the values.
            by_walk: whether many tasks have one, so that it is faster to walk the tasks in their order and to
                look up each, than to read all of them and sort. PostgreSQL decides by itself.
        """
        walks = by_walk and self.connection.dialect.name == "sqlite"
        # SQLite uses no index for +column.
        left = sa.UnaryExpression(column, operator=custom_op("+")) if walks else column
        return left.in_(chosen)

    def conditions(self, *, by_walk: bool, but_rating: bool = False) -> list[Condition]:
        """Return the conditions of the selection.

        Args:
            by_walk: as in ``among``.
            but_rating: without the condition that a task is not rated.
        """
        selection, found = self.selection, self._columns()
        if self.is_indexed:
            if (ids := ids_with(self.connection, selection.text)) is not None:
                found.append(self.among(tasks.c.search_id, ids, by_walk=by_walk))
        else:
            found += self._words()
        if selection.tag is not None:
            tagged = sa.select(tags.c.key).where(tags.c.tag == selection.tag)
            found.append(self.among(tasks.c.key, tagged, by_walk=by_walk))
        if selection.rating is not None:
            rated = sa.select(judgements.c.key).where(judgements.c.rating >= selection.rating)
            found.append(self.among(tasks.c.key, rated, by_walk=by_walk))
        if selection.unrated and not but_rating:
            found.append(~IS_RATED)
        return found

    @property
    def prompt(self) -> sa.ColumnElement[Any]:
        """The expression to sort by the prompt."""
        return tasks.c.prompt_start if self.is_indexed else self._request["prompt"].as_string()

    def _columns(self) -> list[Condition]:
        """Return the conditions on columns of the tasks."""
        selection = self.selection
        conditions: list[Condition] = []
        if selection.model is not None:
            conditions.append(tasks.c.model == selection.model)
        if selection.mode is not None:
            conditions.append(sa.func.coalesce(self._mode, _default("mode")) == selection.mode)
        if selection.status is not None:
            conditions.append(tasks.c.status == selection.status)
        if selection.max_cost is not None:
            conditions.append(_costs_at_most(selection.max_cost))
        if selection.since is not None:
            conditions.append(tasks.c.submitted_at >= selection.since)
        if selection.until is not None:
            conditions.append(tasks.c.submitted_at < selection.until)
        return conditions

    @property
    def _mode(self) -> sa.ColumnElement[Any]:
        """The mode of a request; for a request of a later contract, the mode with its resolution."""
        if self.is_indexed:
            return tasks.c.mode
        resolution = self._request["resolution"].as_string()
        by_resolution = sa.case(MODES, value=resolution, else_=resolution)
        return sa.func.coalesce(self._request["mode"].as_string(), by_resolution)

    @property
    def _request(self) -> sa.ColumnElement[Any]:
        """The request column, with NULL for values that would fail the whole query."""
        column: sa.ColumnElement[Any] = tasks.c.request
        if self.connection.dialect.name == "sqlite":  # text that is not JSON
            return sa.type_coerce(sa.case((sa.func.json_valid(column) == 1, column)), sa.JSON())
        if self.connection.dialect.name == "postgresql":
            return sa.case((sa.cast(column, sa.Text).op("!~")(_NOT_TEXT), column))
        return column

    def _words(self) -> list[Condition]:
        """Return the conditions that the prompt or the shots' prompts contain each word."""
        prompt = self._request["prompt"].as_string()
        shots: sa.ColumnElement[Any] = sa.func.coalesce(
            self._request["shots"].as_string(), self._request["multi_prompt"].as_string()
        )
        for name in ("prompt", "duration", "index"):  # field names in the JSON of the shots, not in a prompt
            shots = sa.func.replace(shots, f'"{name}"', "")
        conditions = []
        for word in sanitised(self.selection.text).split():
            # The shots are searched as JSON text, where a character may be escaped.
            escaped = json.dumps(word)[1:-1]
            matches = [prompt.icontains(word, autoescape=True), shots.icontains(word, autoescape=True)]
            if escaped != word:
                matches.append(shots.icontains(escaped, autoescape=True))
            conditions.append(sa.or_(*matches))
        return conditions


def _costs_at_most(usd: Decimal) -> Condition:
    """Return the condition that a task has a known cost of not more than an amount in US dollars."""
    known = [
        sa.and_(tasks.c.contract == contract, tasks.c.cost.between(0, floor(usd * rate)))
        for contract, rate in RATES.items()
    ]
    return sa.or_(*known)


def _default(field: str) -> Any:
    """Return the value of a field that a request omits: one for all models, or one by the task's model.

    An earlier version omitted every field that had its default in ``models_of()``.
    """
    models = models_of()
    usual = models.other.default(field)
    own = {name: default for name, model in models.items() if (default := model.default(field)) != usual}
    return sa.case(own, value=tasks.c.model, else_=usual) if own else usual
