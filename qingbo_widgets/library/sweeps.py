"""Sweeps in the journal: their cells, and the key under which each cell was submitted.

A cell's key and its task's row are written in one transaction, before the request is sent. So a cell with a
key always has a task, even after a crash, and of two kernels that continue one sweep only one submits a cell.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..exceptions import QingboError
from ..service.contract.service_names import normalised
from ..service.contract.snapshot import TaskStatus
from .entry import Entry
from .journal.journal import Journal
from .journal.rows import Rows, text_of
from .journal.tables import cells as _cells
from .journal.tables import sweeps as _sweeps
from .requests import read_request
from .saved_errors import row_of

__all__ = ["CellRow", "SweepRow", "Sweeps"]

#: The creation time of a sweep whose stored time is invalid.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class CellRow:
    """One cell in the journal: the values of a ``Combination``, and the key of its task once it has one."""

    values: Mapping[str, Any]
    request: Mapping[str, Any]
    key: str | None = None
    is_dropped: bool = False


@dataclass(frozen=True)
class SweepRow:
    """One sweep in the journal."""

    name: str
    axes: Mapping[str, Any]
    skipped: Sequence[Any]
    max_running: int
    made_at: datetime
    cells: tuple[CellRow, ...]


class Sweeps:
    """The sweeps of one library and one service.

    Args:
        journal: the database that stores them.
        service: the service, as in the journal's task rows.
    """

    def __init__(self, journal: Journal, service: str) -> None:
        self._journal = journal
        self._service = normalised(service)
        #: The service's name in the rows, by sweep: earlier versions stored its URL as the user spelled it.
        self._spelt: dict[str, str] = {}

    def names(self) -> list[str]:
        """Return the names of the sweeps, newest first."""
        if not self._journal.exists:
            return []
        query = sa.select(_sweeps.c.name, _sweeps.c.service).order_by(_sweeps.c.made_at.desc())
        with self._journal.begin() as connection:
            rows = [(text_of(name), text_of(service)) for name, service in connection.execute(query)]
        return list(dict.fromkeys(name for name, service in rows if name and self._is_ours(service)))

    def get(self, name: str) -> SweepRow | None:
        """Return a sweep with its cells; ``None`` if there is none of this name."""
        if not self._journal.exists:
            return None
        columns = [_cells.c[item] for item in ("values", "request", "key", "is_dropped")]
        query = sa.select(*columns).where(*self._of(name)).order_by(_cells.c.number)
        mine = (_sweeps.c.name == name, _sweeps.c.service == self._spelling(name))
        with self._journal.begin() as connection:
            row = connection.execute(sa.select(_sweeps).where(*mine)).mappings().first()
            cells = tuple(_cell(cell) for cell in connection.execute(query).mappings())
        return None if row is None else _sweep(row, cells)

    def add(
        self,
        name: str,
        axes: Mapping[str, Any],
        skipped: Sequence[Any],
        max_running: int,
        cells: Sequence[CellRow],
    ) -> bool:
        """Write a new sweep, completely or not at all; return ``False`` if the name is taken."""
        fixed = {"name": name, "service": self._service, "axes": axes, "skipped": skipped}
        rows = [
            {"sweep": name, "service": self._service, "number": number, "values": cell.values,
             "request": cell.request, "key": cell.key, "is_dropped": cell.is_dropped}
            for number, cell in enumerate(cells)
        ]  # fmt: skip
        row = {**fixed, "max_running": max_running, "made_at": time.time()}
        try:
            with self._journal.begin() as connection:
                connection.execute(_sweeps.insert().values(**row))
                connection.execute(_cells.insert(), rows)
        except sa.exc.IntegrityError:
            return False
        return True

    def change(self, name: str, *, max_running: int) -> None:
        """Store the maximum number of unfinished tasks."""
        mine = (_sweeps.c.name == name, _sweeps.c.service == self._spelling(name))
        with self._journal.begin() as connection:
            connection.execute(_sweeps.update().where(*mine).values(max_running=max_running))

    def claim(
        self, name: str, number: int, row: Entry, *, before: str | None, holder: str, seconds: float
    ) -> str | None:
        """Give a cell its key and its task a row, both or neither, unless another kernel was first.

        A task that already belongs to the cell has its row, which the submission claims.

        The UPDATE of the cell decides, not a SELECT before it: of two kernels that write at the same moment,
        only one sees the change of the other.

        Args:
            name: the sweep.
            number: the cell, from 0.
            row: the task to submit.
            before: the last key of the cell that this kernel has seen.
            holder: the kernel that follows the task, as in ``Library.add``.
            seconds: the duration of its hold, as in ``Library.add``.

        Returns:
            The cell's key: this task's, or that of another kernel's task; ``None`` if the other kernel has
            dropped the cell.
        """
        cell = (*self._of(name), _cells.c.number == number)
        unchanged = (_cells.c.key.is_not_distinct_from(before), _cells.c.is_dropped.is_(False))
        with self._journal.begin() as connection:
            changed = connection.execute(_cells.update().where(*cell, *unchanged).values(key=row.key))
            if changed.rowcount == 1 and row.key == before:
                return before
            if changed.rowcount == 1:
                Rows(connection).add(row, holder, datetime.now(UTC) + timedelta(seconds=seconds))
                return row.key
            current = connection.execute(sa.select(_cells.c.key).where(*cell)).one()
        return None if current.key == before else current.key

    def mark_not_sent(self, key: str, error: QingboError, holder: str) -> None:
        """Record that a task was not sent, if ``claim`` gave it a row, and release the hold on that row."""
        columns = {"status": TaskStatus.failed.value, "error": row_of(error)}
        with self._journal.begin() as connection:
            Rows(connection).update(key, columns, even_ended=False)
            Rows(connection).release(holder, key)

    def drop(self, name: str, numbers: Sequence[int], *, is_dropped: bool = True) -> dict[int, str | None]:
        """Take cells out of the queue, or put them back.

        Returns:
            The key of each cell: another kernel may have submitted it before this change, but not after it.
        """
        cells = (*self._of(name), _cells.c.number.in_(numbers))
        keys = sa.select(_cells.c.number, _cells.c.key).where(*cells)
        with self._journal.begin() as connection:
            connection.execute(_cells.update().where(*cells).values(is_dropped=is_dropped))
            return {row.number: row.key for row in connection.execute(keys)}

    def _of(self, name: str) -> tuple[sa.ColumnElement[bool], ...]:
        return _cells.c.sweep == name, _cells.c.service == self._spelling(name)

    def _spelling(self, name: str) -> str:
        if name not in self._spelt:
            with self._journal.begin() as connection:
                query = sa.select(_sweeps.c.service).where(_sweeps.c.name == name)
                services = [text_of(service) for service in connection.execute(query).scalars()]
            ours = [service for service in services if self._is_ours(service)]
            if not ours:
                return self._service
            self._spelt[name] = self._service if self._service in ours else ours[0]
        return self._spelt[name]

    def _is_ours(self, service: str) -> bool:
        return normalised(service) == self._service


def _sweep(row: sa.RowMapping, cells: tuple[CellRow, ...]) -> SweepRow:
    """Return the readable part of a sweep, because SQLite stores any value in any column."""
    axes, skipped, limit = row["axes"], row["skipped"], row["max_running"]
    try:
        made_at = datetime.fromtimestamp(row["made_at"], UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        made_at = _LONG_AGO
    return SweepRow(
        text_of(row["name"]),
        {str(name): values for name, values in axes.items() if isinstance(values, list)}
        if isinstance(axes, dict)
        else {},
        [item for item in skipped if _is_skipped(item)] if isinstance(skipped, list) else [],
        limit if type(limit) is int and limit > 0 else 1,
        made_at,
        cells,
    )


def _cell(row: sa.RowMapping) -> CellRow:
    """Return a cell. Drop it if its request is unreadable: it must not be submitted as another request."""
    values, request = row["values"], row["request"]
    is_readable = isinstance(request, dict) and read_request(request) is not None
    return CellRow(
        values if isinstance(values, dict) else {},
        request if is_readable else {},
        text_of(row["key"]) or None,
        bool(row["is_dropped"]) or not is_readable,
    )


def _is_skipped(item: object) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("values"), dict)
        and isinstance(item.get("problems"), list)
    )
