"""The times of a task as texts: elapsed, left, taken, and how long the service keeps the video."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ...service.contract.lengths import seconds_text
from ...service.contract.snapshot import TaskStatus
from ...system.times import local_time
from ...tasks.clocks import on_our_clock
from .states import is_over

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["ALMOST_DONE", "clock", "elapsed", "kept_text", "left_text", "long_time", "time_left", "took"]

#: Seconds below which an estimate of the time that remains is not shown as a number, once the bar has reached
#: ``NEARLY_FULL`` percent: five seconds are most of a short task.
ALMOST_DONE, NEARLY_FULL = 5.0, 90
#: The shortest time that is shown in days.
_LONG_TIME = timedelta(days=2)
#: A video is usually saved within this time, so the head does not wrap into a second line just for a moment.
_USUALLY_SAVED = timedelta(seconds=5)
#: A task that is followed is seen to end within this time.
_SEEN_AT_ONCE = timedelta(seconds=10)
_KEPT_FOR = N_("the service keeps it for {left} more")
_KEPT_UNTIL = N_("the service keeps it until {end}")


def clock(seconds: float) -> str:
    """Return a time span as text: 0:07, 12:30, 1:00:00."""
    whole = max(int(seconds), 0)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def took(task: Task) -> str:
    """Return how long a finished task took, such as "20 s"; empty if that is unknown or no time at all.

    A task that failed, was cancelled or was lost has none: it ended before there was a video, or at an
    unknown time. The time ends when this kernel saw the end, if that was a little later, because the clock on
    screen ran till then; not if it was much later, because no kernel followed the task.
    """
    began, end = _began(task), on_our_clock(task, task.completed_at)
    if task.status != TaskStatus.completed or began is None or end is None:
        return ""
    if task.end_seen_at is not None and task.end_seen_at - end < _SEEN_AT_ONCE:
        end = max(end, task.end_seen_at)
    seconds = (end - began).total_seconds()
    if seconds < 1:
        return ""
    return seconds_text(int(seconds)) if seconds < 60 else clock(seconds)


def elapsed(task: Task, now: datetime) -> str:
    """Return the time since the submission, or how long a finished task took; empty if neither is known."""
    if task.status.is_ended:
        time = took(task)
        return tr("took {time}").format(time=time) if time else ""
    began = _began(task)
    if is_over(task) or began is None:
        return ""
    return tr("{time} elapsed").format(time=clock((now - began).total_seconds()))


def _began(task: Task) -> datetime | None:
    """Return when a task was submitted, if known: one resumed by its id began before this library had it."""
    return task.created_at if task.request is None else task.submitted_at


def time_left(task: Task, shown: int) -> str:
    """Return the estimate of the time that remains; empty if there is none.

    The last seconds are not counted: how long the service takes to store a video is not known. A task in the
    queue is never almost done.

    Args:
        task: the task.
        shown: the percent that the bar shows.
    """
    seconds = None if is_over(task) or task.status.is_ended else task.seconds_left
    if seconds is None:
        return ""
    return left_text(seconds, 0 if task.status == TaskStatus.queued else shown)


def left_text(seconds: float, shown: int) -> str:
    """Return an estimate of the seconds that remain as text, which agrees with the percent on the bar."""
    if seconds < ALMOST_DONE and shown >= NEARLY_FULL:
        return tr("almost done")
    return tr("about {left} left").format(left=clock(max(seconds, 1.0)))


def kept_text(task: Task, now: datetime, over: bool) -> str:
    """Return how long the service keeps a video that is not saved here yet; empty for any other task.

    It also is empty at first, for the seconds within which a video usually is saved.
    """
    end = on_our_clock(task, task.expires_at)
    if task.video_path is not None or task.status != TaskStatus.completed or end is None or end <= now:
        return ""
    if over:  # nothing is redrawn any more, so a time span would soon be wrong
        return tr(_KEPT_UNTIL).format(end=local_time(end))
    if task.end_seen_at is not None and now - task.end_seen_at < _USUALLY_SAVED:
        return ""
    left = end - now
    return tr(_KEPT_FOR).format(left=long_time(left) if left >= _LONG_TIME else clock(left.total_seconds()))


def long_time(span: timedelta) -> str:
    """Return a time span in whole days, or in hours if it is shorter than two days."""
    if span >= _LONG_TIME:
        return tr("{days} days").format(days=span.days)
    return tr("{hours} hours").format(hours=int(span.total_seconds() // 3600))
