"""The one thread that writes a journal: what comes together is written together."""

from __future__ import annotations

import time
from queue import Empty
from typing import TYPE_CHECKING

from ...library.journal.damage import Replaced
from .pool import DaemonPool, Job

if TYPE_CHECKING:
    from ...library.journal.journal import Journal

__all__ = ["URGENT", "USUAL", "Scribe"]

#: When a call is due: what a submission waits for goes first, before the rows of thousands of other tasks.
URGENT, USUAL = 0.0, 1.0
#: Calls in one transaction at most: the first of them waits for the last.
MOST = 50
#: Seconds for which a call waits for others, where those before it were not alone: many tasks are under way.
GATHER = 0.05
#: Seconds without a call after which the journal is closed, so that its folder can be moved or removed.
LINGER = 0.2


class Scribe(DaemonPool):
    """Runs calls one by one in the order made; those that have come meanwhile share a transaction.

    Each has its result when that has ended, and so what it has written is on the disk by then.

    Args:
        journal: what the calls read and write; they may also do without.
    """

    def __init__(self, journal: Journal) -> None:
        super().__init__(1, "qingbo-journal")
        self._journal = journal

    def _work(self) -> None:
        were_many = False
        while (job := self._next()) is not None:
            if were_many:
                time.sleep(GATHER)
            jobs = [job]
            while len(jobs) < MOST and (job := self._waiting()) is not None:
                jobs.append(job)
            were_many = len(jobs) > 1
            self._write([job for job in jobs if job[0].set_running_or_notify_cancel()])
            del job, jobs  # as in any pool: nothing is kept alive while idle
        self._journal.let_go()

    def _next(self) -> Job | None:
        try:
            return self._jobs.get(timeout=LINGER)[2]
        except Empty:
            self._journal.let_go()
            return self._jobs.get()[2]

    def _waiting(self) -> Job | None:
        """A call that waits already; at the end ``None``, again and again."""
        try:
            entry = self._jobs.get_nowait()
        except Empty:
            return None
        if entry[2] is None:
            self._jobs.put(entry)
        return entry[2]

    def _write(self, jobs: list[Job]) -> None:
        try:
            results = self._results(jobs)
        except BaseException as error:
            if len(jobs) == 1:
                jobs[0][0].set_exception(error)
                return
            # Nothing of it is written. Each by itself, so that only what fails itself fails.
            for job in jobs:
                self._write([job])
        else:
            for (future, _), result in zip(jobs, results, strict=True):
                future.set_result(result)

    def _results(self, jobs: list[Job], *, again: bool = True) -> list[object]:
        """Run the calls in one transaction; once more if another journal has taken the place of ours."""
        try:
            with self._journal.together():
                return [call() for _, call in jobs]
        except Replaced:
            if not again:
                raise
        return self._results(jobs, again=False)
