"""The controls for the fields of a request, chosen by the type of the parameter in its description."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.kinds import KINDS
from ...service.contract.lengths import length_text, seconds_text
from ...service.contract.models import DEFAULT_CONTRACT, models_of
from ...service.contract.schema import Models, Parameter
from ...service.contract.text import in_lines, urls_in
from ...service.contract.values import is_set
from ..base.dropdown import Dropdown
from ..base.text_fields import Text, Textarea
from .labels import choice_options
from .url_list import UrlList

__all__ = [
    "LABEL_WIDTH",
    "NARROW",
    "WIDE",
    "Field",
    "fields",
    "is_settled",
    "model_label",
    "model_options",
    "priced_options",
    "seconds_options",
]

LABEL_WIDTH = "130px"
WIDE = {"width": "auto", "max_width": "740px", "margin": "2px 0"}
NARROW = {"width": "auto", "max_width": "480px", "margin": "2px 0"}

_OPTIONAL = N_("{text} (optional)")
_PRICED = N_("{name} · {price}")

Options = list[tuple[str, Any]]
"""The options of a dropdown: labels and values."""


@dataclass(frozen=True)
class Field:
    """The editing of one field. The functions receive the parameter of the chosen model.

    Attributes:
        kind: the class of the control.
        extra_traits: returns further traits of the control when it is built.
        layout: the layout of the control.
        read: converts the control's value to the field's value.
        write: converts the field's value to the control's value.
        options: returns the options of a dropdown; ``None`` for other controls.
        shown: returns the label of a value that is not among the options.
        is_common: True if every model takes the field, and offers a choice for it.
        classes: the CSS classes of the control.
    """

    kind: type[ipywidgets.DOMWidget]
    extra_traits: Callable[[Parameter], Mapping[str, Any]] = lambda _: {}
    layout: Mapping[str, str] = field(default_factory=lambda: NARROW)
    read: Callable[[Any, Parameter], Any] = lambda value, _: value
    write: Callable[[Any, Parameter], Any] = lambda value, _: value
    options: Callable[[Parameter, Models], Options] | None = None
    shown: Callable[[Any], str] = str
    is_common: bool = False
    classes: tuple[str, ...] = ()


# ---------------------------------------------------------------------- options of dropdowns


def seconds_options(parameter: Parameter, models: Models) -> Options:
    """Return the durations that a model renders; if it renders any, the durations that some model lists."""
    lengths = [(length_text(seconds), seconds) for seconds in _lengths(parameter, models)]
    return [*_unset(parameter), *lengths]


def _lengths(parameter: Parameter, models: Models) -> Iterable[int]:
    described = (model.parameters.get(parameter.name, parameter) for model in models.values())
    return parameter.choices or sorted({seconds for item in described for seconds in item.choices})


def model_options(parameter: Parameter, models: Models) -> Options:
    """Return the models, each with a short description."""
    del parameter
    return priced_options(models, {})


def priced_options(models: Models, prices: Mapping[str, str]) -> Options:
    """Return the models, each with its price and a short description.

    Args:
        models: the models.
        prices: the prices as texts, by the names of the models; without one, an option has the description
            only.
    """
    return [(model_label(model.name, model.description, prices), model.name) for model in models.values()]


def model_label(name: str, description: str, prices: Mapping[str, str]) -> str:
    """Return a model with its price and description. The page finds options by how they begin: by the name.

    Args:
        name: the name of the model.
        description: its description in English.
        prices: the prices as texts, by the names of the models.
    """
    priced = tr(_PRICED).format(name=name, price=prices[name]) if prices.get(name) else name
    return tr("{name}: {description}").format(name=priced, description=tr(description))


def _unset(parameter: Parameter) -> Options:
    """Return the option that leaves the field unset, if the field has no default."""
    if parameter.default is not None:
        return []
    return [(tr("choose"), None)] if parameter.required else [(tr("default"), None)]


def is_settled(parameter: Parameter) -> bool:
    """Return True if a choice has only one value, which is its default: there is nothing to choose."""
    return parameter.type == "choice" and parameter.choices == (parameter.default,)


# ---------------------------------------------------------------------- one control for each type


def _cleared(parameter: Parameter) -> str | None:
    """Return the value of a cleared text field: unset, or an empty text if the parameter has a default."""
    return None if parameter.default is None else ""


def _stripped(text: str, parameter: Parameter) -> str | None:
    return text.strip() or _cleared(parameter)


def _as_text(value: Any, parameter: Parameter) -> str:
    del parameter
    return "" if value is None else str(value)


def _placeholder(parameter: Parameter) -> dict[str, str]:
    """Return the text of an empty control: its placeholder, or the default that is sent."""
    if text := tr(parameter.placeholder) if parameter.placeholder else "":
        # Whether the model needs a picture or a video depends on it, and on the other fields.
        is_optional = parameter.type == "urls" and not parameter.required
        return {"placeholder": tr(_OPTIONAL).format(text=text) if is_optional else text}
    default = KINDS[parameter.type].read(parameter.default)
    return {"placeholder": _default_text(default, parameter)} if is_set(default) else {}


def _default_text(default: Any, parameter: Parameter) -> str:
    write = {
        "urls": _in_a_line,
        "camera": _as_json,
        "masks": _as_json,
        "shots": _as_json,
        "objects": _as_json,
    }
    return write.get(parameter.type, _as_text)(default, parameter)


def _fallback(parameter: Parameter) -> Any:
    """Return the value that a control that cannot be empty shows while the field is unset."""
    return parameter.default if parameter.example is None else parameter.example


def _in_rows(rows: int, parameter: Parameter) -> dict[str, Any]:
    return {"rows": rows, **_placeholder(parameter)}


def _integer(text: str, parameter: Parameter) -> Any:
    del parameter
    with suppress(ValueError):
        return int(text)
    return text.strip() or None  # shown as a problem


def _number(text: str, parameter: Parameter) -> Any:
    del parameter
    with suppress(ValueError):
        if math.isfinite(number := float(text)):
            return number
    return text.strip() or None  # shown as a problem


def _urls(text: str, parameter: Parameter) -> tuple[str, ...]:
    del parameter
    return urls_in(text)


def _url(text: str, parameter: Parameter) -> Any:
    """Return the only URL of a list; several are a problem of the field."""
    urls = urls_in(text)
    return " ".join(urls) or _cleared(parameter)


def _listed(value: Any, parameter: Parameter) -> str:
    """Return URLs, each in a line; a preset may contain another type."""
    return in_lines(value) if isinstance(value, list | tuple) else _as_text(value, parameter)


def _words(text: str, parameter: Parameter) -> tuple[str, ...]:
    del parameter
    return tuple(text.split())


def _in_a_line(value: Any, parameter: Parameter) -> str:
    """Return words separated by spaces; a preset may contain another type."""
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else _as_text(value, parameter)


def _from_json(text: str, parameter: Parameter) -> Any:
    """Parse the text; if it cannot be parsed, return the text, which is shown as a problem."""
    kind, value = KINDS[parameter.type], text.strip()
    if not value:
        return kind.empty
    with suppress(ValueError, RecursionError):
        return kind.read(kind.parse(value))
    return kind.read(value)


def _as_json(value: Any, parameter: Parameter) -> str:
    if not is_set(value):
        return ""
    with suppress(AttributeError, TypeError, ValueError):
        return json.dumps(KINDS[parameter.type].write(value), ensure_ascii=False)
    # A value that could not be parsed is a text, or a list of this one text.
    return str(value[0] if isinstance(value, tuple) and len(value) == 1 else value)


_MODEL = Field(Dropdown, layout=WIDE, options=model_options)
_URL_LIST = Field(
    UrlList, lambda parameter: {**_placeholder(parameter), "most": parameter.most}, WIDE, _urls, _listed
)
_ONE_FILE = Field(UrlList, lambda parameter: {**_placeholder(parameter), "most": 1}, WIDE, _url, _as_text)
_INTEGER = Field(Text, _placeholder, NARROW, _integer, _as_text)
_TYPED_NUMBER = Field(Text, _placeholder, NARROW, _number, _as_text)
_JSON = Field(
    Textarea, lambda parameter: _in_rows(3, parameter), WIDE, _from_json, _as_json, classes=("qingbo-mono",)
)
_BY_TYPE: Mapping[str, Field] = {
    "name": Field(Text, _placeholder, NARROW, _stripped, _as_text),
    "text": Field(
        Textarea,
        lambda parameter: _in_rows(4 if parameter.required else 2, parameter),
        WIDE,
        lambda text, parameter: text or _cleared(parameter),
        _as_text,
    ),
    "choice": Field(
        Dropdown,
        options=lambda parameter, _: [*_unset(parameter), *choice_options(parameter)],
    ),
    "seconds": Field(Dropdown, options=seconds_options, shown=seconds_text),
    "integer": _INTEGER,
    "number": Field(
        ipywidgets.FloatText,
        lambda parameter: {"value": _fallback(parameter), "step": 0.05},
        NARROW | {"max_width": "220px"},
        write=lambda value, parameter: _fallback(parameter) if value is None else value,
    ),
    # None stands for the service's default, and the control shows that default.
    "boolean": Field(
        ipywidgets.Checkbox,
        lambda parameter: {"value": bool(_fallback(parameter))},
        write=lambda value, parameter: bool(_fallback(parameter)) if value is None else value,
    ),
    "url": Field(Text, _placeholder, WIDE, _stripped, _as_text),
    "urls": _URL_LIST,
    # These have a control only if no panel edits them.
    "camera": _JSON,
    "masks": _JSON,
    "shots": _JSON,
    "objects": _JSON,
    "choices": Field(Text, _placeholder, NARROW, _words, _in_a_line),
}


def _field(parameter: Parameter, models: Models) -> Field:
    """Return the field of a parameter, by its type and by the optional parts of its description."""
    if parameter.name == "model":
        return _MODEL
    if parameter.type == "url" and parameter.media:
        return _ONE_FILE
    if parameter.type == "seconds" and not _lengths(parameter, models):
        return _INTEGER
    if parameter.type == "number" and _fallback(parameter) is None:
        return _TYPED_NUMBER
    return _BY_TYPE[parameter.type]


@cache
def fields(contract: str = DEFAULT_CONTRACT) -> Mapping[str, Field]:
    """Return the fields of a contract with their own control; others have a panel, or are set in code."""
    models = models_of(contract)
    return {
        name: replace(
            _field(parameter, models),
            is_common=all(
                name in model.parameters and not is_settled(model.parameters[name])
                for model in models.values()
            ),
        )
        for name, parameter in models.parameters.items()
        if not parameter.editor
    }
