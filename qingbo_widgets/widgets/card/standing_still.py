"""The line on a card that stands still: Colab shows only what a cell sends, and nothing of other threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ...system.host import is_colab
from ..base import html as markup
from ..base.html import Markup
from .states import is_over

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["standing_still_line"]

_COLAB = N_(
    "Colab updates this only while a cell runs. Run any cell to update it, or “await task” to follow it."
)


def standing_still_line(task: Task) -> Markup:
    """Return the line for a running task in a page that does not follow it; no markup in others."""
    return markup.note(tr(_COLAB)) if is_colab() and not is_over(task) else Markup()
