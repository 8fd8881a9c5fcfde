"""The journal's table, how it is opened, and what its troubles mean to a person.

SQLite in the folder by default, any database SQLAlchemy knows else. A row is on the disk when its
transaction ends. One that was being written when the machine died is undone by SQLite at the next opening.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable

from ..exceptions import QingboError

__all__ = ["JOURNAL", "in_short", "in_words", "open_journal", "tasks"]

JOURNAL = "library.sqlite"
#: SQLite's codes for a file that it can make nothing of: damaged, and never a database.
_BROKEN = (11, 26)
#: Seconds to wait while another kernel writes.
_PATIENCE = 30.0

_DAMAGED = (
    "The journal {path} is damaged ({reason}). Nothing in it was changed. Move it away, or "
    "connect(library=…) elsewhere: the videos beside it are whole, and resume(id) takes up any task of the "
    "service's dashboard."
)
_FOREIGN = (
    "{path} is not a journal of qingbo_widgets ({reason}), so it was left as it is. connect(library=…) with "
    "another folder makes one there."
)


class Moment(sa.TypeDecorator[datetime]):
    """A moment as Unix seconds in the database, as an aware UTC datetime outside it."""

    impl = sa.Float
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> float | None:  # noqa: ARG002
        """To Unix seconds."""
        return None if value is None else value.timestamp()

    def process_result_value(self, value: Any, dialect: object) -> datetime | None:  # noqa: ARG002
        """From Unix seconds; what is none of any year is as none."""
        try:
            return None if value is None else datetime.fromtimestamp(value, UTC)
        except (TypeError, ValueError, OverflowError, OSError):
            return None


_metadata = sa.MetaData()
tasks = sa.Table(
    "tasks",
    _metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("service", sa.String, nullable=False),
    sa.Column("task_id", sa.String, nullable=False, default="", index=True),
    sa.Column("model", sa.String, nullable=False, default=""),
    sa.Column("request", sa.JSON(none_as_null=True)),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("progress", sa.Integer, nullable=False, default=0),
    sa.Column("submitted_at", Moment, nullable=False, index=True),
    sa.Column("created_at", Moment),
    sa.Column("completed_at", Moment),
    sa.Column("file", sa.String),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("cost", sa.Integer),
    # Which kernel follows the task, and until when that is believed of it without another sign of life.
    sa.Column("holder", sa.String),
    sa.Column("held_until", Moment),
)


def open_journal(folder: Path, database: str | None) -> sa.Engine:
    """Open the journal of a folder, or a database elsewhere; makes what is not there yet.

    Raises:
        QingboError: it is damaged, or somebody else's; it was left as it is.
        OSError, sqlalchemy.exc.SQLAlchemyError: it cannot be read or made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    url = database or sa.URL.create("sqlite", database=str(folder / JOURNAL))
    arguments = {"connect_args": {"timeout": _PATIENCE}} if database is None else {}
    # No pool: no file stays open between two calls, so that a folder can be moved or removed at any time, on
    # Windows too. A text that is no JSON costs its own column and not the whole row.
    engine = sa.create_engine(url, poolclass=NullPool, json_deserializer=_lenient, **arguments)
    with in_words(folder / JOURNAL), engine.begin() as connection:
        inspector = sa.inspect(connection)
        names = inspector.get_table_names()
        if tasks.name in names:
            missing = set(tasks.columns.keys()) - {
                column["name"] for column in inspector.get_columns(tasks.name)
            }
            if missing:
                raise _foreign(folder, f"its tasks have no {', '.join(sorted(missing))}")
        elif names and database is None:
            raise _foreign(folder, f"it holds {', '.join(names[:3])}")
        else:
            connection.execute(CreateTable(tasks, if_not_exists=True))
            for index in sorted(tasks.indexes, key=lambda index: str(index.name)):
                connection.execute(CreateIndex(index, if_not_exists=True))
    return engine


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Say of a damaged journal what it is and what to do; every other trouble goes by."""
    try:
        yield
    except DatabaseError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF not in _BROKEN:
            raise
        reason = in_short(error)
    else:
        return
    raise QingboError(_DAMAGED.format(path=path, reason=reason))


def in_short(error: Exception) -> str:
    """What an error says, without the SQL, the values and the links that SQLAlchemy adds."""
    cause = error.orig if isinstance(error, DatabaseError) else None
    words = str(cause or error) or type(error).__name__
    return words.splitlines()[0] if isinstance(error, SQLAlchemyError) else words


def _foreign(folder: Path, reason: str) -> QingboError:
    return QingboError(_FOREIGN.format(path=folder / JOURNAL, reason=reason))


def _lenient(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
