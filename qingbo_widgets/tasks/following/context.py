"""``Context``: the interface of the manager to the followers of its tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..task import Owner, Task

if TYPE_CHECKING:
    from .backlog import Backlog
    from .lease import ObservedHolds

__all__ = ["Context"]


class Context(Owner, Protocol):
    """The part of the manager that followers of tasks use.

    Attributes:
        holder: the name under which this kernel holds tasks in the journal.
        hold_seconds: seconds without a renewal after which other kernels take a task over.
        poll_interval: the minimum of seconds between two status requests for one task.
        submit_patience: seconds for which a submission is retried while the service is unreachable.
        max_video_bytes: the size of the largest video that is saved.
        backlog: the journal rows that could not be written yet.
        observed_holds: the holds of other kernels, as observed by this one.
    """

    holder: str
    hold_seconds: float
    poll_interval: float
    submit_patience: float
    max_video_bytes: int
    backlog: Backlog
    observed_holds: ObservedHolds

    @property
    def known_tasks(self) -> tuple[Task, ...]:
        """All tasks of this kernel, in no particular order."""
