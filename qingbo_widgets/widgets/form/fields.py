"""The fields of a request as a person meets them: label, explanation, control. One table, no behaviour.

The tables hold English, to be shown through ``tr``: the language is chosen after they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract import catalog
from ..base.build import made, set_tooltip, tooltip
from ..base.text_fields import Text, Textarea

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
    "in_seconds",
    "made",
    "model_options",
    "offer",
    "set_tooltip",
    "tooltip",
]

#: What each field of ``VideoRequest`` means. The form's traits and tooltips say the same.
HELP: dict[str, str] = {
    "model": N_("The model that makes the video. The form shows what it takes."),
    "prompt": N_("What the video shows, in any language: at most 2500 characters."),
    "action": N_("The kind of operation; the service documents 'generate'."),
    "aspect_ratio": N_("The shape of the picture. With an input image, the image decides."),
    "duration": N_("The length of the video in seconds."),
    "negative_prompt": N_("What the video should not show: at most 2500 characters."),
    "image_urls": N_(
        "A public http(s) URL of a JPEG, PNG or WebP image up to 10 MB: the first frame. "
        "The service takes no file of this machine; in the sandbox the path of one will do."
    ),
    "last_frame": N_("A public http(s) URL of an image: the last frame. It needs an image URL too."),
    "callback_url": N_("A public http(s) URL that the service calls when the task ends."),
    "mode": N_("std renders 720p, pro renders 1080p and costs more."),
    "cfg_scale": N_("0 to 1; higher follows the prompt more closely. The service's default is 0.5."),
    "enable_audio": N_("Whether the model makes sound with the picture. It does unless told otherwise."),
    "camera_control": N_("How the camera moves: a preset's name, or CameraControl('simple', {'zoom': 5})."),
    "static_mask": N_("A public URL of a PNG: the area of the input image that stays still."),
    "dynamic_masks": N_(
        "Areas of the input image that move, and their paths: DynamicMask(mask_url, points)."
    ),
    "shots": N_("Two to six shots instead of one prompt: Shot(prompt, duration)."),
}

LABEL_WIDTH = "130px"
WIDE = {"width": "auto", "max_width": "740px", "margin": "2px 0"}
NARROW = {"width": "auto", "max_width": "480px", "margin": "2px 0"}

_SHAPES = {"16:9": N_("16:9, landscape"), "9:16": N_("9:16, portrait"), "1:1": N_("1:1, square")}
_MODES = {"std": N_("std, 720p"), "pro": N_("pro, 1080p")}


def _same(value: Any) -> Any:
    return value


def _stripped(text: str) -> str | None:
    return text.strip() or None


def _urls(text: str) -> tuple[str, ...]:
    # A URL has no blanks: two of them are shown, and told of, as two.
    return tuple(text.split())


def _in_a_line(value: Any) -> str:
    """Return image URLs side by side; a preset may hold something else."""
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else _text(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _options(labels: Mapping[str, str]) -> dict[str, Any]:
    return {"options": [(tr(label), value) for value, label in labels.items()]}


@dataclass(frozen=True)
class Field:
    """How one field is edited.

    Attributes:
        label: beside the control.
        kind: the control's class.
        given: what it is built with, beside what every control has; asked when it is built.
        layout: its size.
        read: the field's value from the control's.
        write: the control's value from the field's.
    """

    label: str
    kind: type[ipywidgets.DOMWidget]
    given: Callable[[], Mapping[str, Any]]
    layout: Mapping[str, str] = field(default_factory=lambda: NARROW)
    read: Callable[[Any], Any] = _same
    write: Callable[[Any], Any] = _same


def duration_options(model: str) -> list[tuple[str, int]]:
    """The lengths that a model renders; for an unknown one, those of any."""
    spec = catalog.spec_of(model)
    described = catalog.MODELS.values() if spec is None else (spec,)
    lengths = sorted({s for one in described for s in one.parameters["duration"].choices})
    return [(in_seconds(seconds), seconds) for seconds in lengths]


def in_seconds(seconds: int) -> str:
    """A length as it is offered."""
    return tr("{seconds} s").format(seconds=seconds)


def model_options() -> list[tuple[str, str]]:
    """The models, each with a few words."""
    described = tr("{name}: {description}")
    return [
        (described.format(name=spec.name, description=tr(spec.description)), spec.name)
        for spec in catalog.MODELS.values()
    ]


def offer(
    choice: ipywidgets.Dropdown,
    options: Iterable[tuple[str, Any]],
    value: Any,
    shown: Callable[[Any], str] = str,
) -> None:
    """Offer these options with ``value`` chosen; a value that is not among them is ``shown`` all the same."""
    offered = list(options)
    if value not in [known for _, known in offered]:
        offered.append((shown(value), value))
    if list(choice.options) != offered:
        choice.options = offered
    choice.value = value


#: In the order in which one fills them in, which is the order of the Tab key too.
FIELDS: dict[str, Field] = {
    "model": Field(N_("Model"), ipywidgets.Dropdown, lambda: {"options": model_options()}),
    "prompt": Field(
        N_("Prompt"),
        Textarea,
        lambda: {"rows": 4, "placeholder": tr("What the video shows, in any language")},
        WIDE,
        write=_text,
    ),
    "image_urls": Field(
        N_("Image URL"),
        Text,
        lambda: {"placeholder": tr("https://…  the first frame (optional)")},
        WIDE,
        _urls,
        _in_a_line,
    ),
    "aspect_ratio": Field(N_("Aspect ratio"), ipywidgets.Dropdown, lambda: _options(_SHAPES)),
    "duration": Field(
        N_("Duration"),
        ipywidgets.Dropdown,
        lambda: {"options": duration_options("kling-v3"), "value": 5},
    ),
    "mode": Field(N_("Mode"), ipywidgets.Dropdown, lambda: _options(_MODES)),
    # None is the service's default, and the control shows what that is.
    "enable_audio": Field(
        N_("Make sound too"),
        ipywidgets.Checkbox,
        lambda: {"value": True},
        write=lambda value: True if value is None else value,
    ),
    "cfg_scale": Field(
        N_("CFG scale"),
        ipywidgets.FloatText,
        lambda: {"value": 0.5, "step": 0.05},
        NARROW | {"max_width": "220px"},
        write=lambda value: 0.5 if value is None else value,
    ),
    "last_frame": Field(
        N_("Last frame URL"),
        Text,
        lambda: {"placeholder": tr("https://…  needs an image URL too")},
        WIDE,
        _stripped,
        _text,
    ),
    "callback_url": Field(
        N_("Callback URL"),
        Text,
        lambda: {"placeholder": tr("https://…  called when the task ends")},
        WIDE,
        _stripped,
        _text,
    ),
    "negative_prompt": Field(
        N_("Negative prompt"),
        Textarea,
        lambda: {"rows": 2, "placeholder": tr("What it should not show")},
        WIDE,
        lambda text: text or None,
        _text,
    ),
}

#: What a person calls each field.
LABELS: dict[str, str] = {name: edited.label for name, edited in FIELDS.items()} | {
    "action": N_("Action"),
    "shots": N_("Shots"),
    "camera_control": N_("Camera"),
    "static_mask": N_("Static mask"),
    "dynamic_masks": N_("Moving areas"),
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
        tr(HELP[name]),
        description=tr(edited.label),
        style=kin.get(edited.kind, {"description_width": LABEL_WIDTH}),
        # A control that is hidden by itself has a layout by itself.
        layout=kin.get(size, dict(edited.layout)) if name in _ALWAYS_SHOWN else dict(edited.layout),
        **edited.given(),
    )
    kin.setdefault(edited.kind, control.style)
    if name in _ALWAYS_SHOWN:
        kin.setdefault(size, control.layout)
    return control
