"""Which version of the package a journal is of, told without SQLAlchemy and Alembic."""

from __future__ import annotations

import re

__all__ = ["CURRENT", "REVISIONS", "VERSION_TABLE", "is_newer", "release_of"]

#: The table with the journal's revision. Not Alembic's own name: a database may be other programs' too.
VERSION_TABLE = "qingbo_version"
#: Every form that the journal has had, by the release that brought it, the oldest first.
REVISIONS = ("0.1.0", "0.2.0")
CURRENT = REVISIONS[-1]


def is_newer(revision: str) -> bool:
    """Return whether a version that is not known here has written the journal."""
    return revision not in REVISIONS


def release_of(revision: str) -> str | None:
    """Return the release that brought a revision; ``None`` if its name does not tell."""
    found = re.fullmatch(r"(\d{1,4}(?:\.\d{1,4}){1,3})(?:-\d{1,4})?", revision)
    return found[1] if found else None
