"""The versions that a journal can be of, known without SQLAlchemy and Alembic."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["CURRENT", "RELEASE", "REVISIONS", "VERSION_TABLE", "is_newer", "is_older", "latest", "release_of"]

#: The table with the journal's revision. Not Alembic's own name: a database may be other programs' too.
VERSION_TABLE = "qingbo_version"
#: Every form that the journal has had, by the release that brought it, the oldest first.
REVISIONS = ("0.1.0", "0.2.0", "0.2.0_2")
CURRENT = REVISIONS[-1]


def is_newer(revision: str) -> bool:
    """Return whether a version that is not known here has written the journal."""
    return revision not in REVISIONS


def is_older(revision: str) -> bool:
    """Return whether a journal lacks steps that this version knows."""
    return revision in REVISIONS[:-1]


def latest(revisions: Iterable[str]) -> str | None:
    """Return the latest of several revisions: one that is not known here is later than all that are."""
    order = {revision: number for number, revision in enumerate(REVISIONS)}
    return max(revisions, key=lambda revision: order.get(revision, len(order)), default=None)


def release_of(revision: str) -> str | None:
    """Return the release that brought a revision; ``None`` if its name does not tell."""
    found = re.fullmatch(r"(\d{1,4}(?:\.\d{1,4}){1,3})(?:[-_]\d{1,4})?", revision)
    return found[1] if found else None


#: The release that brought the present form.
RELEASE = release_of(CURRENT) or CURRENT
