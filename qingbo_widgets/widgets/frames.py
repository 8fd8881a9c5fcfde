"""``FramePicker``: grab a frame of a finished video, and go on from it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ..tasks.frames import continuation, frame_at, keep_frame, length_of, video_of
from . import markup
from .binding import close_parts, update
from .card import TaskCard
from .fields import set_tooltip
from .form import RequestForm

if TYPE_CHECKING:
    from ..tasks.task import Task

__all__ = ["FramePicker"]

_GRAB = "Saves this frame as a PNG beside the video."
_CONTINUE = "Opens the form with this frame as the first one. Nothing is submitted before Generate."
_GENERATE = "Submits the task."


class FramePicker(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A slider through a video, from its last frame; what it shows can be saved, or be where a video begins.

    Args:
        task: a task whose video is saved.

    Attributes:
        task: as given.
        slider: the time in seconds.
        grab_button: saves the frame beside the video.
        continue_button: opens the form with the frame as the first one.
        form: that form, once it is open.
        generate_button: submits the form's request; the card of its task stands below.

    Raises:
        QingboError: the video is not saved.
        ImportError: the extra ``[frames]`` is not installed.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.form: RequestForm | None = None
        self._length = length_of(video_of(task))
        self.slider = ipywidgets.FloatSlider(
            self._length, min=0.0, max=self._length, step=0.01, description="Time, s", continuous_update=False
        )
        self._image = ipywidgets.Image(format="jpeg", layout={"max_width": "360px"})
        self._told = ipywidgets.HTML()
        self.grab_button = self._button("Grab frame", _GRAB, self._grab)
        self.continue_button = self._button("Continue from here", _CONTINUE, self._continue)
        self.generate_button = self._button("Generate", _GENERATE, self._generate)
        buttons = ipywidgets.HBox([self.grab_button, self.continue_button], layout={"flex_flow": "row wrap"})
        self._rows: list[Any] = [self.slider, self._image, buttons, self._told]
        super().__init__(self._rows, layout={"overflow": "visible"})
        self.add_class("qingbo")
        self.slider.observe(lambda _: self._safely(self._look), "value")
        self._look()

    def close(self) -> None:
        """Close the picker with all its parts. Its tasks go on."""
        close_parts(self.generate_button)
        self.generate_button.close()
        close_parts(self)
        super().close()

    @property
    def _seconds(self) -> float | None:
        """The time that is chosen; ``None`` stands for the last frame."""
        return None if self.slider.value >= self._length else self.slider.value

    def _look(self) -> None:
        picture = frame_at(video_of(self.task), min(self.slider.value, self._length))
        picture.thumbnail((720, 720))
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=85)
        with update(self._image, self._told):
            self._image.value, self._told.value = file.getvalue(), ""

    def _grab(self) -> None:
        path = keep_frame(self.task, self._seconds)
        self._tell(markup.note(f"Saved as {path.name}, beside the video."))

    def _continue(self) -> None:
        request = continuation(self.task, "", seconds=self._seconds)
        if self.form is None:
            self.form = RequestForm(self.task.manager)
            self._add(self.form, self.generate_button)
        self.form.load(request)

    def _generate(self) -> None:
        if self.form is not None:
            self._add(TaskCard(self.form.submit()))

    def _add(self, *parts: Any) -> None:
        self._rows += parts
        with update(self):
            self.children = tuple(self._rows)

    def _button(self, description: str, explained: str, act: Callable[[], object]) -> Any:
        button = ipywidgets.Button(description=description, layout={"width": "auto"})
        set_tooltip(button, explained)
        button.on_click(lambda _: self._safely(act))
        return button

    def _safely(self, act: Callable[[], object]) -> None:
        """A click: what goes wrong is told here, for a print would be lost."""
        try:
            act()
        except Exception as error:
            self._tell(markup.note(error, "alarm"))

    def _tell(self, told: str) -> None:
        with update(self._told):
            self._told.value = told
