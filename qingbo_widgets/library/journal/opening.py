"""Opening of a journal of any version.

A new or an older journal is first brought up to date, see ``upgrading``; a newer one is opened read-only.
"""

from __future__ import annotations

import logging
from pathlib import Path

import sqlalchemy as sa

from ...exceptions import QingboError
from .damage import newer, read_only, readable_errors
from .engine import OpenJournal, engine_of, sealed, url_of
from .revisions import is_newer, is_older
from .tables import metadata
from .upgrading import NotWritable, bring_up_to_date, open_copy
from .version import Location, revision_of

__all__ = ["open_database"]

logger = logging.getLogger("qingbo_widgets")

#: PostgreSQL's codes for a table that a kernel of version 0.1.0 creates at the same moment, without the lock:
#: unique_violation (in the catalogue of types), duplicate_table.
_CREATED_CONCURRENTLY = ("23505", "42P07")


def open_database(path: Path, database: str | None, place: str) -> OpenJournal:
    """Open the journal at a path, or in another database; create or migrate it if needed.

    Args:
        path: the journal's file.
        database: an SQLAlchemy URL, if the journal is not in that file.
        place: the journal's name in messages.

    Raises:
        QingboError: the journal cannot be read or created, is damaged, belongs to another program, or could
            not be migrated; it is unchanged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QingboError(read_only(place, error.strerror or str(error))) from None
    engine = engine_of(url_of(path) if database is None else sa.make_url(database))
    location = Location(place, is_shared=database is not None)
    with readable_errors(place):
        try:
            return _open(engine, location)
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _CREATED_CONCURRENTLY:
                raise
            return _open(engine, location)


def _open(engine: sa.Engine, location: Location) -> OpenJournal:
    with engine.connect() as connection:
        revision = revision_of(connection, location)
        if revision is not None and engine.dialect.name == "sqlite":
            _rebuild_indexes(connection, location)
    if revision is None or is_older(revision):
        try:
            revision = bring_up_to_date(engine, location)
        except NotWritable as error:
            if revision is None:
                raise QingboError(read_only(location.name, str(error))) from None
            return open_copy(engine, location, revision, str(error))
    if is_newer(revision):
        return OpenJournal(sealed(engine), newer(location.name, revision))
    return OpenJournal(engine)


def _rebuild_indexes(connection: sa.Connection, location: Location) -> None:
    """Rebuild the indexes if one lacks rows, which queries would otherwise omit silently.

    Any other damage is reported when a query hits it.
    """
    try:
        is_any_short = _is_any_short(connection)
    except sa.exc.DBAPIError:
        connection.rollback()
        return
    if is_any_short:
        logger.warning("The journal %s had indexes that lack rows; rebuilding them", location.name)
        connection.exec_driver_sql("REINDEX")
        connection.commit()


def _indexes(connection: sa.Connection) -> list[tuple[str, str, str]]:
    """Return the name and the table of each index, and the condition for its rows."""
    query = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index'"
    found = [
        (str(name), str(table), str(sql or "")) for name, table, sql in connection.exec_driver_sql(query)
    ]
    known = [index for index in found if index[1] in metadata.tables]
    return [(name, table, sql.partition(" WHERE ")[2] or "true") for name, table, sql in known]


def _is_any_short(connection: sa.Connection) -> bool:
    """Return whether an index has fewer rows than its table.

    Counting takes a tenth of the time of ``PRAGMA integrity_check``, which compares every value.
    """
    every: dict[tuple[str, str], int] = {}
    for index, table, condition in _indexes(connection):
        if (table, condition) not in every:
            every[table, condition] = _count(connection, table, condition, "NOT INDEXED")
        if _count(connection, table, condition, f'INDEXED BY "{index}"') < every[table, condition]:
            return True
    return False


def _count(connection: sa.Connection, table: str, condition: str, how: str) -> int:
    """Return the number of rows of a table for which a condition holds, read in one way."""
    # A mere count(*) would read any index, and so does not depend on INDEXED BY.
    query = f'SELECT total(1) FROM "{table}" {how} WHERE {condition}'
    return int(connection.exec_driver_sql(query).scalar_one())
