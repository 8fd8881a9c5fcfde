"""The single thread that writes a journal and groups concurrent writes into one transaction."""

from __future__ import annotations

import time
from concurrent.futures import Future
from queue import Empty
from typing import TYPE_CHECKING, Any

from ...library.journal.damage import JournalReplaced
from .pool import DaemonPool, Job

if TYPE_CHECKING:
    from ...library.journal.journal import Journal

__all__ = ["LATER", "URGENT", "USUAL", "JournalWriter"]

#: Priorities of calls: a call that a submission waits for goes before the rows of thousands of other tasks,
#: and one that nothing waits for after them.
URGENT, USUAL, LATER = 0.0, 1.0, 2.0
#: Maximum number of calls in one transaction; the first of them waits for the last.
MAX_BATCH = 50
#: Seconds for which a call waits for others if the last batch had several, as when many tasks are running.
GATHER = 0.05
#: Idle seconds after which the journal is closed, so that its folder can be moved or removed.
LINGER = 0.2


class _Written(Future[Any]):
    """Result of a call that runs even if its caller is cancelled: it may be the only record of a task."""

    def cancel(self) -> bool:
        """Return False: the call cannot be withdrawn."""
        return False


class JournalWriter(DaemonPool):
    """Pool of one thread that runs calls in order; calls that arrive together share a transaction.

    A call's result is set when that transaction has been committed, so its data is on disk by then. Every
    accepted call runs, even if the coroutine that waits for it is cancelled because the manager closes.

    Args:
        journal: the journal that the calls read and write; a call need not use it.
    """

    future_class = _Written

    def __init__(self, journal: Journal) -> None:
        super().__init__(1, "qingbo-journal")
        self._journal = journal

    def _work(self) -> None:
        had_several = False
        while (job := self._next()) is not None:
            if had_several:
                time.sleep(GATHER)
            jobs = [job]
            while len(jobs) < MAX_BATCH and (job := self._waiting()) is not None:
                jobs.append(job)
            had_several = len(jobs) > 1
            self._write(jobs)
            del job, jobs  # as in any pool: keep no task alive while idle
        self._journal.close_connection()

    def _next(self) -> Job | None:
        try:
            return self._jobs.get(timeout=LINGER)[2]
        except Empty:
            self._journal.close_connection()
            return self._jobs.get()[2]

    def _waiting(self) -> Job | None:
        """Return a call that is already waiting; ``None`` if there is none, and always after shutdown."""
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
            # Nothing was written. Run each call separately, so that only the failing ones fail.
            for job in jobs:
                self._write([job])
        else:
            for (future, _), result in zip(jobs, results, strict=True):
                future.set_result(result)

    def _results(self, jobs: list[Job], *, again: bool = True) -> list[object]:
        """Run the calls in one transaction; retry once if another journal has replaced ours."""
        try:
            with self._journal.shared_transaction():
                return [call() for _, call in jobs]
        except JournalReplaced:
            if not again:
                raise
        return self._results(jobs, again=False)
