"""The cells of a sweep in rows and columns, one page at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import tr
from ..base import html as markup
from ..base.build import create_shared, create_widget
from ..base.sync import close_whole, update
from . import table
from .cell_view import CellView, button_at_left

if TYPE_CHECKING:
    from ...tasks.sweep.sweep import Sweep

__all__ = ["CARDS", "CellPages"]

#: Cards on one page; each has a dozen widgets.
CARDS = 12


class CellPages:
    """The current page of a sweep's cells, and the two buttons that turn the page.

    Args:
        sweep: the sweep.
        act: runs the action of a click in a cell, and shows its error.
        turned: called after a page was turned.

    Attributes:
        views: the views of the cells on the current page.
        grid: the box that contains the views.
        pager: the buttons, with the range of rows between them.
    """

    def __init__(
        self, sweep: Sweep, act: Callable[[Callable[[], object]], None], turned: Callable[[], object]
    ) -> None:
        self._sweep, self._act, self._turned = sweep, act, turned
        self._page = 0
        self.views: tuple[CellView, ...] = ()
        self._previous = button_at_left(
            tr("Previous"), tr("Shows the previous cells."), lambda: self.turn(-1)
        )
        self._next = button_at_left(tr("Next"), tr("Shows the next cells."), lambda: self.turn(1))
        self._range = ipywidgets.HTML()
        self.pager = ipywidgets.HBox(
            [self._previous, self._range, self._next], layout={"align_items": "center"}
        )
        self.grid = create_widget(ipywidgets.GridBox, "", "qingbo-cells", layout={"grid_gap": "4px 12px"})

    def turn(self, by: int) -> None:
        """Show the page that is ``by`` pages after the current one."""
        self._page += by
        self.lay_out()
        self._turned()

    def lay_out(self) -> None:
        """Create the views of the current page, and close those of the previous one."""
        arranged = table.arrange(self._sweep)
        across = len(arranged.columns)
        pages = table.pages(arranged.groups, max(CARDS // across, 1))
        self._page = min(max(self._page, 0), len(pages) - 1)
        page = pages[self._page]
        shown = arranged.rows[page.start : page.stop]
        old, parts, views = self.grid.children, [], []
        if any(arranged.columns):
            parts += [_heading(text, "qingbo-column-name") for text in ("", *arranged.columns)]
        for text, cells in shown:
            parts.append(_heading(text))
            for column, cell in zip(arranged.columns, cells, strict=True):
                # On a narrow page, where the columns stand one below the other.
                parts += [_heading(column, "qingbo-cell-name")] if column and cell is not None else []
                parts.append(_heading("") if cell is None else CellView(cell, self._act))
                views += [parts[-1]] if cell is not None else []
        rows_shown = tr("rows {first} to {last} of {total}").format(
            first=page.start + 1, last=page.stop, total=len(arranged.rows)
        )
        with update(self.grid, self.grid.layout, self._range, self._previous, self._next, self.pager.layout):
            self.grid.layout.grid_template_columns = (
                f"minmax(80px, 200px) repeat({across}, minmax(200px, 300px))"
            )
            self.grid.children = parts
            self.views = tuple(views)
            self._range.value = markup.span(rows_shown, "qingbo-dim")
            self._previous.disabled, self._next.disabled = self._page == 0, self._page == len(pages) - 1
            self.pager.layout.display = "none" if len(pages) == 1 else None
        for part in old:
            close_whole(part)


def _heading(text: str, *classes: str) -> Any:
    return create_shared(ipywidgets.HTML, "", *classes, value=markup.user_text(text, class_="qingbo-status"))
