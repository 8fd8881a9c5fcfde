"""Two accounts of one task, a kernel's and its row's: what is further along is never undone.

A kernel may know more than the journal, which could not be written, or was put back from a backup. The
journal may know more than the kernel, where another one has followed the task.
"""

from __future__ import annotations

from dataclasses import replace

from ..service.contract.snapshot import TaskStatus
from .entry import ENDED, Entry

__all__ = ["is_ahead", "merged"]

#: What is kept of the account that is behind, where the other one does not have it.
_KEPT = ("task_id", "model", "request", "created_at", "file", "cost")


def merged(older: Entry, newer: Entry) -> Entry:
    """Return one account out of two: that of ``newer``, unless ``older`` is further along."""
    ahead, behind = (older, newer) if _stage(older) > _stage(newer) else (newer, older)
    kept = {name: getattr(behind, name) for name in _KEPT if getattr(ahead, name) in (None, "")}
    if ahead.completed_at is None and ahead.status in ENDED:
        kept["completed_at"] = behind.completed_at
    whole = replace(ahead, **kept, progress=max(ahead.progress, behind.progress))
    is_saved = whole.file is not None and whole.status == TaskStatus.completed
    return replace(whole, error=None) if is_saved else whole


def is_ahead(entry: Entry, other: Entry) -> bool:
    """Return whether an account has what must not be lost and the other one lacks."""
    return _stage(entry) > _stage(other) or (entry.file is not None and other.file is None)


def _stage(entry: Entry) -> int:
    """Return how far along a task is. One without an id may still be submitted again, whatever its status."""
    if not entry.task_id:
        return 0
    if entry.status == TaskStatus.completed:
        return 3
    return 2 if entry.status in ENDED else 1
