"""Upgrade of a journal to this version: creation of a new one, or ``migrations`` of an older one.

Both happen under the journal's own lock, so one of several kernels does it and the others wait. A journal
that cannot be migrated in place, for example on write-protected media, is migrated in a temporary copy.
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
from ...system.forks import skip_in_child
from .backup import copy_database, save_backup
from .damage import Fault, fault_of, short_reason
from .engine import OpenJournal, engine_of, file_of, sealed, url_of
from .revisions import CURRENT, is_older
from .settings import PATIENCE
from .tables import metadata
from .version import Location, revision_of, version_table

__all__ = ["NotWritable", "bring_up_to_date", "open_copy"]

logger = logging.getLogger("qingbo_widgets")

_NOT_MIGRATED = N_(
    "The journal {path} is from qingbo_widgets {revision} and could not be upgraded to {current} "
    "({reason}). It was not changed. Use connect(library=…) with another folder."
)
_NOT_WRITABLE = N_(
    "The journal {path} of qingbo_widgets {revision} cannot be upgraded ({reason}), so a copy is read. Make "
    "its folder writable, with space for a copy, or use connect(library=…)."
)
_NOT_OWNED = N_(
    "The journal {path} is from qingbo_widgets {revision}, and this account may not upgrade it "
    "({reason}). Ask the owner of its tables to open it once."
)
#: An arbitrary number that no other program is likely to lock: PostgreSQL's advisory locks have only numbers.
_LOCK = 7_164_220_260_410_001


class NotWritable(Exception):
    """The error for a journal that cannot be changed in place; the text is the reason."""


def bring_up_to_date(engine: sa.Engine, location: Location) -> str:
    """Create the journal, or run the migrations that it lacks, in one transaction; return its revision.

    Raises:
        NotWritable: the file, its folder or the database is write-protected, or the disk is full.
        QingboError: a migration failed.
    """
    with _locked(engine) as connection:
        revision = revision_of(connection, location)
        if revision is not None and not is_older(revision):  # another kernel was first
            return revision
        if revision is None:
            metadata.create_all(connection)
            version_table.create(connection, checkfirst=True)
            connection.execute(version_table.insert().values(version_num=CURRENT))
            return CURRENT
        file = file_of(connection)
        backup = None if file is None else save_backup(file, revision)
        try:
            _migrate(connection, location, revision)
        except BaseException:
            if backup is not None and backup.is_new:  # not needed, because nothing has changed
                remove(backup.path)
            raise
        logger.info("Upgraded the journal %s from %s to %s", location.name, revision, CURRENT)
    return CURRENT


def _migrate(connection: sa.Connection, location: Location, revision: str) -> None:
    from .migrations import upgrade

    try:
        upgrade(connection)
    except Exception as error:
        if fault_of(error) is not None:
            raise
        raise _not_migrated(location, revision, short_reason(error)) from error


@contextmanager
def _locked(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction that locks out every other kernel that upgrades.

    Raises:
        NotWritable: the database accepts no changes, or its disk is full.
    """
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                # Python's driver begins no transaction for CREATE TABLE, so it would be committed at once.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {1000 * PATIENCE:.0f}")
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection
            connection.commit()
    except OSError as error:  # from the backup
        raise NotWritable(short_reason(error)) from None
    except Exception as error:
        if fault_of(error) in (Fault.read_only, Fault.full):
            raise NotWritable(short_reason(error)) from None
        raise


def open_copy(engine: sa.Engine, location: Location, revision: str, reason: str) -> OpenJournal:
    """Open a migrated copy of a journal in a temporary folder, read-only.

    Raises:
        QingboError: there is no file to copy, or no space for the copy.
    """
    with engine.connect() as connection:
        file = file_of(connection)
    if file is None:
        raise QingboError(_message(_NOT_OWNED, location, revision, reason))
    try:
        folder = Path(tempfile.mkdtemp(prefix="qingbo-journal-"))
        copy_engine = engine_of(url_of(folder / file.name))
        opened = OpenJournal(sealed(copy_engine), _message(_NOT_WRITABLE, location, revision, reason))
        weakref.finalize(opened, skip_in_child(shutil.rmtree), folder, ignore_errors=True)
        copy_database(file, folder / file.name)
        with _locked(engine_of(copy_engine.url)) as connection:
            _migrate(connection, location, revision)
    except (OSError, NotWritable) as error:
        raise _not_migrated(location, revision, str(error)) from None
    return opened


def _not_migrated(location: Location, revision: str, reason: str) -> QingboError:
    return QingboError(_message(_NOT_MIGRATED, location, revision, reason))


def _message(text: str, location: Location, revision: str, reason: str) -> str:
    """Return a translated text about an older journal, with its path, its revision and the reason."""
    return tr(text).format(path=location.name, revision=revision, current=CURRENT, reason=reason)
