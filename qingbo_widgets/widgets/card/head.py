"""The line above the bar of a task: status, percent and times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...exceptions import TaskNotFound
from ...i18n import tr
from ...service.contract.snapshot import TaskStatus
from ...service.contract.status_names import status_label
from ..base import html as markup
from ..base.html import Markup
from .states import goes_on, is_over, is_unfollowed, percent
from .times import elapsed, kept_text, time_left

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["headline", "progress", "saved_status", "status"]


def status(task: Task) -> str:
    """Return the status as text."""
    if task.status == TaskStatus.completed and task.video_path is None:
        if task.download is not None:
            return tr("Finished, saving the video: {percent:.0f} %").format(percent=percent(task))
        return tr("Finished, the video is not saved") if is_over(task) else tr("Finished, saving the video")
    if is_unfollowed(task):
        is_lost = isinstance(task.error, TaskNotFound)
        return tr("Not found at the service") if is_lost else tr("Not followed any more")
    return status_label(task.status)


def saved_status(task: Task) -> str:
    """Return the status in a saved notebook, without the progress."""
    if task.status == TaskStatus.completed and not is_over(task):
        return status_label(TaskStatus.completed)
    return tr("Generating") if goes_on(task) else status(task)


def headline(task: Task, now: datetime | None = None, shown: int | None = None) -> Markup:
    """Return the line above the bar, as HTML: status, percent, time, time left.

    Args:
        task: the task.
        now: the current time, UTC.
        shown: the percent that the bar shows; the current progress by default.
    """
    facts = [markup.span(status(task), "qingbo-status")]
    over, now = is_over(task), now or datetime.now(UTC)
    shown = percent(task) if shown is None else shown
    if not over and not task.status.is_ended and task.status != TaskStatus.submitting:
        facts.append(progress(shown, status(task)))
    texts = (elapsed(task, now), time_left(task, shown), kept_text(task, now, over))
    facts += [markup.span(text, "qingbo-dim") for text in texts if text]
    return markup.tag("div", markup.join(facts, " "), class_="qingbo-head")


def progress(shown: int, name: str) -> Markup:
    """Return the percent as HTML, as the progress bar of screen readers: the bar on screen has no role.

    Args:
        shown: the percent.
        name: the name of what progresses.
    """
    value = str(shown)
    return markup.tag(
        "span",
        markup.text(f"{value} %"),
        role="progressbar",
        aria_label=name,
        aria_valuemin="0",
        aria_valuemax="100",
        aria_valuenow=value,
    )
