"""The status of a task for screen readers: each status once, without the percent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...service.contract.snapshot import TaskStatus
from ..base.announcement import announcement
from ..base.html import Markup, shorten
from . import text as task_text

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["spoken"]

#: The maximum of characters of a prompt that are read aloud with the status.
PROMPT = 60


def spoken(task: Task, problem: str = "") -> Markup:
    """Return invisible HTML that announces the status of the task, or the error of a button."""
    return announcement(task.key, problem or _text(task))


def _text(task: Task) -> str:
    if not task_text.is_over(task) and (task.status.is_ended or task.status == TaskStatus.submitting):
        return ""  # passes within a second, or is a download with its percent
    prompt = "" if task.request is None else shorten(" / ".join(task.request.prompts), PROMPT)
    return ": ".join(part for part in (task_text.status(task), prompt) if part)
