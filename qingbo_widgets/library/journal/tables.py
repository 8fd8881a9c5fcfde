"""The tables of the journal, as this version of the package reads and writes them.

A change here needs a migration in ``migrations/versions``, so that older journals get it too.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from .settings import UNFINISHED

__all__ = [
    "YEARS",
    "budgets",
    "cells",
    "judgements",
    "ledger",
    "metadata",
    "preferences",
    "row_id",
    "sweeps",
    "tags",
    "tasks",
]


#: The years of a task or a file. Near the ends of the calendar, a conversion to local time is an
#: ``OverflowError``.
YEARS = range(1900, 3000)


class Moment(sa.TypeDecorator[datetime]):
    """A time: Unix seconds in the database, an aware UTC datetime in Python."""

    impl = sa.Float
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> float | None:  # noqa: ARG002
        """Convert to Unix seconds."""
        return None if value is None else value.timestamp()

    def process_result_value(self, value: Any, dialect: object) -> datetime | None:  # noqa: ARG002
        """Convert from Unix seconds; a time that no task can have becomes ``None``."""
        try:
            moment = None if value is None else datetime.fromtimestamp(value, UTC)
        except (TypeError, ValueError, OverflowError, OSError):
            return None
        return moment if moment is not None and moment.year in YEARS else None


class Fields(sa.TypeDecorator[dict[str, Any]]):
    """The fields of a request or an error as a JSON object; any other JSON is read as ``None``."""

    impl = sa.JSON
    cache_ok = True

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """Compare like the underlying JSON, so that its fields can be queried."""
        return self.impl_instance.coerce_compared_value(op, value)

    def process_result_value(self, value: Any, dialect: object) -> dict[str, Any] | None:  # noqa: ARG002
        """Return a JSON object, or ``None`` for any other value."""
        return value if isinstance(value, dict) else None


metadata = sa.MetaData()

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("service", sa.String, nullable=False),
    sa.Column("task_id", sa.String, nullable=False, default="", index=True),
    sa.Column("model", sa.String, nullable=False, default=""),
    sa.Column("request", Fields(none_as_null=True)),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("progress", sa.Integer, nullable=False, default=0),
    sa.Column("submitted_at", Moment, nullable=False, index=True),
    sa.Column("created_at", Moment),
    sa.Column("completed_at", Moment),
    sa.Column("file", sa.String),
    sa.Column("error", Fields(none_as_null=True)),
    sa.Column("cost", sa.Integer),
    # The kernel that follows the task, and when it counts as dead unless it renews the hold.
    sa.Column("holder", sa.String),
    sa.Column("held_until", Moment),
    # The date of the service's contract; NULL stands for the first one, 2026-04.
    sa.Column("contract", sa.String),
    sa.Column("frozen", sa.Integer),
    sa.Column("billing_status", sa.String),
    # NULL for a task that was submitted once, at submitted_at, or again after a refusal.
    sa.Column("first_submitted_at", Moment),
    # Derived from the request for the gallery, see ``derived``. An older version leaves all of them NULL.
    sa.Column("mode", sa.String),
    sa.Column("prompt_start", sa.String),
    # The id of the row's text in the index of ``text_index``; NULL until it is indexed.
    sa.Column("search_id", sa.Integer),
    # The length of the requested video, see ``length_column``: 0 if it is not known, NULL until it is read
    # from the request.
    sa.Column("seconds", sa.Float),
)
# The gallery walks these without reading the rows, which are many times as large.
_NEWEST = tasks.c.submitted_at.desc(), tasks.c.key
sa.Index("ix_tasks_newest", *_NEWEST, tasks.c.status, tasks.c.model, tasks.c.mode, tasks.c.search_id)
sa.Index("ix_tasks_model", tasks.c.model, *_NEWEST, tasks.c.status, tasks.c.mode)
sa.Index("ix_tasks_prompt", tasks.c.prompt_start, *_NEWEST)
sa.Index("ix_tasks_search", tasks.c.search_id)
sa.Index(
    "ix_tasks_cost",
    *(tasks.c.contract, tasks.c.cost, *_NEWEST, tasks.c.status, tasks.c.model, tasks.c.mode, tasks.c.seconds),
)
_LACKS_SECONDS = sa.text("seconds IS NULL")
sa.Index(
    "ix_tasks_seconds", tasks.c.submitted_at, sqlite_where=_LACKS_SECONDS, postgresql_where=_LACKS_SECONDS
)
_IS_UNFINISHED = sa.text(UNFINISHED)
sa.Index("ix_tasks_unfinished", tasks.c.service, sqlite_where=_IS_UNFINISHED, postgresql_where=_IS_UNFINISHED)

judgements = sa.Table(
    "judgements",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("rating", sa.Integer, index=True),
    sa.Column("note", sa.Text, nullable=False, default=""),
    sa.Column("judged_at", Moment, nullable=False),
    sa.Index("ix_judgements_rated", "rating", "key"),
)
tags = sa.Table(
    "tags",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("tag", sa.String, primary_key=True),
    sa.Index("ix_tags_tag", "tag", "key"),
)
preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("better", sa.String, nullable=False, index=True),
    sa.Column("worse", sa.String, nullable=False, index=True),
    sa.Column("judged_at", Moment, nullable=False),
)

# The amount that each submission was expected to cost, in quota, and the kernel that made it.
ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("service", sa.String, nullable=False),
    sa.Column("holder", sa.String),
    sa.Column("at", Moment, nullable=False),
    # NULL if it was not known. The source is a ``PriceSource``, and the time that of its answer.
    sa.Column("price", sa.Integer),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("price_at", Moment),
    # Whether the submission is going on. Its task may have the row of a failed one, as during an upload.
    sa.Column("is_open", sa.Boolean, nullable=False, default=False),
    # NULL while the task has a row of its own. Else its row of the tasks had these.
    sa.Column("settled", sa.Integer),
    sa.Column("contract", sa.String),
    sa.Column("model", sa.String),
    sa.Column("submitted_at", Moment),
)
# The budget of the folder, in US dollars: one row, or none.
budgets = sa.Table(
    "budgets",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("usd", sa.String, nullable=False),
    sa.Column("per", sa.String, nullable=False),
    sa.Column("unknown", sa.String, nullable=False),
)

sweeps = sa.Table(
    "sweeps",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("service", sa.String, primary_key=True),
    sa.Column("axes", sa.JSON, nullable=False),
    sa.Column("skipped", sa.JSON, nullable=False),
    sa.Column("max_running", sa.Integer, nullable=False),
    sa.Column("made_at", sa.Float, nullable=False),
)
cells = sa.Table(
    "sweep_cells",
    metadata,
    sa.Column("sweep", sa.String, primary_key=True),
    sa.Column("service", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("values", sa.JSON, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("key", sa.String),
    sa.Column("is_dropped", sa.Boolean, nullable=False, default=False),
)


def row_id(connection: sa.Connection) -> sa.ColumnElement[Any]:
    """Return the column that identifies a row of the tasks: SQLite's number of it, or else the key.

    The key of a damaged row may be no text, and then is not found by what is read of it.
    """
    return sa.literal_column("tasks.rowid") if connection.dialect.name == "sqlite" else tasks.c.key
