"""``SweepGrid``: the live view of a sweep, with a card for each cell."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import N_, sentences, tr
from ...system.host import check_cards, why_no_cards
from ...tasks.sweep.cell import FREE_RETRY, CellState
from ..base import html as markup
from ..base.announcement import announcement
from ..base.build import PAYS, set_tooltip
from ..base.clicks import Clicks
from ..base.composite import Composite
from ..base.html import Markup
from ..base.notify import bell, watch_sweep
from ..base.output import CellOutput
from ..base.scripts import SCRIPTS_CLASS
from ..base.sync import observe, refresher, update, weakly
from . import table
from .cell_pages import CellPages
from .cell_view import CellView, button_at_left
from .play_all import make_play_all
from .prices import price_html, priced_cells, retry_price
from .static_copy import plain_text, static_copy
from .worth import worth_html

if TYPE_CHECKING:
    from ...tasks.sweep.sweep import Sweep

__all__ = ["SweepGrid", "show"]

#: Seconds between two updates of the static copy, because each sends the whole table.
COPY_EVERY = 5.0

_SUBMIT = N_("Submits the tasks, {places} at a time. They may cost money.")
_PAUSE = N_("Stops submitting. Running tasks continue.")
_RESUME = N_("Submits the waiting tasks, which may cost money.")
_CANCEL = N_(
    "Cancels the tasks that are not sent yet or are queued at the service, whose documentation promises to "
    "refund them."
)
_RETRY = N_(
    "Submits a new task for each failed one, which may cost money. The cards say what is known about refunds."
)
_FOLLOW = N_(
    "Follows tasks that are no longer followed, and saves videos that could not be saved, at no cost."
)


class SweepGrid(Composite):
    """The live view of a sweep: progress, time left, buttons, and a page of its cells.

    Args:
        sweep: the sweep to show.

    Attributes:
        sweep: the sweep shown.
        start_button: submits a sweep that has not been started.
        pause_button: pauses or resumes the sweep.
        cancel_button: cancels the cells that have not begun.
        follow_button: follows tasks again and saves missing videos, free of charge.
        retry_button: submits new tasks for the failed cells.
        price_line: the price of the cells that wait for a click, beside the buttons.
        worth_table: what the videos have cost, once a cost is settled.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self._clicks = Clicks()
        self._problem, self._copied_at, self._copied = "", 0.0, ""
        count = len(sweep.cells)
        self._head, self._notes = ipywidgets.HTML(), ipywidgets.HTML()
        self._bar = ipywidgets.IntProgress(
            0, 0, 1000, layout={"width": "auto", "height": "8px", "margin": "6px 2px"}
        )
        set_tooltip(self._bar, tr("The line above shows the progress as text."))
        tooltip = tr(_SUBMIT).format(places=sweep.max_running)
        text = tr("Submit {count} tasks").format(count=count)
        self.start_button = button_at_left(text, tooltip, lambda: self._act(self._start), PAYS)
        self.start_button.button_style = "primary"
        self.pause_button = button_at_left(tr("Pause"), tr(_PAUSE), lambda: self._act(self._pause), PAYS)
        self.cancel_button = button_at_left(
            tr("Cancel the rest"), tr(_CANCEL), lambda: self._act(sweep.cancel)
        )
        self.retry_button = button_at_left(
            tr("Regenerate failed"), tr(_RETRY), lambda: self._act(self._retry_failed), PAYS
        )
        self.follow_button = button_at_left(
            tr("Follow and save again"), tr(_FOLLOW), lambda: self._act(sweep.follow_again)
        )
        self._buttons = ipywidgets.HBox(layout={"flex_flow": "row wrap", "align_items": "center"})
        #: In a box of its own, because buttons that come and go beside it would make the page draw it anew.
        self._play_all: Any = None
        self.price_line = ipywidgets.HTML(layout={"margin": "0 12px 0 6px"})
        self.worth_table = ipywidgets.HTML()
        self._amounts: object = None
        self._price_found = weakly(self, "_show_price")
        self._row = ipywidgets.HBox([self._buttons], layout={"flex_flow": "row wrap", "margin": "4px 0"})
        self._row.add_class(SCRIPTS_CLASS)
        self._pages = CellPages(sweep, self._act, self.redraw_now)
        super().__init__(
            [
                self._head,
                self._bar,
                self._notes,
                self._row,
                self._pages.grid,
                self._pages.pager,
                self.worth_table,
            ],
            layout={"overflow": "visible", "max_width": "1280px"},
        )
        self.add_class("qingbo").add_class("qingbo-grid")
        self.cell_output = CellOutput(self)
        self._pages.lay_out()
        watch_sweep(sweep)
        self._unobserve = observe(sweep, self, "redraw_now", ("state", "reason", "message", "max_running"))
        self.redraw_now()

    @property
    def views(self) -> tuple[CellView, ...]:
        """The views of the cells on the current page."""
        return self._pages.views

    def refresh(self) -> bool:
        """Draw the current state of the sweep; only changes are sent.

        Returns:
            Whether the sweep is still running.
        """
        sweep = self.sweep
        for view in self.views:
            view.refresh()
            if view.card is not None:  # the card is displayed with the grid
                self.cell_output.add_part(view.card.cell_output)
        with update(
            self._head,
            self._bar,
            self._notes,
            self._buttons,
            self.pause_button,
            self.retry_button,
            self.price_line,
            self.worth_table,
        ):
            if self.comm is None:
                return False
            self._head.value = table.headline(sweep)
            self._bar.value = round(1000 * sweep.progress)
            problem = markup.note(self._problem, "alarm") if self._problem else ""
            reason = why_no_cards()
            notes = (
                table.notes(sweep)
                + (markup.note(reason) if reason else "")
                + problem
                + announcement(sweep.name, self._spoken_state(), is_urgent=bool(self._problem))
            )
            self._notes.value = markup.style() + self.cell_output.style + notes
            is_paused = sweep.state == "paused"
            self.pause_button.disabled = is_paused and bool(reason)
            self.pause_button.description = tr("Resume") if is_paused else tr("Pause")
            set_tooltip(self.pause_button, tr(_RESUME) if is_paused else tr(_PAUSE))
            set_tooltip(self.retry_button, sentences(tr(_RETRY), retry_price(sweep)))
            self.price_line.value = price_html(sweep)
            self._update_worth()
            buttons = self._visible_buttons()
            if self.price_line.value:  # beside the first button, which costs that
                buttons = (*buttons[:1], self.price_line, *buttons[1:])
            if self._buttons.children != buttons:
                self._buttons.children = buttons
        self._offer_play_all()
        self._update_copy()
        return not sweep.is_done and sweep.state != "planned"

    def _stop(self) -> None:
        self._unobserve()

    def _detached_parts(self) -> tuple[Any, ...]:
        buttons = (self.start_button, self.pause_button, self.cancel_button)
        return (
            *self.views,
            *buttons,
            self._play_all,
            self.follow_button,
            self.retry_button,
            self._pages.pager,
            self._pages.grid,
            self.price_line,
        )

    def _html_without_widgets(self) -> Markup:
        return self._static_copy()

    def _ipython_display_(self, **_: Any) -> None:
        self.cell_output.show(self._static_copy(), plain_text(self.sweep))

    # ------------------------------------------------------------------ drawing

    def redraw_now(self) -> None:
        """Redraw the grid and its static copy immediately, because the sweep or a rating changed."""
        self._copied_at, self._amounts = 0.0, None
        self._ask_prices()
        if self.refresh():
            refresher.add(self)

    def _ask_prices(self) -> None:
        """Find the price of what a click would submit, in the background."""
        if cells := priced_cells(self.sweep):
            self.sweep.prices.ask(cells, self._price_found)

    def _show_price(self) -> None:
        """Draw the grid with prices that were found."""
        self._copied_at = 0.0
        self.refresh()

    def _update_worth(self) -> None:
        """Draw what the videos have cost, if that or a rating has changed."""
        amounts = [(cell.key, cell.state, cell.task.cost if cell.task else None) for cell in self.sweep.cells]
        if amounts != self._amounts:
            self._amounts = amounts
            self.worth_table.value = worth_html(self.sweep)

    def _act(self, act: Callable[[], object]) -> None:
        """Run the action of a click and show its error."""
        with self._clicks.once(act) as is_new:
            if not is_new:
                return
            self._problem = ""
            self._problem = self._clicks.attempt(act)
        self.redraw_now()

    def _start(self) -> None:
        check_cards()
        self.sweep.start()

    def _retry_failed(self) -> None:
        check_cards()
        self.sweep.retry_failed()

    def _pause(self) -> None:
        if self.sweep.state == "paused":
            check_cards()
            self.sweep.resume()
        else:
            self.sweep.pause()

    def _spoken_state(self) -> str:
        """Return what screen readers announce: the state of the whole, not that of each cell."""
        state, _, counts = table.facts(self.sweep)
        end = counts if self.sweep.state == "ended" else ""
        return " · ".join(filter(None, (self._problem, state, self.sweep.reason, end)))

    def _visible_buttons(self) -> tuple[Any, ...]:
        sweep, counts = self.sweep, self.sweep.counts
        if sweep.state == "planned":
            return (self.start_button, self.cancel_button)
        buttons = []
        if counts[CellState.waiting]:
            buttons.append(self.pause_button)
        if counts[CellState.waiting] or counts[CellState.running]:
            buttons.append(self.cancel_button)
        if any(counts[state] for state in FREE_RETRY):
            buttons.append(self.follow_button)
        if counts[CellState.failed]:
            buttons.append(self.retry_button)
        return tuple(buttons if sweep.is_done else [*buttons, *bell(self._buttons)])

    def _offer_play_all(self) -> None:
        """Show the button that plays all videos of the page, if there are several."""
        is_offered = sum(view.cell.state == CellState.finished for view in self.views) > 1
        if is_offered and self._play_all is None:
            self._play_all = make_play_all()
            with update(self._row):
                self._row.children = (self._buttons, self._play_all)
        if self._play_all is not None:
            with update(self._play_all.layout):
                self._play_all.layout.display = None if is_offered else "none"

    # ------------------------------------------------------------------ the static copy

    def _update_copy(self) -> None:
        if time.monotonic() - self._copied_at < COPY_EVERY:
            return
        with update():  # so that the later of two threads writes the later state
            copy = self._static_copy()
            if copy != self._copied:
                self._copied, self._copied_at = copy, time.monotonic()
                self.cell_output.set_copy(copy, plain_text(self.sweep))

    def _static_copy(self) -> Markup:
        copy = static_copy(self.sweep, self.cell_output.copy_class)
        return copy if self.sweep.is_done else markup.unloaded(copy)


#: A grid holds its sweep, so the grid itself is held weakly: ipywidgets keeps it alive until it is closed.
_shown: weakref.WeakValueDictionary[Sweep, SweepGrid] = weakref.WeakValueDictionary()


def show(sweep: Sweep) -> None:
    """Show a sweep in the running cell. All cells that show a sweep share one grid."""
    grid = _shown.get(sweep)
    if grid is None or grid.comm is None:
        grid = _shown[sweep] = SweepGrid(sweep)
    grid._ipython_display_()
