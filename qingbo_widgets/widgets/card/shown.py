"""The display of tasks in cells: one live card for a task, or its static copy once it has ended."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from ..base.embedding import Embedding
from ..base.output import bundle, display_html
from .plain import plain_text
from .states import is_settled
from .static_copy import ended, static_copy
from .task_card import TaskCard

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["displayed_card", "mimebundle", "show"]

#: A card holds its task, so the card itself is held weakly: ipywidgets keeps it alive until it is closed.
_shown: weakref.WeakValueDictionary[Task, TaskCard] = weakref.WeakValueDictionary()


def show(task: Task, *, embed: bool = False) -> None:
    """Show a task in the running cell: its live card, and a static copy that outlives the kernel.

    All cells that show a task share one card.

    Args:
        task: the task.
        embed: put the saved video into the notebook itself (up to 20 MB), for hosts that do not serve its
            file; by default as the manager does.
    """
    if embed and task.video_path is not None:
        display_html(ended(task, _unlimited()), plain_text(task))
        return
    if is_settled(task):
        display_html(ended(task), plain_text(task))
        return
    card = displayed_card(task)
    if card is None:
        card = _shown[task] = TaskCard(task)
    card._ipython_display_()


def mimebundle(task: Task) -> dict[str, Any]:
    """Return a task for hosts without widgets: HTML with the saved video embedded, and plain text."""
    html = ended(task, _unlimited()) if is_settled(task) else static_copy(task)
    return bundle(html, plain_text(task))


def _unlimited() -> Embedding:
    """Return the videos of an output for which the user has asked, whatever others the notebook has."""
    return Embedding(True, most=None)


def displayed_card(task: Task) -> TaskCard | None:
    """Return the card of a task that cells show; ``None`` if there is none or it is closed."""
    card = _shown.get(task)
    return None if card is None or card.comm is None else card
