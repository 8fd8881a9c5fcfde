"""The version of a journal, derived from its tables: an older one, this one, a newer one, or none yet."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from ...i18n import tr
from .damage import foreign
from .revisions import REVISIONS, VERSION_TABLE, latest

__all__ = ["Location", "revision_of", "version_table"]

#: The tables of version 0.1.0, which stored no revision in its journals.
_FIRST_COLUMNS = {
    "tasks": {
        "key", "service", "task_id", "model", "request", "status", "progress", "submitted_at", "created_at",
        "completed_at", "file", "error", "cost", "holder", "held_until",
    },
    "judgements": {"key", "rating", "note", "judged_at"},
    "tags": {"key", "tag"},
    "preferences": {"id", "better", "worse", "judged_at"},
    "sweeps": {"name", "service", "axes", "skipped", "max_running", "made_at"},
    "sweep_cells": {"sweep", "service", "number", "values", "request", "key", "is_dropped"},
}  # fmt: skip
version_table = sa.Table(
    VERSION_TABLE,
    sa.MetaData(),
    # As Alembic creates it.
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)


@dataclass(frozen=True)
class Location:
    """The location of a journal.

    Attributes:
        name: the journal's name in messages.
        is_shared: True if other programs may have tables in the same database.
    """

    name: str
    is_shared: bool


def revision_of(connection: sa.Connection, location: Location) -> str | None:
    """Return the journal's revision; ``None`` if the journal has not been created yet.

    Raises:
        QingboError: the database belongs to another program.
    """
    inspector = sa.inspect(connection)
    if inspector.has_table(VERSION_TABLE):
        number = version_table.c.version_num
        rows = connection.execute(sa.select(number).where(number.is_not(None)))
        if (revision := latest(str(name) for name in rows.scalars())) is not None:
            return revision
    names, views = inspector.get_table_names(), inspector.get_view_names()
    for table, columns in _FIRST_COLUMNS.items():
        if table not in (*names, *views):
            continue
        missing = columns - {column["name"] for column in inspector.get_columns(table)}
        if table in views or missing:
            reason = tr("its table {table} is a different one")
            raise foreign(location.name, reason.format(table=table))
    if "tasks" in names:
        return REVISIONS[0]
    if names and not location.is_shared:
        raise foreign(location.name, tr("it holds {tables}").format(tables=", ".join(names[:3])))
    return None
