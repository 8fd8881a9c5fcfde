"""The service's clock and ours, which may be hours apart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .task import Task

__all__ = ["on_our_clock"]

#: A submission, its retries included, and two clocks that somebody sets are no further apart than this.
_AGREE = timedelta(minutes=10)


def on_our_clock(task: Task, moment: datetime | None) -> datetime | None:
    """A moment that the service named, as our clock would show it.

    How far apart they are, tells the moment at which the service says that it made a task that was submitted
    here.
    """
    if moment is None or task.created_at is None or task.request is None:
        return moment
    ahead = task.created_at - task.submitted_at
    return moment if abs(ahead) < _AGREE else moment - ahead
