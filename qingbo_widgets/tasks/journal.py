"""The journal: shared by threads and kernels, and its troubles in words.

SQLite in the folder by default, any database SQLAlchemy knows else. A row is on the disk when its
transaction ends. One that was being written when the machine died is undone by SQLite at the next opening.

SQLAlchemy takes longer to import than a form to draw; so nothing does that before a row is read or written.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import QingboError
from ..i18n import N_, tr
from .revisions import CURRENT, VERSION_TABLE, is_newer, latest, release_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .opening import Opened

__all__ = [
    "JOURNAL",
    "PATIENCE",
    "Journal",
    "Trouble",
    "foreign",
    "in_short",
    "in_words",
    "newer",
    "read_only",
    "trouble_of",
    "unwritten",
]

JOURNAL = "library.sqlite"
#: Seconds to wait while another kernel writes.
PATIENCE = 30.0


class Trouble(Enum):
    """The troubles of a journal that have a sentence of their own."""

    damaged = "damaged"
    full = "full"
    read_only = "read only"
    unreachable = "unreachable"


#: SQLite's codes: CORRUPT, NOTADB; FULL; PERM, READONLY, CANTOPEN (no file for its own journal can be made).
_SQLITE = {11: Trouble.damaged, 26: Trouble.damaged, 13: Trouble.full} | dict.fromkeys(
    (3, 8, 14), Trouble.read_only
)
#: PostgreSQL's: data_corrupted, index_corrupted; disk_full; read_only_sql_transaction,
#: insufficient_privilege; the server is shut down, has crashed, or starts.
_POSTGRESQL = (
    dict.fromkeys(("XX001", "XX002"), Trouble.damaged)
    | {"53100": Trouble.full}
    | dict.fromkeys(("25006", "42501"), Trouble.read_only)
    | dict.fromkeys(("57P01", "57P02", "57P03"), Trouble.unreachable)
)

_SENTENCES = {
    Trouble.damaged: N_(
        "The journal {path} is damaged ({reason}). Nothing in it was changed. Move it away, or "
        "connect(library=…) elsewhere: the videos beside it are whole, and resume(id) takes up any task of "
        "the service's dashboard."
    ),
    Trouble.full: N_(
        "The journal {path} cannot be written ({reason}). Make room, or connect(library=…) elsewhere."
    ),
    Trouble.read_only: N_(
        "The journal {path} cannot be changed ({reason}). Make it and its folder writable, or "
        "connect(library=…) with another folder."
    ),
    Trouble.unreachable: N_(
        "The journal {path} is out of reach ({reason}). See to its server and its address, or "
        "connect(library=…) with another one."
    ),
}
_FOREIGN = N_(
    "{path} is not a journal of qingbo_widgets ({reason}), so it was left as it is. connect(library=…) with "
    "another folder makes one there."
)
_NEWER = N_(
    "The journal {path} is of qingbo_widgets {release} or newer, and this version knows those up to {own}: "
    "it is read, and not changed. Upgrade qingbo_widgets, or connect(library=…) with another folder."
)
_UNKNOWN = N_(
    "The journal {path} is of a newer qingbo_widgets than {own}: it is read, and not changed. "
    "Upgrade qingbo_widgets, or connect(library=…) with another folder."
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
        self._opened: Opened | None = None
        self._opened_file: object = None
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
        if not self.exists:
            return None
        import sqlite3

        url = f"{self.path.as_uri()}?mode=ro"
        with suppress(sqlite3.Error), closing(sqlite3.connect(url, uri=True)) as database:
            rows = database.execute(
                f"SELECT version_num FROM {VERSION_TABLE} WHERE version_num IS NOT NULL"
            ).fetchall()
            revision = latest(str(name) for (name,) in rows)
            if revision is not None and is_newer(revision):
                return newer(self.place, revision)
        return None

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction; within ``together``, a part of that one.

        Raises:
            QingboError: the journal is damaged, or somebody else's; it was left as it is.
            OSError, sqlalchemy.exc.SQLAlchemyError: it cannot be read or written.
        """
        opened = self._open()
        try:
            with in_words(self.place, opened.read_only):
                if self._mine.is_together:
                    yield self._kept(opened)
                else:
                    with opened.engine.begin() as connection:
                        yield connection
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
            found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_dev, found.st_ino

    def _open(self) -> Opened:
        with self._opening:
            # Another file may have taken its place, or the folder may have been removed.
            if self._opened is None or self._opened_file != self._file():
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


@contextmanager
def in_words(place: str, known: str | None = None) -> Iterator[None]:
    """Say of a journal's trouble what it is and what to do; every other error goes by.

    Args:
        place: what the message calls the journal.
        known: the sentence for a journal that was opened for reading only.

    Raises:
        QingboError: with that sentence.
    """
    try:
        yield
    except Exception as error:
        trouble = trouble_of(error)
        if trouble is None:
            raise
        sentence = tr(_SENTENCES[trouble]).format(path=place, reason=in_short(error))
        if known is not None and trouble is Trouble.read_only:
            sentence = known
    else:
        return
    raise QingboError(sentence) from None


def trouble_of(error: Exception) -> Trouble | None:
    """Return the kind of trouble that a database's error is; ``None`` where there is no sentence for it."""
    cause = getattr(error, "orig", None) or error  # what SQLAlchemy wraps
    if (code := getattr(cause, "sqlite_errorcode", None)) is not None:
        return _SQLITE.get(code & 0xFF)  # the rest of the code is for experts
    state = getattr(cause, "sqlstate", None)
    is_lost = state is None and hasattr(cause, "sqlstate") and type(cause).__name__ == "OperationalError"
    return Trouble.unreachable if is_lost else _POSTGRESQL.get(state or "")


def in_short(error: Exception) -> str:
    """Return an error's text without the SQL, the values and the links that SQLAlchemy adds."""
    words = str(getattr(error, "orig", None) or error) or type(error).__name__
    return words.splitlines()[0] if type(error).__module__.startswith("sqlalchemy.") else words


def read_only(place: str, reason: str) -> str:
    """Return the sentence for a journal that cannot be changed."""
    return tr(_SENTENCES[Trouble.read_only]).format(path=place, reason=reason)


def unwritten(place: str, error: Exception) -> str:
    """Return the sentence for a row that could not be written."""
    if isinstance(error, QingboError):  # which is a sentence already
        return str(error)
    return tr(_SENTENCES[Trouble.full]).format(path=place, reason=in_short(error))


def newer(place: str, revision: str) -> str:
    """Return the sentence for a journal that a later version has written."""
    told = tr(_NEWER if (release := release_of(revision)) else _UNKNOWN)
    return told.format(path=place, release=release, own=CURRENT)


def foreign(place: str, reason: str) -> QingboError:
    """What to say of a database that another program has made."""
    return QingboError(tr(_FOREIGN).format(path=place, reason=reason))


def _address(database: str) -> str:
    """Return what an SQLAlchemy URL names, without the password, which may hold any character."""
    scheme, _, rest = database.partition("://")
    if scheme.startswith("sqlite"):
        return rest.removeprefix("/")
    host, _, name = rest.rpartition("@")[2].partition("?")[0].partition("/")
    return f"{name} on {host}" if host and name else name or host
