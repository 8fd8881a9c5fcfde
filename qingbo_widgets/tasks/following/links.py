"""Links to a finished video: requests for fresh ones, and the time for which they live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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
from ...service.contract.snapshot import TaskSnapshot, TaskStatus
from ...service.contract.status_names import status_name
from ...service.contract.terms import terms_of
from ..clocks import on_our_clock
from ..schedule import retry_delay
from ..task import Task
from .ownership import Ownership
from .record import TaskRecord

__all__ = ["end_of_link", "is_link_expired", "is_transient", "lifetime", "renew_links"]

_NO_LINK = N_("The service reports that {task} is completed, but gives no link to the video yet.")
_NO_USABLE_LINK = N_(
    "The service reports that {task} is completed, but its link to the video is not usable: {found!r}."
)
_ERROR_IN_PLACE = N_(
    "The service reports that {task} is completed, but gives an error instead of the video: {reason}"
)
_SAVE_AGAIN_LATER = N_("Save again later; if that does not help, contact the service with this id.")
#: Seconds for which the service is asked for the video of a completed task at least, even if a link would
#: have expired by now, and at most if it reports an error in place of the video.
RESULT_PATIENCE = 600.0
#: The pause between two such requests: a share of the time spent asking, and a maximum in seconds.
PAUSE_SHARE, LONGEST_PAUSE = 0.05, 600.0


async def renew_links(
    record: TaskRecord, ownership: Ownership, clock: Callable[[], float], show: Callable[[str], None]
) -> None:
    """Request links until the service returns some: a task can be "completed" before its result is there.

    The service is asked, ever more rarely, for as long as a link to the video would live.

    Args:
        record: a completed task.
        ownership: the hold of this kernel on the task.
        clock: a monotonic clock, in seconds.
        show: called with the message about what is missing.

    Raises:
        LinkExpired: the service no longer knows the task.
        DownloadFailed: it gives no link, and another request later costs nothing.
        ConnectionFailed, ServiceError: the error of a request.
        HandedOver: another kernel took the task over.
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
        show(sentences(missing.text, again))
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
            snapshot = await record.ask()
    except TaskNotFound:
        end = end_of_link(task)
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
            "The service first reported {task} as completed, and now as {status} ({reason}), without a "
            "video. Its dashboard shows what was charged. Save again asks once more."
        )
        message = message.format(task=task.task_id, status=status_name(snapshot.status), reason=reason)
        raise DownloadFailed(message)
    return _missing_in(snapshot)


def _missing_in(snapshot: TaskSnapshot) -> _Missing:
    task, error = snapshot.task_id, snapshot.error
    if error is not None:
        return _Missing(tr(_ERROR_IN_PLACE).format(task=task, reason=error.text), is_error=True)
    if snapshot.unusable_link:
        return _Missing(tr(_NO_USABLE_LINK).format(task=task, found=snapshot.unusable_link))
    return _Missing(tr(_NO_LINK).format(task=task))


def lifetime(task: Task) -> timedelta:
    """Return the lifetime of a link that the task's contract promises, for a service that states none."""
    return terms_of(task.contract).link_lifetime


def end_of_link(task: Task) -> datetime | None:
    """Return the time at which the link expires, by our clock."""
    end = task.expires_at
    if end is None and task.completed_at is not None:
        end = task.completed_at + lifetime(task)
    return on_our_clock(task, end)


def _life_left(task: Task) -> timedelta:
    """Return the time for which a link to the task's video would still live."""
    end = end_of_link(task)
    return lifetime(task) if end is None else end - datetime.now(UTC)


def is_link_expired(task: Task) -> bool:
    """Return whether the task's link has expired, by our clock."""
    end = on_our_clock(task, task.expires_at)
    return end is not None and end <= datetime.now(UTC)


def is_transient(task: Task, error: QingboError) -> bool:
    """Return whether the same video may be available a little later."""
    if isinstance(error, LinkExpired):
        # The video host may get a new file or link a little later than the service itself.
        end = end_of_link(task)
        return error.transient and (end is None or end > datetime.now(UTC))
    if isinstance(error, DownloadFailed):
        return error.transient
    return isinstance(error, ConnectionFailed | RateLimited | ServerFault)
