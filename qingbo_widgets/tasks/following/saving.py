"""Download of a finished video to the library, before its link expires."""

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
from ...service.contract.terms import terms_of
from ...service.download.leftovers import tidy_notes
from ...system.folder import is_file_inside
from ...system.times import local_time
from ..clocks import on_our_clock
from ..schedule import retry_delay
from ..task import Task
from .ownership import Ownership
from .record import TaskRecord
from .restore import entry_of

__all__ = ["save"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds between two progress reports of a download.
REPORT = 0.25
#: Seconds for which a completed task may lack a video: long enough for a service whose parts are updated one
#: after the other, and short enough for the user to contact the service while it still has the video.
RESULT_PATIENCE = 600.0
#: Seconds after which a refused link counts as expired (e.g. in a queue), and is replaced at once.
FRESH = 10.0
#: The maximum of consecutive links that count as expired, because a server that is slow to refuse must not
#: pass for a queue for ever.
MOST_EXPIRED = 3


async def save(record: TaskRecord, ownership: Ownership, clock: Callable[[], float] = time.monotonic) -> None:
    """Save the video; retry until it is saved or only the user can help.

    Args:
        record: a completed task.
        ownership: the hold of this kernel on the task.
        clock: a monotonic clock, in seconds.

    Raises:
        LinkExpired: the service has deleted the video.
        DownloadFailed: the video cannot be saved at present; retrying costs nothing.
        ConnectionFailed, ServiceError: no fresh link could be obtained.
        HandedOver: another kernel took the task over while this one slept.
    """
    task, path = record.task, record.task.planned_path
    record.set_traits(error=None, message="")
    began, failures, is_renewed, transfer = clock(), 0, False, _Transfer(clock())
    is_already_saved = True
    # A file gets its name only once it is complete. If it exists, a kernel died before it updated the row.
    while not is_file_inside(path):
        await ownership.keep()
        is_linked = False
        try:
            if not record.links_are_fresh or (_is_link_expired(task) and not is_renewed):
                is_renewed = True
                await _renew_links(record, ownership, clock)
                transfer.expect_more(clock())
            is_linked = True
            await _download(record, transfer, clock)
            is_already_saved = False
        except QingboError as error:
            record.links_are_fresh = False
            if is_file_inside(path):
                break  # saved by another kernel, which took the task over while this one slept
            # A link that expired in the queue or broke off in use was valid, so a fresh one is worth a try.
            needs_fresh_link = not is_renewed or transfer.has_grown or transfer.has_expired(clock())
            if isinstance(error, LinkExpired) and is_linked and needs_fresh_link:
                continue
            failures += 1
            delay = retry_delay(failures, getattr(error, "retry_after", None))
            # The video host may be unreachable for as long as a link is valid.
            if not _is_transient(task, error) or clock() + delay - began > _lifetime(task).total_seconds():
                raise
            record.set_traits(download=None, message=_retry_message(task, error, delay))
            await record.sleep(delay)
    try:
        if is_already_saved:  # another kernel saved it, and may have died before the cleanup
            await record.manager.monitor.journal(tidy_notes, path)
        await record.manager.monitor.journal(_write_sidecar, task, path)
    except Exception:  # the video matters more than its metadata
        logger.warning("The sidecar of %s was not written", path.name, exc_info=True)
    await record.write(file=path.name, error=None)
    record.set_traits(video_path=path, download=None, message="")
    record.manager.monitor.run_in_background(make_poster, path)
    logger.info("Task %s: saved as %s", task.task_id, path)


def _write_sidecar(task: Task, path: Path) -> None:
    manager = task.manager
    write_sidecar(entry_of(task, manager.service), path, manager.library.judgements.of(task.key))


@dataclass
class _Transfer:
    """The bytes received of one video, over all its links.

    Attributes:
        links_since: the time at which the current links were received, in seconds of the clock.
        received: the maximum of bytes received so far.
        has_grown: whether the current links have raised that maximum.
        expired: consecutive links that expired without bringing a byte.
    """

    links_since: float
    received: int = 0
    has_grown: bool = False
    expired: int = 0

    def expect_more(self, now: float) -> None:
        """Start over with fresh links."""
        self.links_since, self.has_grown = now, False

    def count(self, received: int) -> None:
        """Record the number of bytes received so far."""
        if received > self.received:
            self.received, self.has_grown, self.expired = received, True, 0

    def has_expired(self, now: float) -> bool:
        """Return whether links refused now have expired, so that fresh ones should be requested at once."""
        self.expired += now - self.links_since > FRESH
        return now - self.links_since > FRESH and self.expired <= MOST_EXPIRED


async def _download(record: TaskRecord, transfer: _Transfer, clock: Callable[[], float]) -> Path:
    manager, target, reported = record.manager, record.task.planned_path, 0.0

    def report(received: int, total: int | None) -> None:
        nonlocal reported
        transfer.count(received)
        if total and clock() - reported >= REPORT:
            reported = clock()
            manager.monitor.call_soon(lambda: record.set_traits(download=min(received / total, 1.0)))

    record.set_traits(download=0.0, message="")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = tr("The folder for the videos cannot be created: {error}.")
        raise DownloadFailed(text.format(error=error)) from None
    # The video whose link expires first is saved first.
    end = on_our_clock(record.task, record.task.expires_at) or datetime.now(UTC) + _lifetime(record.task)
    limits = {"max_bytes": manager.max_video_bytes, "film": record.task.key}
    failed: list[DownloadFailed] = []
    for url in record.task.video_urls:  # all lead to the same video
        call = manager.client.download, url, target, report
        try:
            return await manager.monitor.download(end.timestamp(), *call, **limits)
        except DownloadFailed as error:
            if error.part is not None:
                raise  # another link would download the same video over this one
            failed.append(error)
    raise max(failed, key=lambda error: error.transient)  # a transient error, if there is one


async def _renew_links(record: TaskRecord, ownership: Ownership, clock: Callable[[], float]) -> None:
    """Request links until the service returns some: a task can be "completed" before its result is there."""
    task, began, attempts = record.task, clock(), 0
    while not await _request_links(record):
        attempts += 1
        delay = retry_delay(attempts)
        if clock() + delay - began > RESULT_PATIENCE:
            message = tr(
                "The service reports that {task} is completed, but gives no link to the video. Save again "
                "later; if that does not help, contact the service with this id."
            )
            raise DownloadFailed(message.format(task=task.task_id))
        message = tr(
            "The service reports that the task is completed, but gives no link to the video yet. Asking "
            "again in {delay:.0f} s."
        )
        record.set_traits(download=None, message=message.format(delay=delay))
        await record.sleep(delay)
        await ownership.keep()


async def _request_links(record: TaskRecord) -> bool:
    """Request the links and set them on the task; return ``False`` if the service has none."""
    task, manager = record.task, record.manager
    try:
        async with manager.monitor.pace.turn():
            snapshot = await manager.monitor.request(manager.client.status, task.task_id)
    except TaskNotFound:
        end = _end_of_link(task)
        if not task.video_urls and end is not None and end > datetime.now(UTC):
            return False  # it has only just ended: a machine of the service is behind
        message = tr("The service no longer knows {task}, and its video is not saved here.")
        raise LinkExpired(message.format(task=task.task_id)) from None
    if snapshot.videos:
        record.renew_links(snapshot)
    elif snapshot.status in (TaskStatus.failed, TaskStatus.cancelled):
        reason = snapshot.error.message if snapshot.error is not None else tr("the service gave no reason")
        message = tr(
            "The service reported {task} as completed, now reports {status} ({reason}), and gives no link to "
            "the video. Check in its dashboard what was charged. Save again asks once more."
        )
        message = message.format(task=task.task_id, status=status_name(snapshot.status), reason=reason)
        raise DownloadFailed(message)
    return bool(snapshot.videos)


def _is_link_expired(task: Task) -> bool:
    """Return whether the task's link has expired, by our clock."""
    end = on_our_clock(task, task.expires_at)
    return end is not None and end <= datetime.now(UTC)


def _is_transient(task: Task, error: QingboError) -> bool:
    """Return whether the same video may be available a little later."""
    if isinstance(error, LinkExpired):
        # The video host may get a new file or link a little later than the service itself.
        end = _end_of_link(task)
        return error.transient and (end is None or end > datetime.now(UTC))
    if isinstance(error, DownloadFailed):
        return error.transient
    return isinstance(error, ConnectionFailed | RateLimited | ServerFault)


def _lifetime(task: Task) -> timedelta:
    """Return the lifetime of a link that the task's contract promises, for a service that states none."""
    return terms_of(task.contract).link_lifetime


def _end_of_link(task: Task) -> datetime | None:
    """Return the time at which the link expires, by our clock."""
    end = task.expires_at
    if end is None and task.completed_at is not None:
        end = task.completed_at + _lifetime(task)
    return on_our_clock(task, end)


def _retry_message(task: Task, error: QingboError, delay: float) -> str:
    text = tr("{error} Trying again in {delay:.0f} s.")
    end = _end_of_link(task)
    if isinstance(error, LinkExpired) and end is not None:
        text = tr(
            "The server of the video refuses the link, which should be valid until {end}. "
            "Trying again in {delay:.0f} s."
        )
        return text.format(end=local_time(end), delay=delay)
    return text.format(error=error, delay=delay)
