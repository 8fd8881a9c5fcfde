"""``TaskCard``: one task, live."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ... import late
from ...i18n import N_, tr
from ...service.contract.snapshot import TaskStatus
from ..base.build import alike, button, style_sheet
from ..base.clicks import Clicks
from ..base.composite import Composite
from ..base.html import Markup
from ..base.output import Lasting, display_html
from ..base.sync import lazy, observe, refresher, update, weakly
from ..base.text_fields import Text
from . import text as words
from .video import Screen

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["TaskCard", "displayed_card", "show"]

#: These are drawn at once; everything else at the next beat of the refresher.
_NEWS = ("status", "task_id", "video_path", "error")
_REST = ("progress", "message", "download", "eta")

#: Seconds after which a new card has its bar and its buttons: the click that makes it need not wait for them.
BAR_AFTER = 0.05

_CANCEL = N_("Only a task that still waits in the queue can be cancelled; the service refunds it.")
_CHECK = N_("Asks the service, which costs nothing. With the id from its dashboard, the task is followed on.")
_ID = N_("task id from the dashboard")
_ID_HELP = N_(
    "The service's dashboard lists the tasks that it took. Leave it empty to ask only whether it answers."
)
_AGAIN = N_(
    "Submits with the same key: a service that knows the first task answers with it, another bills twice."
)
_SAVE = N_("Asks for a fresh link and downloads the video again.")
_FOLLOW = N_("Asks the service again how the task goes, which costs nothing.")
_FRAMES = N_("Grabs a frame of the video, or goes on from one.")

_BAR = {"width": "auto", "height": "8px", "margin": "6px 2px"}
_ROW = {"flex_flow": "row wrap", "margin": "4px 0 0"}


class TaskCard(Composite):
    """A task as a person follows it: status, bar, time, buttons, and the video when it is there.

    The card observes the task by a weak reference and asks nothing of the service by itself. In a kernel it
    is drawn only while somebody sees it.

    Args:
        task: the task.

    Attributes:
        task: as given.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._told = ""
        self._clicks = Clicks()
        self._offers: list[tuple[str, str, Callable[[], object]]] = []
        self._further: tuple[ipywidgets.Button, ...] = ()
        self._on_news: list[Callable[[], None]] = []
        self._picker: ipywidgets.Widget | None = None
        self._screen = Screen(task, weakly(self, "refresh"))
        self._left = Markup()
        self.lasting = Lasting(self, "_begin_soon")
        with update():
            self._sheet = style_sheet(self)
            self._above = alike(ipywidgets.HTML, value=words.headline(task))
            self._below = alike(ipywidgets.HTML, value=self._facts())
            self._buttons = alike(ipywidgets.HBox, layout=_ROW)
            super().__init__(
                [self._sheet, self._above, self._below],
                layout={"overflow": "visible"},
                _dom_classes=("qingbo", "qingbo-card"),
                _view_count=0,
            )
        self._stops = [observe(task, self, "redraw_now", _NEWS), observe(task, self, "_hear", _REST)]
        task.on_end(weakly(self, "redraw_now"))
        self._begin_soon()

    @lazy
    def cancel_button(self) -> Any:
        """``task.cancel()``, while the service still can."""
        is_late = not words.can_cancel(self.task)
        return self._button(tr("Cancel"), tr(_CANCEL), lambda: self.task.cancel(wait=False), disabled=is_late)

    @lazy
    def id_field(self) -> Any:
        """Where the id of a task that is not confirmed goes, out of the service's dashboard."""
        size = {"width": "auto", "flex": "0 1 260px"}
        return alike(Text, tr(_ID_HELP), placeholder=tr(_ID), continuous_update=False, layout=size)

    @lazy
    def check_button(self) -> Any:
        """``task.check(id)``, for such a task."""
        return self._button(tr("Check"), tr(_CHECK), lambda: self.task.check(self.id_field.value, wait=False))

    @lazy
    def submit_again_button(self) -> Any:
        """Shown for a task that the service has not confirmed, or never got."""
        return self._button(tr("Submit again"), tr(_AGAIN), lambda: self.task.submit_again())

    @lazy
    def save_again_button(self) -> Any:
        """Shown where the video could not be saved."""
        return self._button(tr("Save again"), tr(_SAVE), lambda: self.task.retry_download())

    @lazy
    def follow_again_button(self) -> Any:
        """Shown for a task that the service has, and of which nobody asks any more."""
        return self._button(tr("Follow again"), tr(_FOLLOW), lambda: self.task.follow_again())

    @lazy
    def frames_button(self) -> Any:
        """Opens the frames of the saved video below: to grab one, or to go on from one."""
        return self._button(tr("Frames"), tr(_FRAMES), self._open_frames)

    @property
    def left(self) -> Markup:
        """The task as of its last turn, as HTML that needs no kernel."""
        with update():
            if not self._left:
                task = self.task
                self._left = words.ended(task) if words.is_settled(task) else words.kept(task)
            return self._left

    def refresh(self) -> bool:
        """Draw the task as it is now, if somebody sees it; only what differs is sent.

        Returns:
            Whether to come again: it is seen, and under way.
        """
        task = self.task
        # The task is looked at under the lock: of two threads the later one draws the later state.
        with update():
            if self.comm is None or not self.lasting.is_seen:
                return False
            over = words.is_over(task)
            with update(self, self._above, self._below, self._buttons):
                percent = words.percent(task)
                self._above.value = words.headline(task, shown=percent)
                self._below.value = self._facts()
                if not over:
                    self._bar.value = percent
                    self.cancel_button.disabled = not words.can_cancel(task)
                self._buttons.children = self._offered()
                self._screen.play()
                self.children = self._parts()
        return not over

    def redraw_now(self) -> None:
        """Redraw immediately, here and in what outlives the kernel: the task's status changed."""
        self._begin()
        with update():  # so that no late twin overtakes the end
            self._left = Markup()
            if self.lasting.is_kept and self.comm is not None:  # what a closed one left stays as it is
                if words.is_settled(self.task):
                    self.lasting.replace(words.ended(self.task))
                else:
                    self.lasting.keep(words.kept(self.task, self.lasting.twin_class))
        for call in self._on_news:
            call()

    def _stop(self) -> None:
        for stop in self._stops:
            stop()

    def _parts_elsewhere(self) -> tuple[Any, ...]:
        return (self._buttons, *self._further, *self._screen.parts, self._picker)

    def offer(self, description: str, explained: str, act: Callable[[], object]) -> None:
        """Have a further button once the task has ended, made then; the card tells what ``act`` raises."""
        self._offers.append((description, explained, act))
        if words.is_over(self.task):
            self.refresh()

    def tell(self, view: Any, method: str) -> None:
        """Call ``view.method()`` after each turn of the task, for as long as somebody else holds ``view``."""
        self._on_news.append(weakly(view, method))

    def _ipython_display_(self, **_: Any) -> None:
        if words.is_settled(self.task):
            display_html(words.ended(self.task))
        else:
            self.lasting.show(words.kept(self.task, self.lasting.twin_class))
            self._begin()  # no click waits, and what runs a notebook without a page keeps what the cell sends

    # ------------------------------------------------------------------ news

    def _begin_soon(self) -> None:
        """Somebody begins to see it."""
        if words.is_over(self.task):
            self._begin()
        else:
            refresher.later(BAR_AFTER, weakly(self, "_begin"))

    def _begin(self) -> None:
        """Draw it from now on."""
        with update():
            if self.refresh():
                refresher.add(self)

    def _hear(self) -> None:
        """A step of the task: the next beat draws it."""
        refresher.add(self)

    # ------------------------------------------------------------------ what it shows

    @lazy
    def _bar(self) -> Any:
        told = tr("The progress is in the line above, in words.")
        return alike(ipywidgets.IntProgress, told, value=words.percent(self.task), layout=_BAR)

    def _facts(self) -> Markup:
        task = self.task
        return self.lasting.style + words.about(task) + words.advice(task, self._told)

    def _parts(self) -> tuple[Any, ...]:
        parts = [self._sheet, self._above, self._below]
        if not words.is_over(self.task):
            parts.insert(2, self._bar)
        if self._buttons.children:
            parts.append(self._buttons)
        parts += self._screen.parts
        if self._picker is not None:
            parts.append(self._picker)
        return tuple(parts)

    # ------------------------------------------------------------------ buttons

    def _offered(self) -> tuple[Any, ...]:
        task = self.task
        if not words.is_over(task):
            return (self.cancel_button,)
        if words.is_settled(task):
            if len(self._further) != len(self._offers):
                self._further = tuple(self._button(*offer) for offer in self._offers)
            frames = task.video_path is not None and self._picker is None
            return (*self._further, self.frames_button) if frames else self._further
        if not task.is_done or task.error is None:
            return ()
        again = (self.submit_again_button,) if task.request is not None and not task.task_id else ()
        if task.status == TaskStatus.unconfirmed:
            return (self.id_field, self.check_button, *again)
        if not task.task_id:
            return again
        return (self.save_again_button if task.status == TaskStatus.completed else self.follow_again_button,)

    def _open_frames(self) -> None:
        self._picker = self._picker or late.FramePicker(self.task)

    def _button(self, description: str, explained: str, act: Callable[[], object], **given: Any) -> Any:
        return button(description, explained, lambda: self._act(description, act), is_alike=True, **given)

    def _act(self, wish: str, act: Callable[[], object]) -> None:
        """Act on a click, and show what goes wrong."""
        with self._clicks.once(wish) as is_new:
            if not is_new:
                return
            self._told = ""
            self._told = self._clicks.attempt(act)
        self.redraw_now()


#: A card holds its task, so it is the card that is held weakly: ipywidgets keeps it until it is closed.
_shown: weakref.WeakValueDictionary[Task, TaskCard] = weakref.WeakValueDictionary()


def show(task: Task, *, embed: bool = False) -> None:
    """Show a task in the cell that runs: its live card, and what outlives the kernel.

    A task has one card for all cells that show it.

    Args:
        task: the task.
        embed: put the saved video into the notebook itself (up to 20 MB), for where its file is not served.
    """
    if embed and task.video_path is not None:
        display_html(words.ended(task, embed=True))
        return
    if words.is_settled(task):
        display_html(words.ended(task))
        return
    card = displayed_card(task)
    if card is None:
        card = _shown[task] = TaskCard(task)
    card._ipython_display_()


def displayed_card(task: Task) -> TaskCard | None:
    """Return the card that cells show of a task; ``None`` where none does, or where it is closed."""
    card = _shown.get(task)
    return None if card is None or card.comm is None else card
