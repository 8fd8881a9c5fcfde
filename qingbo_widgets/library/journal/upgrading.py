"""Bring a journal up to this version: make a new one, or take an earlier one through ``migrations``.

Both happen under the journal's own lock, so that of several kernels one does it and the others wait. One that
cannot be migrated where it lies, on write-protected media say, is migrated in a temporary copy.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from ...exceptions import QingboError
from ...i18n import N_, tr
from ...system.files import remove
from ...system.forks import not_in_child
from .backup import copy_database, keep_copy
from .damage import Trouble, in_short, trouble_of
from .engine import Opened, engine_of, file_of, sealed, url_of
from .revisions import CURRENT, is_older
from .settings import PATIENCE
from .tables import metadata
from .version import Location, revision_of, version_table

__all__ = ["NotWritable", "bring_up_to_date", "open_copy"]

logger = logging.getLogger("qingbo_widgets")

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


class NotWritable(Exception):
    """The journal cannot be changed where it lies; the text is the reason."""


def bring_up_to_date(engine: sa.Engine, location: Location) -> str:
    """Make the journal, or take it through the steps that it lacks, in one transaction; return its revision.

    Raises:
        NotWritable: the file, its folder or the database is write-protected, or has no room.
        QingboError: a step failed.
    """
    with _locked(engine) as connection:
        revision = revision_of(connection, location)
        if revision is not None and not is_older(revision):  # another kernel was quicker
            return revision
        if revision is None:
            metadata.create_all(connection)
            version_table.create(connection, checkfirst=True)
            connection.execute(version_table.insert().values(version_num=CURRENT))
            return CURRENT
        file = file_of(connection)
        copy = None if file is None else keep_copy(file, revision)
        try:
            _migrate(connection, location, revision)
        except BaseException:
            if copy is not None and copy.is_new:  # nothing has changed that it would be needed for
                remove(copy.path)
            raise
        logger.info("The journal %s was of %s and is of %s now", location.name, revision, CURRENT)
    return CURRENT


def _migrate(connection: sa.Connection, location: Location, revision: str) -> None:
    from .migrations import upgrade

    try:
        upgrade(connection)
    except Exception as error:
        if trouble_of(error) is not None:
            raise
        raise _not_migrated(location, revision, in_short(error)) from error


@contextmanager
def _locked(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction that keeps every other kernel from doing the same.

    Raises:
        NotWritable: the database takes no changes, or has no room for them.
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
        raise NotWritable(in_short(error)) from None
    except Exception as error:
        if trouble_of(error) in (Trouble.read_only, Trouble.full):
            raise NotWritable(in_short(error)) from None
        raise


def open_copy(engine: sa.Engine, location: Location, revision: str, reason: str) -> Opened:
    """Open a migrated copy of a journal in a temporary folder, read only.

    Raises:
        QingboError: there is no file to copy, or no room for a copy either.
    """
    with engine.connect() as connection:
        file = file_of(connection)
    if file is None:
        raise QingboError(_message(_NOT_OWNED, location, revision, reason))
    try:
        folder = Path(tempfile.mkdtemp(prefix="qingbo-journal-"))
        there = engine_of(url_of(folder / file.name))
        opened = Opened(sealed(there), _message(_NOT_WRITABLE, location, revision, reason))
        weakref.finalize(opened, not_in_child(shutil.rmtree), folder, ignore_errors=True)
        copy_database(file, folder / file.name)
        with _locked(engine_of(there.url)) as connection:
            _migrate(connection, location, revision)
    except (OSError, NotWritable) as error:
        raise _not_migrated(location, revision, str(error)) from None
    return opened


def _not_migrated(location: Location, revision: str, reason: str) -> QingboError:
    return QingboError(_message(_NOT_MIGRATED, location, revision, reason))


def _message(text: str, location: Location, revision: str, reason: str) -> str:
    """Return a text about an older journal, translated, with its path, its revision and the reason."""
    return tr(text).format(path=location.name, revision=revision, current=CURRENT, reason=reason)
