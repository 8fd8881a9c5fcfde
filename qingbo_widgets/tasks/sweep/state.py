"""``SweepState``: the state of a sweep and of its cells."""

from __future__ import annotations

import threading
from collections import Counter

from traitlets import HasTraits, Int, Unicode

from ..task import Task
from .cell import Cell, CellState, duration_of, time_left

__all__ = ["MAX_RUNNING", "SweepState"]

#: Default maximum of unfinished tasks of a sweep at a time.
MAX_RUNNING = 4


class SweepState(HasTraits):
    """The cells of a sweep and its state: planned, running, paused or ended.

    The queue changes the state; ``Sweep`` adds the user's actions.

    Args:
        name: its name in the library.
        max_running: maximum number of unfinished tasks at a time.

    Attributes:
        cells: one cell per request, in order of submission.
    """

    state = Unicode("planned", read_only=True, help="planned, running, paused or ended.")
    reason = Unicode("", read_only=True, help="The reason for a pause; empty after pause().")
    message = Unicode("", read_only=True, help="What a running sweep waits for; mostly empty.")
    max_running = Int(MAX_RUNNING, min=1, help="Maximum number of unfinished tasks at a time.")

    def __init__(self, name: str, max_running: int = MAX_RUNNING) -> None:
        super().__init__(max_running=max_running)
        self.name = name
        self.cells: tuple[Cell, ...] = ()
        self._changing = threading.RLock()

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of the submitted cells."""
        return tuple(cell.task for cell in self.cells if cell.task is not None)

    @property
    def counts(self) -> Counter[CellState]:
        """The number of cells in each state."""
        counter = Counter(cell.state for cell in self.cells)
        return Counter({state: counter[state] for state in CellState})

    @property
    def progress(self) -> float:
        """The completed share of the sweep, 0 to 1; failed and cancelled cells count as completed."""
        return sum(cell.progress for cell in self.cells) / (100 * len(self.cells))

    @property
    def time_left(self) -> float | None:
        """Estimated seconds until the sweep is complete, ``None`` if there is no basis for an estimate."""
        counts = self.counts
        tasks = (cell.task for cell in self.cells if cell.state == CellState.running)
        running = [task.seconds_left for task in tasks if task is not None]
        ended = [seconds for task in self.tasks if (seconds := duration_of(task)) is not None]
        return time_left(ended, running, counts[CellState.waiting], self.max_running)

    # ------------------------------------------------------------------ for the queue

    def set_running(self) -> None:
        """Set the state to running, so that the queue submits."""
        with self._changing:
            self.set_trait("reason", "")
            self.set_trait("state", "running")

    def set_paused(self, reason: str) -> bool:
        """Set the state to paused for this reason, so that the queue stops submitting, if it is running.

        Returns:
            Whether it was running.
        """
        with self._changing:
            was_running: bool = self.state == "running"
            if was_running:
                self.set_trait("reason", reason)
                self.set_trait("message", "")
                self.set_trait("state", "paused")
        return was_running

    def set_message(self, message: str) -> None:
        """Set the message about what the sweep waits for."""
        self.set_trait("message", message)

    def update_state(self) -> None:
        """Set the state to ended or back to running, depending on the cells."""
        with self._changing:
            is_over = all(cell.is_over for cell in self.cells)
            if self.state == "ended" and not is_over:
                self.set_trait("state", "running")
            elif self.state != "planned" and is_over:
                self.set_trait("reason", "")
                self.set_trait("message", "")
                self.set_trait("state", "ended")
