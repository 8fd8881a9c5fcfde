"""The open database of a journal, and its engine: without a pool, lenient with what it reads, or sealed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from .settings import PATIENCE

__all__ = ["Opened", "engine_of", "file_of", "sealed", "url_of"]


@dataclass(frozen=True, eq=False)
class Opened:
    """An open journal.

    Attributes:
        engine: gives connections to a database that has this version's tables.
        read_only: the sentence that says why nothing can be written; ``None`` where it can.
    """

    engine: sa.Engine
    read_only: str | None = None


def engine_of(url: sa.URL) -> sa.Engine:
    """Return an engine whose connections wait for other kernels, and read any text and any JSON."""
    is_sqlite = url.get_backend_name() == "sqlite" and "timeout" not in url.query
    arguments = {"connect_args": {"timeout": PATIENCE}} if is_sqlite else {}
    # No pool: a connection that is not used is closed, and with it the file. A text that is no JSON costs its
    # own column and not the whole row.
    engine = sa.create_engine(url, poolclass=NullPool, json_deserializer=_lenient, **arguments)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _read_any_text)
    return engine


def url_of(path: Path) -> sa.URL:
    """Return the URL of an SQLite file."""
    return sa.URL.create("sqlite", database=str(path))


def file_of(connection: sa.Connection) -> Path | None:
    """Return the file of an SQLite database; ``None`` for one in memory and for a server's."""
    if connection.dialect.name != "sqlite":
        return None
    # Asked of SQLite: a URL has several ways to name a file.
    files = {name: file for _, name, file in connection.exec_driver_sql("PRAGMA database_list")}
    return Path(files["main"]) if files.get("main") else None


def sealed(engine: sa.Engine) -> sa.Engine:
    """Return an engine on whose connections the database itself refuses every change."""
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA query_only = ON"))
    return engine.execution_options(postgresql_readonly=True)


def _read_any_text(raw: Any, _: object) -> None:
    """Let a text that is not UTF-8 cost its own letters, and not every row that is read with it."""
    raw.text_factory = lambda text: text.decode("utf-8", "replace")


def _lenient(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
