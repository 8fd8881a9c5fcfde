"""The status of a task in a response, including names of ended states that the contract lacks.

The contract defines five names. A task with any other name is shown with it and still followed, because
mistaking a running task for an ended one would lose a paid video. But a response with data that only ended
tasks have counts as an end, whatever its status name.
"""

from __future__ import annotations

from .snapshot import TaskStatus

__all__ = ["status_of"]

_KNOWN = (
    TaskStatus.queued,
    TaskStatus.processing,
    TaskStatus.completed,
    TaskStatus.failed,
    TaskStatus.cancelled,
)
#: Names of the same end at other gateways, in lower case; "succeed" is that of Kling, behind this gateway.
_COMPLETED = frozenset({"succeed", "succeeded", "success", "successful", "complete", "done", "finished"})
_FAILED = frozenset({"failure", "error", "errored"})
#: American spelling.
_CANCELLED = "canceled"


def status_of(
    value: object, *, is_dated: bool, is_full: bool, has_videos: bool, has_error: bool
) -> TaskStatus:
    """Return the status of the task that a response describes.

    Args:
        value: the status in the response.
        is_dated: whether the response has the time at which the task ended.
        is_full: whether its progress is 100 %.
        has_videos: whether it has a link to a video.
        has_error: whether it has the reason why the task failed.
    """
    status = _parsed(value)
    if status in _KNOWN:
        return status
    name = "" if status is None else status.lower()
    if has_videos:
        is_complete = is_dated or is_full or name in _COMPLETED
        return TaskStatus.completed if is_complete else status or TaskStatus.queued
    if has_error and name not in _COMPLETED and (is_dated or name in _FAILED):
        return TaskStatus.failed
    if name == _CANCELLED:
        return TaskStatus.cancelled
    return status or TaskStatus.queued


def _parsed(value: object) -> TaskStatus | None:
    try:
        return TaskStatus(value) if isinstance(value, str) else None
    except ValueError:  # blank
        return None
