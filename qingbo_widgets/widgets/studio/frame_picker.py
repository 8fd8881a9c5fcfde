"""``FramePicker``: grab a frame of a finished video, and continue from it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import N_, tr
from ...media.frames import duration_of, frame_at, frame_rate, save_frame
from ...service.contract.request import VideoRequest
from ...tasks.saved_video import video_of
from ...tasks.task import Task
from ..base import html as markup
from ..base.build import button, set_tooltip
from ..base.clicks import Clicks
from ..base.composite import Composite
from ..base.posters import jpeg_html
from ..base.sync import update
from .follow_up import FollowUp, NextForm, continued

if TYPE_CHECKING:
    from ..form.request_form import RequestForm

__all__ = ["FramePicker"]

_STYLE = "display: block; max-width: min(360px, 100%); height: auto; border-radius: 3px; margin: 4px 0"
_TIME = N_("Seconds from the start. The arrow keys step by one frame.")
_GRAB = N_("Saves this frame as a PNG beside the video.")
_CONTINUE = N_("Fills in the form for a video that begins with this frame. Nothing is submitted.")


class FramePicker(Composite):
    """A picker for the frames of a video: saves a frame, or starts the next video with it. Opens at the last.

    Args:
        video: a task whose video is saved, or an mp4 file.
        request: the request of the file's video, used for the next one.
        contract: the date of the contract that carried it, whose defaults the next one keeps.
        follow_up: the place of the next video's form; by default a new one below, which submits with the
            task's manager.

    Attributes:
        time: the time in seconds. A number field, because a slider would have no name for a screen reader.
        grab_button: saves the frame beside the video.
        continue_button: opens the form with the frame as the first one.
        follow_up: the form, and the cards of the tasks submitted from it.

    Raises:
        QingboError: the video is not saved, or the file is gone.
        ImportError: the extra ``[frames]`` is not installed.
    """

    def __init__(
        self,
        video: Task | str | Path,
        *,
        request: VideoRequest | None = None,
        contract: str | None = None,
        follow_up: NextForm | None = None,
    ) -> None:
        manager = None
        if isinstance(video, Task):
            manager, self._video = video.manager, video_of(video)
            request = request or video.request or (VideoRequest(video.model) if video.model else None)
            contract = contract or video.contract
        else:
            self._video = Path(video).expanduser().resolve()
        self._length = duration_of(self._video)
        self._request, self._contract = request or VideoRequest(), contract
        self.time = ipywidgets.BoundedFloatText(
            round(self._length, 3),
            min=0.0,
            max=round(self._length, 3),
            step=max(round(1 / (frame_rate(self._video) or 10), 3), 0.001),
            description=tr("Time, s"),
            style={"description_width": "initial"},
            layout={"width": "180px"},
        )
        set_tooltip(self.time, tr(_TIME))
        self._clicks = Clicks()
        self._image, self._note = ipywidgets.HTML(), ipywidgets.HTML()
        self.grab_button = self._button(tr("Save frame"), tr(_GRAB), self._grab)
        self.continue_button = self._button(tr("Continue from this frame"), tr(_CONTINUE), self._continue)
        buttons = ipywidgets.HBox([self.grab_button, self.continue_button], layout={"flex_flow": "row wrap"})
        self.follow_up: Any = FollowUp(manager) if follow_up is None else follow_up
        follow_ups = [self.follow_up] if follow_up is None else []
        super().__init__(
            [ipywidgets.HTML(markup.style()), self.time, self._image, buttons, self._note, *follow_ups],
            layout={"overflow": "visible"},
        )
        self.add_class("qingbo")
        self.time.observe(lambda _: self._on_time(), "value")
        self._show_frame()

    @property
    def form(self) -> RequestForm | None:
        """The form of the next video; ``None`` until it is opened."""
        form: RequestForm | None = self.follow_up.form
        return form

    @property
    def generate_button(self) -> ipywidgets.Button:
        """The button that submits the form; the card of its task appears below."""
        return self.follow_up.generate_button

    @property
    def _seconds(self) -> float | None:
        """The chosen time in seconds; ``None`` for the last frame."""
        return None if self.time.value >= self.time.max else self.time.value

    def _show_frame(self) -> None:
        picture = frame_at(self._video, min(self.time.value, self._length))
        picture.thumbnail((720, 720))
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=85)
        alt = tr("The frame at {seconds:.2f} s").format(seconds=self.time.value)
        with update(self._image, self._note):
            # The image widget of ipywidgets has no alternative text.
            self._image.value = jpeg_html(file.getvalue(), alt=alt, style=_STYLE)
            self._note.value = ""

    def _on_time(self) -> None:
        """Show the frame at the chosen time; a change of the time does not count as a click."""
        if message := self._clicks.attempt(self._show_frame):
            self._show_error(message)

    def _grab(self) -> None:
        path = save_frame(self._video, self._seconds)
        self._show_note(markup.note(tr("Saved as {name}, beside the video.").format(name=path.name)))

    def _continue(self) -> None:
        frame = save_frame(self._video, self._seconds)
        self._show_note("")
        request, contract = self._request, self._contract
        if not self.follow_up.offer(lambda manager: continued(request, frame, manager, contract)):
            self._clicks.forget()

    def _button(self, description: str, tooltip: str, act: Callable[[], object]) -> Any:
        return button(description, tooltip, lambda: self._click(act))

    def _click(self, act: Callable[[], object]) -> None:
        self._clicks.run((act, self._seconds), act, self._show_error)

    def _show_error(self, message: str) -> None:
        self._show_note(markup.note(message, "alarm"))

    def _show_note(self, html: str) -> None:
        with update(self._note):
            self._note.value = html
