"""Download of one video of a completed task, again and again, before its link expires."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ...exceptions import DownloadFailed, LinkExpired, QingboError
from ...i18n import N_, tr
from ...library import other_videos
from ...library.other_videos import OtherVideos
from ...service.contract.snapshot import Video
from ...service.inline import save_content
from ...system.files import is_passing
from ...system.times import local_time
from ..clocks import on_our_clock
from ..saved_video import saved_file
from ..schedule import retry_delay
from ..task import Task
from .disk import Patience, is_saved, wait_for_room
from .links import RESULT_PATIENCE, end_of_link, is_link_expired, is_transient, lifetime, renew_links
from .ownership import Ownership
from .record import TaskRecord
from .target import Target

__all__ = ["fetch"]

logger = logging.getLogger("qingbo_widgets")

_NOT_IN_ANSWER = N_("The service's latest response no longer has this video.")
#: Seconds between two progress reports of a download.
REPORT = 0.25
#: Seconds after which a refused link counts as expired (e.g. in a queue), and is replaced at once.
FRESH = 10.0
#: The maximum of consecutive links that count as expired, because a server that is slow to refuse must not
#: pass for a queue for ever.
MOST_EXPIRED = 3


async def fetch(record: TaskRecord, ownership: Ownership, target: Target, clock: Callable[[], float]) -> bool:
    """Fetch a video; retry until it is saved or only the user can help.

    Args:
        record: a completed task.
        ownership: the hold of this kernel on the task.
        target: the file, and which video it is.
        clock: a monotonic clock, in seconds.

    Returns:
        Whether this call has downloaded it; ``False`` if it was saved already.

    Raises:
        LinkExpired: the service has deleted the video.
        DownloadFailed: the video cannot be saved at present; retrying costs nothing.
        ConnectionFailed, ServiceError: no fresh link could be obtained.
        HandedOver: another kernel took the task over while this one slept.
    """
    task = record.task
    failures, is_renewed, transfer = 0, False, _Transfer(clock())
    patience = Patience(lifetime(task).total_seconds(), clock)
    has_downloaded = False
    while not await is_saved(record, target, _retry_message):
        await ownership.keep()
        is_linked = False
        try:
            if not record.links_are_fresh or (is_link_expired(task) and not is_renewed):
                is_renewed = True
                await renew_links(record, ownership, clock, target.show)
                transfer.expect_more(clock())
            is_linked = True
            await _download(record, target, transfer, clock)
            has_downloaded = True
        except QingboError as error:
            record.links_are_fresh = False
            if saved_file(target.path) is not None:
                break  # saved by another kernel, which took the task over while this one slept
            # A link that expired in the queue or broke off in use was valid, so a fresh one is worth a try.
            needs_fresh_link = not is_renewed or transfer.has_grown or transfer.has_expired(clock())
            if isinstance(error, LinkExpired) and is_linked and needs_fresh_link:
                continue
            failures += 1
            delay = retry_delay(failures, getattr(error, "retry_after", None))
            # The video host may be unreachable for as long as a link is valid.
            if not is_transient(task, error) or patience.is_over(error, delay):
                raise
            target.show(_retry_message(task, error, delay))
            await record.sleep(delay)
            if room := getattr(error, "room", None):
                await wait_for_room(record, target, error, room, patience, _retry_message)
    return has_downloaded


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


async def _download(
    record: TaskRecord, target: Target, transfer: _Transfer, clock: Callable[[], float]
) -> None:
    """Download the video over the first of its links that works.

    The links with the same number lead to the same video. For the first file, those of the next video are
    tried after them: a video that is paid for is not left at the service because another one is missing.
    """
    manager, reported = record.manager, 0.0

    def report(received: int, total: int | None) -> None:
        nonlocal reported
        transfer.count(received)
        if total and clock() - reported >= REPORT:
            reported = clock()
            manager.monitor.call_soon(lambda: target.progress(min(received / total, 1.0)))

    target.show("")
    target.progress(0.0)
    _create_folder(target.path.parent)
    # The video whose link expires first is saved first.
    end = on_our_clock(record.task, record.task.expires_at) or datetime.now(UTC) + lifetime(record.task)
    limits = {"max_bytes": manager.max_video_bytes, "film": target.film}
    failed: list[DownloadFailed] = []
    for video in _candidates(record, target):
        if target.number is None:
            await _note_others(record, target, video.number)
        source = (save_content, video.content) if video.content else (manager.client.download, video.url)
        try:
            await manager.monitor.download(end.timestamp(), *source, target.path, report, **limits)
        except DownloadFailed as error:
            if error.part is not None or error.room is not None:
                raise  # the disk's fault: another link would only download the same video again
            failed.append(error)
        else:
            return
    if not failed:
        raise DownloadFailed(tr(_NOT_IN_ANSWER), transient=True, patience=RESULT_PATIENCE)
    raise max(failed, key=lambda error: error.transient)  # a transient error, if there is one


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = tr("The folder for the videos cannot be created: {error}.")
        raise DownloadFailed(text.format(error=error), transient=is_passing(error), room=1) from None


def _candidates(record: TaskRecord, target: Target) -> list[Video]:
    """Return the links and contents to try, in this order: a video that is here already needs no link."""
    videos = [video for video in record.videos if target.number in (None, video.number)]
    return sorted(videos, key=lambda video: (video.number, not video.content))


async def _note_others(record: TaskRecord, target: Target, number: int) -> None:
    """Note, before the first video is saved, that the task has others, for the kernel after this one."""
    count = len({video.number for video in record.videos})
    others = OtherVideos(record.task.key, count, number) if count > 1 else None
    if others is None or others == record.others:
        return
    record.others = others
    try:
        await record.manager.monitor.journal(other_videos.write, target.path, others)
    except Exception:  # this kernel knows it anyway
        logger.warning("%s: that there are other videos was not noted", target.path.name, exc_info=True)


def _retry_message(task: Task, error: QingboError, delay: float) -> str:
    text = tr("{error} Trying again in {delay:.0f} s.")
    end = end_of_link(task)
    if isinstance(error, LinkExpired) and end is not None:
        text = tr(
            "The video server refuses the link, although it should be valid until {end}. Trying again in "
            "{delay:.0f} s."
        )
        return text.format(end=local_time(end), delay=delay)
    return text.format(error=error, delay=delay)
