"""The status of a task in an answer, also where the service ends it with a word that the contract lacks.

The contract knows five words. Another one is shown as it is, and followed: to take for an end what is none
would lose a paid video. But an answer that carries what only ended tasks have is an end, whatever its word.
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
#: Words of other gateways for the same ends, in lower case; "succeed" is that of Kling, behind this gateway.
_COMPLETED = frozenset({"succeed", "succeeded", "success", "successful", "complete", "done", "finished"})
_FAILED = frozenset({"failure", "error", "errored"})
#: American spelling.
_CANCELLED = "canceled"


def status_of(
    word: object, *, is_dated: bool, is_full: bool, has_videos: bool, has_error: bool
) -> TaskStatus:
    """Return the status that an answer tells.

    Args:
        word: what the answer calls its status.
        is_dated: whether it says when the task ended.
        is_full: whether it says that the task has made 100 %.
        has_videos: whether it has a link to a video.
        has_error: whether it says why the task failed.
    """
    status = _named(word)
    if status in _KNOWN:
        return status
    name = "" if status is None else status.lower()
    if has_videos:
        is_made = is_dated or is_full or name in _COMPLETED
        return TaskStatus.completed if is_made else status or TaskStatus.queued
    if has_error and name not in _COMPLETED and (is_dated or name in _FAILED):
        return TaskStatus.failed
    if name == _CANCELLED:
        return TaskStatus.cancelled
    return status or TaskStatus.queued


def _named(word: object) -> TaskStatus | None:
    try:
        return TaskStatus(word) if isinstance(word, str) else None
    except ValueError:  # blank
        return None
