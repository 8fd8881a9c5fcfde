"""The fields of a request as a person meets them: label, explanation, control. One table, no behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import ipywidgets

from ..service import catalog

__all__ = [
    "FIELDS",
    "HELP",
    "LABELS",
    "LABEL_WIDTH",
    "NARROW",
    "WIDE",
    "Controls",
    "Field",
    "build",
    "duration_options",
    "made",
    "model_options",
    "offer",
    "set_tooltip",
    "tooltip",
]

#: What each field of ``VideoRequest`` means. The form's traits and tooltips say the same.
HELP: dict[str, str] = {
    "model": "The model that makes the video. The form shows what it takes.",
    "prompt": "What the video shows, in any language: at most 2500 characters.",
    "action": "The kind of operation; the service documents 'generate'.",
    "aspect_ratio": "The shape of the picture. With an input image, the image decides.",
    "duration": "The length of the video in seconds.",
    "negative_prompt": "What the video should not show: at most 2500 characters.",
    "image_urls": "A public http(s) URL of a JPEG, PNG or WebP image up to 10 MB: the first frame. "
    "The service takes no file of this machine; in the sandbox the path of one will do.",
    "last_frame": "A public http(s) URL of an image: the last frame. It needs an image URL too.",
    "callback_url": "A public http(s) URL that the service calls when the task ends.",
    "mode": "std renders 720p, pro renders 1080p and costs more.",
    "cfg_scale": "0 to 1; higher follows the prompt more closely. The service's default is 0.5.",
    "enable_audio": "Whether the model makes sound with the picture. It does unless told otherwise.",
    "camera_control": "How the camera moves: a preset's name, or CameraControl('simple', {'zoom': 5}).",
    "static_mask": "A public URL of a PNG: the area of the input image that stays still.",
    "dynamic_masks": "Areas of the input image that move, and their paths: DynamicMask(mask_url, points).",
    "shots": "Two to six shots instead of one prompt: Shot(prompt, duration).",
}

LABEL_WIDTH = "130px"
WIDE = {"width": "auto", "max_width": "740px", "margin": "2px 0"}
NARROW = {"width": "auto", "max_width": "480px", "margin": "2px 0"}

_SHAPES = [("16:9, landscape", "16:9"), ("9:16, portrait", "9:16"), ("1:1, square", "1:1")]
_MODES = [("std, 720p", "std"), ("pro, 1080p", "pro")]


def _same(value: Any) -> Any:
    return value


def _stripped(text: str) -> str | None:
    return text.strip() or None


def _urls(text: str) -> tuple[str, ...]:
    # A URL has no blanks: two of them are shown, and told of, as two.
    return tuple(text.split())


def _text(value: str | None) -> str:
    return value or ""


@dataclass(frozen=True)
class Field:
    """How one field is edited.

    Attributes:
        label: beside the control.
        kind: the control's class.
        given: what it is built with, beside what every control has.
        layout: its size.
        read: the field's value from the control's.
        write: the control's value from the field's.
    """

    label: str
    kind: type[ipywidgets.DOMWidget]
    given: Mapping[str, Any]
    layout: Mapping[str, str] = field(default_factory=lambda: NARROW)
    read: Callable[[Any], Any] = _same
    write: Callable[[Any], Any] = _same


def duration_options(model: str) -> list[tuple[str, int]]:
    """The lengths that a model renders; for an unknown one, those of any."""
    spec = catalog.spec_of(model)
    lengths = (
        spec.durations if spec else sorted({s for spec in catalog.MODELS.values() for s in spec.durations})
    )
    return [(f"{seconds} s", seconds) for seconds in lengths]


def model_options() -> list[tuple[str, str]]:
    """The models, each with a few words."""
    return [(f"{spec.name}: {spec.description}", spec.name) for spec in catalog.MODELS.values()]


def offer(
    choice: ipywidgets.Dropdown, options: Iterable[tuple[str, Any]], value: Any, unit: str = ""
) -> None:
    """Offer these options with ``value`` chosen; a value that is not among them is shown all the same."""
    offered = list(options)
    if value not in [known for _, known in offered]:
        offered.append((f"{value}{unit}", value))
    if list(choice.options) != offered:
        choice.options = offered
    choice.value = value


def made(kind: type[Any], explained: str = "", *classes: str, **given: Any) -> Any:
    """A widget with its tooltip and its CSS classes, all in the one message that makes it on the page."""
    if classes:
        given["_dom_classes"] = classes
    return kind(**given, **(tooltip(kind, explained) if explained else {}))


def tooltip(kind: type[Any], text: str) -> dict[str, str]:
    """The explanation under the pointer as an argument; its name depends on ipywidgets' version."""
    # In ipywidgets 8 reading or setting the older name warns.
    return {"tooltip" if "tooltip" in kind.class_trait_names() else "description_tooltip": text}


def set_tooltip(widget: ipywidgets.Widget, text: str) -> None:
    """The explanation that appears under the pointer; its trait's name depends on ipywidgets' version."""
    for name, value in tooltip(type(widget), text).items():
        setattr(widget, name, value)


#: In the order in which one fills them in, which is the order of the Tab key too.
FIELDS: dict[str, Field] = {
    "model": Field("Model", ipywidgets.Dropdown, {"options": model_options()}),
    "prompt": Field(
        "Prompt",
        ipywidgets.Textarea,
        {"rows": 4, "placeholder": "What the video shows, in any language"},
        WIDE,
        write=_text,
    ),
    "image_urls": Field(
        "Image URL",
        ipywidgets.Text,
        {"placeholder": "https://…  the first frame (optional)"},
        WIDE,
        _urls,
        " ".join,
    ),
    "aspect_ratio": Field("Aspect ratio", ipywidgets.Dropdown, {"options": _SHAPES}),
    "duration": Field("Duration", ipywidgets.Dropdown, {"options": duration_options("kling-v3"), "value": 5}),
    "mode": Field("Mode", ipywidgets.Dropdown, {"options": _MODES}),
    # None is the service's default, and the control shows what that is.
    "enable_audio": Field(
        "Make sound too",
        ipywidgets.Checkbox,
        {"value": True},
        write=lambda value: True if value is None else value,
    ),
    "cfg_scale": Field(
        "CFG scale",
        ipywidgets.FloatText,
        {"value": 0.5, "step": 0.05},
        NARROW | {"max_width": "220px"},
        write=lambda value: 0.5 if value is None else value,
    ),
    "last_frame": Field(
        "Last frame URL",
        ipywidgets.Text,
        {"placeholder": "https://…  needs an image URL too"},
        WIDE,
        _stripped,
        _text,
    ),
    "callback_url": Field(
        "Callback URL",
        ipywidgets.Text,
        {"placeholder": "https://…  called when the task ends"},
        WIDE,
        _stripped,
        _text,
    ),
    "negative_prompt": Field(
        "Negative prompt",
        ipywidgets.Textarea,
        {"rows": 2, "placeholder": "What it should not show"},
        WIDE,
        lambda text: text or None,
        _text,
    ),
}

#: What a person calls each field.
LABELS: dict[str, str] = {name: edited.label for name, edited in FIELDS.items()} | {
    "action": "Action",
    "shots": "Shots",
    "camera_control": "Camera",
    "static_mask": "Static mask",
    "dynamic_masks": "Moving areas",
}

_ALWAYS_SHOWN = catalog.COMMON_FIELDS - {"prompt"}


class Controls(Mapping[str, Any]):
    """The controls of a form by their field, each made when it is first asked for.

    Args:
        adopt: called with the name and the control when one was made.
        names: the fields.
    """

    def __init__(self, adopt: Callable[[str, Any], None], names: Iterable[str]) -> None:
        self._adopt, self._names = adopt, tuple(names)
        self._kin: dict[Any, Any] = {}
        #: Those that there are already.
        self.made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.made:
            if name not in self._names:
                raise KeyError(name)
            control = build(name, self._kin)
            self._adopt(name, control)
            self.made[name] = control
        return self.made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def build(name: str, kin: dict[Any, Any] | None = None) -> ipywidgets.DOMWidget:
    """The control of a field, with its label and its explanation.

    Args:
        name: the field.
        kin: the styles and layouts that the controls of one form share: each is a widget too.
    """
    edited, kin = FIELDS[name], {} if kin is None else kin
    size = tuple(edited.layout.items())
    control = made(
        edited.kind,
        HELP[name],
        description=edited.label,
        style=kin.get(edited.kind, {"description_width": LABEL_WIDTH}),
        # A control that is hidden by itself has a layout by itself.
        layout=kin.get(size, dict(edited.layout)) if name in _ALWAYS_SHOWN else dict(edited.layout),
        **edited.given,
    )
    kin.setdefault(edited.kind, control.style)
    if name in _ALWAYS_SHOWN:
        kin.setdefault(size, control.layout)
    return control
