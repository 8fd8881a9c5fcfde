"""Saving a finished video beside the notebook, before its link dies."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ...exceptions import (
    ConnectionFailed,
    DownloadFailed,
    LinkExpired,
    QingboError,
    RateLimited,
    ServerFault,
    TaskNotFound,
)
from ...i18n import tr
from ...library.sidecar import write_sidecar
from ...media.posters import make_poster
from ...service.contract.snapshot import TaskStatus
from ...service.contract.status_names import status_name
from ...service.download.leftovers import tidy_notes
from ...system.folder import is_file_inside
from ..clocks import on_our_clock
from ..schedule import retry_delay
from ..task import Task
from .ownership import Ownership
from .record import TaskRecord
from .restore import entry_of

__all__ = ["save"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds between two reports of a download's progress.
REPORT = 0.25
#: Seconds for which a video's host may be out of reach before saving waits for a person: a link's lifetime.
PATIENCE = 24 * 3600.0
#: Seconds for which a completed task may name no video: long enough for a service whose parts learn of the
#: end one after the other, and short enough for the user to ask the service while it still has the video.
UNNAMED = 600.0
#: Seconds after which a refused link has died of age, in a queue say, and another one is asked for at once.
FRESH = 10.0
#: Links in a row that may die of age: a server that is slow to refuse must not look like a queue for ever.
MOST_AGED = 3
#: How long a link lives of which the service does not say so.
LIFETIME = timedelta(hours=24)


async def save(record: TaskRecord, ownership: Ownership, clock: Callable[[], float] = time.monotonic) -> None:
    """Until the video is saved, or saving it needs a person.

    Args:
        record: a completed task.
        ownership: the hold of this kernel on the task.
        clock: seconds, monotonic.

    Raises:
        LinkExpired: the service has let go of the video.
        DownloadFailed: it cannot be saved as things are; trying again costs nothing.
        ConnectionFailed, ServiceError: no fresh link was to be had.
        HandedOver: another kernel has taken the task over, while this one slept.
    """
    task, path = record.task, record.task.planned_path
    record.tell(error=None, message="")
    began, failures, is_renewed, arrival = clock(), 0, False, _Arrival(clock())
    is_found = True
    # A file has its name only when it is whole. Is it there, then a kernel died before it could say so.
    while not is_file_inside(path):
        await ownership.keep()
        is_linked = False
        try:
            if not record.links_are_fresh or (_is_dead(task) and not is_renewed):
                is_renewed = True
                await _renew_links(record, ownership, clock)
                arrival.expect_more(clock())
            is_linked = True
            await _download(record, arrival, clock)
            is_found = False
        except QingboError as error:
            record.links_are_fresh = False
            if is_file_inside(path):
                break  # by another kernel, which took the task over while this one slept
            # A link that waited long for its turn, or broke off while it was used, was good.
            is_spent = not is_renewed or arrival.has_grown or arrival.has_aged(clock())
            if isinstance(error, LinkExpired) and is_linked and is_spent:
                continue
            failures += 1
            delay = retry_delay(failures, getattr(error, "retry_after", None))
            if not _may_pass(task, error) or clock() + delay - began > PATIENCE:
                raise
            record.tell(download=None, message=_told(task, error, delay))
            await record.sleep(delay)
    try:
        if is_found:  # another kernel has saved it, and may not have come to tidy up
            await record.manager.monitor.journal(tidy_notes, path)
        await record.manager.monitor.journal(_write_sidecar, task, path)
    except Exception:  # the video is worth more than what is known of it
        logger.warning("The sidecar of %s was not written", path.name, exc_info=True)
    await record.write(file=path.name, error=None)
    record.tell(video_path=path, download=None, message="")
    record.manager.monitor.make_aside(make_poster, path)
    logger.info("Task %s: saved as %s", task.task_id, path)


def _write_sidecar(task: Task, path: Path) -> None:
    manager = task.manager
    write_sidecar(entry_of(task, manager.service), path, manager.library.judgements.of(task.key))


@dataclass
class _Arrival:
    """The bytes of one video that have arrived, from all its links.

    Attributes:
        since: when the present links came from the service, in seconds.
        most: bytes that were here at most.
        has_grown: whether the present links have brought more than that.
        aged: links in a row that died of age and brought nothing.
    """

    since: float
    most: int = 0
    has_grown: bool = False
    aged: int = 0

    def expect_more(self, now: float) -> None:
        """Begin with fresh links."""
        self.since, self.has_grown = now, False

    def count(self, received: int) -> None:
        """Take note of the bytes that are here."""
        if received > self.most:
            self.most, self.has_grown, self.aged = received, True, 0

    def has_aged(self, now: float) -> bool:
        """Tell whether links that are refused now have died of age, and are worth fresh ones at once."""
        self.aged += now - self.since > FRESH
        return now - self.since > FRESH and self.aged <= MOST_AGED


async def _download(record: TaskRecord, arrival: _Arrival, clock: Callable[[], float]) -> Path:
    manager, target, reported = record.manager, record.task.planned_path, 0.0

    def report(received: int, total: int | None) -> None:
        nonlocal reported
        arrival.count(received)
        if total and clock() - reported >= REPORT:
            reported = clock()
            manager.monitor.call_soon(lambda: record.tell(download=min(received / total, 1.0)))

    record.tell(download=0.0, message="")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        told = tr("The folder for the videos cannot be made: {error}.")
        raise DownloadFailed(told.format(error=error)) from None
    # The video whose link dies first is saved first.
    end = on_our_clock(record.task, record.task.expires_at) or datetime.now(UTC) + LIFETIME
    limits = {"max_bytes": manager.max_video_bytes, "film": record.task.key}
    failed: list[DownloadFailed] = []
    for url in record.task.video_urls:  # each leads to the same video
        call = manager.client.download, url, target, report
        try:
            return await manager.monitor.download(end.timestamp(), *call, **limits)
        except DownloadFailed as error:
            if error.part is not None:
                raise  # another link would bring the same video again, over this one
            failed.append(error)
    raise max(failed, key=lambda error: error.transient)  # the one that may pass, if any


async def _renew_links(record: TaskRecord, ownership: Ownership, clock: Callable[[], float]) -> None:
    """Ask for links until the service names some: an answer can say "completed" before it has the result."""
    task, began, questions = record.task, clock(), 0
    while not await _has_links(record):
        questions += 1
        delay = retry_delay(questions)
        if clock() + delay - began > UNNAMED:
            message = tr(
                "The service says that {task} is completed and names no video. Save again later; if it stays "
                "so, ask the service about this id."
            )
            raise DownloadFailed(message.format(task=task.task_id))
        message = tr(
            "The service says that the task is completed and names no video yet. Asking again in "
            "{delay:.0f} s."
        )
        record.tell(download=None, message=message.format(delay=delay))
        await record.sleep(delay)
        await ownership.keep()


async def _has_links(record: TaskRecord) -> bool:
    """Take over the links that the service names now; ``False`` where it names none."""
    task, manager = record.task, record.manager
    try:
        async with manager.monitor.pace.turn():
            snapshot = await manager.monitor.request(manager.client.status, task.task_id)
    except TaskNotFound:
        end = _end_of_link(task)
        if not task.video_urls and end is not None and end > datetime.now(UTC):
            return False  # it has just ended: a machine of the service that lags behind
        message = tr("The service no longer knows {task}, and its video is not saved here.")
        raise LinkExpired(message.format(task=task.task_id)) from None
    if snapshot.videos:
        record.renew_links(snapshot)
    elif snapshot.status in (TaskStatus.failed, TaskStatus.cancelled):
        reason = snapshot.error.message if snapshot.error is not None else tr("the service gave no reason")
        message = tr(
            "The service called {task} completed, and now it says {status} ({reason}) and names no video. "
            "See in its dashboard what was charged. Save again asks once more."
        )
        message = message.format(task=task.task_id, status=status_name(snapshot.status), reason=reason)
        raise DownloadFailed(message)
    return bool(snapshot.videos)


def _is_dead(task: Task) -> bool:
    """Tell whether the time of the task's link is over, by our clock."""
    end = on_our_clock(task, task.expires_at)
    return end is not None and end <= datetime.now(UTC)


def _may_pass(task: Task, error: QingboError) -> bool:
    """Whether the same video may well be saved a little later."""
    if isinstance(error, LinkExpired):
        # What serves the videos may know of a new file or link a little later than the service itself.
        end = _end_of_link(task)
        return error.transient and (end is None or end > datetime.now(UTC))
    if isinstance(error, DownloadFailed):
        return error.transient
    return isinstance(error, ConnectionFailed | RateLimited | ServerFault)


def _end_of_link(task: Task) -> datetime | None:
    """Until when the service keeps the video, on our clock."""
    end = task.expires_at
    if end is None and task.completed_at is not None:
        end = task.completed_at + LIFETIME
    return on_our_clock(task, end)


def _told(task: Task, error: QingboError, delay: float) -> str:
    told = tr("{error} Trying again in {delay:.0f} s.")
    end = _end_of_link(task)
    if isinstance(error, LinkExpired) and end is not None:
        told = tr(
            "The server of the video refuses the link, which is to live until {end:%Y-%m-%d %H:%M}. Trying "
            "again in {delay:.0f} s."
        )
        return told.format(end=end.astimezone(), delay=delay)
    return told.format(error=error, delay=delay)
