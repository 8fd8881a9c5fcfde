"""Search of a library's tasks: filtered, sorted and paginated by the database."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ..i18n import N_, tr
from ..service.contract.models import models_of
from ..system.folder import Folder
from .dataframe import dataframe, request_columns
from .entry import Entry
from .journal.journal import Journal
from .journal.rows import SELECT as _SELECT
from .journal.rows import read_row
from .journal.tables import judgements, tags
from .journal.tables import tasks as _tasks
from .judgements import Judgement, Judgements
from .requests import readable_part_of
from .untrusted import sanitised

if TYPE_CHECKING:
    import pandas

__all__ = ["ORDERS", "Choices", "Selection", "choices", "select", "to_dataframe"]

#: The sort orders and their labels.
ORDERS = {
    "newest": N_("Newest first"),
    "oldest": N_("Oldest first"),
    "best": N_("Best rated first"),
    "model": N_("By model"),
    "prompt": N_("By prompt"),
    "shuffled": N_("Shuffled"),
}
#: Escapes that are valid JSON but not PostgreSQL text: the null character, and half a surrogate pair.
_NOT_TEXT = r"\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]"


@dataclass(frozen=True)
class Selection:
    """The filters and the order of a search; by default all tasks.

    Attributes:
        text: words that must all occur in the prompt, or in the shots' prompts.
        model: the model's name.
        mode: ``std`` (720p) or ``pro`` (1080p), or another resolution, such as ``4k``.
        status: a ``TaskStatus``.
        tag: one of the user's tags.
        rating: the minimum rating, 0..5.
        unrated: only tasks without a rating.
        since: submitted at this time or later; with a time zone.
        until: submitted before this time; with a time zone.
        order: a key of ``ORDERS``.
    """

    text: str = ""
    model: str | None = None
    mode: str | None = None
    status: str | None = None
    tag: str | None = None
    rating: int | None = None
    unrated: bool = False
    since: datetime | None = None
    until: datetime | None = None
    order: str = "newest"

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            message = tr("An order is one of {orders}, not {order!r}.")
            raise ValueError(message.format(orders=", ".join(ORDERS), order=self.order))


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
    selection = selection or Selection()
    store = Judgements(journal)
    with store.connected() as connection:
        if connection is None:
            return 0, []
        joined = _tasks.outerjoin(judgements, judgements.c.key == _tasks.c.key)
        request = _request(connection)
        conditions = _conditions(selection, request)
        count = sa.select(sa.func.count()).select_from(joined).where(*conditions)
        total = connection.execute(count).scalar_one()
        query = _SELECT.select_from(joined).where(*conditions).order_by(*_order(selection.order, request))
        rows = connection.execute(query.limit(limit).offset(offset)).mappings()
        entries = [read_row(row) for row in rows]
    judged = store.of_all([entry.key for entry in entries])
    return total, [(entry, judged[entry.key]) for entry in entries]


def choices(journal: Journal) -> Choices:
    """Return the values to filter by that occur in the library."""
    with Judgements(journal).connected() as connection:
        if connection is None:
            return Choices()

        def distinct(column: sa.Column[Any]) -> tuple[str, ...]:
            values = connection.execute(sa.select(column).distinct()).scalars()
            return tuple(sorted({value for value in values if value and isinstance(value, str)}))

        return Choices(distinct(_tasks.c.model), distinct(_tasks.c.status), distinct(tags.c.tag))


def to_dataframe(journal: Journal, folder: Path) -> pandas.DataFrame:
    """Return one row per task: the request's fields, the outcome, and the user's judgement.

    Raises:
        ImportError: pandas is not installed; the message has the command that installs it.
    """
    empty = _row(folder, Entry(key="", service=""), Judgement())
    return dataframe([_row(folder, *row) for row in select(journal)[1]], empty)


def _row(folder: Path, entry: Entry, judgement: Judgement) -> dict[str, Any]:
    return {
        "task_id": entry.task_id,
        **request_columns(readable_part_of(entry), entry.contract),
        "model": entry.model,
        "prompt": entry.prompt,
        "status": entry.status,
        "submitted_at": entry.submitted_at,
        "created_at": entry.created_at,
        "completed_at": entry.completed_at,
        "cost": entry.cost,
        "frozen": entry.frozen,
        "billing_status": entry.billing_status or None,
        **asdict(judgement),
        "video": Folder(folder).place(entry.file) if entry.file else None,
        "error": (entry.error or {}).get("message"),
        "request": dict(entry.request or {}),
        "key": entry.key,
    }


def _request(connection: sa.Connection) -> sa.ColumnElement[Any]:
    """Return the request column, with NULL for values that would fail the whole query."""
    column: sa.ColumnElement[Any] = _tasks.c.request
    if connection.dialect.name == "sqlite":  # text that is not JSON
        return sa.type_coerce(sa.case((sa.func.json_valid(column) == 1, column)), sa.JSON())
    if connection.dialect.name == "postgresql":
        return sa.case((sa.cast(column, sa.Text).op("!~")(_NOT_TEXT), column))
    return column


def _conditions(selection: Selection, request: sa.ColumnElement[Any]) -> list[sa.ColumnElement[bool]]:
    prompt = request["prompt"].as_string()
    shots: sa.ColumnElement[Any] = sa.func.coalesce(
        request["shots"].as_string(), request["multi_prompt"].as_string()
    )
    for name in ("prompt", "duration", "index"):  # field names in the JSON of the shots, not in a prompt
        shots = sa.func.replace(shots, f'"{name}"', "")
    conditions: list[sa.ColumnElement[bool]] = []
    for word in sanitised(selection.text).split():
        # The shots are searched as JSON text, where a character may be escaped.
        escaped = json.dumps(word)[1:-1]
        matches = [prompt.icontains(word, autoescape=True), shots.icontains(word, autoescape=True)]
        if escaped != word:
            matches.append(shots.icontains(escaped, autoescape=True))
        conditions.append(sa.or_(*matches))
    if selection.model is not None:
        conditions.append(_tasks.c.model == selection.model)
    if selection.mode is not None:
        conditions.append(_mode(request) == selection.mode)
    if selection.status is not None:
        conditions.append(_tasks.c.status == selection.status)
    if selection.tag is not None:
        conditions.append(_tasks.c.key.in_(sa.select(tags.c.key).where(tags.c.tag == selection.tag)))
    if selection.rating is not None:
        conditions.append(judgements.c.rating >= selection.rating)
    if selection.unrated:
        conditions.append(judgements.c.rating.is_(None))
    if selection.since is not None:
        conditions.append(_tasks.c.submitted_at >= selection.since)
    if selection.until is not None:
        conditions.append(_tasks.c.submitted_at < selection.until)
    return conditions


def _mode(request: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return the mode of a task; for a task of a later contract, the mode with its resolution."""
    modes = {"720p": "std", "1080p": "pro"}  # contract 2026-04, "Submit: request"
    resolution = request["resolution"].as_string()
    by_resolution = sa.case(modes, value=resolution, else_=resolution)
    return sa.func.coalesce(request["mode"].as_string(), by_resolution, _default("mode"))


def _default(field: str) -> Any:
    """Return the value of a field that a request omits: one for all models, or one by the task's model.

    An earlier version omitted every field that had its default in ``models_of()``.
    """
    models = models_of()
    usual = models.other.default(field)
    own = {name: default for name, model in models.items() if (default := model.default(field)) != usual}
    return sa.case(own, value=_tasks.c.model, else_=usual) if own else usual


def _order(order: str, request: sa.ColumnElement[Any]) -> list[sa.ColumnElement[Any]]:
    newest: list[sa.ColumnElement[Any]] = [_tasks.c.submitted_at.desc(), _tasks.c.key]
    first: dict[str, list[sa.ColumnElement[Any]]] = {
        "oldest": [_tasks.c.submitted_at],
        "best": [judgements.c.rating.is_(None), judgements.c.rating.desc()],
        "model": [_tasks.c.model],
        "prompt": [request["prompt"].as_string()],
        "shuffled": [_tasks.c.key],  # random when the task was created, and the same on every page
    }
    return first.get(order, []) + newest
