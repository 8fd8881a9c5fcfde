"""The buttons of a card: which of them can act at present, what each does, and the panels that they open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import late
from ...exceptions import AuthenticationFailed, SubmissionUnconfirmed
from ...i18n import N_, tr
from ...service.contract.snapshot import TaskStatus
from ...system.host import check_cards
from ...tasks.saved_video import video_of
from ..base.build import PAYS, button, create_shared, set_expanded, set_tooltip
from ..base.clicks import Clicks
from ..base.composite import CompositeMixin
from ..base.ipw import HBox
from ..base.notify import bell
from ..base.slow import Slow, start
from ..base.sync import close_whole, lazy, observe, update
from ..base.text_fields import Text
from .contract_switch import ContractSwitch
from .key_change import KeyChange
from .sound import is_silent
from .states import can_cancel, is_over, is_settled
from .submit_again import SubmitAgain

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["CardButtons", "Offer"]

_CANCEL = N_("Only queued tasks can be cancelled; the service's documentation promises their refund.")
_CHECK = N_("Asks the service, at no cost. Enter the id from its dashboard to follow the task.")
_ID = N_("from the dashboard")
_ID_HELP = N_("The id in the service's dashboard. Leave it empty to check only whether the service responds.")
_SAVE = N_("Gets a new link and downloads the video again.")
_FOLLOW = N_("Follows the task at the service again, at no cost.")
_TRY_NOW = N_("Asks the service now instead of waiting, at no cost.")
_CHANGE_KEY = N_("Shows a field for another key. Nothing is submitted.")
_FRAMES = N_("Shows single frames, to save one or continue from it. Click again to close.")
_SOUND = N_("Makes a copy with MP3 sound beside the video, which stays as it is. At no cost.")
LOADING = N_("Loading frames…")
_OPEN, _CLOSED = "caret-down", "caret-right"


class Offer(NamedTuple):
    """A button that the owner of a card adds to it for the end of the task.

    Attributes:
        description: the label.
        tooltip: the tooltip.
        act: called for a click.
        classes: the CSS classes.
        needs_video: whether the button is shown only if the video is saved.
    """

    description: str
    tooltip: str
    act: Callable[[], object]
    classes: tuple[str, ...]
    needs_video: bool


class CardButtons(CompositeMixin, HBox):
    """The row of buttons below a card. An error of a click is shown by the card, as ``problem``.

    Args:
        task: the task.
        clicked: called after each click, to draw the card.
        offers_contract: as in ``TaskCard``.
        **traits: further traits.

    Attributes:
        problem: the error of the last click, or its warning; empty if there is none.
        news: what the last click has done; empty if the card shows it anyway.
        clicks: recognises repeated clicks.
        submit_again: the action of the button *Submit again*.
        next_form: where the frame picker opens the form of the next video; ``None`` for a form of its own.
        key_change: the open field for another key; ``None`` if it is closed.
    """

    children: Any  # for mypy, which has no types of the base class

    def __init__(
        self, task: Task, clicked: Callable[[], object], *, offers_contract: bool, **traits: Any
    ) -> None:
        self._task, self._clicked, self._offers_contract = task, clicked, offers_contract
        self.problem = self._warning = self.news = ""
        self.next_form: Any = None
        self.key_change: KeyChange | None = None
        self.clicks = Clicks()
        self.submit_again = SubmitAgain(task)
        self._switch = ContractSwitch(task)
        self._offers: list[Offer] = []
        self._offered: tuple[Any, ...] = ()
        self._picker: Any = None
        self._is_picker_open = False
        super().__init__(**traits)
        self._unobserve = observe(task, self.submit_again, "withdraw_warning", ("status", "error"))

    def offer(self, offer: Offer) -> None:
        """Add a button that is created once the task has ended."""
        self._offers.append(offer)

    def refresh(self, *, notifies: bool, has_details: bool) -> None:
        """Show the buttons that can act at present.

        Args:
            notifies: whether the row has the button *Notify me*; in a studio or a sweep, that of the whole.
            has_details: whether a brief card shows its details.
        """
        if not is_over(self._task):
            self.cancel_button.disabled = not can_cancel(self._task)
            self.children = (*self._while_running(), *(bell(self) if notifies else ()))
        elif is_settled(self._task) or self._task.video_path is not None:
            self.children = self._at_end(has_details)
        else:
            self.children = self._after_error()

    def panels(self, *, has_details: bool) -> list[Any]:
        """Return the panels that are open below the buttons."""
        is_picker_shown = self._picker is not None and self._is_picker_open and has_details
        found = (self._picker if is_picker_shown else None, self.key_change)
        return [panel for panel in found if panel is not None]

    def _stop(self) -> None:
        self._unobserve()

    def _detached_parts(self) -> tuple[Any, ...]:
        return (*self._offered, self._picker, self.key_change)

    # ------------------------------------------------------------------ which are shown

    def _while_running(self) -> tuple[Any, ...]:
        wait = self._task.next_try
        return (self.cancel_button, self.try_now_button) if wait and wait.is_away else (self.cancel_button,)

    def _at_end(self, has_details: bool) -> tuple[Any, ...]:
        if len(self._offered) != len(self._offers):
            self._offered = tuple(
                self._button(offer.description, offer.tooltip, offer.act, *offer.classes)
                for offer in self._offers
            )
        has_video = self._task.video_path is not None
        shown = tuple(
            one
            for one, offer in zip(self._offered, self._offers, strict=True)
            if has_video or not offer.needs_video
        )
        if has_video:
            sound = (self.sound_button,) if is_silent(self._task) else ()
            shown = (*shown, *sound, self.frames_button) if has_details else ()
        return (*shown, self.save_again_button) if self._task.lacks_others else shown

    def _after_error(self) -> tuple[Any, ...]:
        if not self._task.is_done or self._task.error is None:
            return ()
        is_refused = isinstance(self._task.error, AuthenticationFailed)
        change_key = (self.change_key_button,) if is_refused and self.key_change is None else ()
        return (*self._ways_on(), *change_key)

    def _ways_on(self) -> tuple[Any, ...]:
        """Return the ways on for a task that stopped with an error and may still get its video."""
        task = self._task
        if self._switch.contract is not None:
            # Another submission in the same contract would be refused again.
            return (self.switch_button,) if self._offers_contract and not self._switch.is_done else ()
        again = (self._explained_submit_again(),) if task.request is not None and not task.task_id else ()
        if task.status == TaskStatus.unconfirmed:
            return (self.id_field, self.check_button, *again)
        if not task.task_id:
            return again
        return (self.save_again_button if task.status == TaskStatus.completed else self.follow_again_button,)

    def _explained_submit_again(self) -> Any:
        """Return the button for another submission, which explains what that would do at present."""
        set_tooltip(self.submit_again_button, self.submit_again.help_text())
        return self.submit_again_button

    # ------------------------------------------------------------------ the buttons

    @lazy
    def cancel_button(self) -> Any:
        """The button for ``task.cancel()``, enabled while the service can still cancel."""
        is_late = not can_cancel(self._task)
        return self._button(
            tr("Cancel"), tr(_CANCEL), lambda: self._task.cancel(wait=False), disabled=is_late
        )

    @lazy
    def id_field(self) -> Any:
        """The field for the id of an unconfirmed task: that of an error answer, or from the dashboard."""
        error, size = self._task.error, {"width": "auto", "flex": "0 1 300px"}
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
        return self._button(
            tr("Check"), tr(_CHECK), lambda: self._task.check(self.id_field.value, wait=False)
        )

    @lazy
    def submit_again_button(self) -> Any:
        """The button for ``task.submit_again()``, shown if the service has not confirmed or taken it."""
        return self._button(tr("Submit again"), self.submit_again.help_text(), self._submit_again, PAYS)

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
        return self._button(tr("Save again"), tr(_SAVE), lambda: self._task.retry_download())

    @lazy
    def follow_again_button(self) -> Any:
        """The button for ``task.follow_again()``, shown if an unfinished task is not followed."""
        return self._button(tr("Follow again"), tr(_FOLLOW), lambda: self._task.follow_again())

    @lazy
    def try_now_button(self) -> Any:
        """The button for ``task.try_now()``, shown while the service cannot be reached."""
        return self._button(tr("Try now"), tr(_TRY_NOW), lambda: self._task.try_now())

    @lazy
    def frames_button(self) -> Any:
        """The button that opens the frame picker of the saved video below the card."""
        return self._button(
            tr("Frames"), tr(_FRAMES), self._toggle_frames, "qingbo-opens-frames", icon=_CLOSED
        )

    @lazy
    def sound_button(self) -> Any:
        """The button for ``task.copy_with_sound()``, shown where the page plays the video without sound."""
        return self._button(tr("Copy with sound"), tr(_SOUND), self._copy_with_sound)

    # ------------------------------------------------------------------ what they do

    def _button(
        self, description: str, tooltip: str, act: Callable[[], object], *classes: str, **options: Any
    ) -> Any:
        made = button(
            description, tooltip, lambda: self._act(made, act), *classes, shares_style=True, **options
        )
        return made

    def _act(self, pressed: Any, act: Callable[[], object]) -> None:
        """Run the action of a click; its error or its warning is the problem to show."""
        with self.clicks.once(act) as is_new:
            if not is_new:
                return
            self.problem = self._warning = self.news = ""
            run = partial(start, self.clicks, pressed, act, self._on_end)
            self.problem = self.clicks.attempt(run) or self._warning
        self._clicked()

    def _on_end(self, message: str) -> None:
        """Show the end of an action that took a while."""
        self.problem = message
        self._clicked()

    def _copy_with_sound(self) -> Slow[Any]:
        return Slow(tr("Making the copy…"), self._task.copy_with_sound, lambda _: None)

    def _submit_again(self) -> None:
        check_cards()
        self._warning = self.submit_again.click()

    def _connect_again(self) -> None:
        self._warning = self._switch.warning()
        if not self._warning:
            self.news = self._switch.switch()

    def _open_key_change(self) -> None:
        self.key_change = KeyChange(self._task.manager, self._on_key_change, takes_focus=True)

    def _on_key_change(self, message: str) -> None:
        """Close the field for another key; a message says that it is in use."""
        with update(self):
            former, self.key_change = self.key_change, None
            self.problem, self.news = "", message
            self._clicked()
        if former is not None:
            close_whole(former)

    def _toggle_frames(self) -> Slow[Any] | None:
        if self._picker is None:
            return Slow(tr(LOADING), partial(late.read_film, video_of(self._task)), self._open_frames)
        self._show_frames()
        return None

    def _open_frames(self, film: Any) -> None:
        self._picker = late.FramePicker(self._task, follow_up=self.next_form, film=film)
        self._picker.add_class("qingbo-panel-frames")
        self._show_frames()

    def _show_frames(self) -> None:
        self._is_picker_open = not self._is_picker_open
        with update(self.frames_button):
            self.frames_button.icon = _OPEN if self._is_picker_open else _CLOSED
            set_expanded(self.frames_button, self._is_picker_open)
