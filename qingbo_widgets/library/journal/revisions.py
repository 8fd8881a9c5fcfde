"""The versions of a journal, available without SQLAlchemy and Alembic."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["CURRENT", "RELEASE", "REVISIONS", "VERSION_TABLE", "is_newer", "is_older", "latest", "release_of"]

#: The table with the journal's revision. Not Alembic's own name, as other programs may share the database.
VERSION_TABLE = "qingbo_version"
#: Every schema of the journal, named after the release that introduced it, oldest first.
REVISIONS = ("0.1.0", "0.2.0", "0.2.0_2", "0.2.0_3", "0.2.0_4", "0.2.0_5", "0.2.0_6")
CURRENT = REVISIONS[-1]


def is_newer(revision: str) -> bool:
    """Return whether a version unknown to this one has written the journal."""
    return revision not in REVISIONS


def is_older(revision: str) -> bool:
    """Return whether a journal lacks migrations that this version has."""
    return revision in REVISIONS[:-1]


def latest(revisions: Iterable[str]) -> str | None:
    """Return the latest of several revisions; an unknown revision is later than every known one."""
    order = {revision: number for number, revision in enumerate(REVISIONS)}
    return max(revisions, key=lambda revision: order.get(revision, len(order)), default=None)


def release_of(revision: str) -> str | None:
    """Return the release that introduced a revision; ``None`` if the name of the revision has none."""
    match = re.fullmatch(r"(\d{1,4}(?:\.\d{1,4}){1,3})(?:[-_]\d{1,4})?", revision)
    return match[1] if match else None


#: The release that introduced the current schema.
RELEASE = release_of(CURRENT) or CURRENT
