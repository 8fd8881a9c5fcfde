"""A disk that refuses a video for a while: how long to wait, and for what."""

from __future__ import annotations

import time
from collections.abc import Callable

from ...exceptions import DownloadFailed, QingboError
from ...service.download.earlier import finish_earlier
from ...service.download.leftovers import parts_of
from ...system.files import can_hold
from ..saved_video import saved_file
from ..schedule import retry_delay
from ..task import Task
from .record import TaskRecord
from .target import Target

__all__ = ["Patience", "is_saved", "wait_for_room"]

#: Called with a task, its error and the seconds until the next try; returns the message for the user.
Explain = Callable[[Task, QingboError, float], str]


class Patience:
    """The time for which saving a video is retried: as long as its link lives, or less if the error says so.

    Args:
        lifetime: seconds for which a link lives.
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, lifetime: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._lifetime = lifetime
        #: The time of the first of the latest errors that allow less.
        self._limited_since: float | None = None

    def is_over(self, error: QingboError, delay: float) -> bool:
        """Return whether it is too late for another try after ``delay`` seconds."""
        now, limit = self._clock(), getattr(error, "patience", None)
        if limit is None:
            self._limited_since = None
            return now + delay - self._began > self._lifetime
        if self._limited_since is None:
            self._limited_since = now
        return bool(now + delay - self._limited_since > limit)


async def is_saved(record: TaskRecord, target: Target, explain: Explain) -> bool:
    """Return whether a video is saved, perhaps by a kernel that died before it updated the row.

    A complete part of an earlier download needs only its name, neither a link nor the service. It is renamed
    here, and again and again if another program prevents that.
    """
    path, failures, monitor = target.path, 0, record.manager.monitor
    # First: a copy, on a drive that cannot rename, may be incomplete beside its part.
    while await monitor.journal(parts_of, path):
        try:
            if await monitor.download(time.time(), finish_earlier, path, target.film):
                return True
            break
        except DownloadFailed as error:
            if not error.transient:
                raise
            failures += 1
            delay = retry_delay(failures)
            target.show(explain(record.task, error, delay))
            await record.sleep(delay)
    return saved_file(path) is not None


async def wait_for_room(
    record: TaskRecord, target: Target, error: QingboError, room: int, patience: Patience, explain: Explain
) -> None:
    """Wait until the folder takes a file of this size, rather than download the video again in vain."""
    failures, folder, monitor = 1, target.path.parent, record.manager.monitor
    while not await monitor.download(time.time(), can_hold, folder, room):
        failures += 1
        delay = retry_delay(failures)
        if patience.is_over(error, delay):
            raise error
        target.show(explain(record.task, error, delay))
        await record.sleep(delay)
