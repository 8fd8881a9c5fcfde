"""``TaskCard``: the live view of one task."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import tr
from ..base import html as markup
from ..base.build import create_shared, set_class, style_sheet
from ..base.composite import Composite
from ..base.embedding import Embedding
from ..base.html import Markup
from ..base.notify import watch
from ..base.output import CellOutput, display_html
from ..base.sync import close_whole, lazy, observe, refresher, update, weakly
from . import head, remedies, request_facts, states, static_copy
from .buttons import CardButtons, Offer
from .plain import plain_text
from .row import CardRow
from .sound import sound_line
from .spoken import spoken
from .standing_still import standing_still_line
from .video import video_view

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["TaskCard"]

#: A change of these traits is drawn at once, of the others at the next tick of the refresher.
_STATUS_TRAITS = ("status", "task_id", "video_path", "other_video_paths", "saves_others", "error")
_PROGRESS_TRAITS = ("progress", "message", "download", "eta", "frozen", "cost")

#: Seconds after which a new card gets its bar and its buttons, so that they do not delay the click that
#: creates it.
BAR_AFTER = 0.05

#: The bar lies in the space that the stage keeps for the caption of the video, so that nothing moves when it
#: goes.
_BAR = {"width": "auto", "height": "8px", "margin": "-21px 0 13px"}
_ROW = {"flex_flow": "row wrap", "margin": "4px 0 0"}


class TaskCard(Composite):
    """The live view of a task: status, bar, time, buttons, and the video once it exists.

    The card observes the task through a weak reference and sends no requests of its own. In a kernel it is
    drawn only while it is visible.

    Args:
        task: the task to show.
        offers_contract: whether to offer a connection in the contract that the server speaks, if it refused
            the task for another one. A studio has a button of its own.
        is_announced: whether screen readers announce the status. A sweep announces only its own.
        brief_line: a widget below the video that makes the card brief: the request and the buttons of a
            saved video are shown only after ``show_details``. It is closed with the card.

    Attributes:
        task: the task shown.
        buttons: the buttons, and the panels that they open.
    """

    def __init__(
        self,
        task: Task,
        *,
        offers_contract: bool = True,
        is_announced: bool = True,
        brief_line: ipywidgets.Widget | None = None,
    ) -> None:
        self.task = task
        self._brief_line, self._has_details = brief_line, brief_line is None
        self._is_announced = is_announced
        self._redraw_callbacks: list[Callable[[], None]] = []
        self._row: CardRow | None = None
        #: Whether the parts of a folded card stay on the page, because the user may be watching.
        self._is_put_away = False
        self._video = video_view(task, weakly(self, "refresh"))
        self._static_html = Markup()
        self.cell_output = CellOutput(self, "_start_drawing_soon")
        with update():
            self._sheet = style_sheet(self)
            self.buttons: CardButtons = create_shared(
                CardButtons,
                layout=_ROW,
                task=task,
                clicked=weakly(self, "redraw_now"),
                offers_contract=offers_contract,
            )
            self._above = create_shared(ipywidgets.HTML, value=head.headline(task))
            self._below = create_shared(ipywidgets.HTML, value=self._facts())
            super().__init__(
                [self._sheet, self._above, self._video, self._below],
                layout={"overflow": "visible"},
                _dom_classes=("qingbo", "qingbo-card"),
                _view_count=0,
            )
        self._stops = [
            observe(task, self, "redraw_now", _STATUS_TRAITS),
            observe(task, self, "_redraw_soon", _PROGRESS_TRAITS),
        ]
        task.on_end(weakly(self, "redraw_now"))
        self._watch()
        self._start_drawing_soon()

    @property
    def static_html(self) -> Markup:
        """The task as of its last status change, as HTML that needs no kernel."""
        with update():
            if not self._static_html:
                task = self.task
                # Part of a copy that is sent again and again, so no video is embedded.
                self._static_html = (
                    static_copy.ended(task, Embedding(False))
                    if states.is_settled(task)
                    else static_copy.static_copy(task, in_studio=True)
                )
            return self._static_html

    def embedded_html(self, embedding: Embedding) -> Markup:
        """Return ``static_html`` with the saved video embedded, for a copy that is not soon sent again."""
        is_saved = states.is_settled(self.task) and self.task.video_path is not None
        return static_copy.ended(self.task, embedding) if is_saved else self.static_html

    def refresh(self) -> bool:
        """Draw the current state of the task if the card is visible; only changes are sent.

        Returns:
            Whether the refresher should call again: the card is visible and the task is running.
        """
        task = self.task
        # The task is read under the lock, so that the later of two threads draws the later state.
        with update():
            if self.comm is None or not self.cell_output.is_seen:
                return False
            over = states.is_over(task)
            if self._row is not None and not self._row.refresh() and not self._is_put_away:
                self.children = (self._sheet, self._row)
                return not over
            if self._row is not None and self._row.is_open:
                self._put_away(False)
            with update(self, self._above, self._below, self.buttons):
                percent = states.percent(task)
                self._above.value = head.headline(task, shown=percent)
                self._below.value = self._facts()
                if not over:
                    self._bar.value = percent
                self.buttons.refresh(notifies=self.cell_output.has_copy, has_details=self._has_details)
                self._video.play()
                self.children = self._parts()
        return not over

    def redraw_now(self) -> None:
        """Redraw the card and its static copy immediately, because the task's status changed."""
        self._watch()
        self._start_drawing()
        with update():  # so that no stale copy overwrites the final one
            self._static_html = Markup()
            # The output of a closed card stays as it is.
            if self.cell_output.has_copy and self.comm is not None:
                if not states.is_settled(self.task):
                    self.cell_output.set_copy(*self._copy())
                elif self._video.has_link and self.cell_output.is_on_page:
                    # The user may be watching in the live card, so that stays as long as the page.
                    html = markup.tag("div", static_copy.ended(self.task), class_=self.cell_output.copy_class)
                    self.cell_output.set_copy(html, plain_text(self.task))
                else:
                    self.cell_output.replace(static_copy.ended(self.task), plain_text(self.task))
        for call in self._redraw_callbacks:
            call()

    def _watch(self) -> None:
        """Notify the user of the end of the task, unless its sweep does."""
        if self._is_announced:
            watch(self.task)

    def _stop(self) -> None:
        for stop in self._stops:
            stop()

    def _detached_parts(self) -> tuple[Any, ...]:
        return (
            self._above,
            self._below,
            self.buttons,
            self._video,
            self._row,
            self._brief_line,
        )

    def offer(
        self,
        description: str,
        tooltip: str,
        act: Callable[[], object],
        *classes: str,
        needs_video: bool = False,
    ) -> None:
        """Add a button that is created once the task has ended; the card shows an error raised by ``act``.

        Args:
            description: the label of the button.
            tooltip: its tooltip.
            act: called for a click.
            *classes: its CSS classes.
            needs_video: show the button only if the video is saved.
        """
        self.buttons.offer(Offer(description, tooltip, act, classes, needs_video))
        if states.is_over(self.task):
            self.refresh()

    def fold(self, folded: bool = True, *, keeps_video: bool = False) -> None:
        """Show the card as one line that opens it, or in full again. An opened card stays open.

        Args:
            folded: whether to fold it.
            keeps_video: whether a video that it shows stays on the page, and in view as long as it plays or
                the card has the focus.
        """
        with update():
            if self.comm is None:
                return
            is_changed, row = folded != (self._row is not None), None
            if is_changed:
                row, self._row = self._row, CardRow(self.task, weakly(self, "refresh")) if folded else None
            keeps = folded and keeps_video and (self._video.is_shown if is_changed else self._is_put_away)
            if is_changed or keeps != self._is_put_away:
                self._put_away(keeps)
                self._start_drawing()
        if row is not None:
            close_whole(row)

    def show_details(self, shown: bool) -> None:
        """Show or hide the request and the buttons of a saved video in a brief card."""
        self._has_details = shown
        self.refresh()

    def _put_away(self, is_put_away: bool) -> None:
        if is_put_away != self._is_put_away:
            self._is_put_away = is_put_away
            set_class(self, "qingbo-put-away", is_put_away)

    def on_redraw(self, view: Any, method: str) -> None:
        """Call ``view.method()`` after each status change; ``view`` is held weakly."""
        self._redraw_callbacks.append(weakly(view, method))

    def _html_without_widgets(self) -> Markup:
        is_ended = states.is_settled(self.task)
        return static_copy.ended(self.task) if is_ended else static_copy.static_copy(self.task)

    def _ipython_display_(self, **_: Any) -> None:
        if states.is_settled(self.task):
            display_html(static_copy.ended(self.task), plain_text(self.task))
        else:
            self.cell_output.show(*self._copy())
            self._start_drawing()  # no click waits, and without a page only what the cell sends is kept

    # ------------------------------------------------------------------ drawing

    def _start_drawing_soon(self) -> None:
        """Start drawing, because the card becomes visible: soon, or at once for an ended task."""
        if states.is_over(self.task):
            self._start_drawing()
        else:
            refresher.later(BAR_AFTER, weakly(self, "_start_drawing"))

    def _start_drawing(self) -> None:
        """Draw the card now and at every tick from now on."""
        with update():
            if self.refresh():
                refresher.add(self)

    def _redraw_soon(self) -> None:
        """Redraw at the next tick, because the progress changed."""
        refresher.add(self)

    # ------------------------------------------------------------------ parts

    @lazy
    def _bar(self) -> Any:
        tooltip = tr("The line above shows the progress as text.")
        return create_shared(ipywidgets.IntProgress, tooltip, value=states.percent(self.task), layout=_BAR)

    def _copy(self) -> tuple[Markup, str]:
        """Return the static copy, as HTML and as plain text."""
        return static_copy.static_copy(self.task, self.cell_output.copy_class), plain_text(self.task)

    def _facts(self) -> Markup:
        task = self.task
        about = request_facts.about(task, folds_id=self._brief_line is None)
        if self._brief_line is not None:  # hidden, it still names the card for screen readers
            is_hidden = None if self._has_details else ""
            about = markup.tag("div", about, class_="qingbo-panel-details", hidden=is_hidden)
        problem, news = self.buttons.problem, self.buttons.news
        about += sound_line(task, has_button=self._has_details)
        if self._is_announced:  # a sweep explains it once
            about += standing_still_line(task)
        facts = about + remedies.advice(task, problem, news, datetime.now(UTC))
        # In this part, because it is sent only when it changes.
        announced = spoken(task, problem) if self._is_announced else Markup()
        return self.cell_output.style + facts + announced

    def _parts(self) -> tuple[Any, ...]:
        is_over = states.is_over(self.task)
        row = [] if self._row is None else [self._row]
        # What follows a part that comes is drawn again, with its video.
        parts = [self._sheet, *([] if self._is_put_away else row), self._above]
        if self._video.is_shown or not is_over:
            parts.append(self._video)
        if not is_over:
            parts.append(self._bar)
        parts += [self._below] if self._brief_line is None else [self._brief_line, self._below]
        if self.buttons.children:
            parts.append(self.buttons)
        parts += self.buttons.panels(has_details=self._has_details)
        return (*parts, *row) if self._is_put_away else tuple(parts)
