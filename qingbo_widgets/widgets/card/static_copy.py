"""The copy of a task that stays in the notebook: HTML that needs no kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ...service.contract.snapshot import TaskStatus
from ...system.times import local_time
from ..base import html as markup
from ..base.embedding import Embedding, gets_files, held_by
from ..base.html import Markup
from ..base.player import others_html, saved_html, video_html
from .head import headline, saved_status
from .remedies import advice
from .request_facts import about
from .resume_code import resume_label, resume_line
from .sound import sound_line
from .states import ends_with_kernel, goes_on, is_resumable

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["ended", "static_copy"]

_STORED = N_("Last saved state: {status}")
_WILL_PLAY = N_("The video plays here as soon as it is saved:")


def ended(task: Task, embedding: Embedding | None = None) -> Markup:
    """Return an ended task as pure HTML, which needs no kernel.

    Args:
        task: the task.
        embedding: the videos that the output embeds; by default those of an output of this task.
    """
    embedding = embedding or held_by(task, task.manager.embed)
    return markup.block(*_ended_parts(task, embedding), class_="qingbo-card")


def _ended_parts(task: Task, embedding: Embedding) -> list[Markup]:
    parts = [headline(task)]
    if task.video_path is not None:
        parts += [saved_html(task.video_path, embedding), sound_line(task)]
    if task.other_video_paths:
        parts.append(others_html(task.other_video_paths, embedding))
    return [*parts, about(task), advice(task)]


def static_copy(task: Task, *hidden_by: str, in_studio: bool = False) -> Markup:
    """Return the static copy of a running task: its request, and the code that resumes it.

    The path of its future video is known, so the copy has a player already, which plays as soon as any kernel
    has saved the file. The progress is left out, so that the copy changes when the task has an id, and when
    it ends.

    Args:
        task: the task.
        *hidden_by: a CSS class by which the live view hides the copy while it is alive.
        in_studio: whether it is below the studio's code that resumes all tasks.
    """
    classes = " ".join(["qingbo-keep", *hidden_by])
    if task.video_path is not None:  # its other videos are still being saved
        embedding = held_by(task, task.manager.embed, is_copy=True)
        return markup.block(*_ended_parts(task, embedding), class_=classes)
    when = local_time(task.submitted_at)
    parts = [
        markup.tag(
            "div",
            markup.span(tr(_STORED).format(status=saved_status(task)), "qingbo-status"),
            markup.Markup(" "),
            markup.span(tr("submitted {when}").format(when=when), "qingbo-dim"),
            class_="qingbo-head",
        ),
        about(task),
        advice(task),
    ]
    if is_resumable(task) and not (in_studio and goes_on(task)):
        parts.append(markup.tag("div", markup.span(resume_label(task))))
        if not ends_with_kernel(task):
            parts.append(markup.code_block(resume_line(task)))
    is_planned = task.status not in (TaskStatus.failed, TaskStatus.unconfirmed)
    is_planned = is_planned and gets_files(task.manager.embed)
    if task.request is not None and is_planned and not task.manager.is_sandbox:
        parts += [markup.note(tr(_WILL_PLAY)), video_html(task.planned_path)]
    return markup.block(*parts, class_=classes)
