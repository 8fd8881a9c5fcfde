"""The journal: a database that threads and kernels share.

SQLite in the folder by default, any database SQLAlchemy knows else. A row is on the disk when its
transaction ends. One that was being written when the machine died is undone by SQLite at the next opening.

SQLAlchemy takes longer to import than a form to draw; so nothing does that before a row is read or written.
"""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...exceptions import QingboError
from ...i18n import N_, tr
from ...system.folder import Folder
from ...system.forks import not_forked, renewed_in_child
from .damage import Replaced, in_words, newer, read_only
from .revisions import VERSION_TABLE, is_newer, latest
from .settings import JOURNAL

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .engine import Opened

__all__ = ["Journal"]

_OUTSIDE = N_(
    "The journal {path} is a link that leads out of its folder, so nothing is read from it and nothing is "
    "written. Put the file itself in its place, or name the folder that it is in: connect(library=…)."
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
        #: What messages call it: the file, or the server and the database on it, without a password.
        self.place = str(self.path) if database is None else _address(database)
        self._opened: Opened | None
        self._opened_file: object = None
        self.renew_in_child()
        renewed_in_child(self)

    def renew_in_child(self) -> None:
        """Begin anew in a forked process: the connections are the parent's, and a lock may be held there."""
        self._opened = None
        self._opening = threading.Lock()
        self._mine = _Mine()

    @property
    def exists(self) -> bool:
        """Whether there is one; looking must not make one."""
        return self._file() is not None

    @property
    def read_only(self) -> str | None:
        """The sentence that says why nothing can be written, as far as it is known without writing.

        Before the journal is opened, SQLite itself is asked: SQLAlchemy takes long to import.
        """
        if self._opened is not None or self.database is not None:
            return None if self._opened is None else self._opened.read_only
        # Not waited for: the thread that follows tasks asks this, too.
        rows = self.glance(
            f"SELECT version_num FROM {VERSION_TABLE} WHERE version_num IS NOT NULL", patience=0
        )
        revision = latest(str(name) for (name,) in rows or ())
        return newer(self.place, revision) if revision is not None and is_newer(revision) else None

    def glance(
        self, query: str, values: Sequence[object] = (), *, patience: float = 5.0
    ) -> list[tuple[Any, ...]] | None:
        """Ask SQLite itself, which is there long before SQLAlchemy is imported, and return the rows.

        Args:
            query: in SQL; it changes nothing.
            values: for its places.
            patience: seconds to wait while another kernel writes.

        Returns:
            ``None`` where SQLite does not answer; SQLAlchemy tells in words what the matter is.
        """
        if self.database is not None or not self.exists:
            return None
        import sqlite3

        url = f"{self.path.as_uri()}?mode=ro"
        # A damaged schema has names that are no text, and the driver fails to say so.
        refusals = suppress(sqlite3.Error, UnicodeError)
        with not_forked(), refusals, closing(sqlite3.connect(url, patience, uri=True)) as database:
            return database.execute(query, values).fetchall()
        return None

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction; within ``together``, a part of that one.

        Raises:
            QingboError: the journal cannot be read or written, is damaged, or is another program's.
            sqlalchemy.exc.IntegrityError: a key is there already.
        """
        is_part = self._mine.is_together  # and then ``together`` keeps forks off
        try:
            with nullcontext() if is_part else not_forked():
                opened = self._open()
                with in_words(self.place, opened.read_only):
                    if is_part:
                        yield self._kept(opened)
                    else:
                        with opened.engine.begin() as connection:
                            yield connection
        except Replaced:
            self._opened = None
            raise
        except QingboError:
            self.look_again()
            raise

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction for all that this thread does within; the journal stays open until ``let_go``.

        To end a transaction is to wait for the disk, which costs more than all that is written in it.
        """
        mine = self._mine
        mine.is_together = True
        with not_forked():
            try:
                yield
                if mine.connection is not None:
                    with in_words(self.place):
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

    def look_again(self) -> None:
        """Find out anew at the next use whether a journal can be written that could not be."""
        if self._opened is not None and self._opened.read_only is not None:
            self._opened = None

    def close(self) -> None:
        """Forget the database. It is opened again when it is used."""
        self.let_go()
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.engine.dispose()

    def _file(self) -> object:
        """Which one it is, for another may have taken its place; ``None`` where there is none."""
        if self.database is not None:
            return self.database
        try:
            found = self.path.lstat()
            if stat.S_ISLNK(found.st_mode):
                if Folder(self.path.parent).place(self.path.name) is None:
                    raise QingboError(tr(_OUTSIDE).format(path=self.path))
                found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise QingboError(read_only(self.place, error.strerror or str(error))) from None
        return found.st_dev, found.st_ino

    def _open(self) -> Opened:
        with self._opening:
            # Another file may have taken its place, or the folder may have been removed.
            file = self._file()
            if self._opened is None or self._opened_file != file:
                from .opening import open_database

                self._opened = open_database(self.path, self.database, self.place)
                self._opened_file = self._file()
            return self._opened

    def _kept(self, opened: Opened) -> sa.Connection:
        mine = self._mine
        if mine.connection is not None and not mine.connection.in_transaction() and mine.file != self._file():
            self.let_go()
        if mine.connection is None:
            mine.connection = opened.engine.connect()
            mine.file = self._file()
        return mine.connection


def _address(database: str) -> str:
    """Return what an SQLAlchemy URL names, without the password, which may hold any character."""
    scheme, _, rest = database.partition("://")
    if scheme.startswith("sqlite"):
        return rest.removeprefix("/")
    host, _, name = rest.rpartition("@")[2].partition("?")[0].partition("/")
    return f"{name} on {host}" if host and name else name or host
