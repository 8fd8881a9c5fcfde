"""One task of a gallery, opened: its video, its judgement, its request, and the videos made from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import ipywidgets

from ...exceptions import QingboError
from ...i18n import N_, sentences, tr
from ...library.other_videos import saved_beside
from ...library.requests import readable_part_of, request_of
from ...service.contract.callbacks import callback_note
from ...service.contract.request import VideoRequest
from ...service.contract.status_names import status_label, status_name
from ...system.host import why_no_cards
from ...system.times import local_time
from ..base import html as markup
from ..base.build import PAYS, button, set_tooltip
from ..base.clicks import Clicks
from ..base.composite import Composite
from ..base.embedding import held_by, setting_of
from ..base.html import Markup
from ..base.keys import KEYS_CLASS, PLAY, make_keys
from ..base.player import output_of, saved_html
from ..base.settings import Settings, settings_of
from ..base.slow import Slow, start
from ..base.sync import update
from ..card.buttons import LOADING
from ..form.labels import fact
from ..studio.follow_up import FollowUp, continuing
from ..studio.frame_picker import FilmRead, FramePicker, read_film
from .comparison import figures
from .costs import cost_texts
from .rating import NOTE_FIELD, TAGS_FIELD, Rating

if TYPE_CHECKING:
    from ...library.entry import Entry
    from ...library.library import Library
    from ...tasks.manager import TaskManager

__all__ = ["TaskDetail"]

T = TypeVar("T")

_KEYS = ("0", "1", "2", "3", "4", "5", "-", "ArrowLeft", "ArrowRight", "Escape")
#: Keys that the page handles itself: they act on the video, or focus a text field.
_KEYS_HERE = {" ": PLAY, "t": TAGS_FIELD, "n": NOTE_FIELD}

_AGAIN_HELP = N_(
    "Submits the same request once more, as a new task with a new result. It costs the same again."
)
_CHANGE_HELP = N_("Opens the form with the settings of this task. Nothing is submitted before Generate.")
_DELETE_HELP = N_("Moves the video to the trash of the library. Undo restores it.")
_FRAMES_HELP = N_("Shows single frames, to save one or continue from it. Click again to close.")
_CONTINUE_HELP = N_("Opens the form for a video that begins with the last frame of this one.")
_BLIND = N_("Prompt and model are shown after you rate the video.")
_NOTHING = N_("There is no video: {status}.")
_GONE = N_("The video is no longer at {path}.")
_HIDDEN_GONE = N_("The video file no longer exists.")
_NO_REQUEST = N_("The request of this task is unknown, so it cannot be regenerated.")
_KEYS_HELP = N_(
    "Keys: 0–5 rate, – no rating, t tags, n note, Space plays, ← → previous and next, Esc closes."
)
#: Videos that are shown of one task. Any more are in the folder.
_MOST_VIDEOS = 6


class TaskDetail(Composite):
    """The panel of one task; empty if no task is open.

    Args:
        library: the library of the task.
        manager: the manager that submits the next videos; by default the default manager. Actions that need
            only the video need none.
        judged: called after each judgement.
        go: called with -1 or 1 for the previous or next task, 0 to close.
        delete: called with the key of the task to delete.

    Attributes:
        judgement: rating, tags and note.
        again_button: submits the same request again.
        change_button: opens the form with the request of the task.
        frames_button: opens the frame picker of the video.
        continue_button: opens the form with the video's last frame as the first of the next.
        delete_button: moves the task to the trash.
        before_button, after_button: open the previous and the next task.
        close_button: closes the task.
        follow_up: the form, and the cards of the tasks submitted from it.
    """

    def __init__(
        self,
        library: Library,
        manager: TaskManager | None,
        judged: Callable[[], object],
        go: Callable[[int], object],
        delete: Callable[[str], object],
    ) -> None:
        self._library, self._manager, self._go = library, manager, go
        self._entry: Entry | None = None
        self._is_hidden = False
        self._clicks = Clicks()
        self._picker: FramePicker | None = None
        self._head, self._request = ipywidgets.HTML(), ipywidgets.HTML()
        self._video = ipywidgets.Output()
        self._video.add_class(PLAY)
        self.follow_up = FollowUp(manager)
        self.judgement = Rating(library.judgements, judged)
        self.before_button = button(tr("Previous"), tr("Left arrow"), lambda: go(-1))
        self.after_button = button(tr("Next"), tr("Right arrow"), lambda: go(1))
        self.close_button = button(tr("Close"), tr("Back to the gallery."), lambda: go(0))
        self.again_button = button(tr("Regenerate"), tr(_AGAIN_HELP), self._again, PAYS)
        self.change_button = button(tr("Edit and regenerate"), tr(_CHANGE_HELP), self._change)
        self.frames_button: Any = button(
            tr("Frames"), tr(_FRAMES_HELP), lambda: self._run(self.frames_button, self._toggle_picker)
        )
        self.continue_button: Any = button(
            tr("Continue"), tr(_CONTINUE_HELP), lambda: self._run(self.continue_button, self._continue)
        )
        self.delete_button = button(tr("Delete"), tr(_DELETE_HELP), lambda: self._delete(delete))
        self._nav = _row(self.before_button, self.after_button, self.close_button)
        self._buttons = _row(
            self.again_button,
            self.change_button,
            self.frames_button,
            self.continue_button,
            self.delete_button,
        )
        # The rating is beside the video, or above it where there is no room: never below the fold.
        self._side = ipywidgets.VBox([self.judgement, self._buttons], layout={"overflow": "visible"})
        self._side.add_class("qingbo-opened-side")
        self._body = ipywidgets.Box([self._side, self._video], layout={"overflow": "visible"})
        self._body.add_class("qingbo-opened-body")
        self._frames = ipywidgets.VBox(layout={"overflow": "visible"})
        self._keys = make_keys(_KEYS, self._on_key, here=_KEYS_HERE, grab=True)
        super().__init__(layout={"overflow": "visible", "display": "none"})
        for name in ("qingbo-card", "qingbo-opened", KEYS_CLASS):
            self.add_class(name)

    def show(self, entry: Entry | None, *, hidden: bool = False) -> None:
        """Show a task.

        Args:
            entry: the task; ``None`` to show none.
            hidden: show the video without anything that identifies the task.
        """
        if (entry, hidden) == (self._entry, self._is_hidden):
            return
        is_other = entry is None or self._entry is None or entry.key != self._entry.key
        before, self._entry, self._is_hidden = self._entry, entry, hidden
        with update(self, self._head, self._request, self._video):
            self.layout.display = "none" if entry is None else None
            if is_other:
                self._clear()
            if entry is None:
                self.children = ()
                return
            self._head.value = markup.note(sentences(tr(_BLIND), tr(_KEYS_HELP))) if hidden else _head(entry)
            self.follow_up.origin = (entry.service, self._library.folder)
            self._request.value = "" if hidden else _request(entry)
            # A redraw would restart the video while the user judges it.
            has_changed = (
                is_other or before is None or (before.file, before.status) != (entry.file, entry.status)
            )
            if has_changed or not self._is_there(entry):
                self._video.outputs = self._player(entry, hidden)
            self.judgement.show(entry.key)
            is_known = request_of(entry) is not None
            self.change_button.disabled = hidden or not is_known
            self.again_button.disabled = self.change_button.disabled or bool(why_no_cards())
            self.frames_button.disabled = self.continue_button.disabled = hidden or not entry.file
            refusal = self._library.read_only
            self.delete_button.disabled = refusal is not None
            set_tooltip(self.delete_button, refusal or tr(_DELETE_HELP))
            # The page creates the key listener each time the panel opens, and it takes the focus then.
            parts = [self._head, self._nav, self._body, self._frames, self.follow_up]
            self.children = (*parts, self._request, *self._keys)

    def _stop(self) -> None:
        self._clear()
        self.children = ()

    def _detached_parts(self) -> tuple[Any, ...]:
        return (
            self._head, self._nav, self._body, self._request, self._frames, self.follow_up, *self._keys,
        )  # fmt: skip

    def _clear(self) -> None:
        """Close the picker, the form and the cards of the previous task."""
        self._close_picker()
        self.follow_up.clear()

    def _is_there(self, entry: Entry) -> bool:
        video = self._library.video_of(entry)
        return video is not None and video.is_file()

    def _player(self, entry: Entry, hidden: bool) -> tuple[dict[str, Any], ...]:
        """Return the video, or why there is none; ``hidden`` leaves out the file name and the error."""
        video = self._library.video_of(entry)
        status = status_name(entry.status)
        if video is not None and self._is_there(entry):
            videos = [video, *saved_beside(video)][:_MOST_VIDEOS]
            embedding = held_by(self, setting_of(self._manager))
            embedding.clear()
            if hidden:
                return (output_of(figures(videos, [""] * len(videos), embedding), tr("A video")),)
            return tuple(output_of(saved_html(each, embedding), str(each)) for each in videos)
        if video is None:
            note = markup.note(tr(_NOTHING).format(status=status), "hint")
            if not hidden and (error := (entry.error or {}).get("message")):
                note += markup.note(error, "alarm")
        else:
            note = markup.note(tr(_HIDDEN_GONE) if hidden else tr(_GONE).format(path=video), "hint")
        return (output_of(markup.block(note), status),)

    # ------------------------------------------------------------------ keys and buttons

    def _on_key(self, key: str) -> None:
        if not self.judgement.press(key):
            self._go({"ArrowLeft": -1, "ArrowRight": 1, "Escape": 0}[key])

    def _again(self) -> None:
        if self._entry is not None and (request := request_of(self._entry)) is not None:
            self.follow_up.again(request)

    def _change(self) -> None:
        if self._entry is not None and (request := request_of(self._entry)) is not None:
            self.follow_up.offer(request)

    def _delete(self, delete: Callable[[str], object]) -> None:
        if self._entry is not None:
            delete(self._entry.key)

    def _toggle_picker(self) -> Slow[FilmRead] | None:
        if self._picker is not None:
            self._close_picker()
            return None
        video, request, contract = self._video_and_request()

        def show(film: FilmRead) -> None:
            self._picker = FramePicker(
                video, request=request, contract=contract, follow_up=self.follow_up, film=film
            )
            with update(self._frames):
                self._frames.children = (self._picker,)

        return self._of_this(Slow(tr(LOADING), partial(read_film, video), show))

    def _continue(self) -> Slow[VideoRequest]:
        video, request, contract = self._video_and_request()
        return self._of_this(continuing(self.follow_up, video, None, request, contract))

    def _of_this(self, slow: Slow[T]) -> Slow[T]:
        """Return the work without its end if another task is open by then."""
        key = self._entry and self._entry.key

        def then(made: T) -> None:
            if key == (self._entry and self._entry.key):
                slow.then(made)

        return replace(slow, then=then)

    def _video_and_request(self) -> tuple[Path, VideoRequest, str]:
        """Return the path of the video, the known part of its request, and its contract; needs no service."""
        entry = self._entry
        video = None if entry is None else self._library.video_of(entry)
        if entry is None or video is None:
            raise QingboError(tr(_HIDDEN_GONE))
        return video, readable_part_of(entry), entry.contract

    def _close_picker(self) -> None:
        if self._picker is not None:
            with update(self._frames):
                self._frames.children = ()
            self._picker.close()
            self._picker = None

    def _run(self, pressed: Any, act: Callable[[], object]) -> None:
        run = partial(start, self._clicks, pressed, act, self._on_end)
        self._clicks.run((act, self._entry and self._entry.key), run, self._on_end)

    def _on_end(self, message: str) -> None:
        if message:
            self.follow_up.show_error(message)


def _row(*buttons: Any) -> Any:
    return ipywidgets.HBox(buttons, layout={"flex_flow": "row wrap", "margin": "2px 0"})


def _head(entry: Entry) -> Markup:
    when = local_time(entry.submitted_at)
    line = markup.tag(
        "div",
        markup.span(status_label(entry.status), "qingbo-status"),
        markup.span(when, "qingbo-dim"),
        markup.span(tr(_KEYS_HELP), "qingbo-dim"),
        class_="qingbo-head",
    )
    prompt = markup.user_text(entry.prompt, class_="qingbo-prompt", style="white-space: pre-wrap")
    request = request_of(entry)
    callback = callback_note(request) if request is not None else ""
    prompt += markup.note(callback, "hint") if callback else Markup()
    is_known = entry.request is not None
    sent = settings_of(readable_part_of(entry), entry.contract) if is_known else Settings()
    costs = cost_texts(entry)
    facts = markup.chips(entry.model, sent.resolution, *map(fact, sent.others), entry.task_id, *costs)
    return line + prompt + facts


def _request(entry: Entry) -> Markup:
    if entry.request is None:
        return markup.note(tr(_NO_REQUEST))
    text = json.dumps(dict(entry.request), ensure_ascii=False, indent=2, default=str)
    return markup.tag("details", markup.tag("summary", markup.text(tr("Request"))), markup.code_block(text))
