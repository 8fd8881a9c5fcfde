"""``Sweep``: many videos from one call, so many at a time."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import HasTraits, Int, Unicode

from ... import late
from ...exceptions import QingboError, WaitTimeout
from ...i18n import N_, tr
from ...library.dataframe import dataframe
from ...library.sweeps import CellRow, SweepRow, Sweeps
from ...service.contract.callbacks import callback_note
from ...service.contract.request import VideoRequest
from ...service.secrets.known_keys import hide
from ...system.console import say
from ...system.host import in_notebook, warn
from ..connection import current
from ..manager import TaskManager
from ..task import TICK, Task
from .cell import FREE, Cell, CellState, time_left, took
from .grid import Skipped, make_grid
from .plain import announced, as_json, kept_skipped, rows_of, skipped_of
from .queue import SweepQueue

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Sweep", "sweep"]

#: How many tasks of a sweep are unfinished at once by default.
_MAX_RUNNING = 4
#: A name stands for one sweep of a manager, also where two threads ask for it in the same moment.
_naming = threading.RLock()

_PLANNED = N_("Nothing was sent yet: the sweep {name!r} of {count} tasks waits for your word. {ask}")
_ASK = N_("sweep.start() submits them.")
_TAKEN_UP = N_("Taken up from the library. Nothing more is submitted before go_on().")
_CLOSED = N_("Its manager was closed. connect(), then Sweep.resume({name!r}) goes on.")


class Sweep(HasTraits):
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

    state = Unicode("planned", read_only=True, help="planned, running, paused or ended.")
    reason = Unicode("", read_only=True, help="Why it is paused, unless by pause().")
    max_running = Int(_MAX_RUNNING, min=1, help="How many of its tasks may be unfinished at once.")

    def __init__(
        self,
        manager: TaskManager,
        name: str,
        axes: Mapping[str, Sequence[Any]],
        rows: Sequence[CellRow],
        *,
        skipped: Sequence[Skipped] = (),
        max_running: int = _MAX_RUNNING,
    ) -> None:
        super().__init__(max_running=max_running)
        self.name = name
        self.manager = manager
        self.axes = axes
        self.skipped = tuple(skipped)
        self._queue = SweepQueue(self)
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
            found.set_trait("state", "running")
            found._queue.resume()
            if found.counts[CellState.waiting]:
                sent_on = callback_note(*(cell.request for cell in found.cells))
                found._queue.halt(" ".join(filter(None, (tr(_TAKEN_UP), sent_on))))
            found._queue.look()
        return found

    # ------------------------------------------------------------------ how it stands

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of its cells, as far as they are submitted."""
        return tuple(cell.task for cell in self.cells if cell.task is not None)

    @property
    def counts(self) -> Counter[CellState]:
        """How many cells are in which state."""
        found = Counter(cell.state for cell in self.cells)
        return Counter({state: found[state] for state in CellState})

    @property
    def progress(self) -> float:
        """How much is done, 0 to 1; what failed or was cancelled is done too."""
        return sum(cell.progress for cell in self.cells) / (100 * len(self.cells))

    @property
    def time_left(self) -> float | None:
        """Seconds until all of it is through, ``None`` where nothing tells."""
        counts = self.counts
        under_way = [cell.task.eta for cell in self.cells if cell.task and cell.state == CellState.running]
        ended = [seconds for task in self.tasks if (seconds := took(task)) is not None]
        return time_left(ended, under_way, counts[CellState.waiting], self.max_running)

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
        self._queue.halt("")

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
            raise QingboError(tr(_PLANNED).format(name=self.name, count=len(self), ask=tr(_ASK)))
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


def sweep(
    table: object = None,
    *,
    name: str | None = None,
    repeat: int = 1,
    max_running: int | None = None,
    ask_above: int | None = None,
    skip_invalid: bool = False,
    manager: TaskManager | None = None,
    **fields: Any,
) -> Sweep:
    """Render every combination of the values given. Prints how many tasks that is before it sends any.

    More than ``ask_above`` tasks are not sent: the sweep waits for its button in the notebook, or for
    ``start()``. A name that the library knows gives that sweep again if its requests are the same, so a cell
    can be run twice.

    Args:
        table: rows that belong together: a CSV file, a DataFrame, or a list of prompts, dictionaries or
            requests.
        name: under which the library keeps it; made of the time when left out.
        repeat: how many times each combination is rendered.
        max_running: how many tasks may be unfinished at once; 4, or what it was for a sweep that is known.
        ask_above: of how many tasks at most nobody needs to be asked; by default the manager's setting.
        skip_invalid: leave out combinations that a model does not take, instead of raising.
        manager: the default one when left out.
        **fields: as in ``VideoRequest``; a list varies a field, the last one fastest.

    Raises:
        InvalidRequest: the service would refuse some combinations; nothing was sent.
        TypeError, ValueError: a field that does not exist, nothing to make, or a name that is taken.
        MissingApiKey: nobody has connected, and there is no key.
    """
    contract = None if manager is None else manager.client.contract.name
    grid = make_grid(table, repeat=repeat, skip_invalid=skip_invalid, contract=contract, **fields)
    manager = manager or current()
    rows = [CellRow(as_json(one.values), one.request.as_dict()) for one in grid.combinations]
    kept, name = Sweeps(manager.library.journal, manager.service), name and hide(name)
    if name and (known := kept.get(name)) is not None:
        return _take_up(manager, known, rows, max_running)
    places = max_running or _MAX_RUNNING
    for message in dict.fromkeys(
        advice.message for one in grid.combinations for advice in one.request.warnings(contract)
    ):
        warn(message)
    name = name or f"{datetime.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"
    made = Sweep(manager, name, as_json(grid.axes), rows, skipped=grid.skipped, max_running=places)
    with _naming:
        if is_new := kept.add(name, made.axes, skipped_of(grid), places, rows):
            manager.sweeps[name] = made
    if not is_new and (known := kept.get(name)) is not None:  # another kernel or thread was quicker
        return _take_up(manager, known, rows, max_running)
    limit = manager.ask_above if ask_above is None else ask_above
    asks = len(rows) > limit
    say(announced(grid, name, places, tr(_ASK) if asks else ""))  # before anything is sent
    return made if asks else made.start()


def _take_up(
    manager: TaskManager, known: SweepRow, rows: Sequence[CellRow], max_running: int | None
) -> Sweep:
    """Return the sweep that the library has of this name, if its requests are these."""
    if [dict(cell.request) for cell in known.cells] != [dict(row.request) for row in rows]:
        message = tr(
            "the library has another sweep {name!r}: choose another name, or take that one up with "
            "qw.Sweep.resume({name!r})"
        )
        raise ValueError(message.format(name=known.name))
    found = Sweep.resume(known.name, manager=manager)
    found.max_running = max_running or found.max_running
    return found
