"""The list of a deletion: everything that the journal knew of the deleted tasks, as JSON.

Another program may have written the list, so reading it relies on nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from .entry import Entry
from .journal.rows import COLUMNS, Rows, read_row
from .journal.tables import cells, judgements, preferences, tags

__all__ = [
    "batches",
    "entries_in",
    "files_in",
    "keys_in",
    "list_of",
    "moment_of",
    "part_of",
    "rest_of",
    "restore_rows",
    "rows_in",
    "sizes_in",
]

_MOMENTS = ("submitted_at", "created_at", "completed_at", "first_submitted_at")
_KEYS: sa.BindParameter[Any] = sa.bindparam("keys", expanding=True)
#: What else belongs to tasks, by its name in the list.
_BELONGINGS = {
    "judgements": sa.select(judgements).where(judgements.c.key.in_(_KEYS)),
    "tags": sa.select(tags).where(tags.c.key.in_(_KEYS)),
    "preferences": sa.select(preferences).where(
        sa.or_(preferences.c.better.in_(_KEYS), preferences.c.worse.in_(_KEYS))
    ),
    # The cells of sweeps that a deletion takes out of the queue.
    "cells": sa.select(cells.c.sweep, cells.c.service, cells.c.number).where(
        cells.c.key.in_(_KEYS), sa.not_(cells.c.is_dropped)
    ),
}
#: The parts of a list whose rows have the key of a task.
_OF_KEY = ("tasks", "judgements", "tags")
_BATCH_SIZE = 500


def batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the keys in batches, because a database limits the number of values in a query."""
    for start in range(0, len(keys), _BATCH_SIZE):
        yield keys[start : start + _BATCH_SIZE]


def list_of(
    connection: sa.Connection, entries: Sequence[Entry], files: Sequence[str], sizes: Mapping[str, int]
) -> dict[str, Any]:
    """Return the list of a deletion.

    Args:
        connection: a connection in the transaction that deletes the tasks.
        entries: the tasks.
        files: the names of their files in the folder of the library, which are still to be moved.
        sizes: the sizes of the videos among them, in bytes.
    """
    content: dict[str, Any] = {
        "deleted_at": datetime.now(UTC).isoformat(),
        "tasks": [_plain({name: getattr(entry, name) for name in COLUMNS}) for entry in entries],
        "files": list(files),
        "sizes": dict(sizes),
    }
    for name, query in _BELONGINGS.items():
        found = (
            _plain(row)
            for batch in batches([entry.key for entry in entries])
            for row in connection.execute(query, {"keys": batch}).mappings()
        )
        content[name] = list({repr(row): row for row in found}.values())  # a pair may be in two batches
    return content


def rows_in(content: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the rows of one name in a list, without anything that is none."""
    rows = content.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def keys_in(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of the tasks in a list."""
    keys = (row.get("key") for row in rows_in(content, "tasks"))
    return tuple(key for key in keys if isinstance(key, str) and key)


def files_in(content: Mapping[str, Any]) -> list[str]:
    """Return the names of the files in a list, which are still to be moved to the trash."""
    names = content.get("files")
    return [file for file in names if isinstance(file, str)] if isinstance(names, list) else []


def sizes_in(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the sizes of the videos in a list, by their names."""
    sizes = content.get("sizes")
    return sizes if isinstance(sizes, dict) else {}


def part_of(content: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Return a list with only some of its tasks."""
    return {**content, "tasks": [row for row in rows_in(content, "tasks") if str(row.get("key")) in keys]}


def rest_of(content: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Return a list without some of its tasks, and without the preferences that ``restore_rows`` adds."""
    rest = {
        name: [row for row in rows_in(content, name) if str(row.get("key")) not in keys] for name in _OF_KEY
    }
    pairs = [row for row in rows_in(content, "preferences") if {*keys}.isdisjoint(map(str, row.values()))]
    return {**content, **rest, "preferences": pairs}


def entries_in(content: Mapping[str, Any]) -> list[Entry]:
    """Return the tasks in a list."""
    return [
        _entry(row) for row in rows_in(content, "tasks") if isinstance(row.get("key"), str) and row["key"]
    ]


def restore_rows(connection: sa.Connection, content: Mapping[str, Any]) -> None:
    """Write the rows of a list into the journal, except for tasks that have one by now."""
    rows, entries = Rows(connection), entries_in(content)
    keys = {entry.key for entry in entries}
    missing = [entry for entry in entries if rows.get(entry.key) is None]
    restored = {entry.key for entry in missing}
    for entry in missing:
        rows.add(entry, None, datetime.now(UTC))
    for name, table in (("judgements", judgements), ("tags", tags)):
        _insert(connection, table, [row for row in rows_in(content, name) if row.get("key") in restored])
    pairs = [row for row in rows_in(content, "preferences") if restored & {*map(str, row.values())}]
    _insert(connection, preferences, [{k: v for k, v in row.items() if k != "id"} for row in pairs])
    for row in rows_in(content, "cells"):
        if {"sweep", "service", "number"} <= row.keys():
            same = (cells.c[name] == row[name] for name in ("sweep", "service", "number"))
            of_tasks = cells.update().where(*same, cells.c.key.in_(list(keys)))
            connection.execute(of_tasks.values(is_dropped=False))


def moment_of(text: object) -> datetime | None:
    """Return a time in a list; ``None`` if it is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _entry(row: Mapping[str, Any]) -> Entry:
    values: dict[str, Any] = dict.fromkeys(COLUMNS)
    values |= {name: value for name, value in row.items() if name in values}
    values |= {name: moment_of(values[name]) for name in _MOMENTS}
    for name in ("request", "error"):
        values[name] = values[name] if isinstance(values[name], dict) else None
    return read_row(tuple(values.values()))


def _plain(row: Mapping[str, Any] | sa.RowMapping) -> dict[str, Any]:
    return {
        str(name): value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
        if value is not None
    }


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        values = {name: value for name, value in row.items() if name in table.c}
        if "judged_at" in table.c:
            values["judged_at"] = moment_of(row.get("judged_at")) or datetime.now(UTC)
        connection.execute(table.insert(), values)
