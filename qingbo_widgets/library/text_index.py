"""The index of the prompts, with which any part of a word is found among any number of tasks in milliseconds.

The index is made by the first search and completed by each later one, never when a task is written: no paid
task depends on it, and an older version may write tasks beside this one. Its table is not part of the
journal's schema, so the journal works without it, and with an SQLite that has no FTS5; see ``text_tables``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import sqlalchemy as sa

from ..exceptions import QingboError
from ..i18n import tr
from .journal.damage import unusable
from .journal.derived import derived_from, folded, searched_text
from .journal.journal import Journal
from .journal.rows import Rows
from .journal.tables import row_id, tasks
from .text_tables import LACKS_TEXT, TABLE, TextTable, text_table

__all__ = ["ids_with", "with_index"]

T = TypeVar("T")
logger = logging.getLogger("qingbo_widgets")

#: Rows to index in one transaction, so that another kernel does not wait long for its turn to write.
_BATCH_SIZE = 5_000
#: Seconds to wait while another kernel writes; the search then reads the prompts themselves.
_PATIENCE = 2.0


def with_index(journal: Journal, read: Callable[[sa.Connection], T]) -> T | None:
    """Return the result of ``read`` on a connection to a journal with a complete index.

    Return ``None`` if the database does not support the index or accepts no changes. A damaged index is
    removed, so that the next search makes a new one.
    """
    is_complete = False
    try:
        with journal.begin() as connection:
            is_complete = _is_complete(connection)
            if is_complete:
                return read(connection)
        is_complete = _complete(journal)
        if not is_complete:
            return None
        with journal.begin() as connection:
            return read(connection)
    except QingboError:
        if is_complete:  # so that is what could not be read
            with suppress(QingboError), journal.begin() as connection:
                connection.exec_driver_sql(f"DROP TABLE IF EXISTS {TABLE}")
        return None


def ids_with(connection: sa.Connection, text: str) -> sa.Select[Any] | None:
    """Return the query for the ``search_id`` of each task with all words of a text; ``None`` for no words."""
    words, table = folded(text).split(), text_table(connection)
    return table.query(words) if words and table is not None else None


def _is_complete(connection: sa.Connection) -> bool:
    table = text_table(connection)
    if table is None or not table.is_finished(connection):
        return False
    return connection.execute(sa.select(tasks.c.key).where(LACKS_TEXT).limit(1)).first() is None


def _complete(journal: Journal) -> bool:
    """Index the prompts that are not indexed yet; return whether the index has all of them."""
    try:
        with journal.begin() as connection:
            table = text_table(connection)
        if table is None or journal.read_only is not None:
            return False
        while _index_batch(journal, table):
            pass
    except QingboError as error:
        logger.info("The prompts of %s are searched without an index: %s", journal.place, error)
        return False
    return True


def _index_batch(journal: Journal, table: TextTable) -> bool:
    """Index some of the rows that lack it; return whether there may be more of them."""
    with journal.begin() as connection:
        Rows(connection).set_lock_timeout(_PATIENCE)
        table.lock(connection)
        if not table.exists(connection):
            table.create(connection)
            connection.execute(tasks.update().where(tasks.c.search_id.is_not(None)).values(search_id=None))
        row = row_id(connection)
        columns = (row, tasks.c.request, tasks.c.mode, tasks.c.prompt_start)
        found = connection.execute(sa.select(*columns).where(LACKS_TEXT).limit(_BATCH_SIZE)).all()
        if not found:
            table.finish(connection)
            return False
        if len(found) == _BATCH_SIZE:
            table.prepare(connection)
        numbered = list(enumerate(found, table.last_id(connection) + 1))
        table.add(connection, [(number, searched_text(request)) for number, (_, request, *_) in numbered])
        pointers, whole = [], []
        for number, (this, request, *derived) in numbered:
            values = derived_from(request)
            pointer = {"this": this, "search_id": number}
            if derived == [*values.values()]:
                pointers.append(pointer)
            else:
                whole.append(pointer | values)
        changed = sum(table.update_tasks(connection, rows) for rows in (pointers, whole) if rows)
        if changed != len(found):
            raise unusable(journal.place, tr("it does not store written rows"))
        if len(found) == _BATCH_SIZE:
            return True
        table.finish(connection)
        return False
