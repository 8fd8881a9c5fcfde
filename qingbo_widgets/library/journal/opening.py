"""Open a journal, of whatever version it is.

A new or an earlier one is brought up to date first, see ``upgrading``; one of a later version is read only.
"""

from __future__ import annotations

import logging
from pathlib import Path

import sqlalchemy as sa

from ...exceptions import QingboError
from .damage import in_words, newer, read_only
from .engine import Opened, engine_of, sealed, url_of
from .revisions import is_newer, is_older
from .upgrading import NotWritable, bring_up_to_date, open_copy
from .version import Location, revision_of

__all__ = ["open_database"]

logger = logging.getLogger("qingbo_widgets")

#: PostgreSQL's codes for a table that a kernel of version 0.1.0 makes at the same moment, without the lock:
#: unique_violation (in the catalogue of types), duplicate_table.
_MADE_MEANWHILE = ("23505", "42P07")


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
    engine = engine_of(url_of(path) if database is None else sa.make_url(database))
    location = Location(place, is_shared=database is not None)
    with in_words(place):
        try:
            return _open(engine, location)
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _MADE_MEANWHILE:
                raise
            return _open(engine, location)


def _open(engine: sa.Engine, location: Location) -> Opened:
    with engine.connect() as connection:
        revision = revision_of(connection, location)
        if revision is not None and engine.dialect.name == "sqlite":
            _mend_indexes(connection, location)
    if revision is None or is_older(revision):
        try:
            revision = bring_up_to_date(engine, location)
        except NotWritable as error:
            if revision is None:
                raise QingboError(read_only(location.name, str(error))) from None
            return open_copy(engine, location, revision, str(error))
    if is_newer(revision):
        return Opened(sealed(engine), newer(location.name, revision))
    return Opened(engine)


def _mend_indexes(connection: sa.Connection, location: Location) -> None:
    """Build the indexes anew if one lacks rows, which would otherwise be left out in silence.

    Looking takes milliseconds for thousands of rows. Any other damage is named where it is met.
    """
    found = [str(line) for (line,) in connection.exec_driver_sql("PRAGMA integrity_check")]
    if any("missing from" in line for line in found):
        logger.warning("The journal %s had indexes that lack rows; they are built anew", location.name)
        connection.exec_driver_sql("REINDEX")
        connection.commit()
