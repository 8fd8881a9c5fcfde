"""Classification of the database errors of a journal, and their messages for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from ...exceptions import QingboError
from ...i18n import N_, tr
from .revisions import RELEASE, release_of

__all__ = [
    "Fault",
    "JournalReplaced",
    "fault_of",
    "foreign",
    "newer",
    "read_only",
    "readable_errors",
    "short_reason",
    "unusable",
    "write_failed_message",
]


class Fault(Enum):
    """The kinds of fault in a journal that have their own message."""

    damaged = "damaged"
    full = "full"
    read_only = "read only"
    unreachable = "unreachable"
    busy = "busy"


class JournalReplaced(QingboError):
    """The error for a missing table or column: another file may have replaced the open journal."""


#: SQLite's codes: CORRUPT, NOTADB; FULL; PERM, READONLY, CANTOPEN (it cannot create its own journal file);
#: BUSY, LOCKED.
_SQLITE = (
    {11: Fault.damaged, 26: Fault.damaged, 13: Fault.full}
    | dict.fromkeys((3, 8, 14), Fault.read_only)
    | dict.fromkeys((5, 6), Fault.busy)
)
#: SQLite's IOERR_WRITE, _FSYNC, _DIR_FSYNC and _TRUNCATE: an exceeded quota, for example, has no own code.
_NOT_WRITTEN = (778, 1034, 1290, 1546)
#: PostgreSQL's: data_corrupted, index_corrupted; disk_full; read_only_sql_transaction,
#: insufficient_privilege; the server is shut down, has crashed, or is starting; lock_not_available.
_POSTGRESQL = (
    dict.fromkeys(("XX001", "XX002"), Fault.damaged)
    | {"53100": Fault.full}
    | dict.fromkeys(("25006", "42501"), Fault.read_only)
    | dict.fromkeys(("57P01", "57P02", "57P03"), Fault.unreachable)
    | {"55P03": Fault.busy}
)
#: SQLite has one code for every statement that does not match the existing tables.
_MISSING = ("no such ", " has no ")  # a table, a column
#: PostgreSQL's undefined_table, undefined_column, invalid_schema_name.
_UNDEFINED = ("42P01", "42703", "3F000")
#: A duplicate key: SQLite's PRIMARYKEY, UNIQUE and ROWID, PostgreSQL's unique_violation.
_TAKEN = (1555, 2067, 2579, "23505")

_MESSAGES = {
    Fault.damaged: N_(
        "The journal {path} is damaged ({reason}). Restore a backup of it, or use connect(library=…) "
        "with another folder. The videos are intact."
    ),
    Fault.full: N_(
        "The journal {path} cannot be written ({reason}). Free some space, or use connect(library=…) with "
        "another folder."
    ),
    Fault.read_only: N_(
        "The journal {path} cannot be changed ({reason}). Make it and its folder writable, or use "
        "connect(library=…) with another folder."
    ),
    Fault.unreachable: N_(
        "The journal {path} cannot be reached ({reason}). Check its server and its address, or use "
        "connect(library=…) with another one."
    ),
    Fault.busy: N_(
        "The journal {path} is in use by another program ({reason}). Close that program, or use "
        "connect(library=…) with another folder."
    ),
}
_UNUSABLE = N_(
    "The journal {path} cannot be used ({reason}). Restore a backup of it, or use connect(library=…) "
    "with another folder. The videos are intact."
)
_FOREIGN = N_(
    "{path} is not a journal of qingbo_widgets ({reason}) and was not changed. Use "
    "connect(library=…) with another folder."
)
_NEWER = N_(
    "The journal {path} was written by qingbo_widgets {release} or newer, so version {own} cannot "
    "change it. Upgrade qingbo_widgets, or use connect(library=…) with another folder."
)
_UNKNOWN = N_(
    "The journal {path} was written by a newer qingbo_widgets than {own}, which cannot change it. "
    "Upgrade qingbo_widgets, or use connect(library=…) with another folder."
)


@contextmanager
def readable_errors(place: str, if_read_only: str | None = None) -> Iterator[None]:
    """Convert a database error into an error that states the problem and the remedy.

    Any other error propagates unchanged, and so does the one for a duplicate key.

    Args:
        place: the journal's name in the message.
        if_read_only: the message for a journal that was opened read-only.

    Raises:
        JournalReplaced: a table or a column is missing.
        QingboError: the database failed in another way.
    """
    try:
        yield
    except Exception as error:
        fault = fault_of(error)
        reason, kind = short_reason(error), QingboError
        if fault is not None:
            message = tr(_MESSAGES[fault]).format(path=place, reason=reason)
            if if_read_only is not None and fault is Fault.read_only:
                message = if_read_only
        elif _is_replaced(error):
            message, kind = tr(_MESSAGES[Fault.damaged]).format(path=place, reason=reason), JournalReplaced
        elif _is_database_error(error):
            message = tr(_UNUSABLE).format(path=place, reason=reason)
        else:
            raise
    else:
        return
    raise kind(message) from None


def fault_of(error: Exception) -> Fault | None:
    """Return the kind of fault behind a database error; ``None`` if there is no message for it."""
    cause = getattr(error, "orig", None) or error  # the error that SQLAlchemy wraps
    if (code := getattr(cause, "sqlite_errorcode", None)) is not None:
        if code in _NOT_WRITTEN:
            return Fault.full
        return _SQLITE.get(code & 0xFF)  # the upper bits only refine the code
    state = getattr(cause, "sqlstate", None)
    is_lost = state is None and hasattr(cause, "sqlstate") and type(cause).__name__ == "OperationalError"
    return Fault.unreachable if is_lost else _POSTGRESQL.get(state or "")


def _is_replaced(error: Exception) -> bool:
    cause = getattr(error, "orig", None) or error
    if getattr(cause, "sqlite_errorcode", None) == 1:
        return any(phrase in str(cause) for phrase in _MISSING)
    return getattr(cause, "sqlstate", None) in _UNDEFINED


def _is_database_error(error: Exception) -> bool:
    """Return whether SQLAlchemy or the database failed on the journal, or on a value for it."""
    cause = getattr(error, "orig", None) or error
    codes = (getattr(cause, "sqlite_errorcode", None), getattr(cause, "sqlstate", None))
    if any(code in _TAKEN for code in codes):
        return False
    modules = {type(item).__module__.partition(".")[0] for item in (error, cause)}
    return bool(modules & {"sqlalchemy", "sqlite3", "psycopg"}) or isinstance(
        error, UnicodeError | OverflowError
    )


def short_reason(error: BaseException) -> str:
    """Return an error's text without the SQL, the values and the links that SQLAlchemy adds."""
    text = str(getattr(error, "orig", None) or error) or type(error).__name__
    return text.splitlines()[0] if type(error).__module__.startswith("sqlalchemy.") else text


def read_only(place: str, reason: str) -> str:
    """Return the message for a journal that cannot be changed."""
    return tr(_MESSAGES[Fault.read_only]).format(path=place, reason=reason)


def unusable(place: str, reason: str) -> QingboError:
    """Return the error for a journal that does not work as a database should."""
    return QingboError(tr(_UNUSABLE).format(path=place, reason=reason))


def write_failed_message(place: str, error: Exception) -> str:
    """Return the message for a row that could not be written."""
    if isinstance(error, QingboError):  # its text is such a message already
        return str(error)
    return tr(_MESSAGES[Fault.full]).format(path=place, reason=short_reason(error))


def newer(place: str, revision: str) -> str:
    """Return the message for a journal that a later version has written."""
    message = tr(_NEWER if (release := release_of(revision)) else _UNKNOWN)
    return message.format(path=place, release=release, own=RELEASE)


def foreign(place: str, reason: str) -> QingboError:
    """Return the error for a database that another program has created."""
    return QingboError(tr(_FOREIGN).format(path=place, reason=reason))
