"""One line for a task: poster, prompt and status. A click opens the card that it stands for, or closes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.text import shorten
from ..base import html as markup
from ..base.build import button, create_shared, set_expanded
from ..base.composite import CompositeMixin
from ..base.html import Markup
from ..base.ipw import VBox
from ..base.posters import poster_html, poster_of
from ..base.settings import prompt_of
from ..base.sync import update
from . import head, states
from .spoken import spoken

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["CardRow"]

_LABEL = N_("Open: {prompt}")


class CardRow(CompositeMixin, VBox):
    """The line of an older task in a list of cards.

    Args:
        task: the task.
        changed: called when the line was opened or closed, or its poster is ready.

    Attributes:
        button: covers the line; a click opens or closes the card.
        is_open: whether the whole card is shown below the line.
    """

    children: Any  # for mypy, which has no types of the base class

    def __init__(self, task: Task, changed: Callable[[], object]) -> None:
        self._task, self._changed, self.is_open = task, changed, False
        self._html = create_shared(ipywidgets.HTML)
        self.button = button(
            "", "", self._toggle, "qingbo-cover", "qingbo-opens-card", layout={}, shares_style=True
        )
        super().__init__([self._html, self.button], layout={"overflow": "visible"})
        self.add_class("qingbo-line")

    def refresh(self) -> bool:
        """Draw the line; return whether the card is open."""
        task = self._task
        prompt = task.model if task.request is None else prompt_of(task.request)
        label = tr(_LABEL).format(prompt=shorten(prompt, 60))
        with update(self._html, self.button):
            announced = Markup() if self.is_open else spoken(task)
            self._html.value = self._line(prompt) + announced
            self.button.description = label  # for screen readers
            set_expanded(self.button, self.is_open)
        return self.is_open

    def _line(self, prompt: str) -> Markup:
        task = self._task
        picture = None if task.video_path is None else poster_of(task.video_path, self._changed)
        status = "" if self.is_open else head.status(task)
        if status and not states.is_over(task) and not task.status.is_ended:
            status = f"{status} {states.percent(task)} %"
        return (
            poster_html(picture)
            + markup.user_text(shorten(prompt, 200), class_="qingbo-line-prompt")
            + markup.tag("div", markup.text(status), class_="qingbo-line-status")
        )

    def _toggle(self) -> None:
        self.is_open = not self.is_open
        self._changed()
