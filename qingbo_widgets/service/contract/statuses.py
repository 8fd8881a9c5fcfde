"""The status of a task in a response, including names of ended states that the contract lacks.

The contract defines five names. A task with any other name is shown with it and still followed, because
mistaking a running task for an ended one would lose a paid video. But the names of an end at other services,
and a response with data that only ended tasks have, count as an end.
"""

from __future__ import annotations

import re

from .snapshot import TaskStatus

__all__ = ["status_of"]

_KNOWN = (
    TaskStatus.queued,
    TaskStatus.processing,
    TaskStatus.completed,
    TaskStatus.failed,
    TaskStatus.cancelled,
)
#: Names that have a meaning of their own here, and none at the service.
_OURS = (TaskStatus.submitting, TaskStatus.unconfirmed)
#: Names of the same end at other services, in lower case and with underscores; "succeed" is that of Kling,
#: behind this gateway. Each needs a video or another sign of the end: "success" may be about the request.
_COMPLETED = frozenset(
    {
        *("complete", "done", "finish", "finished", "succeed", "succeeded", "success", "successful"),
        *("成功", "完成", "已完成"),
    }
)
#: Names that say that nothing more comes.
_FAILED = frozenset({"expired", "fail", "failure", "rejected", "失败", "已过期"})
#: Names that may also be about the request, or about an attempt that the service repeats: they need a reason,
#: or the time of the end.
_PERHAPS_FAILED = frozenset({"aborted", "error", "errored", "stopped", "terminated", "timed_out", "timeout"})
_CANCELLED = frozenset({"cancel", "canceled", "revoked", "已取消"})
#: What some services write in front: ``TASK_STATUS_SUCCEED``, ``JOB_STATE_FAILED``.
_PREFIX = re.compile(r"(?:task|job|video)_(?:status|state)_")


def status_of(
    value: object, *, is_dated: bool, is_full: bool, has_videos: bool, has_error: bool
) -> TaskStatus:
    """Return the status of the task that a response describes.

    Args:
        value: the status in the response.
        is_dated: whether the response has the time at which the task ended.
        is_full: whether its progress is 100 %.
        has_videos: whether it has a video, or a link to one.
        has_error: whether it has the reason why the task failed.
    """
    status = _parsed(value)
    name = _normalised(status)
    status = TaskStatus.__members__.get(name, status)
    if status is not None and status in _KNOWN:
        # A video of a task that has ended is there, although its status is still the one before.
        return TaskStatus.completed if has_videos and is_dated and not status.is_ended else status
    is_over = is_dated or is_full
    if has_videos and (is_over or name in _COMPLETED):
        return TaskStatus.completed
    if name in _COMPLETED and is_over and not has_error:
        return TaskStatus.completed
    if name in _CANCELLED:
        return TaskStatus.cancelled
    signs = (has_error, is_dated, name in _PERHAPS_FAILED)
    if name in _FAILED or (sum(signs) > 1 and name not in _COMPLETED):
        return TaskStatus.failed
    return TaskStatus.queued if status is None or status in _OURS else status


def _parsed(value: object) -> TaskStatus | None:
    try:
        return TaskStatus(value) if isinstance(value, str) else None
    except ValueError:  # blank
        return None


def _normalised(status: TaskStatus | None) -> str:
    """Return the name without case, prefix and the kind of its separators."""
    name = "" if status is None else status.lower().replace("-", "_").replace(" ", "_")
    return _PREFIX.sub("", name, count=1)
