"""``Cell``: one request of a sweep, from waiting to finished, over as many tasks as that takes."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Any

from ...exceptions import LinkExpired, QingboError, TaskNotFound
from ...i18n import N_, tr
from ...service.contract.request import VideoRequest
from ...service.contract.snapshot import TaskStatus
from ..clocks import on_our_clock
from .labels import values_text

if TYPE_CHECKING:
    from ..task import Task

__all__ = ["FREE_RETRY", "Cell", "CellState", "duration_of", "time_left"]


class CellState(StrEnum):
    """The state of a cell."""

    waiting = "waiting"
    """No task was submitted yet."""
    running = "running"
    """Its task is running, or its video is being saved."""
    finished = "finished"
    unsaved = "unsaved"
    """The service has made the video, but it could not be saved here."""
    unfollowed = "unfollowed"
    """The service has accepted the task, which is no longer followed, because the key was refused or the task
    was not found. It may still be rendered and charged."""
    failed = "failed"
    """The service has reported a failure or has refused the task. Neither is charged."""
    unconfirmed = "unconfirmed"
    """The task may or may not exist, and may have been charged."""
    cancelled = "cancelled"


#: States in which ``retry`` continues with the same task, and so at no cost.
FREE_RETRY = (CellState.unsaved, CellState.unfollowed)
_ENDED = {
    TaskStatus.completed: CellState.unsaved,  # without a saved video
    TaskStatus.failed: CellState.failed,
    TaskStatus.cancelled: CellState.cancelled,
}
_NOT_GONE = N_(
    "The service still has the task of the cell {cell}; retry() continues with it, without paying twice."
)


class Cell:
    """One request of a sweep.

    Attributes:
        number: its index, from 0.
        values: the varied fields with their values in this cell, by name; ``repeat`` is 1, 2, …
        request: the complete request.
        task: the task that renders it, ``None`` while it waits.
        key: the idempotency key of its last submission; set before ``task``.
        is_dropped: true if the user cancelled it while it waited.
        is_end_pending: true until the sweep has handled the end of the task.
        is_resubmit_queued: true while its unconfirmed task waits to be submitted again.
        is_replacement_queued: true while a new task waits to replace one that the service no longer has.
        is_restart_unsaved: true until the journal knows that the user has restarted it; it must not be
            submitted before, because to the journal it may still be dropped.
    """

    def __init__(
        self,
        number: int,
        values: Mapping[str, Any],
        request: VideoRequest,
        *,
        key: str | None = None,
        is_dropped: bool = False,
        on_change: Callable[[Sequence[Cell]], object],
    ) -> None:
        self.number = number
        self.values = values
        self.request = request
        self.key = key
        self.is_dropped = is_dropped
        self.task: Task | None = None
        self.is_end_pending = False
        self.is_resubmit_queued = False
        self.is_replacement_queued = False
        self.is_restart_unsaved = False
        self._on_change = on_change
        #: Two clicks must not act twice on one ended task. Never notify while this lock is held.
        self._acting = threading.Lock()

    def __repr__(self) -> str:
        return f"<Cell {self.number} {self.label}: {self.state}>"

    @property
    def label(self) -> str:
        """The varied values as one line of text."""
        return values_text(self.values)

    @property
    def state(self) -> CellState:
        """The state of the cell."""
        task = self.task
        if task is None:
            return CellState.cancelled if self.is_dropped else CellState.waiting
        if self.is_resubmit_queued:
            return CellState.waiting
        if not task.is_done or self.is_end_pending:
            return CellState.running
        if task.video_path is not None:
            return CellState.finished
        if task.status in _ENDED:
            return _ENDED[task.status]
        return CellState.unfollowed if task.task_id else CellState.unconfirmed

    @property
    def is_over(self) -> bool:
        """True if nothing more happens without user action."""
        return self.state not in (CellState.waiting, CellState.running)

    @property
    def progress(self) -> int:
        """Percent, as on the card of its task; 100 once nothing more happens."""
        if self.task is not None and self.state == CellState.running:
            return int(self.task.shown_progress)
        return 0 if self.state == CellState.waiting else 100

    @property
    def is_lost(self) -> bool:
        """True if the service no longer has the accepted task, or its finished video."""
        error = None if self.task is None else self.task.error
        expected = {CellState.unfollowed: TaskNotFound, CellState.unsaved: LinkExpired}.get(self.state)
        return expected is not None and isinstance(error, expected)

    def cancel(self) -> None:
        """Remove the cell from the queue; a task queued at the service is cancelled there.

        A task that is being rendered can no longer be cancelled, and continues.
        """
        self.stop()
        self._on_change([self])

    def retry(self) -> None:
        """Try again, without paying for a task that the service still has.

        A task that is no longer followed is followed again, and a video that could not be saved is saved
        again. Both are free. Any other cell returns to the queue, which may cost money. A task that failed or
        was cancelled at the service is replaced by a new one. A task that the service never accepted, or did
        not confirm, is submitted again with the same key: a service that knows the key returns the first
        task, another bills a second.

        Raises:
            QingboError: the cell has its video.
        """
        if self.state == CellState.finished:
            message = tr("The cell {cell} already has its video; repeat=2 makes another one.")
            raise QingboError(message.format(cell=self.label))
        self.restart()
        self._on_change([self])

    def submit_new_task(self) -> None:
        """Submit a new task in place of one that the service no longer has.

        The first task may have been charged, and the second one may be charged too.

        Raises:
            QingboError: the service still has the task or the video, or there is no task; use ``retry``.
        """
        with self._acting:
            if not self.is_lost:
                message = tr(_NOT_GONE)
                raise QingboError(message.format(cell=self.label))
            self.task, self.is_dropped, self.is_replacement_queued = None, False, True
        self._on_change([self])

    def stop(self) -> None:
        """Like ``cancel``, without notifying the sweep."""
        task = self.task
        if self.is_resubmit_queued:
            self.is_resubmit_queued = False
        elif self.state == CellState.waiting:
            self.is_dropped = True
            # The queue may be submitting it right now: it checks the flag once the task exists.
            task = self.task
        if task is not None and task.status in (TaskStatus.submitting, TaskStatus.queued):
            task.cancel(wait=False)

    def restart(self) -> None:
        """Like ``retry``, without notifying the sweep."""
        with self._acting:
            state = self.state
            if self.task is None or state in (CellState.cancelled, CellState.failed):
                self.is_restart_unsaved = True
                self.task, self.is_dropped = None, False
            elif state == CellState.unconfirmed:
                self.is_resubmit_queued = True
        self.continue_free()

    def assign(self, task: Task) -> None:
        """Set the task, which renders the cell or has ended."""
        with self._acting:
            self.task, self.is_end_pending = task, not task.is_done
            self.is_resubmit_queued = self.is_replacement_queued = False

    def may_replace(self, task: Task) -> bool:
        """Return True if replacing an earlier task of this cell by a new one pays for nothing twice."""
        if not task.is_done or task.video_path is not None:
            return False
        return self.is_replacement_queued or task.status in (TaskStatus.failed, TaskStatus.cancelled)

    def continue_free(self) -> None:
        """Follow the task again or save its video again, at no cost."""
        task, state = self.task, self.state
        if task is not None and state == CellState.unfollowed:
            task.follow_again()
        elif task is not None and state == CellState.unsaved:
            task.retry_download()


def duration_of(task: Task) -> float | None:
    """Return the seconds from a task's submission to its completion, ``None`` for one without a video."""
    end = on_our_clock(task, task.completed_at)
    if end is None or task.status != TaskStatus.completed:
        return None
    return (end - task.submitted_at).total_seconds()


def time_left(
    ended: Iterable[float], running: Iterable[float | None], waiting: int, slots: int
) -> float | None:
    """Return the seconds until a sweep is complete, ``None`` while there is no basis for an estimate.

    Args:
        ended: duration of each ended task, in seconds.
        running: remaining seconds of each running task, ``None`` if unknown.
        waiting: number of cells that are not submitted yet.
        slots: number of tasks that run at the same time.
    """
    durations, running = list(ended), list(running)
    if not durations and (waiting or None in running):
        return None
    each = median(durations) if durations else 0.0
    free = [each if left is None else left for left in running]
    free += [0.0] * (slots - len(free))
    heapq.heapify(free)
    for _ in range(waiting):
        heapq.heapreplace(free, free[0] + each)
    return max(free, default=0.0)
