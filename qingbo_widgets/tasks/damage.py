"""The errors of a journal: classified by the database's exceptions, and put into words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from ..exceptions import QingboError
from ..i18n import N_, tr
from .revisions import CURRENT, release_of

__all__ = ["Trouble", "foreign", "in_short", "in_words", "newer", "read_only", "trouble_of", "unwritten"]


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


def in_short(error: BaseException) -> str:
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
    sentence = tr(_NEWER if (release := release_of(revision)) else _UNKNOWN)
    return sentence.format(path=place, release=release, own=CURRENT)


def foreign(place: str, reason: str) -> QingboError:
    """Return the error for a database that another program has made."""
    return QingboError(tr(_FOREIGN).format(path=place, reason=reason))
