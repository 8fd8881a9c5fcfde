"""The camera editor: presets, six axes, and an animated preview."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.labels import choice_label
from ...service.contract.schema import Parameter
from ...service.contract.text import shorten
from ...service.contract.values import CameraControl
from ..base import html as markup
from ..base.build import button, set_class, set_tooltip
from ..base.sync import Echo, update
from . import camera_preview as camera_view
from .panels import Editor, hidden_style
from .state import FormState, Problems
from .wording import problems_html

__all__ = ["CameraEditor", "summary"]

#: A description of the movement of each choice; translate it with ``tr``, like the texts of the axes below.
_CHOICES: dict[str | None, str] = {
    None: N_("No camera preset: the model follows the prompt."),
    "down_back": N_("The camera moves down and back, and more comes into view."),
    "forward_up": N_("The camera moves forward and up."),
    "right_turn_forward": N_("The camera turns right and moves forward."),
    "left_turn_forward": N_("The camera turns left and moves forward."),
    "simple": N_("Set one axis from −10 to 10."),
}
_NOT_SET = N_("Not set")


class _Axis(NamedTuple):
    """The texts of one axis.

    Attributes:
        less: the direction of values below zero.
        more: the direction of values above zero.
        help: the tooltip.
    """

    less: str
    more: str
    help: str


_AXES: dict[str, _Axis] = {
    "horizontal": _Axis(
        N_("Slide left"),
        N_("Slide right"),
        N_("Moves the camera sideways: negative values to the left, positive ones to the right."),
    ),
    "vertical": _Axis(
        N_("Sink"),
        N_("Rise"),
        N_("Moves the camera down (negative) or up (positive)."),
    ),
    "pan": _Axis(
        N_("Look down"),
        N_("Look up"),
        N_("Turns the camera down (negative) or up (positive) without moving it. In film, this is a tilt."),
    ),
    "tilt": _Axis(
        N_("Look left"),
        N_("Look right"),
        N_("Turns the camera left (negative) or right (positive) without moving it. In film, this is a pan."),
    ),
    "roll": _Axis(
        N_("Roll left"),
        N_("Roll right"),
        N_("Rolls the camera counter-clockwise (negative) or clockwise (positive)."),
    ),
    "zoom": _Axis(
        N_("Zoom in"),
        N_("Zoom out"),
        N_("Zooms in (negative) or out (positive)."),
    ),
}
_PAUSE, _PLAY = N_("Pause"), N_("Play")
_PAUSE_HELP = N_("Pauses or plays the preview.")
_AMOUNT = N_("{direction}: {amount:g}")
_ONE_STEP = N_("{direction} by 1.")
_AXIS_WIDTH = "130px"


class CameraEditor(Editor):
    """Presets, six axes, and a small landscape animated as the chosen camera would show it.

    Args:
        form: the form whose ``camera_control`` is edited.
    """

    def __init__(self, form: FormState) -> None:
        super().__init__(form)
        self._echo = Echo()
        self._last_axes: Mapping[str, float] = {"zoom": 0}
        self.choices = {kind: self._choice(kind) for kind in _CHOICES}
        self._preview = ipywidgets.HTML(layout={"margin": "4px 0", "width": "auto"})
        self._description_html = ipywidgets.HTML(layout={"margin": "0"})
        self.pause_button = ipywidgets.ToggleButton(
            description=tr(_PAUSE), icon="pause", layout={"width": "auto", "align_self": "flex-start"}
        )
        self.pause_button.add_class("qingbo-small")
        set_tooltip(self.pause_button, tr(_PAUSE_HELP))
        self.pause_button.observe(lambda _: self._pause(), "value")
        self.numbers: dict[str, Any] = {}
        self._axes = ipywidgets.VBox(layout={"overflow": "visible", "display": "none", "margin": "0 8px 0 0"})
        tiles = ipywidgets.HBox(
            [self._tile(kind) for kind in _CHOICES],
            layout={"flex_flow": "row wrap", "overflow": "visible", "max_width": "740px"},
        )
        self._stage = ipywidgets.VBox(
            [self._preview, self.pause_button],
            layout={"display": "none", "width": "324px", "max_width": "100%"},
        )
        self.children = (
            hidden_style(camera_view.CSS),
            tiles,
            self._description_html,
            ipywidgets.HBox(
                [self._axes, self._stage], layout={"flex_flow": "row wrap", "overflow": "visible"}
            ),
        )

    def refresh(self, problems: Problems, warnings: Problems) -> None:
        """Show the current camera setting."""
        control = self.form.camera_control
        kind = control.type if isinstance(control, CameraControl) else control
        config = _config(control)
        if kind == "simple":
            self._last_axes = config or self._last_axes
            self._make_axes()
        fixed = "camera_control" in self.form.fixed
        moves = camera_view.PRESETS.get(kind, config) if isinstance(kind, str) else {}
        parts = (*self.choices.values(), *self.numbers.values(), self._description_html, self._preview)
        with update(*parts, self._axes.layout, self._stage.layout):
            with self._echo:
                for name, choice in self.choices.items():
                    choice.value, choice.disabled = kind == name, fixed
                for axis, number in self.numbers.items():
                    number.value, number.disabled = config.get(axis, 0.0), fixed
            sentence = tr(_CHOICES[kind]) if _is_known(kind) else ""
            self._description_html.value = markup.note(sentence) + problems_html(
                self.form, "camera_control", problems, warnings
            )
            self._axes.layout.display = None if kind == "simple" else "none"
            self._stage.layout.display = None if moves else "none"
            # The trait sends nothing for an equal value; a new value would restart the animation.
            self._preview.value = camera_view.landscape(moves, _alt_text(kind, config, sentence))

    def _choose(self, kind: str | None) -> None:
        """Handle a click on a choice; clicking the current choice changes nothing."""
        if self._echo:
            return
        if kind == "simple":
            self.form.camera_control = CameraControl("simple", self._last_axes)
        else:
            self.form.camera_control = kind
        self.form.refresh()

    def _set_axis(self, axis: str, value: float) -> None:
        if self._echo:
            return
        config = {**_config(self.form.camera_control), axis: value}
        # Zero values are omitted, except the last: the service refuses "simple" without a config.
        moving = {name: amount for name, amount in config.items() if amount}
        self.form.camera_control = CameraControl("simple", moving or {axis: 0})

    def _step(self, axis: str, by: int) -> None:
        number = self.numbers[axis]
        number.value = min(max(round(number.value) + by, -10), 10)

    def _pause(self) -> None:
        paused = self.pause_button.value
        with update(self.pause_button):
            self.pause_button.description = tr(_PLAY) if paused else tr(_PAUSE)
            self.pause_button.icon = "play" if paused else "pause"
        set_class(self._preview, "qingbo-paused", paused)

    # ------------------------------------------------------------------ building

    @property
    def _parameter(self) -> Parameter:
        return self.form.parameter("camera_control")

    def _choice(self, kind: str | None) -> Any:
        name = tr(_NOT_SET) if kind is None else choice_label(self._parameter, kind)
        choice = ipywidgets.ToggleButton(description=name, layout={"width": "auto", "margin": "0"})
        choice.add_class("qingbo-small")
        set_tooltip(choice, tr(_CHOICES[kind]))
        choice.observe(lambda _: self._choose(kind), "value")
        return choice

    def _tile(self, kind: str | None) -> Any:
        picture = ipywidgets.HTML(camera_view.icon(kind), layout={"margin": "0 0 2px"})
        return ipywidgets.VBox(
            [picture, self.choices[kind]], layout={"width": "108px", "margin": "2px 6px 6px 0"}
        )

    def _make_axes(self) -> None:
        if self.numbers:
            return
        self._axes.add_class("qingbo-axes")
        rows = []
        for axis, shown in _AXES.items():
            number = ipywidgets.FloatText(
                description=choice_label(self._parameter, axis),
                step=1,
                layout={"width": "220px", "margin": "2px 8px 2px 0"},
            )
            number.style.description_width = _AXIS_WIDTH
            number.add_class("qingbo-number")
            set_tooltip(number, tr(shown.help))
            number.observe(lambda change, axis=axis: self._set_axis(axis, change["new"]), "value")
            self.numbers[axis] = number
            steps = [self._stepper(axis, tr(shown.less), -1), self._stepper(axis, tr(shown.more), 1)]
            rows.append(
                ipywidgets.HBox([number, *steps], layout={"flex_flow": "row wrap", "overflow": "visible"})
            )
        with update(self._axes):
            self._axes.children = rows

    def _stepper(self, axis: str, direction: str, by: int) -> Any:
        return button(
            direction,
            tr(_ONE_STEP).format(direction=direction),
            lambda: self._step(axis, by),
            "qingbo-small",
            disabled="camera_control" in self.form.fixed,
            layout={"width": "92px"},
        )


def summary(form: FormState) -> str:
    """Return the name of the choice; empty if the camera is not set."""
    kind: Any = getattr(form.camera_control, "type", form.camera_control)
    return "" if kind is None else shorten(choice_label(form.parameter("camera_control"), kind), 24)


def _is_known(kind: object) -> bool:
    return (kind is None or isinstance(kind, str)) and kind in _CHOICES


def _config(control: object) -> dict[str, float]:
    """Return the valid axis values as numbers; all other values are reported as problems."""
    config = control.config if isinstance(control, CameraControl) else None
    if not isinstance(config, Mapping):
        return {}
    return {
        axis: float(value)
        for axis, value in config.items()
        if axis in _AXES and isinstance(value, (int, float)) and math.isfinite(value)
    }


def _alt_text(kind: str | None, config: Mapping[str, float], sentence: str) -> str:
    """Return the text alternative of the preview, for screen readers."""
    if kind != "simple":
        return sentence
    template = tr(_AMOUNT)
    moves = [
        template.format(
            direction=tr(_AXES[axis].less if amount < 0 else _AXES[axis].more), amount=abs(amount)
        )
        for axis, amount in config.items()
        if amount
    ]
    return ", ".join(moves)
