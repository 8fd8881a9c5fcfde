"""Journal rows that could not be written: retried while the kernel runs, and once more on close.

The disk may be full, or the database locked or unreachable, just when a paid task gets its id. The row is
kept here and retried until the journal accepts it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...library.entry import IdTaken
from ...library.merging import merged
from ..background.writer import URGENT

if TYPE_CHECKING:
    from ...library.entry import Entry
    from ...library.library import Library
    from ..background.loop import TaskMonitor

__all__ = ["Backlog"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds between two attempts: the first and the longest pause.
_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
#: Seconds to wait on close while another kernel writes.
_LAST_PATIENCE = 0.3
#: Seconds after which a failed write on close ends the attempts, so that it does not delay the shutdown.
_LAST_SECONDS = 1.0


@dataclass(frozen=True)
class _PendingRow:
    """A row that is not in the journal yet.

    Attributes:
        entry: the state of the task in this kernel.
        written: called on the monitor's thread once a retry has written the row.
    """

    entry: Entry
    written: Callable[[], None]


class Backlog:
    """Rows that are missing from the journal. Used on the monitor's thread.

    Args:
        monitor: the monitor that runs the calls to the journal.
        library: the library that owns the journal.
        holder: the name of this kernel, as in ``Library.hold``.
    """

    def __init__(self, monitor: TaskMonitor, library: Library, holder: str) -> None:
        self._monitor = monitor
        self._library = library
        self._holder = holder
        self._rows: dict[str, _PendingRow] = {}
        self._trying: asyncio.Task[None] | None = None
        self._retry_now = asyncio.Event()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the tasks whose rows are pending, in the order of the attempts."""
        return tuple(self._rows)

    def get(self, key: str) -> Entry | None:
        """Return the pending row of a task; ``None`` if the journal is up to date."""
        pending = self._rows.get(key)
        return None if pending is None else pending.entry

    async def write(self, entry: Entry, seconds: float, written: Callable[[], None]) -> None:
        """Write a row; keep it for a retry if that fails.

        Args:
            entry: the state of the task in this kernel.
            seconds: how long to hold the task if its row has to be inserted again.
            written: called on the monitor's thread if a retry writes the row.

        Raises:
            IdTaken: the id belongs to another task; the row is not retried.
            Exception: the journal's error; the row is retried.
        """
        before = self._rows.get(entry.key)
        if before is not None:
            entry = merged(before.entry, entry)
        try:
            await self._put(entry, seconds)
        except IdTaken:
            raise
        except BaseException:  # also a cancellation: whether the row was written is unknown
            self._rows[entry.key] = _PendingRow(entry, written)
            self._keep_trying(seconds)
            raise
        if before is not None and self._drop(entry.key, before):
            before.written()
        self._retry_now.set()  # the journal is writable

    def flush(self) -> list[Entry]:
        """Write the pending rows on the caller's thread, after the monitor has ended.

        Returns:
            The rows that still could not be written and have a task id. A task without an id needs none: its
            row has the status "submitting", so the next kernel treats it as one that may exist.
        """
        end = time.monotonic() + _LAST_SECONDS
        for key, pending in list(self._rows.items()):
            try:
                self._library.put(pending.entry, patience=_LAST_PATIENCE)
            except Exception:
                logger.debug("Task %s: row not written on close", key, exc_info=True)
                if time.monotonic() > end:
                    break
            else:
                self._drop(key, pending)
        return [pending.entry for pending in list(self._rows.values()) if pending.entry.task_id]

    def _drop(self, key: str, pending: _PendingRow) -> bool:
        """Forget a pending row; return ``False`` if a newer one replaced it or another thread was faster."""
        return self._rows.get(key) is pending and self._rows.pop(key, None) is not None

    async def _put(self, entry: Entry, seconds: float) -> None:
        held = {"holder": self._holder, "seconds": seconds}
        await self._monitor.journal(self._library.put, entry, due=URGENT, **held)

    def _keep_trying(self, seconds: float) -> None:
        if self._trying is None or self._trying.done():
            self._trying = asyncio.get_running_loop().create_task(self._try(seconds))

    async def _try(self, seconds: float) -> None:
        pause = _PAUSE
        while self._rows:
            self._retry_now.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._retry_now.wait(), pause)
            pause = min(2 * pause, _LONGEST_PAUSE) if not await self._write_all(seconds) else _PAUSE

    async def _write_all(self, seconds: float) -> bool:
        """Write the rows one by one until one fails; return whether all were written."""
        for key, pending in list(self._rows.items()):
            try:
                await self._put(pending.entry, seconds)
            except IdTaken:  # detected late: the journal was locked when the id arrived
                logger.error(
                    "Two tasks have the id %s; it is not written to the row of %s", pending.entry.task_id, key
                )
            except Exception:
                # Move it to the back: a row that fails for a reason of its own must not block the others.
                if self._drop(key, pending):  # else a newer row replaced it, or ``flush`` has written it
                    self._rows[key] = pending
                return False
            if self._drop(key, pending):
                pending.written()
        return True
