"""The index of the prompts, with which any part of a word is found among any number of tasks in milliseconds.

A database's own text search splits text into words, and so finds no part of a Chinese sentence. Here a text
is indexed by every pair of neighbouring characters. SQLite keeps the pairs with their positions in FTS5, and
a longer part is a phrase; PostgreSQL keeps them as an array, with the text to check longer parts.

The index is made by the first search and completed by each later one, never when a task is written: no paid
task depends on it, and an older version may write tasks beside this one. Its table is not part of the
journal's schema, so the journal works without it, and with an SQLite that has no FTS5.
"""

from __future__ import annotations

import logging
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ..exceptions import QingboError
from ..i18n import tr
from .journal.damage import unusable
from .journal.derived import derived_from, folded, searched_text
from .journal.journal import Journal
from .journal.rows import Rows
from .journal.tables import row_id, tasks

__all__ = ["complete", "discard", "ids_with"]

logger = logging.getLogger("qingbo_widgets")

_TABLE = "task_search"
#: Rows to index in one transaction, so that another kernel does not wait long for its turn to write.
_BATCH_SIZE = 5_000
#: Seconds to wait while another kernel writes; the search then reads the prompts themselves.
_PATIENCE = 2.0
#: An arbitrary number for PostgreSQL's advisory lock.
_LOCK = 7_164_220_260_410_002
_LACKS_INDEX = sa.and_(tasks.c.search_id.is_(None), tasks.c.request.is_not(None))
#: Characters that FTS5's tokenizer for ASCII would otherwise drop; only the blank separates.
_ASCII = "".join(character for character in map(chr, range(1, 128)) if character not in " '\"")
#: The second character of the last pair of a word; no word has it.
_END = "\n"

Document = tuple[int, str]


def complete(journal: Journal) -> bool:
    """Index the prompts that are not indexed yet; return whether the index has all of them.

    It has not if the database does not support it or accepts no changes.
    """
    try:
        with journal.begin() as connection:
            index = _index_of(connection)
            if index is None:
                return False
            if index.exists(connection) and not _is_any_lacking(connection):
                return True
        if journal.read_only is not None:
            return False
        while _index_batch(journal, index):
            pass
    except QingboError as error:
        logger.info("The prompts of %s are searched without an index: %s", journal.place, error)
        return False
    return True


def ids_with(connection: sa.Connection, text: str) -> sa.Select[Any] | None:
    """Return the query for the ``search_id`` of each task with all words of a text; ``None`` for no words."""
    words, index = folded(text).split(), _index_of(connection)
    return index.query(words) if words and index is not None else None


def discard(journal: Journal) -> None:
    """Remove a damaged index, so that the next search makes a new one."""
    with suppress(QingboError), journal.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_TABLE}")


class _Index(ABC):
    """The index in one kind of database."""

    @abstractmethod
    def exists(self, connection: sa.Connection) -> bool:
        """Return whether the table of the index exists."""

    @abstractmethod
    def lock(self, connection: sa.Connection) -> None:
        """Let only one kernel at a time add to the index."""

    @abstractmethod
    def create(self, connection: sa.Connection) -> None:
        """Create the table of the index."""

    @abstractmethod
    def last_id(self, connection: sa.Connection) -> int:
        """Return the largest id in the index; that of a deleted task is never used again."""

    @abstractmethod
    def add(self, connection: sa.Connection, documents: Sequence[Document]) -> None:
        """Add texts by their ids."""

    @abstractmethod
    def point_to(self, connection: sa.Connection, ids: Sequence[tuple[int, Any]]) -> int:
        """Store the ids of the texts in the rows of the tasks; return the number of changed rows."""

    @abstractmethod
    def query(self, words: Sequence[str]) -> sa.Select[Any]:
        """Return the query for the ids of the texts that contain all words."""


class _SQLiteIndex(_Index):
    """A table of FTS5 without content: nothing but the pairs of characters and their positions."""

    def exists(self, connection: sa.Connection) -> bool:
        # Not by an inspector, which opens the table, and fails if that is damaged.
        query = f"SELECT 1 FROM sqlite_master WHERE name = '{_TABLE}'"
        return connection.exec_driver_sql(query).first() is not None

    def lock(self, connection: sa.Connection) -> None:
        # Begins the transaction as a writing one, and waits for the other writer.
        connection.exec_driver_sql("UPDATE tasks SET search_id = NULL WHERE 0")

    def create(self, connection: sa.Connection) -> None:
        characters = _ASCII + "''" + '""'
        connection.exec_driver_sql(
            f"CREATE VIRTUAL TABLE {_TABLE} USING fts5"
            f"(text, content='', tokenize=\"ascii tokenchars '{characters}'\")"
        )

    def last_id(self, connection: sa.Connection) -> int:
        return connection.exec_driver_sql(f"SELECT max(id) FROM {_TABLE}_docsize").scalar() or 0

    def add(self, connection: sa.Connection, documents: Sequence[Document]) -> None:
        rows = [(number, " ".join(map(_pairs, text.split()))) for number, text in documents]
        connection.exec_driver_sql(f"INSERT INTO {_TABLE} (rowid, text) VALUES (?, ?)", rows)

    def point_to(self, connection: sa.Connection, ids: Sequence[tuple[int, Any]]) -> int:
        statement = "UPDATE tasks SET search_id = ? WHERE rowid = ?"
        return connection.exec_driver_sql(statement, list(ids)).rowcount

    def query(self, words: Sequence[str]) -> sa.Select[Any]:
        phrases = " ".join(map(_phrase, dict.fromkeys(words)))
        return (
            sa.select(sa.literal_column(f"{_TABLE}.rowid"))
            .select_from(sa.text(_TABLE))
            .where(sa.text(f"{_TABLE} MATCH :phrases").bindparams(phrases=phrases))
        )


class _PostgreSQLIndex(_Index):
    """A table with each text, and its characters and pairs of characters in an indexed array."""

    table = sa.Table(
        _TABLE,
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("parts", postgresql.ARRAY(sa.Text), nullable=False),
        # Otherwise, each search would read a list of new rows that are not in the index yet.
        sa.Index(
            f"ix_{_TABLE}_parts", "parts", postgresql_using="gin", postgresql_with={"fastupdate": "off"}
        ),
    )

    def exists(self, connection: sa.Connection) -> bool:
        return sa.inspect(connection).has_table(_TABLE)

    def lock(self, connection: sa.Connection) -> None:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))

    def create(self, connection: sa.Connection) -> None:
        self.table.create(connection)

    def last_id(self, connection: sa.Connection) -> int:
        return connection.execute(sa.select(sa.func.max(self.table.c.id))).scalar() or 0

    def add(self, connection: sa.Connection, documents: Sequence[Document]) -> None:
        rows = [{"id": number, "text": text, "parts": _parts(text)} for number, text in documents]
        connection.execute(self.table.insert(), rows)

    def point_to(self, connection: sa.Connection, ids: Sequence[tuple[int, Any]]) -> int:
        numbers, keys = zip(*ids, strict=True)
        unnested = sa.func.unnest(
            sa.bindparam("these_keys", list(keys), type_=postgresql.ARRAY(sa.Text)),
            sa.bindparam("these_ids", list(numbers), type_=postgresql.ARRAY(sa.Integer)),
        )
        new = unnested.table_valued("key", "id", name="new").render_derived()
        update = tasks.update().where(tasks.c.key == new.c.key).values(search_id=new.c.id)
        changed = connection.execute(update).rowcount
        if len(ids) == _BATCH_SIZE:  # a new index; later, the server does this by itself
            connection.exec_driver_sql(f"ANALYZE {_TABLE}, {tasks.name}")
        return changed

    def query(self, words: Sequence[str]) -> sa.Select[Any]:
        # Of a word of three characters or more, the pairs may also stand apart.
        return sa.select(self.table.c.id).where(
            self.table.c.parts.contains(sorted(set().union(*map(_least_parts, words)))),
            *(sa.func.strpos(self.table.c.text, word) > 0 for word in words if len(word) > 2),
        )


def _index_of(connection: sa.Connection) -> _Index | None:
    if connection.dialect.name == "sqlite":
        return _SQLiteIndex() if _has_fts5() else None
    return _PostgreSQLIndex() if connection.dialect.name == "postgresql" else None


@cache
def _has_fts5() -> bool:
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.execute("CREATE VIRTUAL TABLE probe USING fts5(text)")
        except sqlite3.Error:
            return False
    return True


def _is_any_lacking(connection: sa.Connection) -> bool:
    return connection.execute(sa.select(tasks.c.key).where(_LACKS_INDEX).limit(1)).first() is not None


def _index_batch(journal: Journal, index: _Index) -> bool:
    """Index some of the rows that lack it; return whether there may be more of them."""
    with journal.begin() as connection:
        Rows(connection).set_lock_timeout(_PATIENCE)
        index.lock(connection)
        if not index.exists(connection):
            index.create(connection)
            connection.execute(tasks.update().where(tasks.c.search_id.is_not(None)).values(search_id=None))
        row = row_id(connection)
        columns = (row, tasks.c.request, tasks.c.mode, tasks.c.prompt_start)
        found = connection.execute(sa.select(*columns).where(_LACKS_INDEX).limit(_BATCH_SIZE)).all()
        if not found:
            return False
        first = index.last_id(connection) + 1
        numbered = list(enumerate(found, first))
        index.add(connection, [(number, searched_text(request)) for number, (_, request, *_) in numbered])
        if index.point_to(connection, [(number, this) for number, (this, *_) in numbered]) != len(found):
            raise unusable(journal.place, tr("it does not store written rows"))
        for this, request, *derived in found:
            values = derived_from(request)
            if derived != [values["mode"], values["prompt_start"]]:
                connection.execute(tasks.update().where(row == this).values(values))
        return len(found) == _BATCH_SIZE


def _pairs(word: str) -> str:
    """Return each pair of neighbouring characters of a word, and the last character with ``_END``."""
    return " ".join(map(str.__add__, word, word[1:] + _END))


def _phrase(word: str) -> str:
    """Return FTS5's phrase for a part of a word."""
    if len(word) == 1:
        return f'"{_quoted(word)}" *'  # the first character of any pair
    return f'"{_quoted(" ".join(map(str.__add__, word, word[1:])))}"'


def _quoted(text: str) -> str:
    return text.replace('"', '""')


def _parts(text: str) -> list[str]:
    """Return the distinct characters and pairs of neighbouring characters of a folded text."""
    return sorted({part for word in text.split() for part in (*word, *map(str.__add__, word, word[1:]))})


def _least_parts(word: str) -> set[str]:
    """Return the parts that a text with this word has."""
    return set(map(str.__add__, word, word[1:])) or {word}
