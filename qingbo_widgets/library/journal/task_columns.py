"""All tasks of a journal as columns, for tables of very many of them.

The values are those that ``read_row`` returns. But no object is created for a row, and a column whose values
are all valid, as in nearly every journal, is returned as the database returns it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from ...service.contract.models import DEFAULT_CONTRACT
from ..untrusted import fields_of_request
from .engine import columns_of, parsed_json
from .rows import NEWEST_FIRST, status_of, text_of
from .tables import ledger, tasks

__all__ = ["KeptPrice", "TaskColumns", "kept_prices", "task_columns"]

_parse = json.JSONDecoder().raw_decode
_TEXTS = ("key", "task_id", "model", "status")
_TEXTS_OR_NULL = ("contract", "file", "billing_status")
_JSON = ("request", "error")
_TIMES = ("submitted_at", "created_at", "completed_at")
_NUMBERS = ("cost", "frozen")
_NONE = type(None)


@dataclass(frozen=True)
class TaskColumns:
    """The columns of all tasks, newest first; see ``Entry``.

    Attributes:
        key: the keys.
        task_id: the service's ids.
        model: the models' names.
        contract: the dates of the contracts.
        status: the statuses.
        file: the names of the saved videos, or ``None``.
        billing_status: the states of billing, or ``None``.
        request: the requests' fields, or ``None``.
        error: the errors, or ``None``.
        submitted_at: Unix seconds, as the database has them: damaged rows may have any value here.
        created_at: as ``submitted_at``.
        completed_at: as ``submitted_at``.
        cost: the settled costs, or ``None``.
        frozen: the reserved quota, or ``None``.
    """

    key: Sequence[str] = ()
    task_id: Sequence[str] = ()
    model: Sequence[str] = ()
    contract: Sequence[str] = ()
    status: Sequence[str] = ()
    file: Sequence[str | None] = ()
    billing_status: Sequence[str | None] = ()
    request: Sequence[Mapping[str, Any] | None] = ()
    error: Sequence[Mapping[str, Any] | None] = ()
    submitted_at: Sequence[Any] = ()
    created_at: Sequence[Any] = ()
    completed_at: Sequence[Any] = ()
    cost: Sequence[int | None] = ()
    frozen: Sequence[int | None] = ()


class KeptPrice(NamedTuple):
    """A recorded price.

    Attributes:
        quota: the amount.
        source: its source, as ``PriceSource``.
        at: its time in Unix seconds; damaged rows may have any value here.
    """

    quota: int | None
    source: str | None
    at: Any


def task_columns(connection: sa.Connection) -> TaskColumns:
    """Return the columns of all tasks."""
    # SQLite stores JSON as text, which is parsed faster here; other drivers may parse it on their own.
    is_text = connection.dialect.name == "sqlite"
    query = sa.select(
        *(tasks.c[name] for name in (*_TEXTS, *_TEXTS_OR_NULL, *_NUMBERS)),
        *(sa.type_coerce(tasks.c[name], sa.Float()) for name in _TIMES),
        *(sa.type_coerce(tasks.c[name], sa.Text()) if is_text else tasks.c[name] for name in _JSON),
    )
    names = (*_TEXTS, *_TEXTS_OR_NULL, *_NUMBERS, *_TIMES, *_JSON)
    values = columns_of(connection, query.order_by(*NEWEST_FIRST))
    columns: dict[str, Sequence[Any]] = dict(zip(names, values, strict=True))
    for name in _TEXTS:
        columns[name] = _cleaned(columns[name], {str}, text_of)
    for name in _TEXTS_OR_NULL:
        columns[name] = _cleaned(columns[name], {str, _NONE}, text_of)
    for name in _NUMBERS:
        columns[name] = _cleaned(columns[name], {int, _NONE}, _integer)
    if is_text:
        columns |= {name: _parsed(columns[name]) for name in _JSON}
    columns["request"] = [_readable(request) for request in columns["request"]]
    columns["status"] = _mapped(columns["status"], status_of)
    columns["contract"] = _mapped(columns["contract"], lambda contract: contract or DEFAULT_CONTRACT)
    for name in ("file", "billing_status"):
        columns[name] = [text or None for text in columns[name]]
    return TaskColumns(**columns)


def kept_prices(connection: sa.Connection) -> dict[str, KeptPrice]:
    """Return the price of each task that was known before its submission, by the task's key."""
    time = sa.type_coerce(ledger.c.price_at, sa.Float())
    query = sa.select(ledger.c.key, ledger.c.price, ledger.c.source, time).where(ledger.c.price.is_not(None))
    return {
        text_of(key): KeptPrice(price, text_of(source), at)
        for key, price, source, at in connection.execute(query)
        if type(price) is int
    }


def _cleaned(values: Sequence[Any], valid: Collection[type], clean: Callable[[Any], Any]) -> Sequence[Any]:
    """Return the values, each cleaned if any has another than the valid types."""
    return values if set(map(type, values)).issubset(valid) else [clean(value) for value in values]


def _mapped(texts: Sequence[Any], change: Callable[[Any], str]) -> list[str]:
    """Return texts of few different kinds, each changed."""
    changed = {text: change(text) for text in set(texts)}
    return [changed[text] for text in texts]


def _integer(value: object) -> int | None:
    return value if type(value) is int else None


def _readable(request: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return fields_of_request(request) if request is not None and "shots" in request else request


def _parsed(texts: Iterable[Any]) -> list[dict[str, Any] | None]:
    """Return JSON objects; ``None`` for any other value."""
    found: list[dict[str, Any] | None] = []
    for text in texts:
        if text is None:
            found.append(None)
            continue
        try:
            value, end = _parse(text)  # without the checks of json.loads, which take longer
            if end != len(text):
                value = parsed_json(text)
        except (TypeError, ValueError, RecursionError):
            value = parsed_json(text)
        found.append(value if isinstance(value, dict) else None)
    return found
