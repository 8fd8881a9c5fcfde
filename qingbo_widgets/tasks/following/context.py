"""``Context``: what follows a task needs the client, the library, the threads and the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..task import Owner, Task

if TYPE_CHECKING:
    from .backlog import Backlog
    from .lease import Sightings

__all__ = ["Context"]


class Context(Owner, Protocol):
    """The part of the manager that followers of tasks use.

    Attributes:
        holder: the name under which this kernel holds tasks in the journal.
        hold_seconds: seconds without a sign of life after which other kernels take over.
        poll_interval: seconds between two questions about one task at least.
        submit_patience: seconds for which a submission is tried while the service is not reached.
        max_video_bytes: the largest video that is saved.
        backlog: rows that could not be written yet.
        sightings: what this kernel has seen of others.
    """

    holder: str
    hold_seconds: float
    poll_interval: float
    submit_patience: float
    max_video_bytes: int
    backlog: Backlog
    sightings: Sightings

    @property
    def known(self) -> tuple[Task, ...]:
        """Every task that this kernel has, in no order."""
