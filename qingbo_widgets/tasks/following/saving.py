"""Download of a finished video to the library, before its link expires."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ...exceptions import (
    ConnectionFailed,
    DownloadFailed,
    LinkExpired,
    QingboError,
    RateLimited,
    ServerFault,
    TaskNotFound,
)
from ...i18n import N_, sentences, tr
from ...library.sidecar import write_sidecar
from ...media.posters import make_poster
from ...service.contract.snapshot import TaskSnapshot, TaskStatus
from ...service.contract.status_names import status_name
from ...service.contract.terms import terms_of
from ...service.download.leftovers import tidy_notes
from ...service.inline import save_content
from ...system.files import is_passing
from ...system.times import local_time
from ..clocks import on_our_clock
from ..saved_video import own_name, remark_of, saved_file
from ..schedule import retry_delay
from ..task import Task
from .disk import Patience, is_saved, wait_for_room
from .ownership import Ownership
from .record import TaskRecord
from .restore import entry_of

__all__ = ["save"]

logger = logging.getLogger("qingbo_widgets")

_NO_LINK = N_("The service reports that {task} is completed, but gives no link to the video yet.")
_NO_USABLE_LINK = N_(
    "The service reports that {task} is completed, but gives no usable link to the video: in its place is "
    "{found!r}."
)
_ERROR_IN_PLACE = N_(
    "The service reports that {task} is completed, but gives an error in place of the video: {reason}"
)
_SAVE_AGAIN_LATER = N_("Save again later; if that does not help, contact the service with this id.")
_MORE_VIDEOS = N_(
    "The service gave {count} different videos, and this is one of them. task.video_urls has the links to "
    "all, until they expire."
)
#: Seconds between two progress reports of a download.
REPORT = 0.25
#: Seconds for which the service is asked for the video of a completed task at least, even if a link would
#: have expired by now, and at most if it reports an error in place of the video.
RESULT_PATIENCE = 600.0
#: The pause between two such requests: a share of the time spent asking, and a maximum in seconds.
PAUSE_SHARE, LONGEST_PAUSE = 0.05, 600.0
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
    failures, is_renewed, transfer = 0, False, _Transfer(clock())
    patience = Patience(_lifetime(task).total_seconds(), clock)
    is_already_saved = True
    while not await is_saved(record, _retry_message):
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
            if saved_file(path) is not None:
                break  # saved by another kernel, which took the task over while this one slept
            # A link that expired in the queue or broke off in use was valid, so a fresh one is worth a try.
            needs_fresh_link = not is_renewed or transfer.has_grown or transfer.has_expired(clock())
            if isinstance(error, LinkExpired) and is_linked and needs_fresh_link:
                continue
            failures += 1
            delay = retry_delay(failures, getattr(error, "retry_after", None))
            # The video host may be unreachable for as long as a link is valid.
            if not _is_transient(task, error) or patience.is_over(error, delay):
                raise
            record.set_traits(download=None, message=_retry_message(task, error, delay))
            await record.sleep(delay)
            if room := getattr(error, "room", None):
                await wait_for_room(record, error, room, patience, _retry_message)
    path = await record.manager.monitor.journal(own_name, path)
    try:
        if is_already_saved:  # another kernel saved it, and may have died before the cleanup
            await record.manager.monitor.journal(tidy_notes, task.planned_path)
        await record.manager.monitor.journal(_write_sidecar, task, path)
    except Exception:  # the video matters more than its metadata
        logger.warning("The sidecar of %s was not written", path.name, exc_info=True)
    await record.write(file=path.name, error=None)
    record.content = b""
    remark = await record.manager.monitor.journal(remark_of, path)
    if record.video_count > 1 and len(task.video_urls) > 1:
        remark = sentences(remark, tr(_MORE_VIDEOS).format(count=record.video_count))
    record.set_traits(video_path=path, download=None, message=remark)
    if remark:
        logger.warning("%s: %s", path.name, remark)
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
        raise DownloadFailed(text.format(error=error), transient=is_passing(error), room=1) from None
    # The video whose link expires first is saved first.
    end = on_our_clock(record.task, record.task.expires_at) or datetime.now(UTC) + _lifetime(record.task)
    limits = {"max_bytes": manager.max_video_bytes, "film": record.task.key}
    if record.content:
        content = save_content, record.content, target, report
        return await manager.monitor.download(end.timestamp(), *content, **limits)
    failed: list[DownloadFailed] = []
    for url in record.task.video_urls:  # all lead to the same video
        call = manager.client.download, url, target, report
        try:
            return await manager.monitor.download(end.timestamp(), *call, **limits)
        except DownloadFailed as error:
            if error.part is not None or error.room is not None:
                raise  # the disk's fault: another link would only download the same video again
            failed.append(error)
    raise max(failed, key=lambda error: error.transient)  # a transient error, if there is one


async def _renew_links(record: TaskRecord, ownership: Ownership, clock: Callable[[], float]) -> None:
    """Request links until the service returns some: a task can be "completed" before its result is there.

    The service is asked, ever more rarely, for as long as a link to the video would live.
    """
    task, began, attempts = record.task, clock(), 0
    while (missing := await _request_links(record)) is not None:
        attempts += 1
        spent = clock() - began
        delay = _pause(attempts, spent)
        left = RESULT_PATIENCE - spent
        if not missing.is_error:
            left = max(left, _life_left(task).total_seconds())
        if delay > left:
            raise DownloadFailed(sentences(missing.text, tr(_SAVE_AGAIN_LATER)))
        again = tr("Asking again in {delay:.0f} s.").format(delay=delay)
        record.set_traits(download=None, message=sentences(missing.text, again))
        await record.sleep(delay)
        await ownership.keep()


def _pause(attempts: int, spent: float) -> float:
    """Return the seconds before the next request for a late video, after some attempts and seconds."""
    return max(retry_delay(attempts), min(PAUSE_SHARE * spent, LONGEST_PAUSE))


class _Missing(NamedTuple):
    """The sentence about what an answer has in place of the video, and whether that is an error."""

    text: str
    is_error: bool = False


async def _request_links(record: TaskRecord) -> _Missing | None:
    """Request the links and set them on the task; return what is in their place if the service has none."""
    task, manager = record.task, record.manager
    try:
        async with manager.monitor.pace.turn():
            snapshot = await manager.monitor.request(manager.client.status, task.task_id)
    except TaskNotFound:
        end = _end_of_link(task)
        if not task.video_urls and end is not None and end > datetime.now(UTC):
            return _Missing(tr(_NO_LINK).format(task=task.task_id))  # a machine of the service is behind
        message = tr("The service no longer knows {task}, and its video is not saved here.")
        raise LinkExpired(message.format(task=task.task_id)) from None
    if snapshot.videos:
        record.renew_links(snapshot)
        return None
    if snapshot.status in (TaskStatus.failed, TaskStatus.cancelled):
        reason = snapshot.error.message if snapshot.error is not None else tr("the service gave no reason")
        message = tr(
            "The service reported {task} as completed, now reports {status} ({reason}), and gives no link to "
            "the video. Check in its dashboard what was charged. Save again asks once more."
        )
        message = message.format(task=task.task_id, status=status_name(snapshot.status), reason=reason)
        raise DownloadFailed(message)
    return _missing_in(snapshot)


def _missing_in(snapshot: TaskSnapshot) -> _Missing:
    task, error = snapshot.task_id, snapshot.error
    if error is not None:
        reason = (
            f"{error.message} ({error.code})" if error.code not in (None, error.message) else error.message
        )
        return _Missing(tr(_ERROR_IN_PLACE).format(task=task, reason=reason), is_error=True)
    if snapshot.unusable_link:
        return _Missing(tr(_NO_USABLE_LINK).format(task=task, found=snapshot.unusable_link))
    return _Missing(tr(_NO_LINK).format(task=task))


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


def _life_left(task: Task) -> timedelta:
    """Return the time for which a link to the task's video would still live."""
    end = _end_of_link(task)
    return _lifetime(task) if end is None else end - datetime.now(UTC)


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
