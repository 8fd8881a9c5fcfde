"""``Cell``: one place in a sweep, from waiting to finished, over as many tasks as that takes."""

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

if TYPE_CHECKING:
    from ..task import Task

__all__ = ["FREE", "Cell", "CellState", "time_left", "took"]


class CellState(StrEnum):
    """Where a cell stands."""

    waiting = "waiting"
    """Nothing was submitted yet."""
    running = "running"
    """Its task is under way, or its video is being saved."""
    finished = "finished"
    unsaved = "unsaved"
    """The service has made the video, and it could not be saved here."""
    unfollowed = "unfollowed"
    """The service has taken the task, which is no longer followed: the key was refused, or the task was not
    found. It may still be rendered and charged."""
    failed = "failed"
    """The service says that the task failed, or has refused it. Neither is charged."""
    unconfirmed = "unconfirmed"
    """It is not known whether the task exists; it may have been charged."""
    cancelled = "cancelled"


#: What goes on without another task, and so without a cost.
FREE = (CellState.unsaved, CellState.unfollowed)
_ENDED = {
    TaskStatus.completed: CellState.unsaved,  # its video would be there
    TaskStatus.failed: CellState.failed,
    TaskStatus.cancelled: CellState.cancelled,
}
_NOT_GONE = N_(
    "The cell {cell} has no task that the service has lost; retry() tries again without paying twice for "
    "what the service has."
)


class Cell:
    """One request of a sweep.

    Attributes:
        number: its place, from 0.
        values: what varies, and its value here: a field's name to its value, ``repeat`` to 1, 2, …
        request: the whole request.
        task: the task that renders it, ``None`` while it waits.
        key: the key under which it was submitted last; known before its task is.
        is_dropped: whether it was cancelled while it waited.
        is_awaited: whether its sweep has yet to act on the end of the task.
        is_asked_again: whether its unconfirmed task is to be submitted once more, as soon as there is room.
        is_asked_anew: whether another task is to take the place of one that the service no longer has.
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
        self.is_awaited = False
        self.is_asked_again = False
        self.is_asked_anew = False
        self._on_change = on_change
        #: Two clicks must not take one ended task for two: nothing that notifies is called while it is held.
        self._acting = threading.Lock()

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
        if task.status in _ENDED:
            return _ENDED[task.status]
        return CellState.unfollowed if task.task_id else CellState.unconfirmed

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

    @property
    def is_gone(self) -> bool:
        """Tell whether the service no longer has what it took: the task, or the finished video."""
        error = None if self.task is None else self.task.error
        wanted = {CellState.unfollowed: TaskNotFound, CellState.unsaved: LinkExpired}.get(self.state)
        return wanted is not None and isinstance(error, wanted)

    def cancel(self) -> None:
        """Take it out of the queue; a task that still waits at the service is cancelled there and refunded.

        What is being rendered can no longer be cancelled, and goes on.
        """
        self.stop()
        self._on_change([self])

    def retry(self) -> None:
        """Try again, without paying for what the service still has.

        A task that is no longer followed is followed again, and a video that could not be saved is saved
        again. Both are free. Any other cell goes back into the queue, which may cost money. For a task that
        failed or was cancelled at the service there is a new one. One that the service never took, or did
        not confirm, is submitted again with the same key: a service that knows the key answers with the
        first task, another bills a second.

        Raises:
            QingboError: it has its video.
        """
        if self.state == CellState.finished:
            message = tr("The cell {cell} has its video; repeat=2 makes another one.")
            raise QingboError(message.format(cell=self.label))
        self.begin_again()
        self._on_change([self])

    def submit_anew(self) -> None:
        """Submit another task in place of one that the service no longer has.

        The first one may have been charged, and the second one may be, too.

        Raises:
            QingboError: the service still has the task or the video, or there is none; ``retry`` is right.
        """
        with self._acting:
            if not self.is_gone:
                message = tr(_NOT_GONE)
                raise QingboError(message.format(cell=self.label))
            self.task, self.is_dropped, self.is_asked_anew = None, False, True
        self._on_change([self])

    def stop(self) -> None:
        """Like ``cancel``, without notifying the sweep."""
        task = self.task
        if self.is_asked_again:
            self.is_asked_again = False
        elif self.state == CellState.waiting:
            self.is_dropped = True
            # It may be submitted in this very moment: its sweep looks at the mark once the task is there.
            task = self.task
        if task is not None and task.status in (TaskStatus.submitting, TaskStatus.queued):
            task.cancel(wait=False)

    def begin_again(self) -> None:
        """Like ``retry``, without notifying the sweep."""
        with self._acting:
            state = self.state
            if self.task is None or state in (CellState.cancelled, CellState.failed):
                self.task, self.is_dropped = None, False
            elif state == CellState.unconfirmed:
                self.is_asked_again = True
        self.begin_free()

    def have(self, task: Task) -> None:
        """Have a task, which renders it or has ended."""
        with self._acting:
            self.task, self.is_awaited = task, not task.is_done
            self.is_asked_again = self.is_asked_anew = False

    def may_replace(self, task: Task) -> bool:
        """Tell whether a new task in place of an earlier one of this cell pays for nothing twice."""
        if not task.is_done or task.video_path is not None:
            return False
        return self.is_asked_anew or task.status in (TaskStatus.failed, TaskStatus.cancelled)

    def begin_free(self) -> None:
        """Follow the task again, or save its video again: what costs nothing."""
        task, state = self.task, self.state
        if task is not None and state == CellState.unfollowed:
            task.follow_again()
        elif task is not None and state == CellState.unsaved:
            task.retry_download()


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
