"""The rows of the journal's tasks: every statement that reads or writes one.

A statement is made once, so SQLAlchemy compiles it once, and running it costs little more than SQLite does.
Only imported when a row is read or written, see ``journal``.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..service.snapshot import TaskStatus
from .library import ENDED, Entry
from .merging import merged
from .tables import tasks

__all__ = ["SELECT", "Rows"]


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
        row = {name: getattr(entry, name) for name in _COLUMNS}
        self._connection.execute(_ADD, row | {"holder": holder, "held_until": until})

    def put(self, entry: Entry, holder: str | None, until: datetime) -> None:
        """Write what is known of a task into its row, or into a new one, which is then held until then."""
        # A change that changes nothing: it locks the row, so that no other kernel writes before we do.
        if not self._connection.execute(_TOUCH, {"this_key": entry.key}).rowcount:
            return self.add(entry, holder, until)
        row = self.get(entry.key)
        whole = entry if row is None else merged(row, entry)
        columns = {name: getattr(whole, name) for name in _COLUMNS if name not in ("key", "service")}
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
        return True

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


def _held(holder: str | None, until: datetime | None) -> dict[str, Any]:
    return {"holder": holder, "held_until": until}
