"""One task of a gallery, opened: its video, its judgement, its request, and what can follow from it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ..tasks.connection import current
from ..tasks.frames import continuation
from ..tasks.judging import Judgements
from ..tasks.restore import request_of
from . import markup
from .binding import close_parts, update
from .card import TaskCard
from .comparison import figures
from .fields import set_tooltip
from .form import RequestForm
from .keys import KEYS_CLASS, make_keys
from .player import output_of, video_html
from .verdict import Verdict

if TYPE_CHECKING:
    from ..service.request import VideoRequest
    from ..tasks.library import Entry, Library
    from ..tasks.manager import TaskManager
    from ..tasks.task import Task

__all__ = ["Opened"]

#: Seconds in which a second click is part of a double click.
DOUBLE_CLICK = 1.0
_KEYS = ("0", "1", "2", "3", "4", "5", "-", "ArrowLeft", "ArrowRight", "Escape")

_AGAIN_HELP = "Submits the same request once more, as a new task with a new result. It costs the same again."
_CHANGE_HELP = "Opens the form as it was for this task. Nothing is submitted before Generate."
_CONTINUE_HELP = "Opens the form for a video that begins with the last frame of this one."
_BLIND = "Which one this is, is shown when it is rated."
_NOTHING = "There is no video: {status}."
_GONE = "The video is no longer at {path}."
_NO_REQUEST = "The request of this task is not known, so it cannot be made again."
_KEYS_TOLD = "Keys: 0–5 rate, – takes it back, ← → go on, Esc closes."


class Opened(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Shows one task, or nothing.

    Args:
        library: where the task is.
        manager: submits what follows; the default one when left out.
        judged: called after each judgement.
        go: called with -1 or 1 for the task before or after, 0 to close.

    Attributes:
        verdict: rating, tags and note.
        again_button: submits the same request once more.
        change_button: opens the form as it was for the task.
        continue_button: opens the form with the video's last frame as the first of the next.
        close_button: shows nothing again.
    """

    def __init__(
        self,
        library: Library,
        manager: TaskManager | None,
        judged: Callable[[], object],
        go: Callable[[int], object],
    ) -> None:
        self._library, self._manager, self._go = library, manager, go
        self._entry: Entry | None = None
        self._form: RequestForm | None = None
        self._cards: tuple[TaskCard, ...] = ()
        self._clicked, self._is_hidden = 0.0, False
        self._head, self._told, self._request = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        self._video = ipywidgets.Output()
        self.verdict = Verdict(Judgements(library), judged)
        self.before_button = _button("‹ Before", "The task before this one.", lambda: go(-1))
        self.after_button = _button("After ›", "The task after this one.", lambda: go(1))
        self.again_button = _button("Generate again", _AGAIN_HELP, self._again)
        self.change_button = _button("Change and generate", _CHANGE_HELP, self._change)
        self.continue_button = _button("Continue", _CONTINUE_HELP, self._continue)
        self.close_button = _button("Close", "Back to the pictures alone.", lambda: go(0))
        self._buttons = ipywidgets.HBox(
            [
                self.again_button,
                self.change_button,
                self.continue_button,
                self.before_button,
                self.after_button,
                self.close_button,
            ],
            layout={"flex_flow": "row wrap", "margin": "6px 0"},
        )
        self._generate = _button("Generate", "Submits the form.", self._submit_form)
        self._generate.button_style = "primary"
        self._more = ipywidgets.VBox(layout={"overflow": "visible"})
        self._keys = make_keys(_KEYS, self._press, grab=True)
        super().__init__(layout={"overflow": "visible", "display": "none"})
        for name in ("qingbo-card", "qingbo-opened", KEYS_CLASS):
            self.add_class(name)

    @property
    def cards(self) -> tuple[TaskCard, ...]:
        """The cards of the tasks that were submitted here, newest first."""
        return self._cards

    def show(self, entry: Entry | None, *, hidden: bool = False) -> None:
        """Show this task, ``None`` for nothing.

        Args:
            entry: the task.
            hidden: show the video and not a word of which one it is.
        """
        if (entry, hidden) == (self._entry, self._is_hidden):
            return
        is_other = entry is None or self._entry is None or entry.key != self._entry.key
        before, self._entry, self._is_hidden = self._entry, entry, hidden
        with update(self, self._head, self._told, self._request, self._video):
            self.layout.display = "none" if entry is None else None
            if is_other:
                self._clear()
            if entry is None:
                self.children = ()
                return
            self._head.value = markup.note(f"{_BLIND} {_KEYS_TOLD}") if hidden else _head(entry)
            self._told.value = ""
            self._request.value = "" if hidden else _request(entry)
            # Drawn anew, a video would begin again while it is being judged.
            if is_other or before is None or (before.file, before.status) != (entry.file, entry.status):
                self._video.outputs = self._player(entry, hidden)
            self.verdict.show(entry.key)
            is_known = request_of(entry) is not None
            self.again_button.disabled = self.change_button.disabled = hidden or not is_known
            self.continue_button.disabled = hidden or not entry.file
            # The listener is new to the page each time that the panel opens, and takes the focus then.
            parts = [self._head, self._video, self.verdict, self._buttons, self._told, self._more]
            self.children = (*parts, self._request, *self._keys)

    def close(self) -> None:
        """Close the panel with all its parts. What was submitted here goes on."""
        self._clear()
        self.children = ()
        for part in (
            self._head, self._told, self._request, self._video, self.verdict, self._buttons, self._more,
            self._generate, *self._keys,
        ):  # fmt: skip
            close_parts(part)
            part.close()
        close_parts(self)
        super().close()

    def _clear(self) -> None:
        """Forget what was opened below the last task; its cards and its form are closed."""
        self._more.children = ()
        for card in self._cards:
            card.close()
        if self._form is not None:
            self._form.close()
        self._cards, self._form = (), None

    def _player(self, entry: Entry, hidden: bool) -> tuple[dict[str, Any], ...]:
        video = self._library.video_of(entry)
        if video is None:
            told = markup.note(_NOTHING.format(status=entry.status), "hint")
            if error := (entry.error or {}).get("message"):
                told += markup.note(error, "alarm")
        elif not video.is_file():
            told = markup.note(_GONE.format(path=video), "hint")
        else:
            shown = figures([video], [""], controls=True) if hidden else video_html(video)
            return (output_of(shown, "A video" if hidden else str(video)),)
        return (output_of(markup.tag("div", told, class_="qingbo-html"), entry.status),)

    # ------------------------------------------------------------------ keys and buttons

    def _press(self, key: str) -> None:
        if not self.verdict.press(key):
            self._go({"ArrowLeft": -1, "ArrowRight": 1, "Escape": 0}[key])

    def _again(self) -> None:
        if self._entry is not None and (request := request_of(self._entry)) is not None:
            self._submit(lambda: self._submitter().submit(request))

    def _change(self) -> None:
        if self._entry is not None and (request := request_of(self._entry)) is not None:
            self._open_form(lambda: request)

    def _continue(self) -> None:
        if (entry := self._entry) is not None:
            self._open_form(lambda: continuation(self._submitter().resume(entry.task_id), entry.prompt))

    def _open_form(self, request: Callable[[], VideoRequest]) -> None:
        try:
            asked = request()
            if self._form is None:
                self._form = RequestForm(self._submitter())
            self._form.load(asked)
        except Exception as error:
            self._tell(error)
            return
        self._tell(None)
        self._arrange()

    def _submit_form(self) -> None:
        if self._form is not None:
            self._submit(self._form.submit)

    def _submit(self, submit: Callable[[], Task]) -> None:
        """A click. Money is real: the second of a double click submits nothing."""
        now = time.monotonic()
        if now - self._clicked < DOUBLE_CLICK:
            return
        self._clicked = now
        try:
            card = TaskCard(submit())
        except Exception as error:
            self._clicked = 0.0
            self._tell(error)
            return
        self._tell(None)
        self._cards = (card, *self._cards)
        self._arrange()

    def _arrange(self) -> None:
        form = () if self._form is None else (self._form, self._generate)
        with update(self._more):
            self._more.children = (*form, *self._cards)

    def _tell(self, error: Exception | None) -> None:
        with update(self._told):
            self._told.value = markup.note(str(error) or type(error).__name__, "alarm") if error else ""

    def _submitter(self) -> TaskManager:
        return current() if self._manager is None else self._manager


def _button(description: str, explained: str, act: Callable[[], object]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=description, layout={"width": "auto"})
    set_tooltip(button, explained)
    button.on_click(lambda _: act())
    return button


def _head(entry: Entry) -> str:
    request = entry.request or {}
    when = f"{entry.submitted_at.astimezone():%Y-%m-%d %H:%M}"
    line = markup.tag(
        "div",
        markup.span(entry.status.capitalize(), "qingbo-status"),
        markup.span(when, "qingbo-dim"),
        markup.span(_KEYS_TOLD, "qingbo-dim"),
        class_="qingbo-head",
    )
    prompt = markup.tag(
        "div", markup.escape(entry.prompt), class_="qingbo-prompt", style="white-space: pre-wrap"
    )
    cost = "" if entry.cost is None else f"cost {entry.cost}"
    return line + prompt + markup.chips(entry.model, str(request.get("mode", "std")), entry.task_id, cost)


def _request(entry: Entry) -> str:
    if entry.request is None:
        return markup.note(_NO_REQUEST)
    written = json.dumps(dict(entry.request), ensure_ascii=False, indent=2, default=str)
    code = markup.tag("pre", markup.tag("code", markup.escape(written)))
    return markup.tag("details", markup.tag("summary", "Request"), code)
