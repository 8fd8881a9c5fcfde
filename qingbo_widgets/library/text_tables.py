"""The table of the index of the prompts, in SQLite and in PostgreSQL.

A database's own text search splits text into words, and so finds no part of a Chinese sentence. Here a text
is indexed by every pair of neighbouring characters. SQLite keeps the pairs with their positions in FTS5, and
a longer part is a phrase; PostgreSQL keeps them as an array, with the text to check longer parts.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from .journal.tables import tasks

__all__ = ["LACKS_TEXT", "TABLE", "TextTable", "text_table"]

TABLE = "task_search"
#: The condition for a task whose text is not in the table yet.
LACKS_TEXT = sa.and_(tasks.c.search_id.is_(None), tasks.c.request.is_not(None))
#: An arbitrary number for PostgreSQL's advisory lock.
_LOCK = 7_164_220_260_410_002
#: Characters that FTS5's tokenizer for ASCII would otherwise drop; only the blank separates.
_ASCII = "".join(character for character in map(chr, range(1, 128)) if character not in " '\"")
#: The second character of the last pair of a word; no word has it.
_END = "\n"
#: The types of columns of the tasks, except for texts.
_TYPES: Mapping[str, Any] = {"search_id": sa.Integer}
#: The separator of parts, of which none has it.
_SEPARATOR = "\n"

Document = tuple[int, str]


def text_table(connection: sa.Connection) -> TextTable | None:
    """Return the table for a database; ``None`` if it does not support any."""
    if connection.dialect.name == "sqlite":
        return _SQLiteTable() if _has_fts5() else None
    return _PostgreSQLTable() if connection.dialect.name == "postgresql" else None


class TextTable(ABC):
    """The table of the index in one kind of database."""

    @abstractmethod
    def exists(self, connection: sa.Connection) -> bool:
        """Return whether the table of the index exists."""

    @abstractmethod
    def lock(self, connection: sa.Connection) -> None:
        """Let only one kernel at a time add to the index."""

    @abstractmethod
    def create(self, connection: sa.Connection) -> None:
        """Create the table of the index."""

    def is_finished(self, connection: sa.Connection) -> bool:
        """Return whether the table of the index exists, and can be searched at full speed."""
        return self.exists(connection)

    def prepare(self, connection: sa.Connection) -> None:  # noqa: B027 - nothing to do in SQLite
        """Prepare the table for the addition of many texts."""

    def finish(self, connection: sa.Connection) -> None:  # noqa: B027 - nothing to do in SQLite
        """Make the table fast to search, after the last addition."""

    @abstractmethod
    def last_id(self, connection: sa.Connection) -> int:
        """Return the largest id in the index; that of a deleted task is never used again."""

    @abstractmethod
    def add(self, connection: sa.Connection, documents: Sequence[Document]) -> None:
        """Add texts by their ids."""

    @abstractmethod
    def update_tasks(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Change rows of the tasks, each to the same columns; return the number of changed rows.

        Args:
            connection: the connection.
            rows: the new values by column; ``this`` is the id of the row, see ``row_id``.
        """

    @abstractmethod
    def query(self, words: Sequence[str]) -> sa.Select[Any]:
        """Return the query for the ids of the texts that contain all words."""


class _SQLiteTable(TextTable):
    """A table of FTS5 without content: nothing but the pairs of characters and their positions."""

    def exists(self, connection: sa.Connection) -> bool:
        # Not by an inspector, which opens the table, and fails if that is damaged.
        query = f"SELECT 1 FROM sqlite_master WHERE name = '{TABLE}'"
        return connection.exec_driver_sql(query).first() is not None

    def lock(self, connection: sa.Connection) -> None:
        # Begins the transaction as a writing one, and waits for the other writer.
        connection.exec_driver_sql("UPDATE tasks SET search_id = NULL WHERE 0")

    def create(self, connection: sa.Connection) -> None:
        characters = _ASCII + "''" + '""'
        connection.exec_driver_sql(
            f"CREATE VIRTUAL TABLE {TABLE} USING fts5"
            f"(text, content='', tokenize=\"ascii tokenchars '{characters}'\")"
        )

    def last_id(self, connection: sa.Connection) -> int:
        return connection.exec_driver_sql(f"SELECT max(id) FROM {TABLE}_docsize").scalar() or 0

    def add(self, connection: sa.Connection, documents: Sequence[Document]) -> None:
        rows = [(number, " ".join(map(_pairs, text.split()))) for number, text in documents]
        connection.exec_driver_sql(f"INSERT INTO {TABLE} (rowid, text) VALUES (?, ?)", rows)

    def update_tasks(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        changes = ", ".join(f"{name} = :{name}" for name in rows[0] if name != "this")
        statement = f"UPDATE tasks SET {changes} WHERE rowid = :this"
        return connection.exec_driver_sql(statement, [*map(dict, rows)]).rowcount

    def query(self, words: Sequence[str]) -> sa.Select[Any]:
        phrases = " ".join(map(_phrase, dict.fromkeys(words)))
        return (
            sa.select(sa.literal_column(f"{TABLE}.rowid"))
            .select_from(sa.text(TABLE))
            .where(sa.text(f"{TABLE} MATCH :phrases").bindparams(phrases=phrases))
        )


class _PostgreSQLTable(TextTable):
    """A table with each text, and its characters and pairs of characters in an array with a GIN index.

    Filling a GIN index text by text takes many times as long as creating it afterwards. Without it a search
    has the same result, only later; so a kernel that dies before ``finish`` leaves that to the next search.
    """

    table = sa.Table(
        TABLE,
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("parts", postgresql.ARRAY(sa.Text), nullable=False),
    )
    gin = f"ix_{TABLE}_parts"

    def exists(self, connection: sa.Connection) -> bool:
        return sa.inspect(connection).has_table(TABLE)

    def is_finished(self, connection: sa.Connection) -> bool:
        return connection.execute(sa.select(sa.func.to_regclass(self.gin).is_not(None))).scalar_one()

    def lock(self, connection: sa.Connection) -> None:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))

    def create(self, connection: sa.Connection) -> None:
        self.table.create(connection)

    def prepare(self, connection: sa.Connection) -> None:
        number = connection.execute(
            sa.select(sa.func.count()).select_from(tasks).where(LACKS_TEXT)
        ).scalar_one()
        # Creating the index again takes as long as adding a quarter of the texts to it.
        if number > self.last_id(connection) // 4:
            connection.exec_driver_sql(f"DROP INDEX IF EXISTS {self.gin}")

    def finish(self, connection: sa.Connection) -> None:
        if self.is_finished(connection):
            return
        # With a list of pending texts (fastupdate), each search would read all of that.
        connection.exec_driver_sql(
            f"CREATE INDEX {self.gin} ON {TABLE} USING gin (parts) WITH (fastupdate = off)"
        )
        # Later, the server collects statistics by itself.
        connection.exec_driver_sql(f"ANALYZE {TABLE}, {tasks.name}")

    def last_id(self, connection: sa.Connection) -> int:
        return connection.execute(sa.select(sa.func.max(self.table.c.id))).scalar() or 0

    def add(self, connection: sa.Connection, documents: Sequence[Document]) -> None:
        numbers, texts = zip(*documents, strict=True)
        # One text for each array, because the driver takes long for an array in an array.
        parts = [_SEPARATOR.join(_parts(text)) for text in texts]
        new = _rows(id=(sa.Integer, numbers), text=(sa.Text, texts), parts=(sa.Text, parts))
        arrays = sa.func.string_to_array(new.c.parts, _SEPARATOR)
        rows = sa.select(new.c.id, new.c.text, arrays)
        connection.execute(self.table.insert().from_select(["id", "text", "parts"], rows))

    def update_tasks(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        columns = {name: (_TYPES.get(name, sa.Text), [row[name] for row in rows]) for name in rows[0]}
        new = _rows(**columns)
        changes = {name: new.c[name] for name in columns if name != "this"}
        return connection.execute(tasks.update().where(tasks.c.key == new.c.this).values(changes)).rowcount

    def query(self, words: Sequence[str]) -> sa.Select[Any]:
        # Of a word of three characters or more, the pairs may also stand apart.
        return sa.select(self.table.c.id).where(
            self.table.c.parts.contains(sorted(set().union(*map(_least_parts, words)))),
            *(sa.func.strpos(self.table.c.text, word) > 0 for word in words if len(word) > 2),
        )


@cache
def _has_fts5() -> bool:
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.execute("CREATE VIRTUAL TABLE probe USING fts5(text)")
        except sqlite3.Error:
            return False
    return True


def _rows(**columns: tuple[Any, Sequence[Any]]) -> sa.TableValuedAlias:
    """Return columns, each of a type and its values, as rows in a statement of PostgreSQL."""
    arrays = (
        sa.bindparam(f"these_{name}", list(values), type_=postgresql.ARRAY(kind))
        for name, (kind, values) in columns.items()
    )
    return sa.func.unnest(*arrays).table_valued(*columns, name="new").render_derived()


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
