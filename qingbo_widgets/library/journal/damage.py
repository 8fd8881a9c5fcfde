"""The errors of a journal: classified by the database's exceptions, and put into words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from ...exceptions import QingboError
from ...i18n import N_, tr
from .revisions import RELEASE, release_of

__all__ = [
    "Replaced",
    "Trouble",
    "foreign",
    "in_short",
    "in_words",
    "newer",
    "read_only",
    "trouble_of",
    "unusable",
    "unwritten",
]


class Trouble(Enum):
    """The troubles of a journal that have a sentence of their own."""

    damaged = "damaged"
    full = "full"
    read_only = "read only"
    unreachable = "unreachable"
    busy = "busy"


class Replaced(QingboError):
    """The journal lacks a table or a column. Another one may have taken its place since it was opened."""


#: SQLite's codes: CORRUPT, NOTADB; FULL; PERM, READONLY, CANTOPEN (no file for its own journal can be made);
#: BUSY, LOCKED.
_SQLITE = (
    {11: Trouble.damaged, 26: Trouble.damaged, 13: Trouble.full}
    | dict.fromkeys((3, 8, 14), Trouble.read_only)
    | dict.fromkeys((5, 6), Trouble.busy)
)
#: SQLite's IOERR_WRITE, _FSYNC, _DIR_FSYNC and _TRUNCATE: a quota, say, which has no code of its own.
_NOT_WRITTEN = (778, 1034, 1290, 1546)
#: PostgreSQL's: data_corrupted, index_corrupted; disk_full; read_only_sql_transaction,
#: insufficient_privilege; the server is shut down, has crashed, or starts; lock_not_available.
_POSTGRESQL = (
    dict.fromkeys(("XX001", "XX002"), Trouble.damaged)
    | {"53100": Trouble.full}
    | dict.fromkeys(("25006", "42501"), Trouble.read_only)
    | dict.fromkeys(("57P01", "57P02", "57P03"), Trouble.unreachable)
    | {"55P03": Trouble.busy}
)
#: SQLite has one code for every statement that makes no sense for the tables that there are.
_NOT_THERE = ("no such ", " has no ")  # a table, a column
#: PostgreSQL's undefined_table, undefined_column, invalid_schema_name.
_UNDEFINED = ("42P01", "42703", "3F000")
#: A key that is there already: SQLite's PRIMARYKEY, UNIQUE and ROWID, PostgreSQL's unique_violation.
_TAKEN = (1555, 2067, 2579, "23505")

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
    Trouble.busy: N_(
        "The journal {path} is in use by another program, which does not let go of it ({reason}). Try again "
        "when that has ended, or connect(library=…) elsewhere."
    ),
}
_UNUSABLE = N_(
    "The journal {path} cannot be used as it is ({reason}). Put a copy of it back that is whole, or "
    "connect(library=…) elsewhere: the videos beside it are whole, and resume(id) takes up any task of the "
    "service's dashboard."
)
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


@contextmanager
def in_words(place: str, known: str | None = None) -> Iterator[None]:
    """Say of a journal's trouble what it is and what to do.

    An error that is not the database's goes by, and so does the one about a key that is taken.

    Args:
        place: what the message calls the journal.
        known: the sentence for a journal that was opened for reading only.

    Raises:
        Replaced: a table or a column is missing.
        QingboError: with that sentence.
    """
    try:
        yield
    except Exception as error:
        trouble = trouble_of(error)
        reason, kind = in_short(error), QingboError
        if trouble is not None:
            sentence = tr(_SENTENCES[trouble]).format(path=place, reason=reason)
            if known is not None and trouble is Trouble.read_only:
                sentence = known
        elif _is_replaced(error):
            sentence, kind = tr(_SENTENCES[Trouble.damaged]).format(path=place, reason=reason), Replaced
        elif _is_of_a_database(error):
            sentence = tr(_UNUSABLE).format(path=place, reason=reason)
        else:
            raise
    else:
        return
    raise kind(sentence) from None


def trouble_of(error: Exception) -> Trouble | None:
    """Return the kind of trouble that a database's error is; ``None`` where there is no sentence for it."""
    cause = getattr(error, "orig", None) or error  # what SQLAlchemy wraps
    if (code := getattr(cause, "sqlite_errorcode", None)) is not None:
        if code in _NOT_WRITTEN:
            return Trouble.full
        return _SQLITE.get(code & 0xFF)  # the rest of the code is for experts
    state = getattr(cause, "sqlstate", None)
    is_lost = state is None and hasattr(cause, "sqlstate") and type(cause).__name__ == "OperationalError"
    return Trouble.unreachable if is_lost else _POSTGRESQL.get(state or "")


def _is_replaced(error: Exception) -> bool:
    cause = getattr(error, "orig", None) or error
    if getattr(cause, "sqlite_errorcode", None) == 1:
        return any(words in str(cause) for words in _NOT_THERE)
    return getattr(cause, "sqlstate", None) in _UNDEFINED


def _is_of_a_database(error: Exception) -> bool:
    """Return whether SQLAlchemy or the database did not cope with the journal, or with a value for it."""
    cause = getattr(error, "orig", None) or error
    codes = (getattr(cause, "sqlite_errorcode", None), getattr(cause, "sqlstate", None))
    if any(code in _TAKEN for code in codes):
        return False
    modules = {type(one).__module__.partition(".")[0] for one in (error, cause)}
    return bool(modules & {"sqlalchemy", "sqlite3", "psycopg"}) or isinstance(
        error, UnicodeError | OverflowError
    )


def in_short(error: BaseException) -> str:
    """Return an error's text without the SQL, the values and the links that SQLAlchemy adds."""
    words = str(getattr(error, "orig", None) or error) or type(error).__name__
    return words.splitlines()[0] if type(error).__module__.startswith("sqlalchemy.") else words


def read_only(place: str, reason: str) -> str:
    """Return the sentence for a journal that cannot be changed."""
    return tr(_SENTENCES[Trouble.read_only]).format(path=place, reason=reason)


def unusable(place: str, reason: str) -> QingboError:
    """Return the error for a journal that does not do what it is asked to."""
    return QingboError(tr(_UNUSABLE).format(path=place, reason=reason))


def unwritten(place: str, error: Exception) -> str:
    """Return the sentence for a row that could not be written."""
    if isinstance(error, QingboError):  # which is a sentence already
        return str(error)
    return tr(_SENTENCES[Trouble.full]).format(path=place, reason=in_short(error))


def newer(place: str, revision: str) -> str:
    """Return the sentence for a journal that a later version has written."""
    sentence = tr(_NEWER if (release := release_of(revision)) else _UNKNOWN)
    return sentence.format(path=place, release=release, own=RELEASE)


def foreign(place: str, reason: str) -> QingboError:
    """Return the error for a database that another program has made."""
    return QingboError(tr(_FOREIGN).format(path=place, reason=reason))
