"""``Recovery``: tasks of earlier kernels, taken up from the journal."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, Protocol

from ..library.entry import Entry
from ..library.journal.settings import PATIENCE
from ..library.requests import request_of
from ..service.contract.snapshot import TaskStatus
from ..system.interrupts import outcome, uninterrupted
from .following.restore import state_of
from .task import Owner, Task

__all__ = ["Recovery"]

logger = logging.getLogger("qingbo_widgets")


class RecoveringOwner(Owner, Protocol):
    """A manager as the recovery sees it."""

    def follow(self, task: Task, *, known: bool = True, **changes: Any) -> Task:
        """Start following a task; ``known`` if the journal has a row of it."""

    def expect(self, task: Task) -> None:
        """Add a task that is not followed."""


class Recovery:
    """Makes tasks out of the journal's rows, each once, and follows those that have not ended.

    Args:
        owner: the manager, which follows them.
        tasks: those of the manager by key; ``expect`` and ``follow`` of the owner add to them.
    """

    def __init__(self, owner: RecoveringOwner, tasks: Mapping[str, Task]) -> None:
        self._owner = owner
        self._tasks = tasks
        self._taking_up = threading.RLock()
        self._under_way: Future[None] | None = None

    def start(self) -> None:
        """Take up what is unfinished, on the background thread."""
        self._under_way = self._owner.monitor.start(self._run)

    def wait(self) -> None:
        """Wait until ``start`` has taken up what there is; raise once why it could not."""
        under_way, monitor = self._under_way, self._owner.monitor
        if under_way is None or monitor.is_current_thread or not monitor.process.is_this:
            return
        try:
            with suppress(CancelledError, TimeoutError):  # the manager is closed, the journal is locked
                outcome(under_way, PATIENCE)
        finally:
            self._under_way = None

    def run(self) -> list[Task]:
        """Take up what is unfinished, and return the tasks that are followed from now on."""
        owner = self._owner
        return self._take_up_all(owner.library.entries(service=owner.service, unfinished=True))

    def resume(self, task_id: str) -> Task:
        """Return the task of this id, followed if it has not ended, whether the journal knows it or not."""
        self.wait()
        owner = self._owner
        if (task := self._again(task_id)) is not None:
            return task
        entry = owner.library.find(task_id, service=owner.service)
        if entry is not None:
            return self.take_up(entry)
        with uninterrupted(), self._taking_up:  # two threads may ask for the same one
            if (task := self._again(task_id)) is not None:
                return task
            return owner.follow(Task(owner, None, task_id=task_id, status=TaskStatus.queued), known=False)

    def take_up(self, entry: Entry) -> Task:
        """Return the task of a row, followed if it has not ended."""
        owner = self._owner
        with uninterrupted(), self._taking_up:  # the user, a sweep and ``start`` may come for the same one
            if entry.key in self._tasks:
                return self._tasks[entry.key]
            task = Task(
                owner,
                request_of(entry),
                key=entry.key,
                submitted_at=entry.submitted_at,
                contract=entry.contract,
                **state_of(entry, owner.library),
            )
            if task.video_path is not None or task.status in (TaskStatus.failed, TaskStatus.cancelled):
                owner.expect(task)
                task.lifecycle.settle()
                return task
            return owner.follow(task)

    async def _run(self) -> None:
        owner = self._owner
        try:
            entries = await owner.monitor.journal(
                owner.library.entries, service=owner.service, unfinished=True
            )
            for entry in reversed(entries):
                self._take_up_all([entry])
                await asyncio.sleep(0)  # a submission need not wait until thousands are taken up
        except Exception:
            logger.warning("What is unfinished in %s was not read", owner.library.folder, exc_info=True)
            raise

    def _take_up_all(self, entries: Sequence[Entry]) -> list[Task]:
        recovered = []
        for entry in reversed(entries):
            task = self._tasks.get(entry.key)
            if task is None:
                try:
                    recovered.append(self.take_up(entry))
                except Exception:  # one row that makes no sense must not keep the others
                    logger.exception("The journal row %s cannot be read", entry.key)
            elif self._follow_on(task):
                recovered.append(task)
        return recovered

    def _again(self, task_id: str) -> Task | None:
        """Return the task of this id, followed on if it has not ended; ``None`` where there is none yet."""
        for task in tuple(self._tasks.values()):
            if task.task_id == task_id:
                if not task.status.is_ended:
                    self._follow_on(task)
                return task
        return None

    def _follow_on(self, task: Task) -> bool:
        """Follow a task that is not followed now, and of which more can come; ``False`` for any other."""
        with uninterrupted():
            if task.lifecycle.claim(lambda: bool(task.task_id) and task.video_path is None):
                self._owner.follow(task)
                return True
        return False
