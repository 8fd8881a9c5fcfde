"""``Cell``: one place in a sweep, from waiting to finished, over as many tasks as that takes."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Any

from ..exceptions import QingboError
from ..i18n import tr
from ..service.request import VideoRequest
from ..service.snapshot import TaskStatus

if TYPE_CHECKING:
    from .task import Task

__all__ = ["Cell", "CellState", "time_left", "took"]


class CellState(StrEnum):
    """Where a cell stands."""

    waiting = "waiting"
    """Nothing was submitted yet."""
    running = "running"
    """Its task is under way, or its video is being saved."""
    finished = "finished"
    failed = "failed"
    """It has no video. The task failed, or the video could not be saved."""
    unconfirmed = "unconfirmed"
    """It is not known whether the task exists; it may have been charged."""
    cancelled = "cancelled"


class Cell:
    """One request of a sweep.

    Attributes:
        number: its place, from 0.
        values: what varies, and its value here: a field's name to its value, ``repeat`` to 1, 2, …
        request: the whole request.
        task: the task that renders it, ``None`` while it waits.
        key: the key under which it was submitted last; known before its task is.
        is_dropped: whether it was cancelled while it waited.
        is_awaited: whether its sweep has yet to hear how the task has ended.
        is_asked_again: whether its unconfirmed task is to be submitted once more, as soon as there is room.
    """

    def __init__(
        self,
        number: int,
        values: Mapping[str, Any],
        request: VideoRequest,
        *,
        key: str | None = None,
        is_dropped: bool = False,
        told: Callable[[Sequence[Cell]], object],
    ) -> None:
        self.number = number
        self.values = values
        self.request = request
        self.key = key
        self.is_dropped = is_dropped
        self.task: Task | None = None
        self.is_awaited = False
        self.is_asked_again = False
        self._told = told

    def __repr__(self) -> str:
        return f"<Cell {self.number} {self.label}: {self.state}>"

    @property
    def label(self) -> str:
        """What varies, as a line of text."""
        return ", ".join(f"{name}={value}" for name, value in self.values.items())

    @property
    def state(self) -> CellState:
        """Where it stands."""
        task = self.task
        if task is None:
            return CellState.cancelled if self.is_dropped else CellState.waiting
        if self.is_asked_again:
            return CellState.waiting
        if not task.is_done or self.is_awaited:
            return CellState.running
        if task.video_path is not None:
            return CellState.finished
        if task.status == TaskStatus.cancelled:
            return CellState.cancelled
        return CellState.unconfirmed if task.status == TaskStatus.unconfirmed else CellState.failed

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens here by itself."""
        return self.state not in (CellState.waiting, CellState.running)

    @property
    def progress(self) -> int:
        """Percent; 100 where nothing more happens."""
        if self.task is not None and self.state == CellState.running:
            return self.task.progress
        return 0 if self.state == CellState.waiting else 100

    def cancel(self) -> None:
        """Take it out of the queue; a task that still waits at the service is cancelled there and refunded.

        What is being rendered can no longer be cancelled, and goes on.
        """
        self.stop()
        self._told([self])

    def retry(self) -> None:
        """Try again, whatever it takes: saving the video again costs nothing, another task does.

        A failed, cancelled or unconfirmed one goes back into the queue. The unconfirmed one is then submitted
        with the same key: a service that knows the key answers with the first task, another bills a second.

        Raises:
            QingboError: it has its video.
        """
        if self.state == CellState.finished:
            told = tr("The cell {cell} has its video; repeat=2 makes another one.")
            raise QingboError(told.format(cell=self.label))
        self.begin_again()
        self._told([self])

    def stop(self) -> None:
        """What ``cancel`` does, untold."""
        task = self.task
        if self.is_asked_again:
            self.is_asked_again = False
        elif self.state == CellState.waiting:
            self.is_dropped = True
        elif task is not None and task.status in (TaskStatus.submitting, TaskStatus.queued):
            task.cancel(wait=False)

    def begin_again(self) -> None:
        """What ``retry`` does, untold."""
        task = self.task
        if task is None or self.state == CellState.cancelled:
            self.task, self.is_dropped = None, False
        elif self.state == CellState.unconfirmed:
            self.is_asked_again = True
        elif self.state == CellState.failed:
            if task.status == TaskStatus.completed:
                task.retry_download()
            else:
                self.task = None


def took(task: Task) -> float | None:
    """How many seconds a task took from its submission, ``None`` for one without a video."""
    if task.completed_at is not None and task.status == TaskStatus.completed:
        return (task.completed_at - task.submitted_at).total_seconds()
    return None


def time_left(
    ended: Iterable[float], running: Iterable[float | None], waiting: int, places: int
) -> float | None:
    """Seconds until a sweep is through; ``None`` while there is nothing to tell it from.

    Args:
        ended: how long each task took that has ended, in seconds.
        running: how long each task under way will still take, ``None`` where that is not known.
        waiting: how many have not been submitted yet.
        places: how many run at the same time.
    """
    known, running = list(ended), list(running)
    if not known and (waiting or None in running):
        return None
    each = median(known) if known else 0.0
    free = [each if left is None else left for left in running]
    free += [0.0] * (places - len(free))
    heapq.heapify(free)
    for _ in range(waiting):
        heapq.heapreplace(free, free[0] + each)
    return max(free, default=0.0)
