"""The line that turns the pages of a gallery: buttons, the number of the page, and how many tasks it has."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ..base import html as markup
from ..base.build import button
from ..base.ipw import HBox
from ..base.sync import update
from .costs import KEPT_HELP

__all__ = ["SIZES", "Pager"]

#: The numbers of tasks that a page may have.
SIZES = (12, 24, 48)
_REFRESH_HELP = N_("Reads the library again, with new tasks of this and other notebooks.")


class Pager(HBox):
    """The controls for the pages; those that would do nothing are hidden.

    Args:
        size: the number of tasks on a page, one of ``SIZES``.
        turn: called with the number of the page that the user wants.
        resize: called after the user has chosen another size.
        reload: called for *Refresh*.

    Attributes:
        before_button, after_button: turn to the previous and the next page.
    """

    def __init__(
        self,
        size: int,
        turn: Callable[[int], object],
        resize: Callable[[], object],
        reload: Callable[[], object],
    ) -> None:
        self._page = 1
        self.before_button = button(tr("‹ Page"), "", lambda: turn(self._page - 1))
        self.after_button = button(tr("Page ›"), "", lambda: turn(self._page + 1))
        self._text = ipywidgets.HTML(layout={"margin": "0 12px"})
        self._number = ipywidgets.BoundedIntText(1, 1, 1, description=tr("Page"))
        self._size = ipywidgets.Dropdown(options=SIZES, value=size, description=tr("Per page"))
        for control in (self._number, self._size):
            control.style.description_width = "initial"
            control.layout.width = "130px"
        refresh = button(tr("Refresh"), tr(_REFRESH_HELP), reload)
        super().__init__(
            [self.before_button, self.after_button, self._text, self._number, self._size, refresh],
            layout={"flex_flow": "row wrap", "align_items": "center", "margin": "6px 0"},
        )
        self._number.observe(lambda change: turn(change["new"]), "value")
        self._size.observe(lambda _: resize(), "value")

    @property
    def size(self) -> int:
        """The number of tasks on a page."""
        return int(self._size.value)

    def last_page(self, total: int) -> int:
        """Return the number of the last page of this many tasks."""
        return max(1, ceil(total / self.size))

    def show(self, page: int, total: int, text: str, worth: str = "") -> None:
        """Show a page.

        Args:
            page: its number.
            total: the number of tasks on all pages.
            text: what the page shows.
            worth: what the tasks on all pages are worth.
        """
        self._page, last = page, self.last_page(total)
        with update(self._text, self._number, self.before_button, self.after_button):
            worth_html = markup.tag("div", markup.text(worth), class_="qingbo-dim", title=tr(KEPT_HELP))
            self._text.value = markup.span(text) + (worth_html if worth else markup.Markup())
            # The maximum first: ipywidgets clamps a number above it, and the observer would turn the page.
            self._number.max = max(last, self._number.value)
            self._number.value = page
            self._number.max = last
            self.before_button.disabled = page <= 1
            self.after_button.disabled = page >= last
        for control in (self.before_button, self.after_button, self._number):
            _set_shown(control, last > 1)
        _set_shown(self._size, total > SIZES[0])


def _set_shown(control: Any, is_shown: bool) -> None:
    control.layout.display = None if is_shown else "none"
