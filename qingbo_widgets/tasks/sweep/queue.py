"""``SweepQueue``: submits the cells of a sweep, a limited number at a time, and handles their ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from ...exceptions import BudgetExceeded, QingboError, RateLimited, ServiceError
from ...i18n import tr
from ...library.journal.damage import write_failed_message
from ...library.sweeps import Sweeps
from ...service.contract.error_codes import WINDOW_EXCEEDED
from .. import resubmission
from ..following.follower import NOT_SENT
from ..following.lease import hold
from ..following.record import first_row
from ..manager import TaskManager
from ..task import Task
from . import reasons
from .brake import Brake, Run, concerns_all, is_refused
from .cell import Cell, CellState
from .places import Places
from .prices import CellPrices

if TYPE_CHECKING:
    from .state import SweepState

__all__ = ["SweepQueue"]

logger = logging.getLogger("qingbo_widgets")


class SweepQueue:
    """The queue of a sweep's cells. Runs on the monitor's thread, except ``change`` and ``resume``.

    Args:
        sweep: the sweep, whose state the queue sets.
        manager: the manager that submits and follows its tasks.
        prices: the prices of its cells.
    """

    def __init__(self, sweep: SweepState, manager: TaskManager, prices: CellPrices) -> None:
        self._sweep = sweep
        self._manager = manager
        self._prices = prices
        self.rows = Sweeps(manager.library.journal, manager.service)
        self._brake = Brake()
        self._places = Places()
        self._timer: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()
        #: Whether a budget has paused the sweep.
        self._is_at_budget = False
        #: Keys of the tasks that this queue created, to distinguish them from those of other kernels.
        self._keys: set[str] = set()
        self._attached: set[str] = set()
        #: Submissions that were not sent because of a pause: the task's key and its submission time.
        self._held_back: dict[str, datetime] = {}

    def restore(self) -> None:
        """Resume the tasks that the library has for the cells; submit nothing."""
        self._manager.load_prices([cell.key for cell in self._sweep.cells if cell.key is not None])
        for cell in self._sweep.cells:
            if cell.key is not None and (task := self._manager.adopt(cell.key)) is not None:
                if is_refused(task) and concerns_all(task.error):
                    continue  # no task was created, so the cell waits
                self._attach(cell, task)
        self._brake.recall(self._sweep.tasks)

    def resume(self) -> None:
        """Submit the waiting cells."""
        self._manager.monitor.process.check()
        self._is_at_budget = False
        self._sweep.set_running()
        self.wake()

    def change(self, cells: Sequence[Cell]) -> None:
        """Save which cells the user has cancelled or retried, and continue.

        If another kernel has meanwhile submitted a cell, its task is followed, or cancelled, here too.
        """
        is_stopped = self._sweep.state == "paused"
        if not is_stopped and any(cell.state == CellState.waiting for cell in cells):
            self._brake.restart()
        try:
            for is_dropped in (True, False):
                self._save([cell for cell in cells if cell.task is None and cell.is_dropped == is_dropped])
        finally:
            for cell in cells:
                cell.is_restart_unsaved = False
        self.wake()

    def _save(self, cells: Sequence[Cell]) -> None:
        """Save cells that are all cancelled, or all retried."""
        changed = {cell.number: cell for cell in cells}
        if not changed:
            return
        dropped = self.rows.drop(self._sweep.name, list(changed), is_dropped=cells[0].is_dropped)
        for number, key in dropped.items():
            cell = changed[number]
            if key is not None and key != cell.key and key not in self._keys:
                self._take_over(cell, key)

    def wake(self) -> None:
        """Check for cells to submit after a change."""
        self._sweep.update_state()
        with suppress(RuntimeError):  # the manager is closed: nothing more is submitted
            self._manager.monitor.start(self._step)

    # ------------------------------------------------------------------ submitting

    async def _step(self) -> None:
        """Submit waiting cells while there is room."""
        sweep = self._sweep
        async with self._turn:
            room = self._room()  # counted once per submission: a sweep may have thousands of cells
            for cell in sweep.cells:
                if sweep.state != "running" or room <= 0:
                    break
                if cell.state == CellState.waiting and not cell.is_restart_unsaved:
                    await self._submit(cell)
                    room = self._room()
            self._wait_for_places()
        sweep.update_state()

    def _room(self) -> int:
        """Return the number of cells that may be submitted now."""
        running, limit = self._running(), self._sweep.max_running
        in_flight = sum(not task.task_id for task in running)
        room = min(limit - len(running), self._brake.room(len(running), in_flight, limit))
        places = self._places.room(in_flight)
        return room if places is None else min(room, places)

    def _running(self) -> list[Task]:
        """Return the unfinished tasks."""
        return [cell.task for cell in self._sweep.cells if cell.task and cell.state == CellState.running]

    def _wait_for_places(self) -> None:
        """While the account has no place, say so, and look again after a pause."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        places, message = self._places, ""
        is_full = places.room(0) is not None and self._sweep.counts[CellState.waiting] > 0
        if is_full and self._sweep.state == "running":
            if (pause := places.pause) > 0:
                self._timer = asyncio.get_running_loop().call_later(pause, self.wake)
            message = reasons.waiting(places.limit if self._running() else None, pause)
        self._sweep.set_message(message)

    async def _submit(self, cell: Cell) -> None:
        """Submit a cell: again the task that the service never accepted, or else a new one."""
        manager, task = self._manager, cell.task
        if task is None and cell.key is not None:
            task = manager.adopt(cell.key)
        if cell.task is None and task is not None and not cell.may_replace(task):
            self._attach(cell, task)  # the user has submitted it again, or follows it
            return
        try:
            if task is not None and task.can_be_submitted:
                await self._submit_again(cell, task)
            else:
                await self._submit_new(cell)
        except BudgetExceeded as error:
            waiting = [cell for cell in self._sweep.cells if cell.state == CellState.waiting]
            unsent = await manager.monitor.request(self._prices.total_within, waiting)
            self._is_at_budget = self._sweep.set_paused(reasons.over_budget(error, unsent))
        except Exception as error:
            if manager.is_closed:
                return
            logger.warning(
                "Sweep %s: cell %d was not submitted", self._sweep.name, cell.number, exc_info=True
            )
            self._sweep.set_paused(
                tr(reasons.NOT_WRITTEN).format(
                    error=write_failed_message(manager.library.journal.place, error)
                )
            )

    async def _submit_new(self, cell: Cell) -> None:
        manager, task = self._manager, Task(self._manager, cell.request)
        await self._reserve(task)
        self._keys.add(task.key)
        # Registered before its row exists, so that recover() or another reader of it creates no second task.
        manager.register(task)
        try:
            if not await self._claim(cell, task):
                manager.unregister(task)
                await manager.monitor.journal(manager.ledger.release, task.key)
                return
            manager.follow(
                task, submit=True, claimed=True, waits=False, may_send=lambda: self._may_send(task)
            )
        except BaseException:  # mostly when the manager closes
            manager.unregister(task)
            with suppress(Exception):  # without it, the next kernel cannot see that nothing was sent
                reason = QingboError(tr(NOT_SENT))
                await manager.monitor.journal(self.rows.mark_not_sent, task.key, reason, manager.holder)
            raise
        cell.key = task.key
        self._attach(cell, task)
        if cell.is_dropped:  # cancelled during the submission
            task.cancel(wait=False)

    async def _submit_again(self, cell: Cell, task: Task) -> None:
        """Submit a cell's task again, unless the user or another kernel does so first.

        The task also has its own card in every kernel, whose button is independent of the sweep. So it stays
        the cell's task: wherever it is submitted, it is one task, claimed here and held in the journal.
        """
        manager, journal = self._manager, self._manager.monitor.journal
        try:
            resubmission.check(task, manager.client.contract.name)
        except QingboError:
            self._attach(cell, task)  # unchanged, so that resume() continues with the other cells
            raise
        await self._reserve(task)
        if cell.task is None and not await self._claim(cell, task):
            return
        lease = (manager.library, task.key, manager.holder, manager.hold_seconds, manager.observed_holds)
        is_held = await journal(hold, *lease)
        entry = await journal(manager.library.get, task.key)
        if cell.state != CellState.waiting:  # meanwhile cancelled or submitted by the user
            if task.is_done:
                await journal(manager.library.release, manager.holder, task.key)
            return
        if entry is None or (is_held and entry.submitted_at in (None, task.submitted_at)):
            task.resubmit(waits=False, may_send=lambda: self._may_send(task))
        elif task.lifecycle.claim(lambda: task.can_be_submitted):
            task.set_submission_times(entry.submitted_at, entry.first_submitted_at)
            manager.follow(task, error=None)  # another kernel has submitted it: follow that submission
        was_waiting = cell.task is None
        self._attach(cell, task)
        if was_waiting and cell.is_dropped:  # cancelled during the submission
            task.cancel(wait=False)

    async def _reserve(self, task: Task) -> None:
        """Reserve the price of a task in the budgets.

        Raises:
            BudgetExceeded: it would exceed one.
        """
        await self._manager.monitor.request(self._manager.reserve, task)

    async def _claim(self, cell: Cell, task: Task) -> bool:
        """Assign a task to the cell in the journal, unless another kernel has assigned a different one."""
        manager = self._manager
        key = await manager.monitor.journal(
            self.rows.claim,
            self._sweep.name,
            cell.number,
            first_row(task),
            before=cell.key,
            holder=manager.holder,
            seconds=manager.hold_seconds,
        )
        if key == task.key:
            return True
        if key is None:
            cell.is_dropped = True
        elif not self._take_over(cell, key):
            # The other kernel has not written the row yet: it runs an earlier version.
            self._sweep.set_paused(tr(reasons.ELSEWHERE))
        return False

    def _may_send(self, task: Task) -> bool:
        """Return True if a task may be sent now; ``pause`` may have been called since its turn began.

        A budget that is too low for the next cell has room for those before it.
        """
        if self._sweep.state != "paused" or self._is_at_budget:
            return True
        self._held_back[task.key] = task.submitted_at
        return False

    def _take_over(self, cell: Cell, key: str) -> bool:
        """Assign the task that another kernel has submitted for a cell; return ``False`` if it has no row."""
        task = self._manager.adopt(key)
        if task is None:
            return False
        if cell.task is not task:  # the user's thread and the monitor's may do this at the same time
            cell.key = key
            self._attach(cell, task)
            if cell.is_dropped:
                task.cancel(wait=False)
        return True

    # ------------------------------------------------------------------ the progress of tasks

    def _attach(self, cell: Cell, task: Task) -> None:
        was_awaited = cell.task is task and cell.is_end_pending
        cell.assign(task)
        if cell.is_end_pending and not was_awaited:
            self._brake.begin(task)
            task.on_end(lambda _: self._ended(cell, task))
        if task.key in self._attached:
            return
        self._attached.add(task.key)
        task.observe(lambda _: self._on_confirmed(cell, task), "task_id")
        # Its error is cleared when the user submits, follows or saves it again, here or on its card.
        task.observe(lambda change: self._on_restart(cell, task, change["new"]), "error")

    def _on_confirmed(self, cell: Cell, task: Task) -> None:
        # Otherwise the user entered its id from the dashboard, which proves no submission.
        if cell.is_end_pending and task.task_id:
            self._brake.confirm(task)
            self._places.accept(sum(bool(task.task_id) for task in self._running()))
        self.wake()  # there may be room for another submission

    def _on_restart(self, cell: Cell, task: Task, error: object) -> None:
        is_its_task = cell.task is task or (cell.task is None and cell.key == task.key)
        if error is None and not task.is_done and is_its_task:
            self._attach(cell, task)
            self.wake()

    def _ended(self, cell: Cell, task: Task) -> None:
        """Handle the end of a task; pause if the other cells would meet the same error."""
        if not task.is_done:  # the user has already restarted it
            task.on_end(lambda _: self._ended(cell, task))
            return
        if cell.task is task:
            self._handle_end(cell, task)
            cell.is_end_pending = False
        self.wake()

    def _handle_end(self, cell: Cell, task: Task) -> None:
        error = task.error
        if self._held_back.pop(task.key, None) == task.submitted_at:  # nothing was sent: the cell waits again
            self._brake.withdraw(task)
            if is_refused(task):
                cell.task = None
            else:
                cell.is_resubmit_queued = True
            return
        if task.task_id:
            self._places.free()
        run = self._brake.end(task)
        if is_refused(task) and concerns_all(error):
            cell.task = None  # no task was created, so the cell waits again
            if isinstance(error, RateLimited) and error.code != WINDOW_EXCEEDED:
                self._places.refuse(len(self._running()), error.retry_after)
            else:
                self._sweep.set_paused(self._refusal(error))
        elif task.task_id and not task.status.is_ended and not self._manager.is_closed:
            self._sweep.set_paused(tr(reasons.UNFOLLOWED).format(task=task.task_id, error=error))
        elif run is not None:
            self._stop(run, error)

    def _stop(self, run: Run, error: QingboError | None) -> None:
        """Pause because the same trouble has repeated, if anything is left to send."""
        if unsent := self._sweep.counts[CellState.waiting]:
            self._sweep.set_paused(reasons.stopped(run, error, unsent))

    def _refusal(self, error: QingboError | None) -> str:
        """Return the reason for a pause after a refusal that applies to every cell."""
        if not isinstance(error, ServiceError) or error.contract is None:
            return str(error)
        folder, name = str(self._manager.library.folder), self._sweep.name
        return tr(reasons.OTHER_CONTRACT).format(error=error, folder=folder, name=name)
