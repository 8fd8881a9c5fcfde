"""``TaskCard``: one task, live."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from . import markup, words
from .binding import close_parts, observe, refresher, safely, update
from .fields import set_tooltip
from .lasting import Lasting, display_html
from .player import output_of, video_html

if TYPE_CHECKING:
    from ..tasks.task import Task

__all__ = ["TaskCard", "show"]

#: These are drawn at once; everything else at the next beat of the refresher.
_NEWS = ("status", "task_id", "video_path", "error")
_REST = ("progress", "message", "download", "eta")

_CANCEL = "Only a task that still waits in the queue can be cancelled; the service refunds it."
_CHECK = "Asks the service, which costs nothing. With the id from its dashboard, the task is followed on."
_ID = "task id from the dashboard"
_ID_HELP = (
    "The service's dashboard lists the tasks that it took. Leave it empty to ask only whether it answers."
)
_AGAIN = (
    "Submits with the same key: a service that knows the first task answers with it, another bills twice."
)
_SAVE = "Asks for a fresh link and downloads the video again."


class TaskCard(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A task as a person follows it: status, bar, time, buttons, and the video when it is there.

    The card observes the task by a weak reference and asks nothing of the service by itself.

    Args:
        task: the task.

    Attributes:
        task: as given.
        cancel_button: ``task.cancel()``, while the service still can.
        id_field: where the id of a task that is not confirmed goes, out of the service's dashboard.
        check_button: ``task.check(id)``, for such a task.
        submit_again_button: shown for a task that the service has not confirmed, or never got.
        save_again_button: shown where the video could not be saved.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._told = ""
        self._offers: list[tuple[str, str, Callable[[], object]]] = []
        self._further: tuple[ipywidgets.Button, ...] = ()
        self._on_news: list[weakref.WeakMethod[Callable[[], None]]] = []
        self._above, self._below = ipywidgets.HTML(), ipywidgets.HTML()
        self._bar = ipywidgets.IntProgress(
            0, 0, 100, layout={"width": "auto", "height": "8px", "margin": "6px 2px"}
        )
        set_tooltip(self._bar, "The progress is in the line above, in words.")
        self._video = ipywidgets.Output(layout={"margin": "0"})
        self.cancel_button = self._button("Cancel", _CANCEL, lambda: self.task.cancel(wait=False))
        self.id_field = ipywidgets.Text(
            placeholder=_ID, continuous_update=False, layout={"width": "auto", "flex": "0 1 260px"}
        )
        set_tooltip(self.id_field, _ID_HELP)
        self.check_button = self._button(
            "Check", _CHECK, lambda: self.task.check(self.id_field.value, wait=False)
        )
        self.submit_again_button = self._button("Submit again", _AGAIN, lambda: self.task.submit_again())
        self.save_again_button = self._button("Save again", _SAVE, lambda: self.task.retry_download())
        # Those that are not shown just now are no children, and have to be closed all the same.
        self._parts = (
            self.cancel_button,
            self.id_field,
            self.check_button,
            self.submit_again_button,
            self.save_again_button,
        )
        self._buttons = ipywidgets.HBox(layout={"flex_flow": "row wrap", "margin": "4px 0 0"})
        super().__init__(
            [self._above, self._bar, self._below, self._buttons, self._video], layout={"overflow": "visible"}
        )
        self.add_class("qingbo")
        self.add_class("qingbo-card")
        self.lasting = Lasting(self)
        self._stops = [
            observe(task, self, "_hurry", _NEWS),
            observe(task, self, "_hear", _REST),
        ]
        task.on_end(_Ended(self))
        self._hurry()

    def refresh(self) -> bool:
        """Draw the task as it is now; only what differs is sent.

        Returns:
            Whether the task is still under way.
        """
        task = self.task
        with update(self._above, self._below, self._bar, self._buttons, self.cancel_button, self._video):
            # The task is looked at under the lock: of two threads the later one draws the later state.
            if self.comm is None:
                return False
            over, buttons = words.is_over(task), self._offered()
            self._above.value = words.headline(task)
            self._bar.value = task.progress if task.download is None else round(100 * task.download)
            self._bar.layout.display = "none" if over else None
            # The style stands here, where little changes: the line above is sent every second.
            style = markup.style() + self.lasting.style
            self._below.value = style + words.about(task) + words.advice(task, self._told)
            self.cancel_button.disabled = not words.can_cancel(task)
            if self._buttons.children != buttons:
                self._buttons.children = buttons
            self._buttons.layout.display = None if buttons else "none"
            if task.video_path is not None and not self._video.outputs:
                self._video.outputs = (output_of(video_html(task.video_path), str(task.video_path)),)
        return not over

    def close(self) -> None:
        """Close the card with all its parts. The task goes on."""
        for stop in self._stops:
            stop()
        refresher.discard(self)
        for part in (*self._parts, *self._further):
            close_parts(part)
            part.close()
        close_parts(self)
        super().close()

    def offer(self, description: str, explained: str, act: Callable[[], object]) -> None:
        """Have a further button once the task has ended, made then; the card tells what ``act`` raises."""
        self._offers.append((description, explained, act))
        self.refresh()

    def tell(self, view: Any, method: str) -> None:
        """Call ``view.method()`` after each turn of the task, for as long as somebody else holds ``view``."""
        self._on_news.append(weakref.WeakMethod(getattr(view, method)))

    def _ipython_display_(self, **_: Any) -> None:
        if words.is_settled(self.task):
            display_html(words.ended(self.task))
        else:
            self.lasting.show(words.kept(self.task, self.lasting.twin_class))

    # ------------------------------------------------------------------ news

    def _hurry(self) -> None:
        """A turn of the task: draw it now, here and in what outlives the kernel."""
        if self.refresh():
            refresher.add(self)
        with update():  # so that no late twin overtakes the end
            if words.is_settled(self.task):
                self.lasting.replace(words.ended(self.task))
            else:
                self.lasting.keep(words.kept(self.task, self.lasting.twin_class))
        for reference in self._on_news:
            call = reference()
            if call is not None:
                safely(call)

    def _hear(self) -> None:
        """A step of the task: the next beat draws it."""
        refresher.add(self)

    # ------------------------------------------------------------------ buttons

    def _offered(self) -> tuple[Any, ...]:
        task = self.task
        if not words.is_over(task):
            return (self.cancel_button,)
        if words.is_settled(task):
            if len(self._further) != len(self._offers):
                self._further = tuple(self._button(*offer) for offer in self._offers)
            return self._further
        if not task.is_done or task.error is None:
            return ()
        if task.status == "unconfirmed":
            again = (self.submit_again_button,) if task.request is not None else ()
            return (self.id_field, self.check_button, *again)
        if not task.task_id:
            return (self.submit_again_button,) if task.request is not None else ()
        return (self.save_again_button,) if task.status == "completed" else ()

    def _button(self, description: str, explained: str, act: Callable[[], object]) -> ipywidgets.Button:
        button = ipywidgets.Button(description=description, layout={"width": "auto"})
        set_tooltip(button, explained)
        button.on_click(lambda _: self._act(act))
        return button

    def _act(self, act: Callable[[], object]) -> None:
        """A click: what goes wrong is told on the card, for a print here would be lost."""
        self._told = ""
        try:
            act()
        except Exception as error:
            self._told = str(error) or type(error).__name__
        self._hurry()


class _Ended:
    """What ``on_end`` calls: holds the card weakly, as everything on the task's side does."""

    def __init__(self, card: TaskCard) -> None:
        self._card = weakref.ref(card)

    def __call__(self, _: object) -> None:
        card = self._card()
        if card is not None:
            safely(card._hurry)


_shown: weakref.WeakKeyDictionary[Task, TaskCard] = weakref.WeakKeyDictionary()


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
    card = _shown.get(task)
    if card is None or card.comm is None:
        card = _shown[task] = TaskCard(task)
    card._ipython_display_()
