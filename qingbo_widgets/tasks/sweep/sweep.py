"""``Sweep``: many videos that differ in what is compared, so many at a time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import late
from ...exceptions import QingboError, WaitTimeout
from ...i18n import N_, tr
from ...library.dataframe import dataframe
from ...library.sweeps import CellRow, Sweeps
from ...service.contract.callbacks import callback_note
from ...service.contract.request import VideoRequest
from ...system.console import say
from ...system.host import in_notebook
from ..connection import current
from ..manager import TaskManager
from ..task import TICK, Task
from .cell import FREE, Cell, CellState
from .grid import Skipped
from .plain import kept_skipped, rows_of, skipped_as_json
from .queue import SweepQueue
from .state import MAX_RUNNING, SweepState

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ASK", "Sweep"]

#: A name stands for one sweep of a manager, also where two threads ask for it in the same moment.
_naming = threading.RLock()

_PLANNED = N_("Nothing was sent yet: the sweep {name!r} of {count} tasks waits for your word. {ask}")
ASK = N_("sweep.start() submits them.")
_TAKEN_UP = N_("Taken up from the library. Nothing more is submitted before go_on().")
_CLOSED = N_("Its manager was closed. connect(), then Sweep.resume({name!r}) goes on.")


class Sweep(SweepState):
    """Requests that differ in what is compared, submitted with a limit on how many are unfinished at once.

    Made by ``sweep``; it is kept in the library with every request, so ``Sweep.resume(name)`` finds it in
    another kernel. There, as always, nothing is submitted before the user asks for it.

    It pauses itself where submitting more would be in vain or would be lost: after a refusal that the others
    would meet as well, after three submissions in a row that stay unconfirmed, and when a task is no longer
    followed. ``reason`` says so, and ``go_on()`` goes on.

    At the end of a notebook cell it shows its grid. ``for task in sweep`` yields each task as it ends, in
    whatever way; so does ``async for``. ``await sweep`` waits for all.

    Attributes:
        name: under which the library keeps it.
        manager: what submits and follows the tasks.
        cells: one for each request, in the order of submission.
        axes: what varies: a field's name to its values.
        skipped: the combinations that were left out, and why.
    """

    def __init__(
        self,
        manager: TaskManager,
        name: str,
        axes: Mapping[str, Sequence[Any]],
        rows: Sequence[CellRow],
        *,
        skipped: Sequence[Skipped] = (),
        max_running: int = MAX_RUNNING,
    ) -> None:
        super().__init__(name, max_running)
        self.manager = manager
        self.axes = axes
        self.skipped = tuple(skipped)
        self._queue = SweepQueue(self, manager)
        self.cells = tuple(
            Cell(
                number,
                row.values,
                VideoRequest.from_dict(row.request),
                key=row.key,
                is_dropped=row.is_dropped,
                on_change=self._queue.change,
            )
            for number, row in enumerate(rows)
        )
        self.observe(self._limit, "max_running")

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {state}" for state, count in self.counts.items() if count)
        return f"<Sweep {self.name!r} {self.state}: {counts}>"

    def __len__(self) -> int:
        return len(self.cells)

    @classmethod
    def resume(cls, name: str | None = None, *, manager: TaskManager | None = None) -> Sweep:
        """Take up a sweep from the library. What runs is followed; what waits, waits for ``go_on()``.

        Args:
            name: the sweep's; the latest one when left out.
            manager: the default one when left out.

        Raises:
            KeyError: the library has no such sweep; the text names those that it has.
        """
        manager = manager or current()
        kept = Sweeps(manager.library.journal, manager.service)
        name = name or next(iter(kept.names()), "")
        with _naming:
            live: Sweep | None = manager.sweeps.get(name)
            if live is not None:
                return live
            row = kept.get(name)
            if row is None:
                known, folder = ", ".join(kept.names()) or tr("none"), str(manager.library.folder)
                message = tr("no sweep {name!r} in {folder!r}; there are: {known}")
                raise KeyError(message.format(name=name, folder=folder, known=known))
            skipped = kept_skipped(row.skipped)
            found = cls(manager, name, row.axes, row.cells, skipped=skipped, max_running=row.max_running)
            manager.sweeps[name] = found
            found.set_running()
            found._queue.resume()
            if found.counts[CellState.waiting]:
                sent_on = callback_note(*(cell.request for cell in found.cells))
                found.set_paused(" ".join(filter(None, (tr(_TAKEN_UP), sent_on))))
            found.settle()
        return found

    @property
    def is_done(self) -> bool:
        """Whether nothing more happens by itself."""
        if self.manager.is_closed:
            return True
        return self.state == "ended" or (self.state == "paused" and not self.counts[CellState.running])

    def rows(self) -> list[dict[str, Any]]:
        """A row for each cell: what varies, how it ended, how long it took, the file, the judgement."""
        return rows_of(self.cells, self.manager.library)

    def to_dataframe(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame.

        Raises:
            ImportError: pandas is not installed; ``rows()`` needs none.
        """
        rows = self.rows()
        return dataframe(rows, rows[0])

    # ------------------------------------------------------------------ acting

    def start(self) -> Sweep:
        """Submit a sweep that has waited for your word. Does nothing to one that runs or has ended."""
        if self.state == "planned":
            self.go_on()
        return self

    def pause(self) -> None:
        """Submit no more. What is under way goes on at the service."""
        self.set_paused("")

    def go_on(self) -> None:
        """Submit what waits.

        After submissions that stayed unconfirmed, one goes first, and the others once it is confirmed.
        """
        self._queue.go_on()

    def cancel(self) -> None:
        """Cancel everything that has not begun: what waits here, and what waits in the service's queue."""
        stopped = [cell for cell in self.cells if cell.state in (CellState.waiting, CellState.running)]
        for cell in stopped:
            cell.stop()
        self._queue.change(stopped)

    def follow_again(self) -> None:
        """Follow the tasks that are no longer followed, and save the videos that could not be saved.

        Costs nothing: the service has them already.
        """
        for cell in self.cells:
            if cell.state in FREE:
                cell.begin_free()
        self._queue.poke()

    def retry_failed(self, *, unconfirmed: bool = False) -> None:
        """Try again what has no video, each cell as ``Cell.retry`` does.

        A failed one gets a new task, which may cost money. What the service still has is followed or saved
        again, as ``follow_again`` does, and costs nothing.

        Args:
            unconfirmed: also submit again what may exist already; it may be charged twice.
        """
        states = {CellState.failed, *FREE} | ({CellState.unconfirmed} if unconfirmed else set())
        again = [cell for cell in self.cells if cell.state in states]
        for cell in again:
            cell.begin_again()
        self._queue.change(again)

    def keep(self, rows: Sequence[CellRow]) -> bool:
        """Write a new sweep into the library; return ``False`` where that has one of this name."""
        with _naming:
            is_new = self._queue.rows.add(
                self.name, self.axes, skipped_as_json(self.skipped), self.max_running, rows
            )
            if is_new:
                self.manager.sweeps[self.name] = self
        return is_new

    # ------------------------------------------------------------------ waiting

    def wait(self, timeout: float | None = None) -> Sweep:
        """Block until nothing more happens by itself. Cells that failed raise nothing; ``counts`` has them.

        Args:
            timeout: seconds to wait at most, ``None`` for as long as it takes.

        Raises:
            QingboError: it is not started, or is paused with cells that wait.
            WaitTimeout: the time is over; the sweep goes on.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        for _ in self._ticks():
            if deadline is not None and time.monotonic() >= deadline:
                message = tr("The sweep {name!r} is not done after {timeout:g} s. It goes on.")
                raise WaitTimeout(message.format(name=self.name, timeout=timeout))
            time.sleep(TICK)
        return self

    def __await__(self) -> Generator[Any, None, Sweep]:
        return self._awaited().__await__()

    def __iter__(self) -> Iterator[Task]:
        seen: set[str] = set()
        for _ in self._ticks():
            yield from self._ended_now(seen)
            time.sleep(TICK)
        yield from self._ended_now(seen)

    async def __aiter__(self) -> AsyncIterator[Task]:
        seen: set[str] = set()
        for _ in self._ticks():
            for task in self._ended_now(seen):
                yield task
            await asyncio.sleep(TICK)
        for task in self._ended_now(seen):
            yield task

    async def _awaited(self) -> Sweep:
        for _ in self._ticks():
            await asyncio.sleep(TICK)
        return self

    def _ticks(self) -> Iterator[None]:
        """Yield until the sweep is done; raise if it is waiting for ``start()`` or ``go_on()``."""
        self.manager.monitor.process.check()
        if self.state == "planned":
            raise QingboError(tr(_PLANNED).format(name=self.name, count=len(self), ask=tr(ASK)))
        while not self.is_done:
            yield
        if self.manager.is_closed and self.state != "ended":
            raise QingboError(tr(_CLOSED).format(name=self.name))
        if self.state == "paused" and (waiting := self.counts[CellState.waiting]):
            message = tr("The sweep {name!r} is paused, {waiting} wait for go_on(). {reason}")
            raise QingboError(message.format(name=self.name, waiting=waiting, reason=self.reason))

    def _ended_now(self, seen: set[str]) -> Iterator[Task]:
        for task in self.tasks:
            if task.is_done and task.key not in seen:
                seen.add(task.key)
                yield task

    def export_html(self, path: str | Path) -> Path:
        """Write what a colleague opens without Jupyter: all cells as a table, with their videos.

        Args:
            path: one file with the videos inside it, where it ends in ``.html``; else a folder.

        Returns:
            The page.

        Raises:
            QingboError: the videos are too large for one file.
            OSError: the place cannot be written.
        """
        exported: Path = late.export_sweep(self, Path(path).expanduser())
        return exported

    # ------------------------------------------------------------------ showing

    def show(self) -> None:
        """Show the grid in the notebook; in a terminal, print how it stands."""
        if not in_notebook():
            say(repr(self))
            return
        late.show_sweep(self)

    def _ipython_display_(self) -> None:
        self.show()

    def _limit(self, _: object) -> None:
        self._queue.rows.change(self.name, max_running=self.max_running)
        self._queue.poke()
