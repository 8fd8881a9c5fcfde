"""``SweepGrid``: a sweep, live: its cells in rows and columns, each with its card."""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import N_, tr
from ...tasks.sweep.cell import FREE, CellState
from ..base import html as markup
from ..base.build import button
from ..base.clicks import Clicks
from ..base.composite import Composite
from ..base.html import Markup
from ..base.output import Lasting
from ..base.sync import close_parts, observe, refresher, update
from ..card import text as words
from ..card.task_card import TaskCard
from ..form.fields import set_tooltip
from . import table

if TYPE_CHECKING:
    from ...tasks.sweep.cell import Cell
    from ...tasks.sweep.sweep import Sweep

__all__ = ["SweepGrid", "show"]

#: Cards on one page; each is a dozen widgets.
CARDS = 12
#: Seconds between two writings of what outlives the kernel: the whole table each time.
KEEP_EVERY = 5.0

_SUBMIT = N_("Submits them, {places} at a time. They may cost money.")
_PAUSE = N_("Submits no more. What is under way goes on.")
_GO_ON = N_("Submits what waits. It may cost money.")
_CANCEL = N_("Drops what waits here, and cancels what waits in the service's queue; the service refunds it.")
_RETRY = N_(
    "Makes a new task for each failed one, which may cost money. The service refunds the failed ones."
)
_FOLLOW = N_(
    "Follows the tasks that are no longer followed, and saves the videos that could not be saved. It costs "
    "nothing."
)
_AGAIN = N_("Makes a new task, which may cost money.")
_ANEW = N_(
    "The service no longer has the first one, which may have been charged. This makes another one, which may "
    "cost money, too."
)
_DROP = N_("Takes this one out of the queue; nothing was sent.")
_RESUME = N_("To go on in a new kernel:")


class CellView(Composite):
    """One cell: a line while it waits, then its task's card.

    Args:
        cell: the cell.
        act: calls a function and tells what goes wrong.
    """

    def __init__(self, cell: Cell, act: Callable[[Callable[[], object]], None]) -> None:
        self.cell = cell
        self._line = ipywidgets.HTML()
        self.drop_button = _button(tr("Cancel"), tr(_DROP), lambda: act(cell.cancel))
        self.retry_button = _button(tr("Try again"), tr(_AGAIN), lambda: act(cell.retry))
        self.anew_button = _button(tr("Make a new one"), tr(_ANEW), lambda: act(cell.submit_anew))
        self._card: TaskCard | None = None
        self._shown: list[Any] = []
        super().__init__(layout={"overflow": "visible"})
        self.refresh()

    def refresh(self) -> None:
        """Draw the cell as it is now."""
        cell, task, state = self.cell, self.cell.task, self.cell.state
        if self._card is not None and self._card.task is not task:
            self._card.close()
            self._card = None
        if self._card is None and task is not None:
            self._card = TaskCard(task)
        parts: list[Any] = [self._line if self._card is None else self._card]
        if state == CellState.waiting:
            parts.append(self.drop_button)
        elif state == CellState.cancelled or (state == CellState.failed and task and words.is_settled(task)):
            parts.append(self.retry_button)
        elif cell.is_gone:
            parts.append(self.anew_button)
        with update(self, self._line):
            self._line.value = markup.span(table.waiting(cell), "qingbo-dim")
            if self._shown != parts:
                self.children = self._shown = parts

    def _parts_elsewhere(self) -> tuple[Any, ...]:
        return (self._card, self._line, self.drop_button, self.retry_button, self.anew_button)

    @property
    def card(self) -> TaskCard | None:
        """The card of the cell's task, once it has one."""
        return self._card


class SweepGrid(Composite):
    """A sweep as a person follows it: progress, time left, buttons, and a page of its cells.

    Args:
        sweep: the sweep.

    Attributes:
        sweep: as given.
        views: the cells on the page that is shown.
        start_button: submits a sweep that waits for its first word.
        pause_button: pauses, or goes on.
        cancel_button: cancels what has not begun.
        follow_button: follows and saves again what the service still has; free.
        retry_button: makes new tasks for those that failed.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.views: tuple[CellView, ...] = ()
        self._clicks = Clicks()
        self._page, self._told, self._kept_at, self._kept_as = 0, "", 0.0, ""
        count = len(sweep.cells)
        self._head, self._notes = ipywidgets.HTML(), ipywidgets.HTML()
        self._bar = ipywidgets.IntProgress(
            0, 0, 1000, layout={"width": "auto", "height": "8px", "margin": "6px 2px"}
        )
        set_tooltip(self._bar, tr("The progress is in the line above, in words."))
        explained = tr(_SUBMIT).format(places=sweep.max_running)
        submits = tr("Submit {count} tasks").format(count=count)
        self.start_button = _button(submits, explained, lambda: self._act(sweep.start))
        self.start_button.button_style = "primary"
        self.pause_button = _button(tr("Pause"), tr(_PAUSE), lambda: self._act(self._pause))
        self.cancel_button = _button(tr("Cancel the rest"), tr(_CANCEL), lambda: self._act(sweep.cancel))
        self.retry_button = _button(
            tr("Try failed ones again"), tr(_RETRY), lambda: self._act(sweep.retry_failed)
        )
        self.follow_button = _button(
            tr("Follow and save again"), tr(_FOLLOW), lambda: self._act(sweep.follow_again)
        )
        self._buttons = ipywidgets.HBox(layout={"flex_flow": "row wrap", "margin": "4px 0"})
        self._back = _button(tr("‹ Previous"), tr("The cells before these."), lambda: self._turn(-1))
        self._forth = _button(tr("Next ›"), tr("The cells after these."), lambda: self._turn(1))
        self._where = ipywidgets.HTML()
        self._pager = ipywidgets.HBox(
            [self._back, self._where, self._forth], layout={"align_items": "center"}
        )
        self._grid = ipywidgets.GridBox(layout={"overflow": "auto", "grid_gap": "4px 12px"})
        super().__init__(
            [self._head, self._bar, self._notes, self._buttons, self._grid, self._pager],
            layout={"overflow": "visible", "max_width": "1280px"},
        )
        self.add_class("qingbo")
        self.lasting = Lasting(self)
        self._lay_out()
        self._unobserve = observe(sweep, self, "_hurry", ("state", "reason", "max_running"))
        self._hurry()

    def refresh(self) -> bool:
        """Draw the sweep as it is now; only what differs is sent.

        Returns:
            Whether something is still under way.
        """
        sweep = self.sweep
        for view in self.views:
            view.refresh()
            if view.card is not None:  # it is displayed with the grid
                self.lasting.contain(view.card.lasting)
        with update(self._head, self._bar, self._notes, self._buttons, self.pause_button, self.retry_button):
            if self.comm is None:
                return False
            self._head.value = table.headline(sweep)
            self._bar.value = round(1000 * sweep.progress)
            told = markup.note(self._told, "alarm") if self._told else ""
            self._notes.value = markup.style() + self.lasting.style + table.notes(sweep) + told
            is_paused = sweep.state == "paused"
            self.pause_button.description = tr("Go on") if is_paused else tr("Pause")
            set_tooltip(self.pause_button, tr(_GO_ON) if is_paused else tr(_PAUSE))
            buttons = self._offered()
            if self._buttons.children != buttons:
                self._buttons.children = buttons
        self._keep()
        return not sweep.is_done and sweep.state != "planned"

    def _stop(self) -> None:
        self._unobserve()

    def _parts_elsewhere(self) -> tuple[Any, ...]:
        buttons = (self.start_button, self.pause_button, self.cancel_button)
        return (*self.views, *buttons, self.follow_button, self.retry_button, self._pager, self._grid)

    def _ipython_display_(self, **_: Any) -> None:
        self.lasting.show(self._kept())

    # ------------------------------------------------------------------ news

    def _hurry(self) -> None:
        self._kept_at = 0.0
        if self.refresh():
            refresher.add(self)

    def _act(self, act: Callable[[], object]) -> None:
        """Act on a click, and show what goes wrong."""
        with self._clicks.once(act) as is_new:
            if not is_new:
                return
            self._told = ""
            self._told = self._clicks.attempt(act)
        self._hurry()

    def _pause(self) -> None:
        if self.sweep.state == "paused":
            self.sweep.go_on()
        else:
            self.sweep.pause()

    def _offered(self) -> tuple[Any, ...]:
        sweep, counts = self.sweep, self.sweep.counts
        if sweep.state == "planned":
            return (self.start_button, self.cancel_button)
        offered = []
        if counts[CellState.waiting]:
            offered.append(self.pause_button)
        if counts[CellState.waiting] or counts[CellState.running]:
            offered.append(self.cancel_button)
        if any(counts[state] for state in FREE):
            offered.append(self.follow_button)
        if counts[CellState.failed]:
            offered.append(self.retry_button)
        return tuple(offered)

    # ------------------------------------------------------------------ the page

    def _turn(self, by: int) -> None:
        self._page += by
        self._lay_out()
        self._hurry()

    def _lay_out(self) -> None:
        """Make the cards of one page; those of the last one are closed."""
        arranged = table.arrange(self.sweep)
        across = len(arranged.columns)
        rows = max(CARDS // across, 1)
        pages = -(-len(arranged.rows) // rows)
        self._page = min(max(self._page, 0), pages - 1)
        shown = arranged.rows[self._page * rows : (self._page + 1) * rows]
        old, parts, views = self._grid.children, [], []
        if any(arranged.columns):
            parts += [_heading(text) for text in ("", *arranged.columns)]
        for text, cells in shown:
            parts.append(_heading(text))
            for cell in cells:
                parts.append(_heading("") if cell is None else CellView(cell, self._act))
                views += [parts[-1]] if cell is not None else []
        first, last = self._page * rows + 1, self._page * rows + len(shown)
        where = tr("rows {first} to {last} of {total}").format(
            first=first, last=last, total=len(arranged.rows)
        )
        with update(self._grid, self._grid.layout, self._where, self._back, self._forth, self._pager.layout):
            self._grid.layout.grid_template_columns = (
                f"minmax(80px, 200px) repeat({across}, minmax(200px, 1fr))"
            )
            self._grid.children = parts
            self.views = tuple(views)
            self._where.value = markup.span(where, "qingbo-dim")
            self._back.disabled, self._forth.disabled = self._page == 0, self._page == pages - 1
            self._pager.layout.display = "none" if pages == 1 else None
        for part in old:
            close_parts(part)
            part.close()

    # ------------------------------------------------------------------ what outlives the kernel

    def _keep(self) -> None:
        if time.monotonic() - self._kept_at < KEEP_EVERY:
            return
        with update():  # of two threads the later one tells the later state
            kept = self._kept()
            if kept != self._kept_as:
                self._kept_as, self._kept_at = kept, time.monotonic()
                self.lasting.keep(kept)

    def _kept(self) -> Markup:
        sweep = self.sweep
        parts = [table.headline(sweep), table.notes(sweep)]
        if sweep.state != "ended":
            name = json.dumps(sweep.name, ensure_ascii=False)
            line = f"{words.connect_line(sweep.manager)}\nqw.Sweep.resume({name})"
            parts += [markup.tag("div", markup.span(tr(_RESUME)))]
            parts += [markup.tag("pre", markup.tag("code", markup.escape(line)))]
        parts.append(table.table_html(sweep))
        return markup.tag("div", *parts, class_=f"qingbo-html qingbo-keep {self.lasting.twin_class}")


def _button(description: str, explained: str, act: Callable[[], object]) -> Any:
    return button(description, explained, act, layout={"width": "auto", "align_self": "flex-start"})


def _heading(text: str) -> Any:
    return ipywidgets.HTML(markup.tag("div", markup.escape(text), class_="qingbo-status"))


_shown: weakref.WeakKeyDictionary[Sweep, SweepGrid] = weakref.WeakKeyDictionary()


def show(sweep: Sweep) -> None:
    """Show a sweep in the cell that runs. It has one grid for all cells that show it."""
    grid = _shown.get(sweep)
    if grid is None or grid.comm is None:
        grid = _shown[sweep] = SweepGrid(sweep)
    grid._ipython_display_()
