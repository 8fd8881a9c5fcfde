"""Open a journal: a new one, one of this version, one of an earlier version, or one of a later version.

A new journal is made from the tables; one of an earlier version is taken through ``migrations``, under the
journal's own lock, so that of several kernels one does it and the others wait. One that cannot be migrated
where it lies, on write-protected media say, is migrated in a temporary copy and read from there.
"""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from ...exceptions import QingboError
from ...i18n import N_, tr
from ...system.files import remove
from ...system.forks import not_in_child
from .backup import copy_database, keep_copy
from .damage import Trouble, foreign, in_short, in_words, newer, read_only, trouble_of
from .revisions import CURRENT, REVISIONS, VERSION_TABLE, is_newer, is_older, latest
from .settings import PATIENCE
from .tables import metadata

__all__ = ["Opened", "open_database"]

logger = logging.getLogger("qingbo_widgets")

#: The tables of version 0.1.0, which marked its journals by nothing else.
_FIRST_COLUMNS = {
    "tasks": {
        "key", "service", "task_id", "model", "request", "status", "progress", "submitted_at", "created_at",
        "completed_at", "file", "error", "cost", "holder", "held_until",
    },
    "judgements": {"key", "rating", "note", "judged_at"},
    "tags": {"key", "tag"},
    "preferences": {"id", "better", "worse", "judged_at"},
    "sweeps": {"name", "service", "axes", "skipped", "max_running", "made_at"},
    "sweep_cells": {"sweep", "service", "number", "values", "request", "key", "is_dropped"},
}  # fmt: skip
_NOT_MIGRATED = N_(
    "The journal {path} is of qingbo_widgets {revision} and could not be brought to {current} ({reason}). "
    "Nothing in it was changed: the version that made it still reads it. connect(library=…) with another "
    "folder begins a new one."
)
_NOT_WRITABLE = N_(
    "The journal {path} is of qingbo_widgets {revision} and cannot be brought to {current} where it lies "
    "({reason}), so a copy of it is read, and nothing can be changed. Make the folder writable, with room "
    "for a copy, or connect(library=…) with another one."
)
_NOT_OWNED = N_(
    "The journal {path} is of qingbo_widgets {revision} and has to be brought to {current}, which this "
    "account must not do ({reason}). Let the owner of its tables open it once."
)
#: Any number that other programs are unlikely to lock: PostgreSQL's advisory locks have no other names.
_LOCK = 7_164_220_260_410_001

#: PostgreSQL's codes for a table that a kernel of version 0.1.0 makes at the same moment, without the lock:
#: unique_violation (in the catalogue of types), duplicate_table.
_MADE_MEANWHILE = ("23505", "42P07")

_version = sa.Table(
    VERSION_TABLE,
    sa.MetaData(),
    # As Alembic makes it.
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)


@dataclass(frozen=True, eq=False)
class Opened:
    """An open journal.

    Attributes:
        engine: gives connections to a database that has this version's tables.
        read_only: the sentence that says why nothing can be written; ``None`` where it can.
    """

    engine: sa.Engine
    read_only: str | None = None


@dataclass(frozen=True)
class _Journal:
    """The journal to open.

    Attributes:
        place: what messages call it.
        is_shared: whether other programs may have tables in its database.
    """

    place: str
    is_shared: bool


class _NotWritable(Exception):
    """The journal cannot be changed where it lies; the text is the reason."""


def open_database(path: Path, database: str | None, place: str) -> Opened:
    """Open the journal at a path, or in a database elsewhere; make or migrate it where that is needed.

    Args:
        path: the journal's file.
        database: an SQLAlchemy URL, where it is kept elsewhere.
        place: what messages call it.

    Raises:
        QingboError: it cannot be read or made, is damaged, of another program, or could not be migrated; it
            was left as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QingboError(read_only(place, error.strerror or str(error))) from None
    engine = _engine(_url(path) if database is None else sa.make_url(database))
    journal = _Journal(place, is_shared=database is not None)
    with in_words(place):
        try:
            return _open(engine, journal)
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _MADE_MEANWHILE:
                raise
            return _open(engine, journal)


def _open(engine: sa.Engine, journal: _Journal) -> Opened:
    with engine.connect() as connection:
        revision = _revision(connection, journal)
        if revision is not None and engine.dialect.name == "sqlite":
            _mend_indexes(connection, journal)
    if revision is None or is_older(revision):
        try:
            revision = _prepare(engine, journal)
        except _NotWritable as error:
            if revision is None:
                raise QingboError(read_only(journal.place, str(error))) from None
            return _opened_copy(engine, journal, revision, str(error))
    if is_newer(revision):
        return Opened(_sealed(engine), newer(journal.place, revision))
    return Opened(engine)


def _engine(url: sa.URL) -> sa.Engine:
    is_sqlite = url.get_backend_name() == "sqlite" and "timeout" not in url.query
    arguments = {"connect_args": {"timeout": PATIENCE}} if is_sqlite else {}
    # No pool: a connection that is not used is closed, and with it the file. A text that is no JSON costs its
    # own column and not the whole row.
    engine = sa.create_engine(url, poolclass=NullPool, json_deserializer=_lenient, **arguments)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _read_any_text)
    return engine


def _url(path: Path) -> sa.URL:
    return sa.URL.create("sqlite", database=str(path))


def _file(connection: sa.Connection) -> Path | None:
    """Return the file of an SQLite database; ``None`` for one in memory and for a server's."""
    if connection.dialect.name != "sqlite":
        return None
    # Asked of SQLite: a URL has several ways to name a file.
    files = {name: file for _, name, file in connection.exec_driver_sql("PRAGMA database_list")}
    return Path(files["main"]) if files.get("main") else None


def _revision(connection: sa.Connection, journal: _Journal) -> str | None:
    """Return the journal's revision; ``None`` where none has been made yet.

    Raises:
        QingboError: the database is of another program.
    """
    inspector = sa.inspect(connection)
    if inspector.has_table(VERSION_TABLE):
        number = _version.c.version_num
        found = connection.execute(sa.select(number).where(number.is_not(None)))
        if (revision := latest(str(name) for name in found.scalars())) is not None:
            return revision
    names, views = inspector.get_table_names(), inspector.get_view_names()
    for table, columns in _FIRST_COLUMNS.items():
        if table not in (*names, *views):
            continue
        missing = columns - {column["name"] for column in inspector.get_columns(table)}
        if table in views or missing:
            reason = tr("its table {table} is another one")
            raise foreign(journal.place, reason.format(table=table))
    if "tasks" in names:
        return REVISIONS[0]
    if names and not journal.is_shared:
        raise foreign(journal.place, tr("it holds {tables}").format(tables=", ".join(names[:3])))
    return None


def _mend_indexes(connection: sa.Connection, journal: _Journal) -> None:
    """Build the indexes anew if one lacks rows, which would otherwise be left out in silence.

    Looking takes milliseconds for thousands of rows. Any other damage is named where it is met.
    """
    found = [str(line) for (line,) in connection.exec_driver_sql("PRAGMA integrity_check")]
    if any("missing from" in line for line in found):
        logger.warning("The journal %s had indexes that lack rows; they are built anew", journal.place)
        connection.exec_driver_sql("REINDEX")
        connection.commit()


def _prepare(engine: sa.Engine, journal: _Journal) -> str:
    """Make the journal, or take it through the steps that it lacks, in one transaction; return its revision.

    Raises:
        _NotWritable: the file, its folder or the database is write-protected, or has no room.
        QingboError: a step failed.
    """
    with _locked(engine) as connection:
        revision = _revision(connection, journal)
        if revision is not None and not is_older(revision):  # another kernel was quicker
            return revision
        if revision is None:
            metadata.create_all(connection)
            _version.create(connection, checkfirst=True)
            connection.execute(_version.insert().values(version_num=CURRENT))
            return CURRENT
        file = _file(connection)
        copy = None if file is None else keep_copy(file, revision)
        try:
            _migrate(connection, journal, revision)
        except BaseException:
            if copy is not None and copy.is_new:  # nothing has changed that it would be needed for
                remove(copy.path)
            raise
        logger.info("The journal %s was of %s and is of %s now", journal.place, revision, CURRENT)
    return CURRENT


def _migrate(connection: sa.Connection, journal: _Journal, revision: str) -> None:
    from .migrations import upgrade

    try:
        upgrade(connection)
    except Exception as error:
        if trouble_of(error) is not None:
            raise
        raise _not_migrated(journal, revision, in_short(error)) from error


@contextmanager
def _locked(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction that keeps every other kernel from doing the same.

    Raises:
        _NotWritable: the database takes no changes, or has no room for them.
    """
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                # Python's driver begins none for a CREATE TABLE, which would then be on the disk at once.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {1000 * PATIENCE:.0f}")
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection
            connection.commit()
    except OSError as error:  # of the copy
        raise _NotWritable(in_short(error)) from None
    except Exception as error:
        if trouble_of(error) in (Trouble.read_only, Trouble.full):
            raise _NotWritable(in_short(error)) from None
        raise


def _opened_copy(engine: sa.Engine, journal: _Journal, revision: str, reason: str) -> Opened:
    """Open a migrated copy in a temporary folder, to be looked at.

    Raises:
        QingboError: there is no file to copy, or no room for a copy either.
    """
    with engine.connect() as connection:
        file = _file(connection)
    if file is None:
        raise QingboError(_message(_NOT_OWNED, journal, revision, reason))
    try:
        folder = Path(tempfile.mkdtemp(prefix="qingbo-journal-"))
        there = _engine(_url(folder / file.name))
        opened = Opened(_sealed(there), _message(_NOT_WRITABLE, journal, revision, reason))
        weakref.finalize(opened, not_in_child(shutil.rmtree), folder, ignore_errors=True)
        copy_database(file, folder / file.name)
        with _locked(_engine(there.url)) as connection:
            _migrate(connection, journal, revision)
    except (OSError, _NotWritable) as error:
        raise _not_migrated(journal, revision, str(error)) from None
    return opened


def _not_migrated(journal: _Journal, revision: str, reason: str) -> QingboError:
    return QingboError(_message(_NOT_MIGRATED, journal, revision, reason))


def _message(text: str, journal: _Journal, revision: str, reason: str) -> str:
    """Return a text about an older journal, translated, with its path, its revision and the reason."""
    return tr(text).format(path=journal.place, revision=revision, current=CURRENT, reason=reason)


def _sealed(engine: sa.Engine) -> sa.Engine:
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
