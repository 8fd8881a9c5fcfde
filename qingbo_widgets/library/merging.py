"""Merging of two records of one task, the kernel's and the journal's, without undoing progress.

The kernel's record may be newer, because the journal could not be written or was restored from a backup. The
journal's record may be newer, because another kernel has followed the task.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..service.contract.snapshot import TaskStatus
from .entry import ENDED, Entry

__all__ = ["earliest", "is_ahead", "merged"]

#: The fields to take from the record that is behind, if the other one lacks them.
_CARRIED_OVER = ("task_id", "model", "request", "created_at", "file", "cost", "frozen", "billing_status")


def merged(older: Entry, newer: Entry) -> Entry:
    """Return one record from two: ``newer``, unless ``older`` is further along.

    The first submission is the earliest that either knows: from it the service counts the time for which a
    repetition is not charged.
    """
    ahead, behind = (older, newer) if _stage(older) > _stage(newer) else (newer, older)
    carried = {name: getattr(behind, name) for name in _CARRIED_OVER if getattr(ahead, name) in (None, "")}
    carried["first_submitted_at"] = earliest(older.first_submitted_at, newer.first_submitted_at)
    if ahead.completed_at is None and ahead.status in ENDED:
        carried["completed_at"] = behind.completed_at
    result = replace(ahead, **carried, progress=max(ahead.progress, behind.progress))
    is_saved = result.file is not None and result.status == TaskStatus.completed
    return replace(result, error=None) if is_saved else result


def is_ahead(entry: Entry, other: Entry) -> bool:
    """Return whether a record has facts that must not be lost and that the other one lacks."""
    return _stage(entry) > _stage(other) or (entry.file is not None and other.file is None)


def earliest(*moments: datetime | None) -> datetime | None:
    """Return the earliest of the known moments; ``None`` if none is known."""
    return min((moment for moment in moments if moment is not None), default=None)


def _stage(entry: Entry) -> int:
    """Return the stage of a task. Without an id it may still be submitted again, whatever its status."""
    if not entry.task_id:
        return 0
    if entry.status == TaskStatus.completed:
        return 3
    return 2 if entry.status in ENDED else 1
