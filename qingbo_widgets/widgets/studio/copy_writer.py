"""``CopyWriter``: writes the static copy of a studio to its cells, as often as the page can bear."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from ..base.html import Markup
from ..base.output import CellOutput
from ..base.sync import refresher, update, weakly
from ..card import states
from ..card.task_card import TaskCard
from .static_copy import StudioCopy, plain_copy

__all__ = ["CopyWriter"]


class _Studio(Protocol):
    """The widget whose cards are copied."""

    @property
    def cards(self) -> tuple[TaskCard, ...]:
        """The cards, newest first."""
        ...

    @property
    def cell_output(self) -> CellOutput:
        """Its displays."""
        ...


class CopyWriter:
    """The static copy of a studio in the cells that show it.

    Args:
        studio: the studio, whose ``cell_output`` exists.
    """

    def __init__(self, studio: _Studio) -> None:
        self._studio, self._copy = studio, StudioCopy(studio.cell_output.copy_class)
        self._written_at, self._is_due = 0.0, False

    def show(self) -> None:
        """Show the studio with its copy in the running cell."""
        with update():
            copy, text, older = self._current()
        self._studio.cell_output.show(copy, text, *older)

    def write_soon(self) -> None:
        """Schedule an update of the copy after a status change; no click waits for it."""
        with update():
            # Once all tasks have ended, the user may save the notebook and stop the kernel at any time: do
            # not wait.
            all_ended = all(states.is_over(card.task) for card in self._studio.cards)
            if not self._studio.cell_output.has_copy or (self._is_due and not all_ended):
                return
            self._is_due = True
            rest = 0.0 if all_ended else self._written_at + self._copy.pause - time.monotonic()
        refresher.later(max(rest, 0.0), weakly(self, "write"))

    def write(self) -> None:
        """Write a scheduled update now."""
        with update():  # so that the later of two threads writes the later state
            if self._is_due:
                self._written_at, self._is_due = time.monotonic(), False
                copy, text, older = self._current()
                self._studio.cell_output.set_copy(copy, text, *older)

    def _current(self) -> tuple[Markup, str, Sequence[Markup]]:
        cards, widget = self._studio.cards, self._studio.cell_output.widget
        copy, *older = self._copy.parts(cards, widget)
        return copy, plain_copy(cards, widget), older
