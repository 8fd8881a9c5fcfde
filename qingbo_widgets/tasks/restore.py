"""What the journal says of a task, in the terms of ``Task``."""

from __future__ import annotations

from typing import Any

from ..exceptions import QingboError, SubmissionUnconfirmed, TaskCancelled, TaskFailed
from ..service.request import VideoRequest
from ..service.snapshot import TaskStatus
from .library import Entry, Library

__all__ = ["interrupted", "request_of", "state_of", "unconfirmed"]


def request_of(entry: Entry) -> VideoRequest | None:
    """The request; ``None`` where it is not known, or was written by a version that knows more fields."""
    if entry.request is None:
        return None
    try:
        return VideoRequest.from_dict(entry.request)
    except TypeError:
        return None


def state_of(entry: Entry, library: Library) -> dict[str, Any]:
    """The traits of the task."""
    file = library.video_of(entry)
    return {
        "task_id": entry.task_id,
        "model": entry.model,
        "status": TaskStatus(entry.status or TaskStatus.unconfirmed),
        "progress": entry.progress,
        "created_at": entry.created_at,
        "completed_at": entry.completed_at,
        "video_path": file if file is not None and file.is_file() else None,
        "error": _error(entry),
    }


def unconfirmed(what: object, key: str) -> SubmissionUnconfirmed:
    """Nobody can tell whether the task exists: ``what`` happened, what it may cost, and how to go on."""
    return SubmissionUnconfirmed(
        f"{what} If the dashboard shows it, check(its id) takes it up. Submitting again goes out with the "
        f"same idempotency key ({key}).",
        idempotency_key=key,
    )


def interrupted(key: str) -> SubmissionUnconfirmed:
    """What is to be said of a row that was being submitted when its kernel died."""
    return unconfirmed(
        "The kernel ended while this task was being submitted. The task may exist, and may be charged: look "
        "at the service's dashboard before submitting it again.",
        key,
    )


def _error(entry: Entry) -> QingboError | None:
    message = (entry.error or {}).get("message", "")
    if entry.status == TaskStatus.failed:
        return TaskFailed(message, task_id=entry.task_id)
    if entry.status == TaskStatus.cancelled:
        return TaskCancelled(message, task_id=entry.task_id)
    if entry.status == TaskStatus.unconfirmed and message:
        return SubmissionUnconfirmed(message, idempotency_key=entry.key)
    return None
