"""The open database of a journal, and its engine: without a pool, lenient when it reads, maybe read-only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from .settings import PATIENCE

__all__ = ["OpenJournal", "columns_of", "engine_of", "file_of", "parsed_json", "sealed", "url_of"]

_BATCH_SIZE = 500


@dataclass(frozen=True, eq=False)
class OpenJournal:
    """An open journal.

    Attributes:
        engine: the engine of a database with this version's tables.
        read_only: the message with the reason why nothing can be written; ``None`` if it is writable.
    """

    engine: sa.Engine
    read_only: str | None = None


def engine_of(url: sa.URL) -> sa.Engine:
    """Return an engine whose connections wait for other kernels, and can read any text and any JSON."""
    is_sqlite = url.get_backend_name() == "sqlite" and "timeout" not in url.query
    arguments = {"connect_args": {"timeout": PATIENCE}} if is_sqlite else {}
    # No pool, so that an unused connection is closed, and with it the file. Invalid JSON loses its own column
    # and not the whole row.
    engine = sa.create_engine(url, poolclass=NullPool, json_deserializer=parsed_json, **arguments)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _read_any_text)
    return engine


def url_of(path: Path) -> sa.URL:
    """Return the URL of an SQLite file."""
    return sa.URL.create("sqlite", database=str(path))


def file_of(connection: sa.Connection) -> Path | None:
    """Return the file of an SQLite database; ``None`` for a database in memory or on a server."""
    if connection.dialect.name != "sqlite":
        return None
    # SQLite reports it, because a URL can name a file in several ways.
    files = {name: file for _, name, file in connection.exec_driver_sql("PRAGMA database_list")}
    return Path(files["main"]) if files.get("main") else None


def sealed(engine: sa.Engine) -> sa.Engine:
    """Return an engine on whose connections the database itself rejects every change."""
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA query_only = ON"))
    return engine.execution_options(postgresql_readonly=True)


def columns_of(connection: sa.Connection, query: sa.Select[Any]) -> list[list[Any]]:
    """Return the columns of a query that reads very many rows; faster, unless a text is not valid UTF-8."""
    if connection.dialect.name != "sqlite":
        return _columns(connection, query)
    raw: Any = connection.connection.driver_connection
    lenient, raw.text_factory = raw.text_factory, str
    try:
        return _columns(connection, query)
    except sa.exc.OperationalError:  # invalid UTF-8, or a fault that comes again
        raw.text_factory = lenient
        return _columns(connection, query)
    finally:
        raw.text_factory = lenient


def _columns(connection: sa.Connection, query: sa.Select[Any]) -> list[list[Any]]:
    """Return the columns of a query, read in batches that stay in the processor's cache."""
    columns: list[list[Any]] = [[] for _ in query.selected_columns]
    for rows in connection.execute(query).partitions(_BATCH_SIZE):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column += values
    return columns


def _read_any_text(raw: Any, _: object) -> None:
    """Replace invalid UTF-8 on reading, so that it loses its own letters and not every row of the query."""
    raw.text_factory = lambda text: text.decode("utf-8", "replace")


def parsed_json(text: Any) -> Any:
    """Return the value of JSON; ``None`` for anything else, so that it loses itself and not the whole row."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
