"""The journal: a database shared by threads and kernels.

It is SQLite in the folder by default, otherwise any database that SQLAlchemy supports. A row is on disk when
its transaction ends. If the machine dies during a transaction, SQLite rolls it back at the next opening.

SQLAlchemy takes longer to import than a form to draw, so it is not imported before a row is read or written.
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
from ...system.forks import no_fork, renew_in_children
from .damage import JournalReplaced, newer, read_only, readable_errors
from .revisions import VERSION_TABLE, is_newer, latest
from .settings import JOURNAL

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .engine import OpenJournal

__all__ = ["Journal"]

_OUTSIDE = N_(
    "The journal {path} is a link that leads out of its folder, so it is not opened. Use "
    "connect(library=…) with the folder that it leads to."
)


class _ThreadState(threading.local):
    """The open connection of one thread, its file, and whether ``shared_transaction`` is active."""

    connection: sa.Connection | None = None
    file: object = None
    is_shared = False


class Journal:
    """The database of one library. Safe to use from several threads and kernels at once.

    No file stays open while the journal is idle, so its folder can be moved or removed, on Windows too.

    Args:
        folder: the library's folder.
        database: an SQLAlchemy URL, if the journal is not in the folder.
    """

    def __init__(self, folder: Path, database: str | None = None) -> None:
        self.path = folder / JOURNAL
        self.database = database
        #: The journal's name in messages: the file, or the server and its database, without a password.
        self.place = str(self.path) if database is None else _address(database)
        self._opened: OpenJournal | None
        self._opened_file: object = None
        self.renew_in_child()
        renew_in_children(self)

    def renew_in_child(self) -> None:
        """Reset the state in a forked process: the connections are the parent's, and it may hold the lock."""
        self._opened = None
        self._opening = threading.Lock()
        self._thread_state = _ThreadState()

    @property
    def exists(self) -> bool:
        """True if there is a journal. Checking must not create one."""
        return self._file() is not None

    @property
    def read_only(self) -> str | None:
        """The message with the reason why nothing can be written, as far as it is known without writing.

        Before the journal is opened, this queries SQLite directly, because SQLAlchemy takes long to import.
        """
        if self._opened is not None or self.database is not None:
            return None if self._opened is None else self._opened.read_only
        # Without waiting, because the thread that follows tasks reads this too.
        rows = self.query_sqlite(
            f"SELECT version_num FROM {VERSION_TABLE} WHERE version_num IS NOT NULL", patience=0
        )
        revision = latest(str(name) for (name,) in rows or ())
        return newer(self.place, revision) if revision is not None and is_newer(revision) else None

    def query_sqlite(
        self, query: str, values: Sequence[object] = (), *, patience: float = 5.0
    ) -> list[tuple[Any, ...]] | None:
        """Query SQLite directly, long before SQLAlchemy is imported, and return the rows.

        Args:
            query: the SQL, which changes nothing.
            values: the values of its placeholders.
            patience: seconds to wait while another kernel writes.

        Returns:
            ``None`` if SQLite fails; SQLAlchemy then reports the reason.
        """
        if self.database is not None or not self.exists:
            return None
        import sqlite3

        url = f"{self.path.as_uri()}?mode=ro"
        # A damaged schema has names that are not text, and the driver fails to build its error message.
        refusals = suppress(sqlite3.Error, UnicodeError)
        with no_fork(), refusals, closing(sqlite3.connect(url, timeout=patience, uri=True)) as database:
            return database.execute(query, values).fetchall()
        return None

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction; within ``shared_transaction``, in that transaction.

        Raises:
            QingboError: the journal cannot be read or written, is damaged, or belongs to another program.
            sqlalchemy.exc.IntegrityError: a key exists already.
        """
        is_part = self._thread_state.is_shared  # then ``shared_transaction`` prevents forks
        try:
            with nullcontext() if is_part else no_fork():
                opened = self._open()
                with readable_errors(self.place, opened.read_only):
                    if is_part:
                        yield self._shared_connection(opened)
                    else:
                        with opened.engine.begin() as connection:
                            yield connection
        except JournalReplaced:
            self._opened = None
            raise
        except QingboError:
            self.recheck_writable()
            raise

    @contextmanager
    def shared_transaction(self) -> Iterator[None]:
        """Run this thread's statements in one transaction; the journal stays open until ``close_connection``.

        A commit waits for the disk, which takes longer than all the writes of the transaction.
        """
        state = self._thread_state
        state.is_shared = True
        with no_fork():
            try:
                yield
                if state.connection is not None:
                    with readable_errors(self.place):
                        state.connection.commit()
            except BaseException:
                self.close_connection()  # roll back the uncommitted changes
                raise
            finally:
                state.is_shared = False

    def close_connection(self) -> None:
        """Close the connection that ``shared_transaction`` has left open on this thread."""
        state = self._thread_state
        connection, state.connection = state.connection, None
        # SQLite holds a lock of the process while it closes a file, which a forked child could never get.
        with nullcontext() if state.is_shared else no_fork(), suppress(Exception):  # broken already
            if connection is not None:
                connection.close()

    def recheck_writable(self) -> None:
        """Check again at the next use whether a read-only journal has become writable."""
        if self._opened is not None and self._opened.read_only is not None:
            self._opened = None

    def close(self) -> None:
        """Close the database. It is opened again on the next use."""
        self.close_connection()
        opened, self._opened = self._opened, None
        if opened is not None:
            with no_fork():
                opened.engine.dispose()

    def _file(self) -> object:
        """Return the identity of the file, which another file may replace; ``None`` if there is none."""
        if self.database is not None:
            return self.database
        try:
            status = self.path.lstat()
            if stat.S_ISLNK(status.st_mode):
                if Folder(self.path.parent).place(self.path.name) is None:
                    raise QingboError(tr(_OUTSIDE).format(path=self.path))
                status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise QingboError(read_only(self.place, error.strerror or str(error))) from None
        return status.st_dev, status.st_ino

    def _open(self) -> OpenJournal:
        with self._opening:
            # Another file may have replaced this one, or the folder may have been removed.
            file = self._file()
            if self._opened is None or self._opened_file != file:
                from .opening import open_database

                self._opened = open_database(self.path, self.database, self.place)
                self._opened_file = self._file()
            return self._opened

    def _shared_connection(self, opened: OpenJournal) -> sa.Connection:
        state = self._thread_state
        if (
            state.connection is not None
            and not state.connection.in_transaction()
            and state.file != self._file()
        ):
            self.close_connection()
        if state.connection is None:
            state.connection = opened.engine.connect()
            state.file = self._file()
        return state.connection


def _address(database: str) -> str:
    """Return the database that a URL names, without the password, which may contain any character."""
    scheme, _, rest = database.partition("://")
    if scheme.startswith("sqlite"):
        return rest.removeprefix("/")
    host, _, name = rest.rpartition("@")[2].partition("?")[0].partition("/")
    return f"{name} on {host}" if host and name else name or host
