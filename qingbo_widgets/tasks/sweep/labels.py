"""The names of what a sweep varies, as the form shows them, and its values as short texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...i18n import N_, tr
from ...service.contract.lengths import seconds_text
from ...service.contract.models import declared
from ...service.contract.text import plain_line
from ...service.contract.values import is_integer

__all__ = ["SEPARATOR", "axis_label", "value_text", "values_text"]

#: The maximum of characters of a value.
LONGEST = 90
#: Between the values of one video.
SEPARATOR = " · "
#: What a sweep varies besides fields: as an axis, and with a number.
_OWN = {"repeat": (N_("Repeat"), N_("Repeat {number}")), "row": (N_("Row"), N_("Row {number}"))}
#: Fields whose values are understood without a name.
_PLAIN = ("prompt", "model", "mode", "resolution", "aspect_ratio")
#: Members of an object whose values are understood without a name.
_PLAIN_MEMBERS = ("type", "config", "prompt")


def axis_label(name: str) -> str:
    """Return the label of a field or of another axis in the current language; its name if it has none."""
    if name in _OWN:
        return tr(_OWN[name][0])
    parameter = declared().get(name)
    return tr(parameter.label) if parameter is not None and parameter.label else name


def values_text(values: Mapping[str, Any]) -> str:
    """Return values as a line of text, each after the label of its field where it needs one."""
    return SEPARATOR.join(value_text(name, value) for name, value in values.items())


def value_text(name: str, value: object) -> str:
    """Return one value as text: ``5 s``, ``pro``, ``CFG scale 0.4``, ``CFG scale default``."""
    if name in _OWN and is_integer(value):
        return tr(_OWN[name][1]).format(number=value)
    if name == "duration" and is_integer(value) and value:
        return seconds_text(value)
    text = tr("default") if value is None else plain_line(_flat(value))
    if len(text) > LONGEST:
        text = text[: LONGEST - 1].rstrip() + "…"
    return text if name in _PLAIN and value not in (None, "") else f"{axis_label(name)} {text}".rstrip()


def _flat(value: object) -> str:
    """Return a value without the brackets and quotes of code."""
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    value = value.as_dict() if hasattr(value, "as_dict") else value
    if isinstance(value, Mapping):
        parts = ((key, _flat(part)) for key, part in value.items() if part not in (None, ""))
        return ", ".join(text if key in _PLAIN_MEMBERS else f"{key} {text}" for key, text in parts)
    return "; ".join(map(_flat, value)) if isinstance(value, list | tuple) else str(value)
