"""``Sweep``: many videos from one call, so many at a time."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import HasTraits, Int, Unicode

from ..console import say
from ..exceptions import BadRequest, InvalidRequest, QingboError, TaskCancelled, WaitTimeout
from ..i18n import N_, tr
from ..service.callbacks import callback_note
from ..service.known_keys import hide
from ..service.request import VideoRequest
from ..service.snapshot import TaskStatus
from .cell import Cell, CellState, time_left, took
from .connection import current
from .damage import unwritten
from .grid import Grid, Skipped, make_grid
from .host import in_notebook, warn
from .judging import Judgement, Judgements
from .manager import TaskManager
from .sweeps import CellRow, Sweeps
from .task import TICK, Task

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Sweep", "sweep"]

logger = logging.getLogger("qingbo_widgets")

#: How many tasks of a sweep are unfinished at once, unless told otherwise.
_MAX_RUNNING = 4
#: Errors of one cell, which tell nothing about the others.
_ITS_OWN = (BadRequest, InvalidRequest, TaskCancelled)

_PLANNED = N_("Nothing was sent yet: the sweep {name!r} of {count} tasks waits for your word. {ask}")
_NO_PANDAS = N_("to_dataframe() needs pandas: pip install pandas. rows() needs none.")
_ASK = N_("sweep.start() submits them.")
_TAKEN_UP = N_("Taken up from the library. Nothing more is submitted before go_on().")
_ELSEWHERE = N_("Another kernel goes on with this sweep. go_on() looks again.")
_NOT_WRITTEN = N_("{error} Nothing more was sent.")
_CLOSED = N_("Its manager was closed. connect(), then Sweep.resume({name!r}) goes on.")


class Sweep(HasTraits):
    """Requests that differ in what is compared, submitted with a limit on how many are unfinished at once.

    Made by ``sweep``; it is kept in the library with every request, so ``Sweep.resume(name)`` finds it in
    another kernel. There, as always, nothing is submitted without a person asking for it.

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
    reason = Unicode("", read_only=True, help="Why it is paused, where somebody else than you did that.")
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
        self.cells = tuple(
            Cell(
                number,
                row.values,
                VideoRequest.from_dict(row.request),
                key=row.key,
                is_dropped=row.is_dropped,
                told=self._told,
            )
            for number, row in enumerate(rows)
        )
        self._kept = Sweeps(manager.library, manager.service)
        self._turn = asyncio.Lock()
        self._lock = threading.RLock()
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
        kept = Sweeps(manager.library, manager.service)
        name = name or next(iter(kept.names()), "")
        live = manager.sweeps.get(name)
        if live is not None:
            return live
        row = kept.get(name)
        if row is None:
            known, folder = ", ".join(kept.names()) or tr("none"), str(manager.library.folder)
            told = tr("no sweep {name!r} in {folder!r}; there are: {known}")
            raise KeyError(told.format(name=name, folder=folder, known=known))
        skipped = [_skipped(one) for one in row.skipped]
        found = cls(manager, name, row.axes, row.cells, skipped=skipped, max_running=row.max_running)
        manager.sweeps[name] = found
        for cell in found.cells:
            if cell.key is not None:
                found._attach(cell, manager.take_up(cell.key))
        found.set_trait("state", "running")
        if found.counts[CellState.waiting]:
            sent_on = callback_note(*(cell.request for cell in found.cells))
            found._halt(" ".join(filter(None, (tr(_TAKEN_UP), sent_on))))
        found._look()
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
        keys = [cell.key for cell in self.cells if cell.key]
        judged = Judgements(self.manager.library).of_all(keys)
        return [_row(cell, judged.get(cell.key or "", Judgement())) for cell in self.cells]

    def to_dataframe(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame.

        Raises:
            ImportError: pandas is not installed; ``rows()`` needs none.
        """
        try:
            import pandas
        except ImportError:
            raise ImportError(tr(_NO_PANDAS)) from None
        return pandas.DataFrame(self.rows())

    # ------------------------------------------------------------------ acting

    def start(self) -> Sweep:
        """Submit a sweep that has waited for your word. Does nothing to one that runs or has ended."""
        if self.state == "planned":
            self.go_on()
        return self

    def pause(self) -> None:
        """Submit no more. What is under way goes on at the service."""
        if self.state == "running":
            self._halt("")

    def go_on(self) -> None:
        """Submit what waits."""
        with self._lock:
            self.set_trait("reason", "")
            self.set_trait("state", "running")
        self._poke()

    def cancel(self) -> None:
        """Cancel everything that has not begun: what waits here, and what waits in the service's queue."""
        stopped = [cell for cell in self.cells if cell.state in (CellState.waiting, CellState.running)]
        for cell in stopped:
            cell.stop()
        self._told(stopped)

    def retry_failed(self, *, unconfirmed: bool = False) -> None:
        """Try again what failed, as ``Cell.retry`` does.

        Args:
            unconfirmed: also submit again what may exist already; it may be charged twice.
        """
        states = {CellState.failed} | ({CellState.unconfirmed} if unconfirmed else set())
        again = [cell for cell in self.cells if cell.state in states]
        for cell in again:
            cell.begin_again()
        self._told(again)

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
                told = tr("The sweep {name!r} is not done after {timeout:g} s. It goes on.")
                raise WaitTimeout(told.format(name=self.name, timeout=timeout))
            time.sleep(TICK)
        return self

    def __await__(self) -> Generator[Any, None, Sweep]:
        return self._awaited().__await__()

    def __iter__(self) -> Iterator[Task]:
        told: set[str] = set()
        for _ in self._ticks():
            yield from self._news(told)
            time.sleep(TICK)
        yield from self._news(told)

    async def __aiter__(self) -> AsyncIterator[Task]:
        told: set[str] = set()
        for _ in self._ticks():
            for task in self._news(told):
                yield task
            await asyncio.sleep(TICK)
        for task in self._news(told):
            yield task

    async def _awaited(self) -> Sweep:
        for _ in self._ticks():
            await asyncio.sleep(TICK)
        return self

    def _ticks(self) -> Iterator[None]:
        """Goes on until the sweep is done, then raises if that is for want of a word."""
        if self.state == "planned":
            raise QingboError(tr(_PLANNED).format(name=self.name, count=len(self), ask=tr(_ASK)))
        while not self.is_done:
            yield
        if self.manager.is_closed and self.state != "ended":
            raise QingboError(tr(_CLOSED).format(name=self.name))
        if self.state == "paused" and (waiting := self.counts[CellState.waiting]):
            told = tr("The sweep {name!r} is paused, {waiting} wait for go_on(). {reason}")
            raise QingboError(told.format(name=self.name, waiting=waiting, reason=self.reason))

    def _news(self, told: set[str]) -> Iterator[Task]:
        for task in self.tasks:
            if task.is_done and task.key not in told:
                told.add(task.key)
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
        from ..widgets.page import export_sweep

        return export_sweep(self, Path(path).expanduser())

    # ------------------------------------------------------------------ showing

    def show(self) -> None:
        """Show the grid in the notebook; in a terminal, print how it stands."""
        if not in_notebook():
            say(repr(self))
            return
        from ..widgets.sweep import show

        show(self)

    def _ipython_display_(self) -> None:
        self.show()

    # ------------------------------------------------------------------ driving, on the monitor's thread

    def _poke(self) -> None:
        """Something has changed: look whether there is something to submit."""
        self._look()
        with suppress(RuntimeError):  # the manager is closed: nothing more is submitted
            self.manager.monitor.start(self._step)

    async def _step(self) -> None:
        """Submit as many as there is room for."""
        async with self._turn:
            running = self.counts[CellState.running]  # counted once: a sweep may have thousands of cells
            for cell in self.cells:
                if self.state != "running" or running >= self.max_running:
                    break
                if cell.state == CellState.waiting:
                    if cell.task is None:
                        await self._submit(cell)
                    else:
                        cell.task.submit_again()
                    running = self.counts[CellState.running]
        self._look()

    async def _submit(self, cell: Cell) -> None:
        manager, task = self.manager, Task(self.manager, cell.request)
        try:
            key = await manager.monitor.journal(
                self._kept.claim, self.name, cell.number, task.key, before=cell.key
            )
            if key not in (task.key, None):  # another kernel was quicker
                if (other := await manager.monitor.journal(manager.library.get, key)) is None:
                    return self._halt(tr(_ELSEWHERE))
                cell.key = key
                return self._attach(cell, manager.take_up(other.key))
        except Exception as error:
            logger.warning("Sweep %s: cell %d was not submitted", self.name, cell.number, exc_info=True)
            return self._halt(tr(_NOT_WRITTEN).format(error=unwritten(manager.library.journal.place, error)))
        cell.key = key
        cell.is_dropped = cell.is_dropped or key is None
        if self.state != "running" or cell.is_dropped:  # somebody has stopped it in this very moment
            return None
        manager.follow(task, known=False, submit=True)
        return self._attach(cell, task)

    def _attach(self, cell: Cell, task: Task | None) -> None:
        if task is not None:
            cell.is_awaited = not task.is_done
            cell.task = task
            if cell.is_awaited:
                task.on_end(lambda _: self._ended(cell, task))
            # Its error goes when somebody submits it or saves its video again, here or on its own card.
            task.observe(lambda change: self._begun_again(cell, task, change["new"]), "error")

    def _begun_again(self, cell: Cell, task: Task, error: object) -> None:
        if error is None and not task.is_done and cell.task is task:
            cell.is_awaited, cell.is_asked_again = True, False
            task.on_end(lambda _: self._ended(cell, task))
            self._poke()

    def _ended(self, cell: Cell, task: Task) -> None:
        """Where the service took nothing, for a reason that all others would meet as well, stop."""
        refused = task.status == TaskStatus.failed and not task.task_id
        if cell.task is task:
            if refused and not isinstance(task.error, _ITS_OWN):
                self._halt(str(task.error))
                cell.task = None  # surely nothing was made, so it waits again
            cell.is_awaited = False
        self._poke()

    def _told(self, cells: Sequence[Cell]) -> None:
        """A person has cancelled or retried cells."""
        for is_dropped in (True, False):
            numbers = [cell.number for cell in cells if cell.task is None and cell.is_dropped == is_dropped]
            if numbers:
                self._kept.drop(self.name, numbers, is_dropped=is_dropped)
        self._poke()

    def _halt(self, reason: str) -> None:
        with self._lock:
            if self.state == "running":
                self.set_trait("reason", reason)
                self.set_trait("state", "paused")

    def _look(self) -> None:
        with self._lock:
            is_over = all(cell.is_over for cell in self.cells)
            if self.state == "ended" and not is_over:
                self.set_trait("state", "running")
            elif self.state != "planned" and is_over:
                self.set_trait("reason", "")
                self.set_trait("state", "ended")

    def _limit(self, _: object) -> None:
        self._kept.change(self.name, max_running=self.max_running)
        self._poke()


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
    grid = make_grid(table, repeat=repeat, skip_invalid=skip_invalid, **fields)
    manager = manager or current()
    rows = [CellRow(_plain(one.values), one.request.as_dict()) for one in grid.combinations]
    kept = Sweeps(manager.library, manager.service)
    known = kept.get(name) if name else None
    if known is not None:
        if [dict(cell.request) for cell in known.cells] != [dict(row.request) for row in rows]:
            told = tr(
                "the library has another sweep {name!r}: choose another name, or take that one up with "
                "qw.Sweep.resume({name!r})"
            )
            raise ValueError(told.format(name=name))
        found = Sweep.resume(name, manager=manager)
        found.max_running = max_running or found.max_running
        return found
    max_running = max_running or _MAX_RUNNING
    for message in dict.fromkeys(
        advice.message for one in grid.combinations for advice in one.request.warnings()
    ):
        warn(message)
    name = hide(name) if name else f"{datetime.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"
    made = Sweep(manager, name, _plain(grid.axes), rows, skipped=grid.skipped, max_running=max_running)
    skipped = [
        {"values": _plain(one.values), "problems": list(map(str, one.problems))} for one in grid.skipped
    ]
    kept.add(name, made.axes, skipped, max_running, rows)
    manager.sweeps[name] = made
    limit = manager.ask_above if ask_above is None else ask_above
    asks = len(rows) > limit
    say(_announced(made, grid, asks=asks))  # before anything is sent
    return made if asks else made.start()


def _announced(made: Sweep, grid: Grid, *, asks: bool) -> str:
    told = tr("Sweep {name}: {summary}; at most {places} at once.")
    told = told.format(name=made.name, summary=grid.summary(), places=made.max_running)
    told = " ".join(filter(None, (told, callback_note(*(cell.request for cell in made.cells)))))
    return tr("{told} Nothing is sent yet: {ask}").format(told=told, ask=tr(_ASK)) if asks else told


def _row(cell: Cell, judgement: Judgement) -> dict[str, Any]:
    task = cell.task
    path: Path | None = task.video_path if task else None
    return {
        **cell.values,
        "state": str(cell.state),
        "task_id": task.task_id if task else "",
        "seconds": took(task) if task else None,
        "video": str(path) if path else None,
        "error": str(task.error) if task and task.error else None,
        **dataclasses.asdict(judgement),
        "key": cell.key,
    }


def _plain(value: Any) -> Any:
    """As JSON keeps it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.as_dict() if hasattr(value, "as_dict") else value


def _skipped(kept: Mapping[str, Any]) -> Skipped:
    from ..service.catalog import Problem

    return Skipped(kept["values"], tuple(Problem("", message) for message in kept["problems"]))
