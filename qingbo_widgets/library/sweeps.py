"""Sweeps in the journal: what each consists of, and which of its cells were submitted under which key.

A cell's key and its task's row are written in one transaction, before the request leaves. So a cell that has
a key always has a task, after a crash too, and of two kernels that go on with one sweep only one submits it.
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

#: When a sweep was made whose time is none.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class CellRow:
    """One cell as the journal has it: as in ``Combination``, and the key of its task once it has one."""

    values: Mapping[str, Any]
    request: Mapping[str, Any]
    key: str | None = None
    is_dropped: bool = False


@dataclass(frozen=True)
class SweepRow:
    """One sweep as the journal has it."""

    name: str
    axes: Mapping[str, Any]
    skipped: Sequence[Any]
    max_running: int
    made_at: datetime
    cells: tuple[CellRow, ...]


class Sweeps:
    """The sweeps of one library, of one service.

    Args:
        journal: keeps them.
        service: as in the journal's rows of tasks.
    """

    def __init__(self, journal: Journal, service: str) -> None:
        self._journal = journal
        self._service = normalised(service)
        #: By a sweep's name, what its rows call the service: earlier versions wrote its URL as it was given.
        self._spelt: dict[str, str] = {}

    def names(self) -> list[str]:
        """The names, the newest first."""
        if not self._journal.exists:
            return []
        query = sa.select(_sweeps.c.name, _sweeps.c.service).order_by(_sweeps.c.made_at.desc())
        with self._journal.begin() as connection:
            rows = [(text_of(name), text_of(service)) for name, service in connection.execute(query)]
        return list(dict.fromkeys(name for name, service in rows if name and self._is_ours(service)))

    def get(self, name: str) -> SweepRow | None:
        """A sweep with its cells, ``None`` where there is none of this name."""
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
        """Write a new sweep, whole or not at all; ``False`` where there is one of this name."""
        kept = {"name": name, "service": self._service, "axes": axes, "skipped": skipped}
        rows = [
            {"sweep": name, "service": self._service, "number": number, "values": cell.values,
             "request": cell.request, "key": cell.key, "is_dropped": cell.is_dropped}
            for number, cell in enumerate(cells)
        ]  # fmt: skip
        row = {**kept, "max_running": max_running, "made_at": time.time()}
        try:
            with self._journal.begin() as connection:
                connection.execute(_sweeps.insert().values(**row))
                connection.execute(_cells.insert(), rows)
        except sa.exc.IntegrityError:
            return False
        return True

    def change(self, name: str, *, max_running: int) -> None:
        """Remember how many tasks may be unfinished at once."""
        mine = (_sweeps.c.name == name, _sweeps.c.service == self._spelling(name))
        with self._journal.begin() as connection:
            connection.execute(_sweeps.update().where(*mine).values(max_running=max_running))

    def claim(
        self, name: str, number: int, row: Entry, *, before: str | None, holder: str, seconds: float
    ) -> str | None:
        """Give a cell its key and its task a row, both or neither, unless another kernel has been quicker.

        A task that is the cell's already has its row, and its submission claims that.

        The statement that changes the cell decides, not a look at it: what another kernel writes in the same
        moment is seen by one of the two only.

        Args:
            name: the sweep.
            number: the cell, from 0.
            row: the task that is to be submitted.
            before: the key that the cell had for us until now.
            holder: the kernel that follows the task, as in ``Library.add``.
            seconds: likewise, for how long.

        Returns:
            The cell's key: this task's, or that of another kernel's task; ``None`` where the other kernel has
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
            found = connection.execute(sa.select(_cells.c.key).where(*cell)).one()
        return None if found.key == before else found.key

    def give_up(self, key: str, error: QingboError, holder: str) -> None:
        """Write that a task was not sent, if ``claim`` has given it a row, and hold that no more."""
        columns = {"status": TaskStatus.failed.value, "error": row_of(error)}
        with self._journal.begin() as connection:
            Rows(connection).update(key, columns, even_ended=False)
            Rows(connection).release(holder, key)

    def drop(self, name: str, numbers: Sequence[int], *, is_dropped: bool = True) -> dict[int, str | None]:
        """Take cells out of the queue, or put them back.

        Returns:
            The key of each: another kernel may have submitted it meanwhile, and no later than this.
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
                found = [text_of(service) for service in connection.execute(query).scalars()]
            ours = [service for service in found if self._is_ours(service)]
            if not ours:
                return self._service
            self._spelt[name] = self._service if self._service in ours else ours[0]
        return self._spelt[name]

    def _is_ours(self, service: str) -> bool:
        return normalised(service) == self._service


def _sweep(row: sa.RowMapping, cells: tuple[CellRow, ...]) -> SweepRow:
    """Return a sweep as far as its row can be read; SQLite keeps any value in any column."""
    axes, skipped, most = row["axes"], row["skipped"], row["max_running"]
    try:
        made_at = datetime.fromtimestamp(row["made_at"], UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        made_at = _LONG_AGO
    return SweepRow(
        text_of(row["name"]),
        {str(name): values for name, values in axes.items() if isinstance(values, list)}
        if isinstance(axes, dict)
        else {},
        [one for one in skipped if _is_skipped(one)] if isinstance(skipped, list) else [],
        most if type(most) is int and most > 0 else 1,
        made_at,
        cells,
    )


def _cell(row: sa.RowMapping) -> CellRow:
    """Return a cell. One whose request cannot be read is dropped: it must not be submitted as another one."""
    values, request = row["values"], row["request"]
    is_readable = isinstance(request, dict) and read_request(request) is not None
    return CellRow(
        values if isinstance(values, dict) else {},
        request if is_readable else {},
        text_of(row["key"]) or None,
        bool(row["is_dropped"]) or not is_readable,
    )


def _is_skipped(one: object) -> bool:
    return (
        isinstance(one, dict)
        and isinstance(one.get("values"), dict)
        and isinstance(one.get("problems"), list)
    )
