"""Conversion between a task and its journal row."""

from __future__ import annotations

from typing import Any

from ...exceptions import QingboError, ServiceError, SubmissionUnconfirmed, TaskCancelled, TaskFailed
from ...i18n import N_, sentences, tr
from ...library.entry import Entry
from ...library.library import Library
from ...library.other_videos import saved_beside
from ...library.saved_errors import error_of, row_of
from ...service.contract.error_codes import explanation
from ...service.contract.snapshot import TaskStatus
from ...system.folder import is_file_inside
from ..resubmission import unconfirmed_advice
from ..task import Task

__all__ = ["entry_of", "interrupted", "refusal_in_doubt", "state_of", "unconfirmed"]

_FIRST_IN_DOUBT = N_(
    "The outcome of the first submission is still unknown: that task may exist, and may be charged."
)


def state_of(entry: Entry, library: Library) -> dict[str, Any]:
    """Return the traits of the task in a row."""
    file = library.video_of(entry)
    if file is not None and not is_file_inside(file):
        file = None
    return {
        "task_id": entry.task_id,
        "model": entry.model,
        "status": TaskStatus(entry.status or TaskStatus.unconfirmed),
        "progress": min(max(entry.progress, 0), 100),
        "created_at": entry.created_at,
        "completed_at": entry.completed_at,
        "video_path": file,
        "other_video_paths": () if file is None else saved_beside(file),
        "error": _error(entry),
        "cost": entry.cost,
        "frozen": entry.frozen,
        "billing_status": entry.billing_status,
    }


def entry_of(task: Task, service: str) -> Entry:
    """Return the row of a task as known to this kernel."""
    is_over = task.status in (TaskStatus.failed, TaskStatus.cancelled, TaskStatus.unconfirmed)
    return Entry(
        key=task.key,
        service=service,
        task_id=task.task_id,
        model=task.model,
        request=task.request.as_dict() if task.request else None,
        status=str(task.status),
        progress=task.progress,
        submitted_at=task.submitted_at,
        created_at=task.created_at,
        completed_at=task.completed_at,
        file=task.video_path.name if task.video_path is not None else None,
        error=row_of(task.error) if is_over and task.error is not None else None,
        contract=task.contract,
        cost=task.cost,
        frozen=task.frozen,
        billing_status=task.billing_status,
        first_submitted_at=task.first_submitted_at,
    )


def unconfirmed(what: object, key: str) -> SubmissionUnconfirmed:
    """Return the error of a task that may or may not exist.

    Args:
        what: the cause and the possible cost, as a sentence or an error.
        key: the idempotency key of the task.
    """
    task_id = getattr(what, "task_id", "")
    message = sentences(str(what), unconfirmed_advice(key, task_id))
    return SubmissionUnconfirmed(message, idempotency_key=key, task_id=task_id)


def refusal_in_doubt(error: QingboError, *more: str) -> str:
    """Return the text of an error of a submission that repeats one in doubt.

    What the error says about the cost is left out: it is true of this attempt only, and the first submission
    may have made the task.

    Args:
        error: the error of the repeated submission.
        *more: the next step as sentences; by default the advice of the error.
    """
    texts: tuple[str, ...] = (str(error), *more)
    if isinstance(error, ServiceError):
        bare = ServiceError(error.message, status=error.status, code=error.code, param=error.param)
        refused = tr("This attempt was refused: {error}").format(error=bare)
        texts = (refused, *explanation(error.code), *(more or (error.advice,)))
    return sentences(*texts, tr(_FIRST_IN_DOUBT))


def interrupted(key: str) -> SubmissionUnconfirmed:
    """Return the error for a task whose kernel died during the submission."""
    what = tr(
        "The kernel ended while this task was being submitted. The task may exist, and may be charged: "
        "check the service's dashboard before submitting it again."
    )
    return unconfirmed(what, key)


def _error(entry: Entry) -> QingboError | None:
    """Return the error that the task ended with; ``None`` for one that is running or completed."""
    row = entry.error or {}
    message = str(row.get("message", ""))
    if entry.status == TaskStatus.failed:
        return error_of({"type": TaskFailed.__name__, **row}, task_id=entry.task_id)
    if entry.status == TaskStatus.cancelled:
        return TaskCancelled(message, task_id=entry.task_id)
    if entry.status == TaskStatus.unconfirmed and message:
        row = {**row, "type": SubmissionUnconfirmed.__name__}
        return error_of(row, idempotency_key=entry.key, task_id="")
    return None
