"""``TaskCard``: the live view of one task."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets

from ... import late
from ...exceptions import AuthenticationFailed, SubmissionUnconfirmed
from ...i18n import N_, tr
from ...service.contract.snapshot import TaskStatus
from ...system.times import local_time
from ..base import html as markup
from ..base.build import PAYS, button, create_shared, set_class, set_expanded, set_tooltip, style_sheet
from ..base.clicks import Clicks
from ..base.composite import Composite
from ..base.html import Markup
from ..base.notify import bell, watch
from ..base.output import CellOutput, bundle, display_html
from ..base.sync import close_whole, lazy, observe, refresher, update, weakly
from ..base.text_fields import Text
from . import text as task_text
from .contract_switch import ContractSwitch
from .key_change import KeyChange
from .plain import plain_text
from .row import CardRow
from .spoken import spoken
from .video import video_view

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["TaskCard", "displayed_card", "mimebundle", "show"]

#: A change of these traits is drawn at once, of the others at the next tick of the refresher.
_STATUS_TRAITS = ("status", "task_id", "video_path", "other_video_paths", "saves_others", "error")
_PROGRESS_TRAITS = ("progress", "message", "download", "eta")

#: Seconds after which a new card gets its bar and its buttons, so that they do not delay the click that
#: creates it.
BAR_AFTER = 0.05

_CANCEL = N_("Only a task that still waits in the queue can be cancelled; the service refunds it.")
_CHECK = N_("Asks the service, which costs nothing. With the id from its dashboard, the task is followed on.")
_ID = N_("from the dashboard")
_ID_HELP = N_(
    "The service's dashboard lists the tasks that it took. Leave it empty to ask only whether it answers."
)
_AGAIN = N_("The service did not take this task. Submits it once more.")
_MAY_BILL = N_(
    "Submits with the same key: a service that knows the first task answers with it, another bills twice."
)
_REPEATS = N_(
    "Submits with the same key: until {end}, the service answers with the first task, if it "
    "has that, and charges once."
)
_FORGOTTEN = N_(
    "The service no longer knows the key of this submission: another one is a new task, which is charged "
    "even if the first one was made. Says so first, and submits at the second click."
)
_ANEW = N_(
    "The service no longer knows the key of this submission: submitting it again makes a new task, which is "
    "charged even if the first one was made. Look in its dashboard first. To submit it, click once more."
)
_SAVE = N_("Asks for a fresh link and downloads the video again.")
_FOLLOW = N_("Asks the service again how the task goes, which costs nothing.")
_TRY_NOW = N_("Asks the service now instead of waiting, which costs nothing.")
_CHANGE_KEY = N_("Shows a field for another key. Nothing is submitted.")
_FRAMES = N_("Shows any frame of the video, to save it or continue from it. A second click closes that.")
_OPEN, _CLOSED = "caret-down", "caret-right"

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
        self._problem = self._notice = self._news = ""
        self._offers_contract = offers_contract
        #: Whether the user knows that another submission would be charged anew.
        self._is_warned = False
        self._switch = ContractSwitch(task)
        self._clicks = Clicks()
        self._offers: list[tuple[str, str, Callable[[], object], *tuple[str, ...]]] = []
        #: The numbers of the offers that need a saved video.
        self._for_videos: set[int] = set()
        self._extra_buttons: tuple[ipywidgets.Button, ...] = ()
        self._redraw_callbacks: list[Callable[[], None]] = []
        self._key_change: KeyChange | None = None
        self._picker: Any = None
        self._is_picker_open = False
        #: Where the frame picker opens the form of the next video; ``None`` for a form of its own.
        self.next_form: Any = None
        self._row: CardRow | None = None
        #: Whether the parts of a folded card stay on the page, because the user may be watching.
        self._is_put_away = False
        self._video = video_view(task, weakly(self, "refresh"))
        self._static_html = Markup()
        self.cell_output = CellOutput(self, "_start_drawing_soon")
        with update():
            self._sheet = style_sheet(self)
            self._above = create_shared(ipywidgets.HTML, value=task_text.headline(task))
            self._below = create_shared(ipywidgets.HTML, value=self._facts())
            self._buttons = create_shared(ipywidgets.HBox, layout=_ROW)
            super().__init__(
                [self._sheet, self._above, self._video, self._below],
                layout={"overflow": "visible"},
                _dom_classes=("qingbo", "qingbo-card"),
                _view_count=0,
            )
        self._stops = [
            observe(task, self, "redraw_now", _STATUS_TRAITS),
            observe(task, self, "_redraw_soon", _PROGRESS_TRAITS),
            observe(task, self, "_withdraw_warning", ("status", "error")),
        ]
        task.on_end(weakly(self, "redraw_now"))
        self._watch()
        self._start_drawing_soon()

    @lazy
    def cancel_button(self) -> Any:
        """The button for ``task.cancel()``, enabled while the service can still cancel."""
        is_late = not task_text.can_cancel(self.task)
        return self._button(tr("Cancel"), tr(_CANCEL), lambda: self.task.cancel(wait=False), disabled=is_late)

    @lazy
    def id_field(self) -> Any:
        """The field for the id of an unconfirmed task: that of an error answer, or from the dashboard."""
        error, size = self.task.error, {"width": "auto", "flex": "0 1 300px"}
        known = error.task_id if isinstance(error, SubmissionUnconfirmed) else ""
        return create_shared(
            Text,
            tr(_ID_HELP),
            "qingbo-short-label",
            description=tr("Task id"),
            placeholder=tr(_ID),
            value=known,
            continuous_update=False,
            layout=size,
        )

    @lazy
    def check_button(self) -> Any:
        """The button for ``task.check(id)``, shown for an unconfirmed task."""
        return self._button(tr("Check"), tr(_CHECK), lambda: self.task.check(self.id_field.value, wait=False))

    @lazy
    def submit_again_button(self) -> Any:
        """The button for ``task.submit_again()``, shown if the service has not confirmed or taken it."""
        return self._button(tr("Submit again"), self._again_help(), self._submit_again, PAYS)

    @lazy
    def switch_button(self) -> Any:
        """The button that connects in the contract that the server speaks, shown if it refused another."""
        return self._button(self._switch.label, self._switch.tooltip, self._connect_again)

    @lazy
    def change_key_button(self) -> Any:
        """The button that opens a field for another key, shown if the service refused the present one."""
        return self._button(tr("Change key"), tr(_CHANGE_KEY), self._open_key_change)

    @lazy
    def save_again_button(self) -> Any:
        """The button for ``task.retry_download()``, shown if the video could not be saved."""
        return self._button(tr("Save again"), tr(_SAVE), lambda: self.task.retry_download())

    @lazy
    def follow_again_button(self) -> Any:
        """The button for ``task.follow_again()``, shown if an unfinished task is not followed."""
        return self._button(tr("Follow again"), tr(_FOLLOW), lambda: self.task.follow_again())

    @lazy
    def try_now_button(self) -> Any:
        """The button for ``task.try_now()``, shown while the service cannot be reached."""
        return self._button(tr("Try now"), tr(_TRY_NOW), lambda: self.task.try_now())

    @lazy
    def frames_button(self) -> Any:
        """The button that opens the frame picker of the saved video below the card."""
        return self._button(
            tr("Frames"), tr(_FRAMES), self._toggle_frames, "qingbo-opens-frames", icon=_CLOSED
        )

    @property
    def static_html(self) -> Markup:
        """The task as of its last status change, as HTML that needs no kernel."""
        with update():
            if not self._static_html:
                task = self.task
                # Part of a copy that is sent again and again, so no video is embedded.
                self._static_html = (
                    task_text.ended(task, embed=False)
                    if task_text.is_settled(task)
                    else task_text.static_copy(task, in_studio=True)
                )
            return self._static_html

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
            over = task_text.is_over(task)
            if self._row is not None and not self._row.refresh() and not self._is_put_away:
                self.children = (self._sheet, self._row)
                return not over
            if self._row is not None and self._row.is_open:
                self._put_away(False)
            with update(self, self._above, self._below, self._buttons):
                percent = task_text.percent(task)
                self._above.value = task_text.headline(task, shown=percent)
                self._below.value = self._facts()
                if not over:
                    self._bar.value = percent
                    self.cancel_button.disabled = not task_text.can_cancel(task)
                self._buttons.children = self._visible_buttons()
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
                if not task_text.is_settled(self.task):
                    self.cell_output.set_copy(*self._copy())
                elif self._video.has_link and self.cell_output.is_on_page:
                    # The user may be watching in the live card, so that stays as long as the page.
                    html = markup.tag("div", task_text.ended(self.task), class_=self.cell_output.copy_class)
                    self.cell_output.set_copy(html, plain_text(self.task))
                else:
                    self.cell_output.replace(task_text.ended(self.task), plain_text(self.task))
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
            self._buttons,
            *self._extra_buttons,
            self._video,
            self._picker,
            self._row,
            self._key_change,
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
        if needs_video:
            self._for_videos.add(len(self._offers))
        self._offers.append((description, tooltip, act, *classes))
        if task_text.is_over(self.task):
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

    def _ipython_display_(self, **_: Any) -> None:
        if task_text.is_settled(self.task):
            display_html(task_text.ended(self.task), plain_text(self.task))
        else:
            self.cell_output.show(*self._copy())
            self._start_drawing()  # no click waits, and without a page only what the cell sends is kept

    # ------------------------------------------------------------------ drawing

    def _start_drawing_soon(self) -> None:
        """Start drawing, because the card becomes visible: soon, or at once for an ended task."""
        if task_text.is_over(self.task):
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
        tooltip = tr("The progress is in the line above, in words.")
        return create_shared(ipywidgets.IntProgress, tooltip, value=task_text.percent(self.task), layout=_BAR)

    def _copy(self) -> tuple[Markup, str]:
        """Return the static copy, as HTML and as plain text."""
        return task_text.static_copy(self.task, self.cell_output.copy_class), plain_text(self.task)

    def _facts(self) -> Markup:
        task = self.task
        about = task_text.about(task, folds_id=self._brief_line is None)
        if self._brief_line is not None:  # hidden, it still names the card for screen readers
            is_hidden = None if self._has_details else ""
            about = markup.tag("div", about, class_="qingbo-panel-details", hidden=is_hidden)
        facts = about + task_text.advice(task, self._problem, self._news, datetime.now(UTC))
        # In this part, because it is sent only when it changes.
        announced = spoken(task, self._problem) if self._is_announced else Markup()
        return self.cell_output.style + facts + announced

    def _parts(self) -> tuple[Any, ...]:
        is_over = task_text.is_over(self.task)
        row = [] if self._row is None else [self._row]
        # What follows a part that comes is drawn again, with its video.
        parts = [self._sheet, *([] if self._is_put_away else row), self._above]
        if self._video.is_shown or not is_over:
            parts.append(self._video)
        if not is_over:
            parts.append(self._bar)
        parts += [self._below] if self._brief_line is None else [self._brief_line, self._below]
        if self._buttons.children:
            parts.append(self._buttons)
        if self._picker is not None and self._is_picker_open and self._has_details:
            parts.append(self._picker)
        if self._key_change is not None:
            parts.append(self._key_change)
        return (*parts, *row) if self._is_put_away else tuple(parts)

    # ------------------------------------------------------------------ buttons

    def _visible_buttons(self) -> tuple[Any, ...]:
        task = self.task
        if not task_text.is_over(task):
            is_away = task.next_try is not None and task.next_try.is_away
            # In a studio or a sweep, the button is that of the whole.
            notify = bell(self._buttons) if self.cell_output.has_copy else []
            return (self.cancel_button, *([self.try_now_button] if is_away else []), *notify)
        if task_text.is_settled(task) or task.video_path is not None:
            if len(self._extra_buttons) != len(self._offers):
                self._extra_buttons = tuple(self._button(*offer) for offer in self._offers)
            shown = self._extra_buttons
            if task.video_path is not None:
                shown = (*shown, self.frames_button) if self._has_details else ()
            else:
                shown = tuple(one for place, one in enumerate(shown) if place not in self._for_videos)
            return (*shown, self.save_again_button) if task.lacks_others else shown
        if not task.is_done or task.error is None:
            return ()
        return (*self._buttons_after_error(), *self._key_buttons())

    def _key_buttons(self) -> tuple[Any, ...]:
        is_refused = isinstance(self.task.error, AuthenticationFailed)
        return (self.change_key_button,) if is_refused and self._key_change is None else ()

    def _buttons_after_error(self) -> tuple[Any, ...]:
        """Return the ways on for a task that stopped with an error and may still get its video."""
        task = self.task
        if self._switch.contract is not None:
            # Another submission in the same contract would be refused again.
            return (self.switch_button,) if self._offers_contract and not self._switch.is_done else ()
        again = (self._current_again_button(),) if task.request is not None and not task.task_id else ()
        if task.status == TaskStatus.unconfirmed:
            return (self.id_field, self.check_button, *again)
        if not task.task_id:
            return again
        return (self.save_again_button if task.status == TaskStatus.completed else self.follow_again_button,)

    def _current_again_button(self) -> Any:
        """Return the button for another submission, which explains what that would do at present."""
        set_tooltip(self.submit_again_button, self._again_help())
        return self.submit_again_button

    def _again_help(self) -> str:
        if self.task.status == TaskStatus.failed:
            return tr(_AGAIN)
        if self.task.is_key_forgotten:
            return tr(_FORGOTTEN)
        end = self.task.key_remembered_until
        return tr(_MAY_BILL) if end is None else tr(_REPEATS).format(end=local_time(end))

    def _connect_again(self) -> None:
        self._notice = self._switch.warning()
        if not self._notice:
            self._news = self._switch.switch()

    def _submit_again(self) -> None:
        if not self.task.is_key_forgotten:
            self.task.submit_again()
        elif self._is_warned:
            self._is_warned = False  # one consent is for one submission
            self.task.submit_again(may_charge_again=True)
        else:
            # Not an error: after one, the second of a double click would count as the consent.
            self._is_warned, self._notice = True, tr(_ANEW)

    def _withdraw_warning(self) -> None:
        """Warn again before the next submission, because the task has changed since the warning."""
        self._is_warned = False

    def _open_key_change(self) -> None:
        self._key_change = KeyChange(self.task.manager, self._on_key_change, takes_focus=True)

    def _on_key_change(self, message: str) -> None:
        """Close the field for another key; a message says that it is in use."""
        with update(self):
            former, self._key_change = self._key_change, None
            self._problem, self._news = "", message
            self.redraw_now()
        if former is not None:
            close_whole(former)

    def _toggle_frames(self) -> None:
        if self._picker is None:
            self._picker = late.FramePicker(self.task, follow_up=self.next_form)
            self._picker.add_class("qingbo-panel-frames")
        self._is_picker_open = not self._is_picker_open
        with update(self.frames_button):
            self.frames_button.icon = _OPEN if self._is_picker_open else _CLOSED
            set_expanded(self.frames_button, self._is_picker_open)

    def _button(
        self, description: str, tooltip: str, act: Callable[[], object], *classes: str, **options: Any
    ) -> Any:
        run = partial(self._act, description, act)
        return button(description, tooltip, run, *classes, shares_style=True, **options)

    def _act(self, name: str, act: Callable[[], object]) -> None:
        """Run the action of a click and show its error."""
        with self._clicks.once(name) as is_new:
            if not is_new:
                return
            self._problem = self._notice = self._news = ""
            self._problem = self._clicks.attempt(act) or self._notice
        self.redraw_now()


#: A card holds its task, so the card itself is held weakly: ipywidgets keeps it alive until it is closed.
_shown: weakref.WeakValueDictionary[Task, TaskCard] = weakref.WeakValueDictionary()


def show(task: Task, *, embed: bool = False) -> None:
    """Show a task in the running cell: its live card, and a static copy that outlives the kernel.

    All cells that show a task share one card.

    Args:
        task: the task.
        embed: put the saved video into the notebook itself (up to 20 MB), for hosts that do not serve its
            file.
    """
    if embed and task.video_path is not None:
        display_html(task_text.ended(task, embed=True), plain_text(task))
        return
    if task_text.is_settled(task):
        display_html(task_text.ended(task), plain_text(task))
        return
    card = displayed_card(task)
    if card is None:
        card = _shown[task] = TaskCard(task)
    card._ipython_display_()


def mimebundle(task: Task) -> dict[str, Any]:
    """Return a task for hosts without widgets: HTML with the saved video embedded, and plain text."""
    html = task_text.ended(task, embed=True) if task_text.is_settled(task) else task_text.static_copy(task)
    return bundle(html, plain_text(task))


def displayed_card(task: Task) -> TaskCard | None:
    """Return the card of a task that cells show; ``None`` if there is none or it is closed."""
    card = _shown.get(task)
    return None if card is None or card.comm is None else card
