"""The labels of fields and of their values, as the form shows them, in the current language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...i18n import N_, tr
from ...library.file_names import given_name
from ...service.contract.labels import choice_label, label
from ...service.contract.lengths import length_text
from ...service.contract.problem import listed
from ...service.contract.schema import Parameter
from ...service.contract.text import shorten
from ...service.contract.values import is_integer, is_set
from ..base import html as markup
from ..base.settings import Other

__all__ = [
    "choice_options",
    "fact",
    "file_names",
    "help_of",
    "is_texts",
    "value_label",
]

_ON, _OFF, _NONE = N_("on"), N_("off"), N_("none")
#: The maximum number of characters of a value in a message.
_LONGEST = 60


def help_of(parameter: Parameter) -> str:
    """Return the help text of a field in the current language."""
    return tr(parameter.help)


def choice_options(parameter: Parameter) -> list[tuple[str, Any]]:
    """Return the values of a choice, each with its label."""
    return [(choice_label(parameter, item), item) for item in parameter.choices]


def value_label(parameter: Parameter, value: Any) -> str:
    """Return a value of a field as the form shows it, on one line.

    Of files, it has the names, and of objects, their number. It contains no API key if the value does not.
    """
    if isinstance(value, bool):
        return tr(_ON) if value else tr(_OFF)
    if not is_set(value):
        return tr(_NONE)
    if parameter.type == "seconds" and is_integer(value):
        return length_text(value)
    if parameter.media and (isinstance(value, str) or is_texts(value)):
        return file_names(value)
    if isinstance(value, tuple):
        return shorten(listed(value), _LONGEST) if is_texts(value) else str(len(value))
    kind = getattr(value, "type", value)  # of a camera, the name of its preset
    if isinstance(kind, Mapping):
        return str(len(kind))
    moves = getattr(value, "config", None)
    axes = moves.items() if isinstance(moves, Mapping) else ()
    parts = [choice_label(parameter, kind), *(f"{choice_label(parameter, axis)} {by}" for axis, by in axes)]
    return shorten(listed(parts), _LONGEST)


def fact(other: Other) -> str:
    """Return a setting of a request as a short text, such as "Camera: Forward and up"."""
    value = value_label(other.parameter, other.value)
    return tr("{label}: {value}").format(label=label(other.parameter), value=value)


def is_texts(value: object) -> bool:
    """Return True if a value is a list of texts, such as URLs."""
    return isinstance(value, tuple) and all(isinstance(part, str) for part in value)


def file_names(urls: str | Iterable[str]) -> str:
    """Return the names of the files at one or more URLs or paths."""
    places = [urls] if isinstance(urls, str) else urls
    names = (markup.short_name(given_name(place.rstrip("/"))) for place in places)
    return shorten(listed(names), _LONGEST)
