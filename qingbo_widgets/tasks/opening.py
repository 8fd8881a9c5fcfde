"""Open a journal: a new one, one of this version, one of an earlier version, or one of a later version.

A new journal is made from the tables; one of an earlier version is taken through ``migrations``, under the
journal's own lock, so that of several kernels one does it and the others wait. One that cannot be migrated
where it lies, on write-protected media say, is migrated in a temporary copy and read from there.
"""

from __future__ import annotations

import json
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

from ..exceptions import QingboError
from ..i18n import N_, tr
from .backup import copy_database, keep_copy
from .journal import PATIENCE, Trouble, foreign, in_short, in_words, newer, read_only, trouble_of
from .revisions import CURRENT, REVISIONS, VERSION_TABLE, is_newer
from .tables import metadata

__all__ = ["Opened", "open_database"]

#: The columns of version 0.1.0, which marked its journals by nothing else.
_FIRST_COLUMNS = frozenset(
    {"key", "service", "task_id", "model", "request", "status", "progress", "submitted_at", "created_at",
     "completed_at", "file", "error", "cost", "holder", "held_until"}
)  # fmt: skip
_NOT_MIGRATED = N_(
    "The journal {path} is of qingbo_widgets {revision} and could not be brought to {current} ({reason}). "
    "Nothing in it was changed: the version that made it still reads it. connect(library=…) with another "
    "folder begins a new one."
)
_NOT_WRITABLE = N_(
    "The journal {path} is of qingbo_widgets {revision} and cannot be brought to {current} where it lies "
    "({reason}), so a copy of it is read, and nothing can be changed. Make the folder writable, or "
    "connect(library=…) with another one."
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
        file: the SQLite file, ``None`` where it is none.
    """

    place: str
    is_shared: bool
    file: Path | None


class _NotWritable(Exception):
    """The journal cannot be changed where it lies; the text is the reason."""


def open_database(path: Path, database: str | None, place: str) -> Opened:
    """Open the journal at a path, or in a database elsewhere; make or migrate it where that is needed.

    Args:
        path: the journal's file.
        database: an SQLAlchemy URL, where it is kept elsewhere.
        place: what messages call it.

    Raises:
        QingboError: it is damaged, of another program, or could not be migrated; it was left as it was.
        OSError, sqlalchemy.exc.SQLAlchemyError: it cannot be read or made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    url = _url(path) if database is None else sa.make_url(database)
    engine = _engine(url)
    journal = _Journal(place, is_shared=database is not None, file=_file(url))
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
    if revision is not None and is_newer(revision):
        return Opened(_sealed(engine), newer(journal.place, revision))
    if revision != CURRENT:
        try:
            _prepare(engine, journal)
        except _NotWritable as reason:
            if revision is None or journal.file is None:
                raise QingboError(read_only(journal.place, str(reason))) from None
            return _opened_copy(journal, revision, str(reason))
    return Opened(engine)


def _engine(url: sa.URL) -> sa.Engine:
    is_sqlite = url.get_backend_name() == "sqlite" and "timeout" not in url.query
    arguments = {"connect_args": {"timeout": PATIENCE}} if is_sqlite else {}
    # No pool: a connection that is not used is closed, and with it the file. A text that is no JSON costs its
    # own column and not the whole row.
    return sa.create_engine(url, poolclass=NullPool, json_deserializer=_lenient, **arguments)


def _url(path: Path) -> sa.URL:
    return sa.URL.create("sqlite", database=str(path))


def _file(url: sa.URL) -> Path | None:
    """Return the file of an SQLite database; ``None`` for one in memory and for a server's."""
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)) if is_file else None


def _revision(connection: sa.Connection, journal: _Journal) -> str | None:
    """Return the journal's revision; ``None`` where none has been made yet.

    Raises:
        QingboError: the database is of another program.
    """
    inspector = sa.inspect(connection)
    names = inspector.get_table_names()
    if VERSION_TABLE in names:
        revision = connection.execute(sa.select(_version.c.version_num)).scalar()
        if revision is not None:
            return str(revision)
    if "tasks" in names:
        missing = _FIRST_COLUMNS - {column["name"] for column in inspector.get_columns("tasks")}
        if missing:
            told = tr("its tasks have no {columns}")
            raise foreign(journal.place, told.format(columns=", ".join(sorted(missing))))
        return REVISIONS[0]
    if names and not journal.is_shared:
        raise foreign(journal.place, tr("it holds {tables}").format(tables=", ".join(names[:3])))
    return None


def _prepare(engine: sa.Engine, journal: _Journal) -> None:
    """Make the journal, or take it through the steps that it lacks, in one transaction.

    Raises:
        _NotWritable: the file, its folder or the database is write-protected, or has no room for a copy.
        QingboError: a step failed.
    """
    with _locked(engine) as connection:
        revision = _revision(connection, journal)  # another kernel may have been quicker
        if revision == CURRENT or (revision is not None and is_newer(revision)):
            return
        if revision is None:
            metadata.create_all(connection)
            _version.create(connection, checkfirst=True)
            connection.execute(_version.insert().values(version_num=CURRENT))
            return
        if journal.file is not None:
            try:
                keep_copy(journal.file, revision)
            except OSError as error:
                raise _NotWritable(in_short(error)) from None
        _migrate(connection, journal, revision)


def _migrate(connection: sa.Connection, journal: _Journal, revision: str) -> None:
    from .migrations import upgrade

    try:
        upgrade(connection)
    except Exception as error:
        if trouble_of(error) is not None:
            raise
        told = tr(_NOT_MIGRATED)
        raise QingboError(
            told.format(path=journal.place, revision=revision, current=CURRENT, reason=in_short(error))
        ) from error


@contextmanager
def _locked(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction that keeps every other kernel from doing the same.

    Raises:
        _NotWritable: the database takes no changes.
    """
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                # Python's driver begins none for a CREATE TABLE, which would then be on the disk at once.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection
            connection.commit()
    except Exception as error:
        if trouble_of(error) is Trouble.read_only:
            raise _NotWritable(in_short(error)) from None
        raise


def _opened_copy(journal: _Journal, revision: str, reason: str) -> Opened:
    assert journal.file is not None
    folder = Path(tempfile.mkdtemp(prefix="qingbo-journal-"))
    engine = _engine(_url(folder / journal.file.name))
    told = tr(_NOT_WRITABLE)
    sentence = told.format(path=journal.place, revision=revision, current=CURRENT, reason=reason)
    opened = Opened(_sealed(engine), sentence)
    weakref.finalize(opened, shutil.rmtree, folder, ignore_errors=True)
    copy_database(journal.file, folder / journal.file.name)
    with _locked(_engine(engine.url)) as connection:
        _migrate(connection, journal, revision)
    return opened


def _sealed(engine: sa.Engine) -> sa.Engine:
    """Return an engine on whose connections the database itself refuses every change."""
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA query_only = ON"))
    return engine.execution_options(postgresql_readonly=True)


def _lenient(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
