"""A task of the sandbox, whose status follows from its plan, its drawing and the time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from .contracts.contract import Json
from .lifecycle import Timeline
from .order import Order
from .render_pool import DrawFailure, Job

__all__ = ["Entry"]


@dataclass
class Entry:
    """A task of the sandbox. Its status is computed from these facts and the time of the request."""

    task_id: str
    body: Json
    order: Order
    frozen: int
    settled: int  # the charge if the task is completed
    created: float  # Unix seconds, as all times here
    plan: Timeline
    video: Path
    link: str
    job: Job | None = None
    begun: float | None = None  # when the drawing began
    share: float = 0.0  # the share of the drawing that is done
    drawn: float | None = None
    failure: DrawFailure | None = None
    cancelled: float | None = None
    end_known: threading.Event = field(default_factory=threading.Event)

    def starts(self) -> float | None:
        """Return the time at which the task leaves the queue, or ``None`` while no place to draw is free."""
        return None if self.begun is None else max(self.begun, self.created + self.plan.starts)

    def percent(self, now: float) -> int:
        """Return the progress of a task that is not completed, 0 to 99.

        It is that of its plan or, where the machine draws more slowly than that, of the drawing.
        """
        if self.cancelled is not None:
            return 0  # only queued tasks can be cancelled
        end = self.end()
        age = (now if end is None else min(now, end)) - self.created
        return min(self.plan.at(age), int(99 * self.share))

    def end(self) -> float | None:
        """Return the time at which the task ends or ended, or ``None`` while that is unknown."""
        if self.cancelled is not None:
            return self.cancelled
        if self.drawn is None:
            return None
        return max(self.drawn, self.created + (self.plan.fails if self.failure else self.plan.ends))

    def charged(self, now: float) -> int:
        """Return the quota that the task has frozen or has cost."""
        status = self.status(now)
        if status in ("failed", "cancelled"):
            return 0
        return self.settled if status == "completed" else self.frozen

    def status(self, now: float) -> str:
        """Return one of the service's five statuses."""
        end = self.end()
        if self.cancelled is not None and now >= self.cancelled:
            return "cancelled"
        if end is not None and now >= end:
            return "failed" if self.failure else "completed"
        starts = self.starts()
        return "queued" if starts is None or now < starts else "processing"
