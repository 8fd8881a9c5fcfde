"""The controls of the fields of a request, each made by the type of its parameter in the description."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import ipywidgets

from ...i18n import tr
from ...service.contract.models import declared, models_of
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Models, Parameter
from ..base.build import made
from ..base.text_fields import Text, Textarea

__all__ = [
    "LABEL_WIDTH",
    "NARROW",
    "WIDE",
    "Controls",
    "Field",
    "build",
    "choice_options",
    "duration_options",
    "fields",
    "help_of",
    "in_seconds",
    "is_common",
    "label",
    "model_options",
    "offer",
]

LABEL_WIDTH = "130px"
WIDE = {"width": "auto", "max_width": "740px", "margin": "2px 0"}
NARROW = {"width": "auto", "max_width": "480px", "margin": "2px 0"}


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


@dataclass(frozen=True)
class Field:
    """How one field is edited.

    Attributes:
        kind: the control's class.
        given: what it is built with, beside what every control has; asked when it is built.
        layout: its size.
        read: the field's value from the control's.
        write: the control's value from the field's.
    """

    kind: type[ipywidgets.DOMWidget]
    given: Callable[[], Mapping[str, Any]]
    layout: Mapping[str, str] = field(default_factory=lambda: NARROW)
    read: Callable[[Any], Any] = _same
    write: Callable[[Any], Any] = _same


def duration_options(model: str, models: Models | None = None) -> list[tuple[str, int]]:
    """Return the lengths that a model renders; for one that is not listed, those of any."""
    models = models or models_of()
    described = models.values() if model not in models else (models[model],)
    lengths = sorted({seconds for one in described for seconds in one.parameters["duration"].choices})
    return [(in_seconds(seconds), seconds) for seconds in lengths]


def in_seconds(seconds: int) -> str:
    """A length as it is offered."""
    return tr("{seconds} s").format(seconds=seconds)


def model_options(models: Models | None = None) -> list[tuple[str, str]]:
    """Return the models, each with a few words."""
    text = tr("{name}: {description}")
    models = models or models_of()
    return [
        (text.format(name=model.name, description=tr(model.description)), model.name)
        for model in models.values()
    ]


def choice_options(parameter: Parameter) -> list[tuple[str, Any]]:
    """Return the values of a choice, each with its label."""
    labels = parameter.labels
    return [(tr(labels[one]) if one in labels else str(one), one) for one in parameter.choices]


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


def _model(parameter: Parameter) -> Field:
    del parameter
    return Field(ipywidgets.Dropdown, lambda: {"options": model_options()})


def _prose(parameter: Parameter) -> Field:
    given = {"rows": 4 if parameter.required else 2}
    read = _same if parameter.default == "" else lambda text: text or None
    return Field(Textarea, lambda: given | _placeholder(parameter), WIDE, read, _text)


def _choice(parameter: Parameter) -> Field:
    return Field(ipywidgets.Dropdown, lambda: {"options": choice_options(parameter)})


def _seconds(parameter: Parameter) -> Field:
    def given() -> Mapping[str, Any]:
        return {"options": duration_options(VideoRequest().model), "value": parameter.default}

    return Field(ipywidgets.Dropdown, given)


def _integer(parameter: Parameter) -> Field:
    def read(text: str) -> Any:
        with suppress(ValueError):
            return int(text)
        return text.strip() or None  # shown as a problem

    return Field(Text, lambda: _placeholder(parameter), NARROW, read, _text)


def _number(parameter: Parameter) -> Field:
    likely = parameter.example
    return Field(
        ipywidgets.FloatText,
        lambda: {"value": likely, "step": 0.05},
        NARROW | {"max_width": "220px"},
        write=lambda value: likely if value is None else value,
    )


def _boolean(parameter: Parameter) -> Field:
    # None is the service's default, and the control shows what that is.
    likely = bool(parameter.example)
    return Field(
        ipywidgets.Checkbox,
        lambda: {"value": likely},
        write=lambda value: likely if value is None else value,
    )


def _url(parameter: Parameter) -> Field:
    return Field(Text, lambda: _placeholder(parameter), WIDE, _stripped, _text)


def _url_list(parameter: Parameter) -> Field:
    return Field(Text, lambda: _placeholder(parameter), WIDE, _urls, _in_a_line)


def _placeholder(parameter: Parameter) -> dict[str, str]:
    return {"placeholder": tr(parameter.placeholder)} if parameter.placeholder else {}


_BY_TYPE: Mapping[str, Callable[[Parameter], Field]] = {
    "name": _model,
    "text": _prose,
    "choice": _choice,
    "seconds": _seconds,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "url": _url,
    "urls": _url_list,
}


@cache
def fields() -> Mapping[str, Field]:
    """Return the fields that have a control of their own; any other is edited in a panel, or set in code."""
    own = {name: parameter for name, parameter in declared().items() if not parameter.editor}
    return {name: _BY_TYPE[parameter.type](parameter) for name, parameter in own.items()}


def label(name: str) -> str:
    """Return the text beside the control of a field, in the language of the moment; else its name."""
    parameter = declared().get(name)
    return tr(parameter.label) if parameter is not None and parameter.label else name


def help_of(name: str) -> str:
    """Return the meaning of a field, in the language of the moment."""
    parameter = declared()[name]
    return tr(parameter.help)


def is_common(name: str) -> bool:
    """Return whether every model takes a field."""
    return all(name in model.parameters for model in models_of().values())


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
    edited, kin = fields()[name], {} if kin is None else kin
    is_shared = is_common(name) and name != "prompt"
    size = tuple(edited.layout.items())
    control = made(
        edited.kind,
        help_of(name),
        description=label(name),
        style=kin.get(edited.kind, {"description_width": LABEL_WIDTH}),
        # A control that is hidden by itself has a layout by itself.
        layout=kin.get(size, dict(edited.layout)) if is_shared else dict(edited.layout),
        **edited.given(),
    )
    kin.setdefault(edited.kind, control.style)
    if is_shared:
        kin.setdefault(size, control.layout)
    return control
