"""``FramePicker``: grab a frame of a finished video, and continue from it."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

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
from ..base.slow import Slow, start
from ..base.sync import update
from .follow_up import FollowUp, NextForm, continuing

if TYPE_CHECKING:
    from ..form.request_form import RequestForm

__all__ = ["FramePicker", "read_film"]

_STYLE = "display: block; max-width: min(360px, 100%); height: auto; border-radius: 3px; margin: 4px 0"
_TIME = N_("Seconds from the start. The arrow keys step by one frame.")
_GRAB = N_("Saves this frame as a PNG beside the video.")
_CONTINUE = N_("Fills in the form for a video that begins with this frame. Nothing is submitted.")
_SAVING = N_("Saving the frame…")


class FilmRead(NamedTuple):
    """The facts about a video that its picker needs before it opens.

    Attributes:
        length: seconds.
        rate: frames per second; ``None`` if unknown.
        last: the last frame, as a JPEG picture.
    """

    length: float
    rate: float | None
    last: bytes


def read_film(video: Path) -> FilmRead:
    """Read a video for its picker, which takes a while.

    Raises:
        QingboError, ImportError: as ``FramePicker``.
    """
    length = duration_of(video)
    return FilmRead(length, frame_rate(video), _jpeg(video, length))


def _jpeg(video: Path, seconds: float) -> bytes:
    picture = frame_at(video, seconds)
    picture.thumbnail((720, 720))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


class FramePicker(Composite):
    """A picker for the frames of a video: saves a frame, or starts the next video with it. Opens at the last.

    Args:
        video: a task whose video is saved, or an mp4 file.
        request: the request of the file's video, used for the next one.
        contract: the date of the contract that carried it, whose defaults the next one keeps.
        follow_up: the place of the next video's form; by default a new one below, which submits with the
            task's manager.
        film: the result of ``read_film``, if it is known.

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
        film: FilmRead | None = None,
    ) -> None:
        manager = None
        if isinstance(video, Task):
            manager, self._video = video.manager, video_of(video)
            request = request or video.request or (VideoRequest(video.model) if video.model else None)
            contract = contract or video.contract
        else:
            self._video = Path(video).expanduser().resolve()
        film = film or read_film(self._video)
        self._length = film.length
        self._request, self._contract = request or VideoRequest(), contract
        self.time = ipywidgets.BoundedFloatText(
            round(self._length, 3),
            min=0.0,
            max=round(self._length, 3),
            step=max(round(1 / (film.rate or 10), 3), 0.001),
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
        self._show_frame(film.last)

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

    def _show_frame(self, picture: bytes | None = None) -> None:
        picture = picture or _jpeg(self._video, min(self.time.value, self._length))
        alt = tr("The frame at {seconds:.2f} s").format(seconds=self.time.value)
        with update(self._image, self._note):
            # The image widget of ipywidgets has no alternative text.
            self._image.value = jpeg_html(picture, alt=alt, style=_STYLE)
            self._note.value = ""

    def _on_time(self) -> None:
        """Show the frame at the chosen time; a change of the time does not count as a click."""
        if message := self._clicks.attempt(self._show_frame):
            self._on_end(message)

    def _grab(self) -> Slow[Path]:
        return Slow(tr(_SAVING), partial(save_frame, self._video, self._seconds), self._show_saved)

    def _show_saved(self, path: Path) -> None:
        self._show_note(markup.note(tr("Saved as {name}, beside the video.").format(name=path.name)))

    def _continue(self) -> Slow[VideoRequest]:
        self._show_note("")
        return continuing(self.follow_up, self._video, self._seconds, self._request, self._contract)

    def _button(self, description: str, tooltip: str, act: Callable[[], object]) -> Any:
        made = button(description, tooltip, lambda: self._click(made, act))
        return made

    def _click(self, pressed: Any, act: Callable[[], object]) -> None:
        run = partial(start, self._clicks, pressed, act, self._on_end)
        self._clicks.run((act, self._seconds), run, self._on_end)

    def _on_end(self, message: str) -> None:
        if message:
            self._show_note(markup.note(message, "alarm"))

    def _show_note(self, html: str) -> None:
        with update(self._note):
            self._note.value = html
