"""The states of a task for its views: over, settled, cancellable. Pure functions of the task."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...service.contract.snapshot import TaskStatus
from ...tasks.clocks import on_our_clock

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = [
    "can_cancel",
    "ends_with_kernel",
    "goes_on",
    "is_over",
    "is_resumable",
    "is_settled",
    "is_unfollowed",
    "link",
    "percent",
]

_CANCELLABLE = (TaskStatus.submitting, TaskStatus.queued)


def is_over(task: Task) -> bool:
    """Return whether the task has stopped; unlike ``is_done``, already true in the change that stops it."""
    return task.is_done or task.error is not None or task.video_path is not None


def is_settled(task: Task) -> bool:
    """Return whether the task is over and no button could change that."""
    if task.video_path is not None or task.status == TaskStatus.cancelled:
        return not task.saves_others
    return task.status == TaskStatus.failed and bool(task.task_id)


def can_cancel(task: Task) -> bool:
    """Return whether the service could still cancel the task: it cancels queued tasks only."""
    return task.status in _CANCELLABLE and not is_over(task)


def is_unfollowed(task: Task) -> bool:
    """Return whether the service may still work on the task, but it is no longer polled."""
    ended = task.status.is_ended or task.status == TaskStatus.unconfirmed
    return task.is_done and not ended and task.video_path is None


def is_resumable(task: Task) -> bool:
    """Return whether a new kernel can follow the task."""
    return not is_settled(task) and bool(task.task_id or task.status != TaskStatus.failed)


def goes_on(task: Task) -> bool:
    """Return whether the service works on the task, or has its video, and a new kernel can follow it."""
    return bool(task.task_id) and not is_settled(task) and not is_over(task)


def ends_with_kernel(task: Task) -> bool:
    """Return whether no other kernel can follow the task, because its sandbox is in this one."""
    return task.manager.is_sandbox and goes_on(task)


def percent(task: Task) -> int:
    """Return the current progress in percent: of the generation, then of the download."""
    return int(task.shown_progress) if task.download is None else round(100 * task.download)


def link(task: Task) -> str:
    """Return the service's URL of the video; empty if there is none or it has expired."""
    end = on_our_clock(task, task.expires_at)
    is_there = bool(task.video_urls) and (end is None or end > datetime.now(UTC))
    return str(task.video_urls[0]) if is_there else ""
