"""``CellView``: one cell of a sweep in the grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import N_, tr
from ...system.host import check_cards
from ...tasks.sweep.cell import CellState
from ..base import html as markup
from ..base.build import PAYS, button
from ..base.composite import Composite
from ..base.sync import update, weakly
from ..card import states
from ..card.task_card import TaskCard
from . import table
from .cell_line import CellLine

if TYPE_CHECKING:
    from ...tasks.sweep.cell import Cell

__all__ = ["CellView", "button_at_left"]

_AGAIN = N_("Submits the same request as a new task, which may cost money.")
_NEW_TASK = N_(
    "The service no longer has the first task, which may have been charged. Submits a new one, which "
    "may cost money."
)
_DROP = N_("Removes it from the queue; nothing was sent.")


class CellView(Composite):
    """The view of one cell: a line of text while it waits, then a brief card of its task.

    The request is what row, column and head of the grid say, so the card shows it only on demand.

    Args:
        cell: the cell.
        act: runs the action of a click, and shows its error.

    Attributes:
        drop_button, retry_button, new_task_button: the ways on, each shown where it can work.
        line: the rating and the button for the details; ``None`` before the cell has a task.
    """

    def __init__(self, cell: Cell, act: Callable[[Callable[[], object]], None]) -> None:
        self.cell = cell
        self._act = act
        self._line = ipywidgets.HTML()
        self.drop_button = button_at_left(tr("Cancel"), tr(_DROP), lambda: act(cell.cancel))
        self.retry_button = button_at_left(tr("Regenerate"), tr(_AGAIN), lambda: act(self._retry), PAYS)
        self.new_task_button = button_at_left(
            tr("Regenerate"), tr(_NEW_TASK), lambda: act(self._submit_new_task), PAYS
        )
        self._card: TaskCard | None = None
        self.line: CellLine | None = None
        self._shown: list[Any] = []
        super().__init__(layout={"overflow": "visible"})
        self.refresh()

    def refresh(self) -> None:
        """Draw the current state of the cell."""
        cell, task, state = self.cell, self.cell.task, self.cell.state
        if self._card is not None and self._card.task is not task:
            self._card.close()
            self._card = self.line = None
        if self._card is None and task is not None:
            judgements = task.manager.library.judgements
            self.line = CellLine(judgements, task.key, self._act, weakly(self, "_show_details"))
            self._card = TaskCard(task, is_announced=False, brief_line=self.line)
        if self.line is not None and state == CellState.finished:
            self.line.offer_rating()
        parts: list[Any] = [self._line if self._card is None else self._card]
        if state == CellState.waiting:
            parts.append(self.drop_button)
        elif state == CellState.cancelled or (state == CellState.failed and task and states.is_settled(task)):
            parts.append(self.retry_button)
        elif cell.is_lost:
            parts.append(self.new_task_button)
        with update(self, self._line, self.retry_button):
            # What was cancelled before it was sent has not been generated yet.
            self.retry_button.description = tr("Generate") if task is None else tr("Regenerate")
            self._line.value = markup.span(table.waiting(cell), "qingbo-dim")
            if self._shown != parts:
                self.children = self._shown = parts

    def _retry(self) -> None:
        check_cards()
        self.cell.retry()

    def _submit_new_task(self) -> None:
        check_cards()
        self.cell.submit_new_task()

    def _show_details(self) -> None:
        if self._card is not None and self.line is not None:
            self._card.show_details(self.line.is_open)

    def _detached_parts(self) -> tuple[Any, ...]:
        return (self._card, self._line, self.drop_button, self.retry_button, self.new_task_button)

    @property
    def card(self) -> TaskCard | None:
        """The card of the cell's task; ``None`` before the cell has a task."""
        return self._card


def button_at_left(description: str, tooltip: str, act: Callable[[], object], *classes: str) -> Any:
    """Return a button that is only as wide as its text, even in a column."""
    return button(description, tooltip, act, *classes, layout={"width": "auto", "align_self": "flex-start"})
