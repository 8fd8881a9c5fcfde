"""Rows that the journal did not take: they are written as soon as it can be, and at the latest at the end.

A disk may be full, a database locked or out of reach just when a paid task gets its id. What this kernel
knows of the task is kept here meanwhile, and tried again and again.
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

#: Seconds between two attempts: the first pause, and the longest.
_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
#: Seconds to wait at the end while another kernel writes.
_LAST_PATIENCE = 0.3
#: Seconds after which the end is not held up for the others, once one has failed.
_LAST_SECONDS = 1.0


@dataclass(frozen=True)
class _Waiting:
    """A row that waits.

    Attributes:
        entry: all that is known.
        written: called on the monitor's thread when it is in the journal.
    """

    entry: Entry
    written: Callable[[], None]


class Backlog:
    """Rows that this kernel knows and the journal does not have. Lives on the monitor's thread.

    Args:
        monitor: runs the calls to the journal.
        library: whose journal it is.
        holder: this kernel's name, as in ``Library.hold``.
    """

    def __init__(self, monitor: TaskMonitor, library: Library, holder: str) -> None:
        self._monitor = monitor
        self._library = library
        self._holder = holder
        self._rows: dict[str, _Waiting] = {}
        self._trying: asyncio.Task[None] | None = None
        self._again = asyncio.Event()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the tasks whose rows wait here, in the order in which they are tried."""
        return tuple(self._rows)

    def get(self, key: str) -> Entry | None:
        """Return what is known of a task whose row waits here; ``None`` where the journal has it all."""
        waiting = self._rows.get(key)
        return None if waiting is None else waiting.entry

    async def write(self, entry: Entry, seconds: float, written: Callable[[], None]) -> None:
        """Write a row; keep it for later if that fails.

        Args:
            entry: all that is known of the task.
            seconds: hold the task for so long where its row has to be written anew.
            written: called if it was written later, on the monitor's thread.

        Raises:
            Exception: the journal's; the row is tried again.
        """
        before = self._rows.get(entry.key)
        if before is not None:
            entry = merged(before.entry, entry)
        try:
            await self._put(entry, seconds)
        except IdTaken:
            raise
        except BaseException:  # also a cancellation, which leaves open whether it was written
            self._rows[entry.key] = _Waiting(entry, written)
            self._keep_trying(seconds)
            raise
        if before is not None and self._drop(entry.key, before):
            before.written()
        self._again.set()  # the journal can be written

    def last_try(self) -> list[Entry]:
        """Write what still waits, on the caller's thread after the monitor's end; return what is left.

        Of a task without an id the row says "submitting", so the next kernel knows that it may exist.
        """
        end = time.monotonic() + _LAST_SECONDS
        for key, waiting in list(self._rows.items()):
            try:
                self._library.put(waiting.entry, patience=_LAST_PATIENCE)
            except Exception:
                logger.debug("Task %s: not written at the end", key, exc_info=True)
                if time.monotonic() > end:
                    break
            else:
                self._drop(key, waiting)
        return [waiting.entry for waiting in list(self._rows.values()) if waiting.entry.task_id]

    def _drop(self, key: str, waiting: _Waiting) -> bool:
        """Keep a row no more, unless there is a later one, or another thread was quicker."""
        return self._rows.get(key) is waiting and self._rows.pop(key, None) is not None

    async def _put(self, entry: Entry, seconds: float) -> None:
        held = {"holder": self._holder, "seconds": seconds}
        await self._monitor.journal(self._library.put, entry, due=URGENT, **held)

    def _keep_trying(self, seconds: float) -> None:
        if self._trying is None or self._trying.done():
            self._trying = asyncio.get_running_loop().create_task(self._try(seconds))

    async def _try(self, seconds: float) -> None:
        pause = _PAUSE
        while self._rows:
            self._again.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._again.wait(), pause)
            pause = min(2 * pause, _LONGEST_PAUSE) if not await self._write_all(seconds) else _PAUSE

    async def _write_all(self, seconds: float) -> bool:
        """Write the rows one by one; return whether none has failed."""
        for key, waiting in list(self._rows.items()):
            try:
                await self._put(waiting.entry, seconds)
            except IdTaken:  # found out late: the journal was locked when the id came
                logger.error(
                    "The id %s is that of two tasks; the row of %s is without it", waiting.entry.task_id, key
                )
            except Exception:
                # To the end: one that fails for a reason of its own must not keep the others waiting.
                if self._drop(key, waiting):  # else there is news of it, or ``last_try`` has written it
                    self._rows[key] = waiting
                return False
            if self._drop(key, waiting):
                waiting.written()
        return True
