"""``Recovery``: resumes tasks of earlier kernels from the journal."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from ..library.entry import Entry
from ..library.journal.settings import PATIENCE
from ..library.requests import request_of
from ..service.contract.models import models_of
from ..service.contract.pricing.price import Price
from ..service.contract.snapshot import TaskStatus
from ..service.priced import is_final
from ..system.interrupts import outcome, uninterrupted
from .following.restore import state_of
from .task import Owner, Task

if TYPE_CHECKING:
    from ..library.ledger import Ledger

__all__ = ["Recovery"]

logger = logging.getLogger("qingbo_widgets")


class RecoveringOwner(Owner, Protocol):
    """The part of a manager that the recovery uses."""

    @property
    def ledger(self) -> Ledger:
        """The reservations of the library."""

    def follow(self, task: Task, *, known: bool = True, **changes: Any) -> Task:
        """Start following a task; ``known`` if the journal has a row of it."""

    def register(self, task: Task) -> None:
        """Add a task without following it."""


class Recovery:
    """Loader that creates one task for each journal row and follows the tasks that have not ended.

    Args:
        owner: the manager, which follows the tasks.
        tasks: the manager's tasks by key; the owner's ``register`` and ``follow`` add to them.
    """

    def __init__(self, owner: RecoveringOwner, tasks: Mapping[str, Task]) -> None:
        self._owner = owner
        self._tasks = tasks
        self._adopting = threading.RLock()
        #: The recorded prices of tasks that are about to be adopted, so that each takes no query of its own.
        self._prices: dict[str, Price | None] = {}
        self._running: Future[None] | None = None

    def start(self) -> None:
        """Resume the unfinished tasks on the background thread."""
        self._running = self._owner.monitor.start(self._run)

    def wait(self) -> None:
        """Wait for the recovery that ``start`` began; if it failed, raise its error once."""
        running, monitor = self._running, self._owner.monitor
        if running is None or monitor.is_current_thread or not monitor.process.is_this:
            return
        try:
            with suppress(CancelledError, TimeoutError):  # the manager is closed, the journal is locked
                outcome(running, PATIENCE)
        finally:
            self._running = None

    def run(self) -> list[Task]:
        """Resume the unfinished tasks and return those that are now followed."""
        entries = self._own(self._unfinished())
        self.load_prices([entry.key for entry in entries])
        return self._take_up_all(entries)

    def resume(self, task_id: str) -> Task:
        """Return the task with this id, in the journal or not, and follow it if it has not ended."""
        self.wait()
        owner = self._owner
        if (task := self._existing(task_id)) is not None:
            return task
        entry = owner.library.find(task_id, service=owner.service)
        if entry is not None:
            return self.adopt(entry)
        with uninterrupted(), self._adopting:  # two threads may request the same task
            if (task := self._existing(task_id)) is not None:
                return task
            return owner.follow(Task(owner, None, task_id=task_id, status=TaskStatus.queued), known=False)

    def adopt(self, entry: Entry) -> Task:
        """Return the task of a row, and follow it if it has not ended."""
        owner = self._owner
        with uninterrupted(), self._adopting:  # the user, a sweep and ``start`` may request the same task
            if entry.key in self._tasks:
                return self._tasks[entry.key]
            task = Task(
                owner,
                request_of(entry),
                key=entry.key,
                submitted_at=entry.submitted_at,
                contract=entry.contract,
                first_submitted_at=entry.first_submitted_at,
                **state_of(entry, owner.library),
            )
            task.price = self._price(entry, task)
            if task.video_path is not None or task.status in (TaskStatus.failed, TaskStatus.cancelled):
                owner.register(task)
                task.lifecycle.settle()
                return task
            return owner.follow(task)

    def load_prices(self, keys: Sequence[str]) -> None:
        """Read the recorded prices of the tasks that this kernel does not have yet, in one query."""
        if wanted := self._unpriced(keys):
            with suppress(Exception):  # no task is lost because its price cannot be read
                self._read_prices(wanted)

    def _unpriced(self, keys: Sequence[str]) -> list[str]:
        """Return the keys of the tasks that this kernel does not have yet; until they are read, no price."""
        wanted = [key for key in keys if key not in self._tasks]
        self._prices |= dict.fromkeys(wanted)
        return wanted

    def _read_prices(self, keys: Sequence[str]) -> None:
        self._prices |= self._owner.ledger.prices(keys)

    def _price(self, entry: Entry, task: Task) -> Price | None:
        """Return the price of a task before its submission, as far as it is recorded."""
        if entry.key not in self._prices:
            self.load_prices([entry.key])
        price = self._prices.pop(entry.key, None)
        if price is None or task.request is None:
            return None
        with suppress(Exception):  # a damaged request
            return replace(price, is_exact=is_final(task.request, models_of(task.contract)))
        return None

    async def _run(self) -> None:
        owner = self._owner
        try:
            entries = self._own(await owner.monitor.journal(self._unfinished))
            if wanted := self._unpriced([entry.key for entry in entries]):
                with suppress(Exception):  # as in load_prices; a failure must not be a part of other writes
                    await owner.monitor.journal(self._read_prices, wanted)
            for entry in reversed(entries):
                self._take_up_all([entry])
                await asyncio.sleep(0)  # let submissions in while thousands of tasks are resumed
        except Exception:
            logger.warning(
                "The unfinished tasks in %s could not be read", owner.library.folder, exc_info=True
            )
            raise

    def _own(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return the tasks that this server may have.

        The service has the tasks of all its contracts, and a response is read alike in each. A sandbox has
        those of its own contract only, and would report the tasks of another sandbox as lost.
        """
        owner = self._owner
        if not owner.is_sandbox:
            return entries
        return [entry for entry in entries if entry.contract == owner.client.contract.name]

    def _take_up_all(self, entries: Sequence[Entry]) -> list[Task]:
        recovered = []
        for entry in reversed(entries):
            task = self._tasks.get(entry.key)
            if task is None:
                try:
                    task = self.adopt(entry)
                except Exception:  # one unreadable row must not stop the others
                    logger.exception("The journal row %s cannot be read", entry.key)
                    continue
                if task.video_path is None or self._follow_again(task):
                    recovered.append(task)
            elif self._follow_again(task):
                recovered.append(task)
        return recovered

    def _unfinished(self) -> list[Entry]:
        """Return the rows of the tasks that have not ended, or of which a video is not saved yet."""
        library, service = self._owner.library, self._owner.service
        entries = library.entries(service=service, unfinished=True)
        return entries + [entry for entry in library.lacking_others(service=service) if entry.file]

    def _existing(self, task_id: str) -> Task | None:
        """Return the task with this id and follow it again if it has not ended; ``None`` if there is none."""
        for task in tuple(self._tasks.values()):
            if task.task_id == task_id:
                if not task.status.is_ended:
                    self._follow_again(task)
                return task
        return None

    def _follow_again(self, task: Task) -> bool:
        """Follow a task that is not followed and can still change; return ``False`` for any other task."""
        with uninterrupted():
            if task.lifecycle.claim(lambda: bool(task.task_id) and task.lacks_videos):
                self._owner.follow(task)
                return True
        return False
