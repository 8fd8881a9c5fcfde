"""The task rows of the journal, and every statement that reads or writes them.

Each statement is built once, so SQLAlchemy compiles it once, and running it costs little more than SQLite
itself. This module is only imported when a row is read or written, see ``journal``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ...service.contract.models import DEFAULT_CONTRACT
from ...service.contract.service_names import normalised
from ...service.contract.snapshot import TaskStatus
from ..entry import ENDED, Entry, IdTaken
from ..merging import merged
from .derived import derived_from
from .settings import UNFINISHED
from .tables import Moment, tasks

__all__ = ["COLUMNS", "LONG_AGO", "NEWEST_FIRST", "SELECT", "Rows", "read_row", "status_of", "text_of"]

#: The submission time of a row whose stored time is invalid.
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
#: The first value that does not fit PostgreSQL's integer column; SQLite's is larger.
_INTEGER_LIMIT = 2**31
#: Maximum characters of the model and of the status, of up to four bytes each.
_LONGEST_INDEXED = 200


#: The columns from which the length of the video is read.
_TO_LENGTH = ("request", "model", "contract")
COLUMNS = tuple(item.name for item in fields(Entry))
_OF_KEY = tasks.c.key == sa.bindparam("this_key")
_OF_HOLDER = tasks.c.holder == sa.bindparam("this_holder")
_IS_OPEN = tasks.c.status.not_in(ENDED)
_IS_FREE = sa.or_(tasks.c.holder.is_(None), _OF_HOLDER, tasks.c.held_until < sa.bindparam("now"))
_IS_UNFINISHED = sa.text(f"({UNFINISHED})")
_IS_COMPLETED = tasks.c.status == TaskStatus.completed.value
NEWEST_FIRST = tasks.c.submitted_at.desc(), tasks.c.key

SELECT = sa.select(*(tasks.c[name] for name in COLUMNS))
_GET = SELECT.where(_OF_KEY)
_OF_SERVICES = tasks.c.service.in_(sa.bindparam("these_services", expanding=True))
_FIND = SELECT.where(tasks.c.task_id == sa.bindparam("this_task"))
#: PostgreSQL's lock on a name, held until the transaction ends.
_LOCK_ID = sa.text("SELECT pg_advisory_xact_lock(hashtext(:this_task))")
_ADD = tasks.insert()
_UPDATE = tasks.update().where(_OF_KEY)
_UPDATE_OPEN = _UPDATE.where(_IS_OPEN)
_TOUCH = _UPDATE.values(key=tasks.c.key)
_HOLD = _UPDATE.where(_IS_FREE)
#: The earlier of the stored time and the given one, of which either may be missing.
_FIRST_SUBMITTED = sa.case(
    (
        sa.or_(
            tasks.c.first_submitted_at.is_(None),
            tasks.c.first_submitted_at > sa.bindparam("this_first", type_=Moment),
        ),
        sa.bindparam("this_first", type_=Moment),
    ),
    else_=tasks.c.first_submitted_at,
)
_CLAIM = _HOLD.where(tasks.c.task_id == "").values(first_submitted_at=_FIRST_SUBMITTED)
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
    """The task rows within one transaction; see the methods of ``Library``.

    Args:
        connection: a connection in the transaction.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, entry: Entry, holder: str | None, until: datetime) -> None:
        """Add a row; ``holder`` holds it until the given time, and no kernel if it is ``None``."""
        self._connection.execute(_ADD, _columns(entry) | {"holder": holder, "held_until": until})

    def put(self, entry: Entry, holder: str | None, until: datetime) -> None:
        """Merge a task into its row; if there is none, add it as ``add`` does."""
        # This UPDATE changes nothing, but locks the row, so that no other kernel writes first.
        if not self._connection.execute(_TOUCH, {"this_key": entry.key}).rowcount:
            self._check_id(entry)
            return self.add(entry, holder, until)
        row = self.get(entry.key)
        whole = entry if row is None else merged(row, entry)
        if row is None or row.task_id != whole.task_id:
            self._check_id(whole)
        columns = {name: value for name, value in _columns(whole).items() if name not in ("key", "service")}
        if row is not None and row.request != whole.request:
            columns["search_id"] = None
        if row is None or any(getattr(row, name) != getattr(whole, name) for name in _TO_LENGTH):
            columns["seconds"] = None
        self._connection.execute(_UPDATE, {"this_key": entry.key, **columns})
        return None

    def claim(self, entry: Entry, holder: str, until: datetime) -> bool:
        """Hold the row of a task that is being submitted, and add it if it is missing.

        The row keeps the earliest time of a first submission, and gets the contract of this one.

        Returns:
            ``False`` if another kernel holds the row, the task has an id already, or the database has
            discarded the new row.
        """
        values = {"this_key": entry.key, "this_holder": holder, "now": datetime.now(UTC)}
        values["this_first"] = entry.first_submitted_at
        reset = {"status": entry.status, "error": None, "submitted_at": entry.submitted_at}
        reset |= {"contract": entry.contract, "seconds": None}
        if self._connection.execute(_CLAIM, values | reset | _held(holder, until)).rowcount:
            return True
        if self.get(entry.key) is not None:
            return False
        self.add(entry, holder, until)
        return self.get(entry.key) is not None  # a trigger of another program may discard it

    def update(self, key: str, columns: Mapping[str, Any], *, even_ended: bool) -> bool:
        """Change a row, unless it has ended and ``even_ended`` is false; return whether the row exists."""
        query, values = _UPDATE if even_ended else _UPDATE_OPEN, _shortened(columns)
        if "request" in columns:
            values |= derived_from(columns["request"]) | {"search_id": None}
        if not columns.keys().isdisjoint(_TO_LENGTH):
            values["seconds"] = None
        changed = self._connection.execute(query, {"this_key": key, **values}).rowcount
        return bool(changed or self._connection.execute(_TOUCH, {"this_key": key}).rowcount)

    def hold(self, key: str, holder: str, until: datetime) -> bool:
        """Hold a row, unless another kernel holds it; return whether it is held now."""
        values = {"this_key": key, "this_holder": holder, "now": datetime.now(UTC)}
        return self._connection.execute(_HOLD, values | _held(holder, until)).rowcount == 1

    def current_hold(self, key: str) -> tuple[str, datetime | None] | None:
        """Return the holder of a row, and when its hold ends."""
        row = self._connection.execute(_HOLDING, {"this_key": key}).first()
        return None if row is None else (row.holder, row.held_until)

    def renew(self, holder: str, until: datetime) -> None:
        """Extend the hold on all of the holder's rows until a time."""
        self._connection.execute(_OF_THIS_HOLDER, {"this_holder": holder} | _held(holder, until))

    def release(self, holder: str, key: str | None) -> None:
        """Release one of the holder's rows, or all of them."""
        values = {"this_holder": holder} if key is None else {"this_holder": holder, "this_key": key}
        self._connection.execute(_OF_THIS_HOLDER if key is None else _RELEASE, values | _held(None, None))

    def set_lock_timeout(self, seconds: float) -> None:
        """Limit the wait for another kernel that writes."""
        if self._connection.dialect.name == "sqlite":
            self._connection.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * seconds:.0f}")
        elif self._connection.dialect.name == "postgresql":
            self._connection.exec_driver_sql(f"SET LOCAL lock_timeout = {1000 * seconds:.0f}")

    def get(self, key: str) -> Entry | None:
        """Return the row of this key."""
        return self._first(_GET, this_key=key)

    def find(self, task_id: str, service: str) -> Entry | None:
        """Return the row of this task id."""
        return next(self._of_task(task_id, service), None)

    def other_submission(self, task_id: str, service: str, key: str) -> Entry | None:
        """Return the row of another submission with this id."""
        rivals = (
            row for row in self._of_task(task_id, service) if row.key != key and row.request is not None
        )
        return next(rivals, None)

    def entries(
        self, service: str | None, status: str | None, unfinished: bool, limit: int | None, offset: int
    ) -> list[Entry]:
        """Return the rows, newest first."""
        values: dict[str, Any] = {}
        query = SELECT.order_by(*NEWEST_FIRST).limit(limit).offset(offset)
        if service is not None:
            query = query.where(_OF_SERVICES)
            values["these_services"] = self._spellings(service, unfinished=unfinished)
        if status is not None:
            query = query.where(tasks.c.status == status)
        if unfinished:
            query = query.where(_IS_UNFINISHED)
        return [read_row(row) for row in self._connection.execute(query, values)]

    def durations(self, service: str, model: str, most: int) -> Generator[tuple[Any, timedelta]]:
        """Yield the request and the duration of each of the model's latest completed tasks."""
        values = {"this_service": service, "this_model": model, "most": most}
        with self._connection.execute(_DURATIONS, values) as results:
            for request, created, completed in results:
                if created is not None and completed is not None:  # a damaged row may have an invalid time
                    yield request, completed - created

    def _of_task(self, task_id: str, service: str) -> Iterator[Entry]:
        entries = map(read_row, self._connection.execute(_FIND, {"this_task": task_id}))
        return (entry for entry in entries if entry.service == normalised(service))

    def _check_id(self, entry: Entry) -> None:
        """Reject an id that the row of another submission has; only one kernel at a time passes this check.

        Raises:
            IdTaken: another submission has the id.
        """
        if not entry.task_id or entry.request is None:
            return
        if self._connection.dialect.name == "postgresql":  # SQLite allows only one writer anyway
            self._connection.execute(_LOCK_ID, {"this_task": entry.task_id})
        if self.other_submission(entry.task_id, entry.service, entry.key) is not None:
            raise IdTaken(entry.task_id)

    def _spellings(self, service: str, *, unfinished: bool) -> list[str]:
        """Return a service's names in the rows: earlier versions stored its URL as the user spelled it."""
        query = sa.select(tasks.c.service).distinct()
        names = self._connection.execute(query.where(_IS_UNFINISHED) if unfinished else query).scalars()
        return [name for name in names if isinstance(name, str) and normalised(name) == normalised(service)]

    def _first(self, query: sa.Select[Any], **values: str) -> Entry | None:
        row = self._connection.execute(query, values).first()
        return None if row is None else read_row(row)


def read_row(row: Sequence[Any]) -> Entry:
    """Return a row as an entry, without values of a wrong type: SQLite stores any value in any column.

    Args:
        row: the columns of ``SELECT``, and maybe others after them.
    """
    values: dict[str, Any] = dict(zip(COLUMNS, row, strict=False))
    for name in ("key", "service", "task_id", "model"):
        values[name] = text_of(values[name])
    values["status"] = status_of(values["status"])
    values["service"] = normalised(values["service"])
    values["file"] = text_of(values["file"]) or None
    values["contract"] = text_of(values["contract"]) or DEFAULT_CONTRACT
    values["billing_status"] = text_of(values["billing_status"])
    for name, default in (("progress", 0), ("cost", None), ("frozen", None)):
        if type(values[name]) is not int:
            values[name] = default
    values["submitted_at"] = values["submitted_at"] or LONG_AGO
    return Entry(**values)


def status_of(value: object) -> str:
    """Return a status unchanged; the one of an unconfirmed task for anything that is no word."""
    status = text_of(value)
    return status if status.strip() and status.isprintable() else TaskStatus.unconfirmed.value


def text_of(value: object) -> str:
    """Return text unchanged, bytes decoded, and an empty text for anything else."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def _columns(entry: Entry) -> dict[str, Any]:
    """Return the columns of a row. A value that no database can store must not lose a paid task's row."""
    row = {name: getattr(entry, name) for name in COLUMNS} | {"service": normalised(entry.service)}
    for name in ("task_id", "model", "status", "billing_status"):
        row[name] = row[name].replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    for name in ("cost", "frozen"):
        if row[name] is not None and not -_INTEGER_LIMIT <= row[name] < _INTEGER_LIMIT:
            row[name] = None
    return _shortened(row) | derived_from(entry.request)


def _shortened(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns whose text fits an index: PostgreSQL refuses a row with more than 2,700 bytes there."""
    return {
        name: value[:_LONGEST_INDEXED] if name in ("model", "status") else value
        for name, value in columns.items()
    }


def _held(holder: str | None, until: datetime | None) -> dict[str, Any]:
    return {"holder": holder, "held_until": until}
