"""The static copy of a studio: its tasks in a few outputs, so that a change of one does not send all."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ..base import html as markup
from ..base.embedding import COPY_LIMIT, Embedding
from ..base.html import Markup
from ..base.output import text_of
from ..card import resume_code, states
from ..card.plain import plain_text

if TYPE_CHECKING:
    import ipywidgets

    from ..card.task_card import TaskCard

__all__ = ["StudioCopy", "plain_copy"]

#: Seconds between two updates while tasks are running.
EVERY = 1.0
#: Tasks that are sent at most in a second, on average: the page creates a player for each.
PER_SECOND = 5
#: Tasks in the first part that make room for new ones, those that stay there, and the most of them.
FULL, STAYING, MOST = 8, 4, 16
#: Tasks in the second part, before they move to the last one.
MIDDLE = 64

_CONTINUE = N_(
    "{count} tasks continue at the service without this kernel; nothing is lost. To follow them, run this "
    "cell again, or:"
)
_ONE_CONTINUES = N_(
    "One task continues at the service without this kernel; nothing is lost. To follow it, run this cell "
    "again, or:"
)
_ENDED = N_(
    "The sandbox ends with its kernel, and {count} unfinished tasks with it. Nothing was charged. Run this "
    "cell again, then generate them again."
)
_ONE_ENDED = N_(
    "The sandbox ends with its kernel, and one unfinished task with it. Nothing was charged. Run this cell "
    "again, then generate it again."
)
_FORM = N_("Run this cell to show the form again.")


class StudioCopy:
    """The parts of a studio's static copy: the newest tasks, earlier ones, and the rest.

    No output can be added to a cell that has ended, so there are three from the start. Tasks that are over
    move on in groups. Then the end of a task rewrites a few others, and the last part nearly never changes.

    Args:
        copy_class: the CSS class by which the live studio hides the copy.
    """

    def __init__(self, copy_class: str) -> None:
        self._copy_class = copy_class
        self._middle: weakref.WeakSet[TaskCard] = weakref.WeakSet()
        self._rest: weakref.WeakSet[TaskCard] = weakref.WeakSet()
        self._written: list[Markup] = []
        #: Seconds until the next update, which depend on the size of the last one.
        self.pause = EVERY

    def parts(self, cards: Sequence[TaskCard], studio: ipywidgets.Widget) -> list[Markup]:
        """Return the parts as HTML, as many each time.

        Args:
            cards: the cards of the studio, newest first.
            studio: the studio, for the text of one without tasks.
        """
        groups, html_of = self._groups(cards), _html_of(cards)
        inner = [[html_of(card) for card in group] for group in groups]
        inner[0] = [_head(cards), *inner[0]] if cards else [_empty(studio)]
        written = list(map(self._part, inner))
        if not all(states.is_over(card.task) for card in cards):
            written = list(map(markup.unloaded, written))
        before = self._written or [Markup()] * len(written)
        changed = sum(
            len(group) for group, now, then in zip(groups, written, before, strict=True) if now != then
        )
        self._written, self.pause = written, max(EVERY, changed / PER_SECOND)
        return written

    def _part(self, inner: Sequence[Markup]) -> Markup:
        return markup.tag("div", *inner, class_=self._copy_class) if inner else Markup()

    def _groups(self, cards: Sequence[TaskCard]) -> tuple[Sequence[TaskCard], ...]:
        """Divide the cards into those of each part, newest first."""
        oldest_first = cards[::-1]
        rest = _end_of(self._rest, oldest_first)
        middle = max(rest, _end_of(self._middle, oldest_first))
        new = oldest_first[middle:]
        if len(new) >= FULL:
            over = next((n for n, card in enumerate(new) if not states.is_over(card.task)), len(new))
            movable = max(min(over, len(new) - STAYING), len(new) - MOST)
            middle += movable if movable >= STAYING else 0
        if middle - rest > MIDDLE:
            rest = middle
        self._rest, self._middle = (
            weakref.WeakSet(oldest_first[:rest]),
            weakref.WeakSet(oldest_first[rest:middle]),
        )
        return tuple(
            group[::-1] for group in (oldest_first[middle:], oldest_first[rest:middle], oldest_first[:rest])
        )


def plain_copy(cards: Sequence[TaskCard], studio: ipywidgets.Widget) -> str:
    """Return all tasks of a studio as plain text."""
    return "\n\n".join(plain_text(card.task) for card in cards) or text_of(studio)


def _end_of(part: weakref.WeakSet[TaskCard], oldest_first: Sequence[TaskCard]) -> int:
    """Return the number of cards up to the newest one of a part."""
    return next((n for n in range(len(oldest_first), 0, -1) if oldest_first[n - 1] in part), 0)


def _html_of(cards: Sequence[TaskCard]) -> Callable[[TaskCard], Markup]:
    """Return the function that draws a card in the copy; it embeds videos once all tasks are over."""
    if cards and all(states.is_over(card.task) for card in cards):
        embedding = Embedding(cards[0].task.manager.embed, COPY_LIMIT, is_copy=True)
        if embedding.is_on:
            return lambda card: card.embedded_html(embedding)
    return lambda card: card.static_html


def _head(cards: Sequence[TaskCard]) -> Markup:
    """Return the first lines for a page whose kernel is gone: the state of unfinished tasks, what to run."""
    unfinished = [card.task for card in cards if states.goes_on(card.task)]
    if not unfinished:
        return markup.block(markup.note(tr(_FORM)))
    if unfinished[0].manager.is_sandbox:
        text = tr(_ONE_ENDED) if len(unfinished) == 1 else tr(_ENDED).format(count=len(unfinished))
        return markup.block(markup.note(text, "hint"))
    text = tr(_ONE_CONTINUES) if len(unfinished) == 1 else tr(_CONTINUE).format(count=len(unfinished))
    code = markup.code_block(resume_code.connect_line(unfinished[0].manager))
    return markup.block(markup.note(text, "hint"), code)


def _empty(studio: ipywidgets.Widget) -> Markup:
    return markup.block(markup.note(text_of(studio)))
