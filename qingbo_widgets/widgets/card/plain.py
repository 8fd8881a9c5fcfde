"""A task as plain text, for hosts that show no HTML: consoles, and exports to LaTeX or PDF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...i18n import tr
from ...service.contract.text import shorten
from ...system.notebook import shown_path
from ...tasks.price_note import price_note
from ..base import html as markup
from ..base.settings import prompt_of
from . import head, resume_code, states

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["file_text", "headline", "plain_text"]

#: The maximum of characters of a prompt, so that a line fits into a console.
PROMPT = 70


def plain_text(task: Task) -> str:
    """Return the task in a few lines: status, prompt, file or error, a price that differs, how to resume."""
    lines = [headline(task)]
    if task.video_path is not None:
        lines.append(file_text(task.video_path))
    elif task.error is not None:
        lines.append(markup.plain_line(task.error))
    if (difference := price_note(task)) is not None:
        lines.append(difference.text)
    if states.is_resumable(task):
        lines.append(resume_code.resume_label(task))
        if not states.ends_with_kernel(task):
            lines.append(resume_code.resume_line(task))
    return "\n".join(lines)


def headline(task: Task) -> str:
    """Return the task on one line, such as ``Finished · a koi · kling-v3 · task-1``."""
    prompt = shorten(prompt_of(task.request), PROMPT)
    parts = (head.status(task), prompt, task.model, task.task_id)
    return " · ".join(markup.plain_line(part) for part in parts if part)


def file_text(path: Path) -> str:
    """Return the path of a video, relative to the notebook if possible."""
    return tr("saved as {path}").format(path=shown_path(path))
