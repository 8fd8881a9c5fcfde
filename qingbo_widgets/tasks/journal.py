"""The journal: how it is opened, shared by threads and kernels, and what its troubles mean to a person.

SQLite in the folder by default, any database SQLAlchemy knows else. A row is on the disk when its
transaction ends. One that was being written when the machine died is undone by SQLite at the next opening.

SQLAlchemy takes longer to import than a form to draw; so nothing does that before a row is read or written.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import QingboError
from ..i18n import N_, tr

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["JOURNAL", "PATIENCE", "Journal", "foreign", "in_short", "in_words"]

JOURNAL = "library.sqlite"
#: Seconds to wait while another kernel writes.
PATIENCE = 30.0
#: SQLite's codes for a file that it can make nothing of: damaged, and never a database.
_BROKEN = (11, 26)

_DAMAGED = N_(
    "The journal {path} is damaged ({reason}). Nothing in it was changed. Move it away, or "
    "connect(library=…) elsewhere: the videos beside it are whole, and resume(id) takes up any task of the "
    "service's dashboard."
)
_FOREIGN = N_(
    "{path} is not a journal of qingbo_widgets ({reason}), so it was left as it is. connect(library=…) with "
    "another folder makes one there."
)


class _Mine(threading.local):
    """What one thread has open: a connection, of which file, and whether it is in ``together``."""

    connection: sa.Connection | None = None
    file: object = None
    is_together = False


class Journal:
    """The database of one library. Safe to use from many threads, and from several kernels at once.

    No file stays open when nothing happens, so a folder can be moved or removed, on Windows too.

    Args:
        folder: the library's.
        database: an SQLAlchemy URL, where it is kept elsewhere.
    """

    def __init__(self, folder: Path, database: str | None = None) -> None:
        self.path = folder / JOURNAL
        self.database = database
        self._engine: sa.Engine | None = None
        self._mine = _Mine()

    @property
    def exists(self) -> bool:
        """Whether there is one; looking must not make one."""
        return self._file() is not None

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction; within ``together``, a part of that one.

        Raises:
            QingboError: the journal is damaged, or somebody else's; it was left as it is.
            OSError, sqlalchemy.exc.SQLAlchemyError: it cannot be read or written.
        """
        with in_words(self.path):
            if self._mine.is_together:
                yield self._kept()
            else:
                with self._opened().begin() as connection:
                    yield connection

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction for all that this thread does within; the journal stays open until ``let_go``.

        To end a transaction is to wait for the disk, which costs more than all that is written in it.
        """
        mine = self._mine
        mine.is_together = True
        try:
            yield
            if mine.connection is not None:
                with in_words(self.path):
                    mine.connection.commit()
        except BaseException:
            self.let_go()  # what is not written for good is undone
            raise
        finally:
            mine.is_together = False

    def let_go(self) -> None:
        """Close what ``together`` has left open on this thread."""
        connection, self._mine.connection = self._mine.connection, None
        if connection is not None:
            with suppress(Exception):  # broken before
                connection.close()

    def close(self) -> None:
        """Forget the database. It is opened again when it is used."""
        self.let_go()
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _file(self) -> object:
        """Which one it is, for another may have taken its place; ``None`` where there is none."""
        if self.database is not None:
            return self.database
        try:
            found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_dev, found.st_ino

    def _opened(self) -> sa.Engine:
        if self._engine is None or not self.exists:  # the folder may have been removed under us
            from .rows import open_database

            self._engine = open_database(self.path, self.database)
        return self._engine

    def _kept(self) -> sa.Connection:
        mine = self._mine
        if mine.connection is not None and not mine.connection.in_transaction() and mine.file != self._file():
            self.let_go()
        if mine.connection is None:
            mine.connection = self._opened().connect()
            mine.file = self._file()
        return mine.connection


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Say of a damaged journal what it is and what to do; every other trouble goes by."""
    try:
        yield
    except Exception as error:
        cause = getattr(error, "orig", None)  # what SQLAlchemy wraps
        if getattr(cause, "sqlite_errorcode", 0) & 0xFF not in _BROKEN:
            raise
        reason = in_short(error)
    else:
        return
    raise QingboError(tr(_DAMAGED).format(path=path, reason=reason))


def in_short(error: Exception) -> str:
    """What an error says, without the SQL, the values and the links that SQLAlchemy adds."""
    words = str(getattr(error, "orig", None) or error) or type(error).__name__
    return words.splitlines()[0] if type(error).__module__.startswith("sqlalchemy.") else words


def foreign(path: Path, reason: str) -> QingboError:
    """What to say of a database that another program has made."""
    return QingboError(tr(_FOREIGN).format(path=path, reason=reason))
