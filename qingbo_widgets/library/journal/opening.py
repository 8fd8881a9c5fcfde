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

    The check takes milliseconds for thousands of rows. Any other damage is reported when a query hits it.
    """
    report = [str(line) for (line,) in connection.exec_driver_sql("PRAGMA integrity_check")]
    if any("missing from" in line for line in report):
        logger.warning("The journal %s had indexes that lack rows; rebuilding them", location.name)
        connection.exec_driver_sql("REINDEX")
        connection.commit()
