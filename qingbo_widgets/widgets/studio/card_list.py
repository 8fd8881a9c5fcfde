"""The cards of a studio: the newest in full, older ones as a line each, and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.snapshot import TaskStatus
from ..base import html as markup
from ..base.build import button, create_shared, focus, newest_first
from ..base.composite import CompositeMixin
from ..base.html import Markup
from ..base.ipw import VBox
from ..base.sync import lazy, update
from ..card import states
from ..card.task_card import TaskCard

__all__ = ["NEWEST", "CardList"]

#: The number of newest cards that are shown in full.
NEWEST = 3
#: The number of newest cards that keep a video on the page when they are folded: the user may be watching.
WATCHABLE = 12

#: The groups of the line of totals, in its order.
_TOTALS = {
    "running": N_("{count} generating"),
    "finished": N_("{count} finished"),
    "failed": N_("{count} failed"),
    "cancelled": N_("{count} cancelled"),
    "open": N_("{count} to check"),
}
_CLEAR = N_("Clear finished")
_CLEAR_HELP = N_(
    "Removes the cards of finished, failed and cancelled tasks from the studio. Deletes nothing."
)
_CLEARED = N_("{count} cards cleared. The videos are in {folder}: qw.Gallery() shows them.")
_CLEARED_ONE = N_("1 card cleared. Its video is in {folder}: qw.Gallery() shows it.")
_UNDO, _UNDO_HELP = N_("Undo"), N_("Puts the cleared cards back.")


class CardList(CompositeMixin, VBox):
    """The cards of a studio, newest first.

    Args:
        changed: called after cards were added, cleared or put back.

    Attributes:
        cards: the cards, newest first.
        cleared: the cards that were cleared last, and can be put back.
    """

    children: Any  # for mypy, which has no types of the base class

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        self.cards: tuple[TaskCard, ...] = ()
        self.cleared: tuple[TaskCard, ...] = ()
        self._has_totals = False
        # A box of its own, because what follows a part that comes or goes is drawn again, with its videos.
        self.above = create_shared(ipywidgets.VBox, layout={"overflow": "visible"})
        self._column = newest_first()
        super().__init__([self.above, self._column], layout={"overflow": "visible"})
        self.add_class("qingbo-studio-cards")

    @lazy
    def clear_button(self) -> Any:
        """The button that removes the cards of ended tasks."""
        return button(tr(_CLEAR), tr(_CLEAR_HELP), self.clear, "qingbo-small", "qingbo-quiet")

    @lazy
    def undo_button(self) -> Any:
        """The button that puts the cleared cards back."""
        return button(tr(_UNDO), tr(_UNDO_HELP), self.put_back, "qingbo-small", "qingbo-quiet")

    @lazy
    def _totals(self) -> Any:
        return create_shared(ipywidgets.HTML)

    @lazy
    def _line(self) -> Any:
        parts = [self._totals, self.clear_button, self.undo_button]
        return create_shared(
            ipywidgets.HBox, "", "qingbo-totals", children=parts, layout={"overflow": "visible"}
        )

    def add(self, cards: Sequence[TaskCard], *, are_older: bool = False) -> None:
        """Add cards, the oldest first, above the others, or below them."""
        if not cards:
            return
        self._forget_cleared()
        new = tuple(cards[::-1])
        with update():  # the earlier tasks are added by another thread
            self.cards = (*self.cards, *new) if are_older else (*new, *self.cards)
        self.arrange()
        self._changed()

    def replace(self, former: TaskCard, card: TaskCard) -> None:
        """Put a card in the place of another one, which is closed."""
        with update():
            self.cards = tuple(card if one is former else one for one in self.cards)
        self.arrange()
        former.close()
        self._changed()

    def arrange(self) -> None:
        """Fold and unfold cards, and write the totals, after a card was added or its task changed."""
        with update():
            if self.comm is None:  # nothing would close what is created now
                return
            shown = set(self._column.children)
            for place, card in enumerate(self.cards):
                is_folded = place >= NEWEST and not _needs_attention(card)
                card.fold(is_folded, keeps_video=place < WATCHABLE and card in shown)
            with update(self._column):
                if self._column.children != self.cards[::-1]:
                    self._column.children = self.cards[::-1]
            self._write_totals()

    def clear(self) -> None:
        """Remove the cards of tasks that have ended, and remember them until the next change."""
        self._forget_cleared()
        self.cleared = tuple(card for card in self.cards if states.is_settled(card.task))
        self.cards = tuple(card for card in self.cards if card not in self.cleared)
        self.arrange()
        if self.cleared:
            focus(self.undo_button)
        self._changed()

    def put_back(self) -> None:
        """Put the cards back that were cleared last."""
        if not self.cleared:
            return
        cards, self.cleared = {*self.cards, *self.cleared}, ()
        self.cards = tuple(sorted(cards, key=lambda card: card.task.submitted_at, reverse=True))
        self.arrange()
        focus(self.clear_button)
        self._changed()

    def _forget_cleared(self) -> None:
        cleared, self.cleared = self.cleared, ()
        for card in cleared:
            card.close()

    def _detached_parts(self) -> tuple[Any, ...]:
        return (self.above, *self.cleared)

    def _write_totals(self) -> None:
        if len(self.cards) < 2 and not self.cleared and not self._has_totals:
            return
        self._has_totals = True
        numbers = Counter(_group(card) for card in self.cards)
        text = " · ".join(
            tr(label).format(count=numbers[group]) for group, label in _TOTALS.items() if numbers[group]
        )
        html = markup.tag("div", markup.text(text), class_="qingbo-dim") if text else Markup()
        html += markup.note(self._cleared_text()) if self.cleared else Markup()
        can_clear = any(states.is_settled(card.task) for card in self.cards)
        with update(self._totals, self.clear_button.layout, self.undo_button.layout, self.above):
            self._totals.value = html
            self.clear_button.layout.display = None if can_clear else "none"
            self.undo_button.layout.display = None if self.cleared else "none"
            if self._line not in self.above.children:
                self.above.children = (self._line, *self.above.children)

    def _cleared_text(self) -> str:
        count, folder = len(self.cleared), self.cleared[0].task.manager.library.folder.name
        return tr(_CLEARED_ONE if count == 1 else _CLEARED).format(count=count, folder=folder)


def _needs_attention(card: TaskCard) -> bool:
    """Return whether the card of an ended task asks the user for a decision, and must not be folded."""
    task = card.task
    return states.is_over(task) and not states.is_settled(task) and task.video_path is None


def _group(card: TaskCard) -> str:
    task = card.task
    if task.video_path is not None:
        return "finished"
    if _needs_attention(card):
        return "failed" if task.status == TaskStatus.failed else "open"
    if not states.is_over(task):
        return "running"
    return "cancelled" if task.status == TaskStatus.cancelled else "failed"
