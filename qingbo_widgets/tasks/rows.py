"""The journal's rows: the table of tasks, how it is made, and every statement that reads or writes it.

A statement is made once, so SQLAlchemy compiles it once, and running it costs little more than SQLite does.
Only imported when a row is read or written, see ``journal``.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable

from ..i18n import tr
from ..service.snapshot import TaskStatus
from .journal import PATIENCE, foreign, in_words
from .library import ENDED, Entry

__all__ = ["SELECT", "Moment", "Rows", "open_database", "tasks"]


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


class Fields(sa.TypeDecorator[dict[str, Any]]):
    """A request or an error by its fields, as a JSON object; anything else is as none."""

    impl = sa.JSON
    cache_ok = True

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """As in JSON, which a field is taken out of."""
        return self.impl_instance.coerce_compared_value(op, value)

    def process_result_value(self, value: Any, dialect: object) -> dict[str, Any] | None:  # noqa: ARG002
        """What is an object."""
        return value if isinstance(value, dict) else None


_metadata = sa.MetaData()
tasks = sa.Table(
    "tasks",
    _metadata,
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
    # Which kernel follows the task, and until when that is believed of it without another sign of life.
    sa.Column("holder", sa.String),
    sa.Column("held_until", Moment),
)

_COLUMNS = tuple(item.name for item in fields(Entry))
_OF_KEY = tasks.c.key == sa.bindparam("this_key")
_OF_HOLDER = tasks.c.holder == sa.bindparam("this_holder")
_IS_OPEN = tasks.c.status.not_in(ENDED)
_IS_FREE = sa.or_(tasks.c.holder.is_(None), _OF_HOLDER, tasks.c.held_until < sa.bindparam("now"))
_IS_COMPLETED = tasks.c.status == TaskStatus.completed.value
_NEWEST_FIRST = tasks.c.submitted_at.desc(), tasks.c.key

SELECT = sa.select(*(tasks.c[name] for name in _COLUMNS))
_GET = SELECT.where(_OF_KEY)
_FIND = SELECT.where(
    tasks.c.task_id == sa.bindparam("this_task"), tasks.c.service == sa.bindparam("this_service")
)
_ADD = tasks.insert()
_UPDATE = tasks.update().where(_OF_KEY)
_UPDATE_OPEN = _UPDATE.where(_IS_OPEN)
_HOLD = _UPDATE.where(_IS_FREE)
_HOLDING = sa.select(tasks.c.holder, tasks.c.held_until).where(_OF_KEY, tasks.c.holder.is_not(None))
_OF_THIS_HOLDER = tasks.update().where(_OF_HOLDER)
_RELEASE = _OF_THIS_HOLDER.where(_OF_KEY)
_DURATIONS = (
    sa.select(tasks.c.request, tasks.c.created_at, tasks.c.completed_at)
    .where(tasks.c.service == sa.bindparam("this_service"), tasks.c.model == sa.bindparam("this_model"))
    .where(_IS_COMPLETED, tasks.c.completed_at > tasks.c.created_at, tasks.c.request.is_not(None))
    .order_by(tasks.c.submitted_at.desc())
    .limit(sa.bindparam("most"))
)


class Rows:
    """The rows within one transaction; what its methods mean, ``Library`` tells.

    Args:
        connection: in the transaction.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, entry: Entry, holder: str | None, until: datetime) -> None:
        """A new row, held until then."""
        row = {name: getattr(entry, name) for name in _COLUMNS}
        self._connection.execute(_ADD, row | {"holder": holder, "held_until": until})

    def update(self, key: str, columns: Mapping[str, Any], *, even_ended: bool) -> None:
        """Change a row, or only one that has not ended."""
        self._connection.execute(_UPDATE if even_ended else _UPDATE_OPEN, {"this_key": key, **columns})

    def hold(self, key: str, holder: str, until: datetime) -> bool:
        """Hold a row, unless another one does."""
        whose = {"this_key": key, "this_holder": holder, "now": datetime.now(UTC)}
        return self._connection.execute(_HOLD, whose | _held(holder, until)).rowcount == 1

    def holding(self, key: str) -> tuple[str, datetime | None] | None:
        """Who holds a row, and until when."""
        row = self._connection.execute(_HOLDING, {"this_key": key}).first()
        return None if row is None else (row.holder, row.held_until)

    def renew(self, holder: str, until: datetime) -> None:
        """Hold all of the holder's rows until then."""
        self._connection.execute(_OF_THIS_HOLDER, {"this_holder": holder} | _held(holder, until))

    def release(self, holder: str, key: str | None) -> None:
        """Hold one of the holder's rows no more, or all of them."""
        whose = {"this_holder": holder} if key is None else {"this_holder": holder, "this_key": key}
        self._connection.execute(_OF_THIS_HOLDER if key is None else _RELEASE, whose | _held(None, None))

    def be_patient(self, seconds: float) -> None:
        """Wait so long at most while another kernel writes."""
        if self._connection.dialect.name == "sqlite":
            self._connection.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * seconds:.0f}")

    def get(self, key: str) -> Entry | None:
        """The row of this key."""
        return self._first(_GET, this_key=key)

    def find(self, task_id: str, service: str) -> Entry | None:
        """The row of this task."""
        return self._first(_FIND, this_task=task_id, this_service=service)

    def entries(
        self, service: str | None, status: str | None, unfinished: bool, limit: int | None, offset: int
    ) -> list[Entry]:
        """The rows, newest first."""
        query = SELECT.order_by(*_NEWEST_FIRST).limit(limit).offset(offset)
        if service is not None:
            query = query.where(tasks.c.service == service)
        if status is not None:
            query = query.where(tasks.c.status == status)
        if unfinished:
            query = query.where(sa.or_(_IS_OPEN, sa.and_(_IS_COMPLETED, tasks.c.file.is_(None))))
        return [Entry(**row) for row in self._connection.execute(query).mappings()]

    def durations(self, service: str, model: str, most: int) -> Generator[tuple[Any, timedelta]]:
        """The request and how long it took, of the model's latest completed tasks."""
        of = {"this_service": service, "this_model": model, "most": most}
        with self._connection.execute(_DURATIONS, of) as found:
            for request, made, done in found:
                yield request, done - made

    def _first(self, query: sa.Select[Any], **of: str) -> Entry | None:
        row = self._connection.execute(query, of).mappings().first()
        return None if row is None else Entry(**row)


def open_database(path: Path, database: str | None) -> sa.Engine:
    """Open the journal at a path, or a database elsewhere; makes what is not there yet.

    Raises:
        QingboError: it is damaged, or somebody else's; it was left as it is.
        OSError, sqlalchemy.exc.SQLAlchemyError: it cannot be read or made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    url = database or sa.URL.create("sqlite", database=str(path))
    arguments = {"connect_args": {"timeout": PATIENCE}} if database is None else {}
    # No pool: a connection that nobody uses is closed, and with it the file. A text that is no JSON costs its
    # own column and not the whole row.
    engine = sa.create_engine(url, poolclass=NullPool, json_deserializer=_lenient, **arguments)
    with in_words(path), engine.begin() as connection:
        inspector = sa.inspect(connection)
        names = inspector.get_table_names()
        if tasks.name in names:
            missing = set(tasks.columns.keys()) - {
                column["name"] for column in inspector.get_columns(tasks.name)
            }
            if missing:
                listed = ", ".join(sorted(missing))
                raise foreign(path, tr("its tasks have no {columns}").format(columns=listed))
        elif names and database is None:
            raise foreign(path, tr("it holds {tables}").format(tables=", ".join(names[:3])))
        else:
            connection.execute(CreateTable(tasks, if_not_exists=True))
            for index in sorted(tasks.indexes, key=lambda index: str(index.name)):
                connection.execute(CreateIndex(index, if_not_exists=True))
    return engine


def _held(holder: str | None, until: datetime | None) -> dict[str, Any]:
    return {"holder": holder, "held_until": until}


def _lenient(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
