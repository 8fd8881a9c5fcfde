"""The sound of a card's video: VS Code decodes no AAC, so the card offers a copy with MP3 sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...i18n import N_, sentences, tr
from ...media.sound import has_aac
from ...system.host import is_vscode
from ...system.sound_copies import sound_copy
from ..base import html as markup
from ..base.html import Markup

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["is_silent", "sound_line"]

_SILENT = N_("VS Code plays no AAC sound, so this video is silent there.")
_BY_BUTTON = N_("“Copy with sound” makes a copy with MP3 sound beside it, on this machine.")
_BY_CODE = N_("For a copy with MP3 sound: {code}")


def is_silent(task: Task) -> bool:
    """Return whether the page certainly plays the saved video of a task without its sound."""
    video = task.video_path
    return video is not None and is_vscode() and has_aac(video) and sound_copy(video) is None


def sound_line(task: Task, *, has_button: bool = False) -> Markup:
    """Return the line for a video that is silent in this page; no markup for any other.

    Args:
        task: the task.
        has_button: whether the button of a live card makes the copy.
    """
    if not is_silent(task):
        return Markup()
    more = tr(_BY_BUTTON) if has_button else tr(_BY_CODE).format(code="task.copy_with_sound(); task.show()")
    return markup.note(sentences(tr(_SILENT), more), "hint")
