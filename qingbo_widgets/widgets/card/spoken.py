"""The status of a task for screen readers: each status once, without the percent; errors at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...i18n import sentences, tr
from ...service.contract.snapshot import TaskStatus
from ...service.contract.text import shorten
from ...tasks.price_note import price_note
from ..base.announcement import announcement
from ..base.html import Markup
from ..base.settings import prompt_of
from . import head, states, times
from .remedies import error_text

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["spoken"]

#: The maximum of characters of a prompt that are read aloud with the status, and of an error.
PROMPT, ERROR = 60, 160


def spoken(task: Task, problem: str = "") -> Markup:
    """Return invisible HTML that announces the status of the task, or the error of a button."""
    is_error = bool(problem) or (states.is_over(task) and task.video_path is None)
    return announcement(task.key, problem or _text(task), is_urgent=is_error and not _is_cancelled(task))


def _text(task: Task) -> str:
    """Return for example "Finished, 20 s: a koi", or "Failed: a koi. The reason"."""
    is_over = states.is_over(task)
    if not is_over and (task.status.is_ended or task.status == TaskStatus.submitting):
        return ""  # passes within a second, or is a download with its percent
    status = head.status(task)
    if task.video_path is not None and (time := times.took(task)):
        status = f"{status}, {time}"
    prompt = shorten(prompt_of(task.request), PROMPT)
    text = status or prompt
    if status and prompt:
        text = tr("{label}: {value}").format(label=status, value=prompt)
    if (difference := price_note(task)) is not None and difference.is_higher:
        text = sentences(text, difference.text)
    if is_over and task.error is not None and not _is_cancelled(task):
        text = sentences(text, shorten(error_text(task), ERROR))
    return text


def _is_cancelled(task: Task) -> bool:
    return task.status == TaskStatus.cancelled
