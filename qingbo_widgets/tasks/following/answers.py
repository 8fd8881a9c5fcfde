"""Conversion of the service's answers to trait changes; pure, apart from the current time as a default."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ...i18n import tr
from ...service.contract.snapshot import TaskSnapshot, TaskStatus
from ..state import TaskState
from .failure import cancellation_of, failure_of

__all__ = ["changes_from", "costs_in", "links_in", "note_on"]


def changes_from(snapshot: TaskSnapshot, task: TaskState, eta: float | None) -> dict[str, Any]:
    """Return the traits that an answer changes, with their new values.

    Args:
        snapshot: the answer.
        task: the task before the answer.
        eta: the estimated seconds until the task ends; ``None`` if unknown.
    """
    changes: dict[str, Any] = {
        "task_id": task.task_id or snapshot.task_id,
        "model": snapshot.model or task.model,
        "status": snapshot.status,
        "progress": max(task.progress, snapshot.progress),
        "created_at": snapshot.created_at or task.created_at,
        "eta": eta,
        **costs_in(snapshot, task),
    }
    if snapshot.status.is_ended:
        changes |= {"completed_at": snapshot.completed_at or datetime.now(UTC), "eta": None}
    if snapshot.status == TaskStatus.completed:
        changes |= {"progress": 100, **links_in(snapshot)}
    elif snapshot.status == TaskStatus.failed:
        changes["error"] = failure_of(snapshot, task.contract)
    elif snapshot.status == TaskStatus.cancelled:
        changes["error"] = cancellation_of(snapshot, task.contract)
    if snapshot.status in (TaskStatus.failed, TaskStatus.cancelled) and snapshot.videos:
        changes |= links_in(snapshot)  # the user may fetch what the service may have charged for
    return changes


def note_on(snapshot: TaskSnapshot) -> str:
    """Return a sentence about an error in the answer of a task that has not ended; empty if there is none."""
    if snapshot.error is None or snapshot.status.is_ended:
        return ""
    text = tr("The service reports an error, but not that the task has ended: {reason}")
    return text.format(reason=snapshot.error.text)


def costs_in(snapshot: TaskSnapshot, task: TaskState) -> dict[str, Any]:
    """Return the traits about money after an answer; what an answer lacks is unchanged."""
    return {
        "cost": task.cost if snapshot.cost is None else snapshot.cost,
        "frozen": task.frozen if snapshot.frozen is None else snapshot.frozen,
        "billing_status": snapshot.billing_status or task.billing_status,
    }


def links_in(snapshot: TaskSnapshot) -> dict[str, Any]:
    """Return the link traits for an answer: its video URLs and the earliest expiry."""
    expiries = [video.expires_at for video in snapshot.videos if video.expires_at is not None]
    return {
        "video_urls": tuple(video.url for video in snapshot.videos if video.url),
        "expires_at": min(expiries, default=None),
    }
