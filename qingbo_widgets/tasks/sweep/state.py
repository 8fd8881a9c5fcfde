"""``SweepState``: how a sweep stands, in its cells and as a whole."""

from __future__ import annotations

import threading
from collections import Counter

from traitlets import HasTraits, Int, Unicode

from ..task import Task
from .cell import Cell, CellState, time_left, took

__all__ = ["MAX_RUNNING", "SweepState"]

#: How many tasks of a sweep are unfinished at once by default.
MAX_RUNNING = 4


class SweepState(HasTraits):
    """The cells of a sweep, and whether it is planned, running, paused or ended.

    Its queue moves it from one state to the next; ``Sweep`` adds what a user does with it.

    Args:
        name: under which the library keeps it.
        max_running: how many of its tasks may be unfinished at once.

    Attributes:
        cells: one for each request, in the order of submission.
    """

    state = Unicode("planned", read_only=True, help="planned, running, paused or ended.")
    reason = Unicode("", read_only=True, help="Why it is paused, unless by pause().")
    max_running = Int(MAX_RUNNING, min=1, help="How many of its tasks may be unfinished at once.")

    def __init__(self, name: str, max_running: int = MAX_RUNNING) -> None:
        super().__init__(max_running=max_running)
        self.name = name
        self.cells: tuple[Cell, ...] = ()
        self._moving = threading.RLock()

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of its cells, as far as they are submitted."""
        return tuple(cell.task for cell in self.cells if cell.task is not None)

    @property
    def counts(self) -> Counter[CellState]:
        """The number of cells in each state."""
        found = Counter(cell.state for cell in self.cells)
        return Counter({state: found[state] for state in CellState})

    @property
    def progress(self) -> float:
        """The share of the sweep that is done, 0 to 1; failed and cancelled cells are done too."""
        return sum(cell.progress for cell in self.cells) / (100 * len(self.cells))

    @property
    def time_left(self) -> float | None:
        """Seconds until all of it is through, ``None`` where nothing tells."""
        counts = self.counts
        under_way = [cell.task.eta for cell in self.cells if cell.task and cell.state == CellState.running]
        ended = [seconds for task in self.tasks if (seconds := took(task)) is not None]
        return time_left(ended, under_way, counts[CellState.waiting], self.max_running)

    # ------------------------------------------------------------------ for the queue

    def set_running(self) -> None:
        """Let its queue submit."""
        with self._moving:
            self.set_trait("reason", "")
            self.set_trait("state", "running")

    def set_paused(self, reason: str) -> None:
        """Let its queue submit no more, for this reason."""
        with self._moving:
            if self.state == "running":
                self.set_trait("reason", reason)
                self.set_trait("state", "paused")

    def settle(self) -> None:
        """End the sweep, or open it again, as its cells are."""
        with self._moving:
            is_over = all(cell.is_over for cell in self.cells)
            if self.state == "ended" and not is_over:
                self.set_trait("state", "running")
            elif self.state != "planned" and is_over:
                self.set_trait("reason", "")
                self.set_trait("state", "ended")
