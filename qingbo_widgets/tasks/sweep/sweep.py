"""``Sweep``: many videos that differ in the compared fields, a limited number at a time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from ... import late
from ...exceptions import QingboError, WaitTimeout
from ...i18n import N_, sentences, tr
from ...library.dataframe import dataframe
from ...library.sweeps import CellRow, Sweeps
from ...service.contract.callbacks import callback_note
from ...service.contract.offered import offers_fields
from ...service.contract.problem import assigned
from ...service.contract.request import VideoRequest
from ...service.contract.switching import defaults_between
from ...system.console import write_line
from ...system.host import in_notebook
from ..connection import current
from ..manager import TaskManager
from ..task import Task
from ..waiting import TICK, update_displays
from .cell import FREE_RETRY, Cell, CellState
from .grid import Skipped
from .plain import rows_of, skipped_as_json, skipped_from_json
from .prices import CellPrices, price_sentence
from .queue import SweepQueue
from .state import MAX_RUNNING, SweepState

if TYPE_CHECKING:
    import pandas as pd

    from ...service.contract.fields import EveryField
    from ...service.contract.pricing.total import Total

__all__ = ["ASK", "Sweep"]

#: Keeps a name unique per manager, even if two threads request it at the same time.
_by_name = threading.RLock()

_PLANNED = N_(
    "Nothing has been sent yet: the sweep {name!r} ({count} tasks) waits for your confirmation. {ask}"
)
ASK = N_("sweep.start() submits them.")
_LOADED = N_("Loaded from the library. Nothing more is submitted until resume().")
_OTHER_DEFAULTS = N_(
    "This sweep has tasks of contract {other:.20}; {spoken} has other defaults. For the same videos, set "
    "{changes} in a new sweep; resume() submits the cells as they are."
)
_CLOSED = N_("Its manager was closed. Call connect(), then Sweep.load({name!r}) to continue.")


class Sweep(SweepState):
    """Requests that differ in the compared fields, submitted with a limit on unfinished tasks.

    Created by ``sweep`` and saved in the library with every request, so that ``Sweep.load(name)`` loads it
    in another kernel. There, as always, nothing is submitted before the user requests it.

    It pauses itself when further submissions would be pointless or lost: after a refusal that applies to the
    other cells too, after three consecutive submissions that remain unconfirmed, and when a task is no longer
    followed. ``reason`` explains the pause, and ``resume()`` continues.

    At the end of a notebook cell it shows its grid. ``for task in sweep`` yields each task when it ends, with
    or without a video; so does ``async for``. ``await sweep`` waits for all.

    Attributes:
        name: its name in the library.
        manager: the manager that submits and follows the tasks.
        cells: one cell per request, in order of submission.
        axes: the varied fields with their values, by name.
        skipped: the combinations that were left out, with the reasons.
        prices: the prices of its cells, as far as they were asked about.
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
        self.prices = CellPrices(manager.prices, lambda: manager.client.contract.name)
        self._queue = SweepQueue(self, manager, self.prices)
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
        self.observe(self._on_limit_change, "max_running")

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {state}" for state, count in self.counts.items() if count)
        price = "" if self.reason else price_sentence(self.known_price)
        return f"<Sweep {self.name!r} {self.state}: {sentences(counts, price, self.reason or self.message)}>"

    def __len__(self) -> int:
        return len(self.cells)

    @classmethod
    def load(cls, name: str | None = None, *, manager: TaskManager | None = None) -> Sweep:
        """Load a sweep from the library. Running tasks are followed; waiting cells wait for ``resume()``.

        Args:
            name: the name of the sweep; by default the latest one.
            manager: the manager; by default the default one.

        Raises:
            KeyError: the library has no such sweep; the message names the existing ones.
        """
        manager = manager or current()
        saved = Sweeps(manager.library.journal, manager.service)
        name = name or next(iter(saved.names()), "")
        with _by_name:
            live: Sweep | None = manager.sweeps.get(name)
            if live is not None:
                return live
            row = saved.get(name)
            if row is None:
                known, folder = ", ".join(saved.names()) or tr("none"), str(manager.library.folder)
                message = tr("no sweep {name!r} in {folder!r}; the library has: {known}")
                raise KeyError(message.format(name=name, folder=folder, known=known))
            skipped = skipped_from_json(row.skipped)
            loaded = cls(manager, name, row.axes, row.cells, skipped=skipped, max_running=row.max_running)
            manager.sweeps[name] = loaded
            loaded.set_running()
            loaded._queue.restore()
            if loaded.counts[CellState.waiting]:
                note = callback_note(*(cell.request for cell in loaded.cells))
                loaded.set_paused(sentences(tr(_LOADED), loaded._defaults_note(), note))
            loaded.update_state()
        return loaded

    @property
    def is_done(self) -> bool:
        """True if nothing more happens without user action."""
        if self.manager.is_closed:
            return True
        return self.state == "ended" or (self.state == "paused" and not self.counts[CellState.running])

    @property
    def waiting_cells(self) -> tuple[Cell, ...]:
        """The cells that are not submitted yet."""
        return tuple(cell for cell in self.cells if cell.state == CellState.waiting)

    @property
    def waits_for_user(self) -> bool:
        """True if the waiting cells are submitted only after ``start()`` or ``resume()``."""
        return self.state in ("planned", "paused")

    @property
    def known_price(self) -> Total | None:
        """The price of the waiting cells of a sweep that waits for the user; ``None`` if it was not found."""
        return self.prices.known(self.waiting_cells) if self.waits_for_user else None

    def price(self) -> Total:
        """Return the price of the waiting cells together. Blocks while the service is asked.

        Returns:
            The sum, with the lowest and the highest price of a cell; what is not known says why.

        Raises:
            QingboError: the manager is closed.
        """
        self.manager.monitor.check_open()
        return self.prices.total(self.waiting_cells)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per cell: varied values, state, duration, cost, file and judgement.

        ``cost`` and ``cost_per_second`` are in the service's units, as in ``Library.to_dataframe``; under
        contract 2026-11, 500,000 are one US dollar.
        """
        return rows_of(self.cells, self.manager.library, self.manager.client.contract.name)

    def to_dataframe(self) -> pd.DataFrame:
        """Return the rows as a pandas DataFrame.

        Raises:
            ImportError: pandas is not installed; ``rows()`` does not need it.
        """
        rows = self.rows()
        return dataframe(rows, rows[0])

    # ------------------------------------------------------------------ acting

    def start(self) -> Sweep:
        """Submit a sweep that waits for confirmation. Does nothing if it is running or has ended."""
        if self.state == "planned":
            self.resume()
        return self

    def pause(self) -> None:
        """Stop submitting. Running tasks continue at the service."""
        self.set_paused("")

    def resume(self) -> None:
        """Submit the waiting cells.

        After unconfirmed submissions, one cell is sent first, and the others once it is confirmed.
        """
        self._queue.resume()

    def cancel(self) -> None:
        """Cancel everything that has not begun: the waiting cells and the tasks queued at the service."""
        stopped = [cell for cell in self.cells if cell.state in (CellState.waiting, CellState.running)]
        for cell in stopped:
            cell.stop()
        self._queue.change(stopped)

    def follow_again(self) -> None:
        """Follow the tasks that are no longer followed, and save the videos that could not be saved.

        This is free, because the service already has them.
        """
        for cell in self.cells:
            if cell.state in FREE_RETRY:
                cell.continue_free()
        self._queue.wake()

    def retry_failed(self, *, unconfirmed: bool = False) -> None:
        """Retry the cells without a video, each like ``Cell.retry``.

        A failed cell gets a new task, which may cost money. A task or video that the service still has is
        followed or saved again, as ``follow_again`` does, at no cost.

        Args:
            unconfirmed: also submit unconfirmed tasks again, which may already exist and be charged twice.
        """
        states = {CellState.failed, *FREE_RETRY} | ({CellState.unconfirmed} if unconfirmed else set())
        retried = [cell for cell in self.cells if cell.state in states]
        for cell in retried:
            cell.restart()
        self._queue.change(retried)

    @offers_fields()
    def promote(self, top: int = 3, *, name: str | None = None, **changes: Unpack[EveryField]) -> Sweep:
        """Plan a sweep of the best rated videos with some fields changed; submit nothing before ``start()``.

        The best are those with the highest rating, then those that won the pairwise comparisons (with
        ``[judging]``), then the cheaper ones, then the earlier ones. Requests that are the same after the
        changes are taken once. The same call returns the same sweep.

        Args:
            top: the maximum number of videos.
            name: the name of the new sweep; by default made from the name of this one and the changes.
            **changes: as in ``VideoRequest``, such as ``resolution="1080p"``; ``None`` restores a default.

        Returns:
            The new sweep. Its grid, its repr and ``price()`` tell what it costs.

        Raises:
            InvalidRequest: the service would refuse some of the videos; nothing was created.
            QingboError: no finished video is rated.
            TypeError, ValueError: a field does not exist, ``top`` is not a positive number, or the library
                has a different sweep of this name.
        """
        promoted: Sweep = late.promote_sweep(self, top, name, changes)
        return promoted

    def save(self, rows: Sequence[CellRow]) -> bool:
        """Save a new sweep in the library; return ``False`` if that has one with this name."""
        with _by_name:
            is_new = self._queue.rows.add(
                self.name, self.axes, skipped_as_json(self.skipped), self.max_running, rows
            )
            if is_new:
                self.manager.sweeps[self.name] = self
        return is_new

    # ------------------------------------------------------------------ waiting

    def wait(self, timeout: float | None = None) -> Sweep:
        """Block until nothing more happens without user action. Failed cells do not raise; see ``counts``.

        Args:
            timeout: maximum seconds to wait, ``None`` for no limit.

        Raises:
            QingboError: the sweep is not started, or is paused with waiting cells.
            WaitTimeout: the timeout expired; the sweep is still running.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        for _ in self._ticks():
            if deadline is not None and time.monotonic() >= deadline:
                update_displays(is_over=True)
                message = tr("The sweep {name!r} is not done after {timeout:g} s. It is still running.")
                raise WaitTimeout(message.format(name=self.name, timeout=timeout))
            time.sleep(TICK)
        return self

    def __await__(self) -> Generator[Any, None, Sweep]:
        return self._wait_async().__await__()

    def __iter__(self) -> Iterator[Task]:
        seen: set[str] = set()
        for _ in self._ticks():
            yield from self._newly_ended(seen)
            time.sleep(TICK)
        yield from self._newly_ended(seen)

    async def __aiter__(self) -> AsyncIterator[Task]:
        seen: set[str] = set()
        for _ in self._ticks():
            for task in self._newly_ended(seen):
                yield task
            await asyncio.sleep(TICK)
        for task in self._newly_ended(seen):
            yield task

    async def _wait_async(self) -> Sweep:
        for _ in self._ticks():
            await asyncio.sleep(TICK)
        return self

    def _ticks(self) -> Iterator[None]:
        """Yield until the sweep is done; raise if it is waiting for ``start()`` or ``resume()``."""
        self.manager.monitor.process.check()
        if self.state == "planned":
            text, price = tr(_PLANNED), price_sentence(self.known_price)
            raise QingboError(text.format(name=self.name, count=len(self), ask=sentences(price, tr(ASK))))
        while not self.is_done:
            update_displays()
            yield
        update_displays(is_over=True)
        if self.manager.is_closed and self.state != "ended":
            raise QingboError(tr(_CLOSED).format(name=self.name))
        if self.state == "paused" and (waiting := self.counts[CellState.waiting]):
            message = tr("The sweep {name!r} is paused; cells waiting for resume(): {waiting}. {reason}")
            raise QingboError(message.format(name=self.name, waiting=waiting, reason=self.reason))

    def _defaults_note(self) -> str:
        """Return what the waiting cells would need for the same videos as the tasks of another contract."""
        spoken = self.manager.client.contract.name
        tasks = [self.manager.adopt(cell.key) for cell in self.cells if cell.key is not None]
        for other in sorted({task.contract for task in tasks if task is not None}):
            waiting = [cell.request for cell in self.cells if cell.state == CellState.waiting]
            changes = [defaults_between(request, other, spoken) for request in waiting]
            if needed := {name: value for each in changes for name, value in each.items()}:
                text = tr(_OTHER_DEFAULTS)
                return text.format(other=other, spoken=spoken, changes=assigned(needed))
        return ""

    def _newly_ended(self, seen: set[str]) -> Iterator[Task]:
        for task in self.tasks:
            if task.is_done and task.key not in seen:
                seen.add(task.key)
                yield task

    def export_html(self, path: str | Path) -> Path:
        """Export a page that opens without Jupyter: all cells as a table, with their videos.

        Args:
            path: a path ending in ``.html`` for one file with the videos embedded; otherwise a folder.

        Returns:
            The path of the page.

        Raises:
            QingboError: the videos are too large for one file.
            OSError: the path cannot be written.
        """
        exported: Path = late.export_sweep(self, Path(path).expanduser())
        return exported

    # ------------------------------------------------------------------ showing

    def show(self) -> None:
        """Show the grid in the notebook; in a terminal, print its state and its files."""
        if not in_notebook():
            write_line(late.sweep_text(self))
            return
        late.show_sweep(self)

    def _ipython_display_(self) -> None:
        self.show()

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Return HTML and plain text, for hosts that call no ``_ipython_display_``."""
        bundle: dict[str, Any] = late.sweep_mimebundle(self)
        return bundle

    def _on_limit_change(self, _: object) -> None:
        self._queue.rows.change(self.name, max_running=self.max_running)
        self._queue.wake()
