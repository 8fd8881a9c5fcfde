"""The rows of the journal's tasks: every statement that reads or writes one.

A statement is made once, so SQLAlchemy compiles it once, and running it costs little more than SQLite does.
Only imported when a row is read or written, see ``journal``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ...service.contract.models import DEFAULT_CONTRACT
from ...service.contract.service_names import normalised
from ...service.contract.snapshot import TaskStatus
from ..entry import ENDED, Entry, IdTaken
from ..merging import merged
from .tables import tasks

__all__ = ["SELECT", "Rows", "read_row", "text_of"]

#: Of a row whose time of submission is none.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
#: Neither SQLite nor PostgreSQL keeps a larger integer; the column of the latter takes fewer.
_LARGEST = 2**31


_COLUMNS = tuple(item.name for item in fields(Entry))
_OF_KEY = tasks.c.key == sa.bindparam("this_key")
_OF_HOLDER = tasks.c.holder == sa.bindparam("this_holder")
_IS_OPEN = tasks.c.status.not_in(ENDED)
_IS_FREE = sa.or_(tasks.c.holder.is_(None), _OF_HOLDER, tasks.c.held_until < sa.bindparam("now"))
_IS_COMPLETED = tasks.c.status == TaskStatus.completed.value
_NEWEST_FIRST = tasks.c.submitted_at.desc(), tasks.c.key

SELECT = sa.select(*(tasks.c[name] for name in _COLUMNS))
_GET = SELECT.where(_OF_KEY)
_OF_SERVICES = tasks.c.service.in_(sa.bindparam("these_services", expanding=True))
_FIND = SELECT.where(tasks.c.task_id == sa.bindparam("this_task"))
#: PostgreSQL's lock of a name, until the transaction ends.
_TURN = sa.text("SELECT pg_advisory_xact_lock(hashtext(:this_task))")
_ADD = tasks.insert()
_UPDATE = tasks.update().where(_OF_KEY)
_UPDATE_OPEN = _UPDATE.where(_IS_OPEN)
_TOUCH = _UPDATE.values(key=tasks.c.key)
_HOLD = _UPDATE.where(_IS_FREE)
_CLAIM = _HOLD.where(tasks.c.task_id == "")
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
        self._connection.execute(_ADD, _columns(entry) | {"holder": holder, "held_until": until})

    def put(self, entry: Entry, holder: str | None, until: datetime) -> None:
        """Write what is known of a task into its row, or into a new one, which is then held until then."""
        # A change that changes nothing: it locks the row, so that no other kernel writes before we do.
        if not self._connection.execute(_TOUCH, {"this_key": entry.key}).rowcount:
            self._check_id(entry)
            return self.add(entry, holder, until)
        row = self.get(entry.key)
        whole = entry if row is None else merged(row, entry)
        if row is None or row.task_id != whole.task_id:
            self._check_id(whole)
        columns = {name: value for name, value in _columns(whole).items() if name not in ("key", "service")}
        self._connection.execute(_UPDATE, {"this_key": entry.key, **columns})
        return None

    def claim(self, entry: Entry, holder: str, until: datetime) -> bool:
        """Hold a row as one that is being submitted, written anew if there is none.

        ``False`` if another kernel holds it, or the task has an id already.
        """
        whose = {"this_key": entry.key, "this_holder": holder, "now": datetime.now(UTC)}
        opened = {"status": entry.status, "submitted_at": entry.submitted_at, "error": None}
        if self._connection.execute(_CLAIM, whose | opened | _held(holder, until)).rowcount:
            return True
        if self.get(entry.key) is not None:
            return False
        self.add(entry, holder, until)
        return self.get(entry.key) is not None  # a trigger of another program may have its own mind

    def update(self, key: str, columns: Mapping[str, Any], *, even_ended: bool) -> bool:
        """Change a row, or only one that has not ended; ``False`` if there is no row."""
        query = _UPDATE if even_ended else _UPDATE_OPEN
        changed = self._connection.execute(query, {"this_key": key, **columns}).rowcount
        return bool(changed or self._connection.execute(_TOUCH, {"this_key": key}).rowcount)

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
        elif self._connection.dialect.name == "postgresql":
            self._connection.exec_driver_sql(f"SET LOCAL lock_timeout = {1000 * seconds:.0f}")

    def get(self, key: str) -> Entry | None:
        """The row of this key."""
        return self._first(_GET, this_key=key)

    def find(self, task_id: str, service: str) -> Entry | None:
        """The row of this task."""
        return next(self._of_task(task_id, service), None)

    def rival(self, task_id: str, service: str, key: str) -> Entry | None:
        """The row of another submission with this id."""
        rivals = (
            row for row in self._of_task(task_id, service) if row.key != key and row.request is not None
        )
        return next(rivals, None)

    def entries(
        self, service: str | None, status: str | None, unfinished: bool, limit: int | None, offset: int
    ) -> list[Entry]:
        """The rows, newest first."""
        values: dict[str, Any] = {}
        query = SELECT.order_by(*_NEWEST_FIRST).limit(limit).offset(offset)
        if service is not None:
            query = query.where(_OF_SERVICES)
            values["these_services"] = self._spellings(service)
        if status is not None:
            query = query.where(tasks.c.status == status)
        if unfinished:
            query = query.where(sa.or_(_IS_OPEN, sa.and_(_IS_COMPLETED, tasks.c.file.is_(None))))
        return [read_row(row) for row in self._connection.execute(query, values).mappings()]

    def durations(self, service: str, model: str, most: int) -> Generator[tuple[Any, timedelta]]:
        """The request and how long it took, of the model's latest completed tasks."""
        of = {"this_service": service, "this_model": model, "most": most}
        with self._connection.execute(_DURATIONS, of) as found:
            for request, made, done in found:
                if made is not None and done is not None:  # else it is no time, in a damaged row
                    yield request, done - made

    def _of_task(self, task_id: str, service: str) -> Iterator[Entry]:
        found = map(read_row, self._connection.execute(_FIND, {"this_task": task_id}).mappings())
        return (entry for entry in found if entry.service == normalised(service))

    def _check_id(self, entry: Entry) -> None:
        """Refuse an id that another submission has, by its row; only one kernel at a time gets past here.

        Raises:
            IdTaken: it has.
        """
        if not entry.task_id or entry.request is None:
            return
        if self._connection.dialect.name == "postgresql":  # SQLite lets only one write anyway
            self._connection.execute(_TURN, {"this_task": entry.task_id})
        if self.rival(entry.task_id, entry.service, entry.key) is not None:
            raise IdTaken(entry.task_id)

    def _spellings(self, service: str) -> list[str]:
        """Return the names that a service has in the rows: earlier versions wrote its URL as it was given."""
        found = self._connection.execute(sa.select(tasks.c.service).distinct()).scalars()
        return [name for name in found if isinstance(name, str) and normalised(name) == normalised(service)]

    def _first(self, query: sa.Select[Any], **of: str) -> Entry | None:
        row = self._connection.execute(query, of).mappings().first()
        return None if row is None else read_row(row)


def read_row(row: sa.RowMapping) -> Entry:
    """Return a row as an entry. SQLite keeps any value in any column: one of another type is left out."""
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    for name in ("key", "service", "task_id", "model", "status"):
        values[name] = text_of(values[name])
    if not values["status"].strip() or not values["status"].isprintable():
        values["status"] = TaskStatus.unconfirmed.value
    values["service"] = normalised(values["service"])
    values["file"] = text_of(values["file"]) or None
    values["contract"] = text_of(values["contract"]) or DEFAULT_CONTRACT
    for name, default in (("progress", 0), ("cost", None)):
        if type(values[name]) is not int:
            values[name] = default
    values["submitted_at"] = values["submitted_at"] or _LONG_AGO
    return Entry(**values)


def text_of(value: object) -> str:
    """Return a text as it is, bytes as the text that they spell, and nothing for anything else."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def _columns(entry: Entry) -> dict[str, Any]:
    """Return the columns of a row. What a database cannot hold must not cost the row of a paid task."""
    row = {name: getattr(entry, name) for name in _COLUMNS} | {"service": normalised(entry.service)}
    for name in ("task_id", "model", "status"):
        row[name] = row[name].replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if entry.cost is not None and not -_LARGEST <= entry.cost < _LARGEST:
        row["cost"] = None
    return row


def _held(holder: str | None, until: datetime | None) -> dict[str, Any]:
    return {"holder": holder, "held_until": until}
