"""The names of what a sweep varies, as the form shows them, and its values as short texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...i18n import N_, tr
from ...service.contract.frames import IMAGE, IMAGES
from ...service.contract.labels import choice_label, label
from ...service.contract.lengths import length_text
from ...service.contract.models import declared
from ...service.contract.schema import Parameter
from ...service.contract.text import shorten
from ...service.contract.urls import is_web_url
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
    parameter = declared().get(IMAGES if name == IMAGE else name)
    return name if parameter is None else label(parameter)


def values_text(values: Mapping[str, Any]) -> str:
    """Return values as a line of text, each after the label of its field where it needs one."""
    return SEPARATOR.join(value_text(name, value) for name, value in values.items())


def value_text(name: str, value: object) -> str:
    """Return one value as text: ``5 s``, ``pro, 1080p``, ``CFG scale 0.4``, ``CFG scale default``."""
    if name in _OWN and is_integer(value):
        return tr(_OWN[name][1]).format(number=value)
    if name == "duration" and is_integer(value):
        return length_text(value)
    text = (
        tr("default")
        if value is None
        else shorten(_flat(value, declared().get(IMAGES if name == IMAGE else name)), LONGEST)
    )
    return text if name in _PLAIN and value not in (None, "") else f"{axis_label(name)} {text}".rstrip()


def _flat(value: object, parameter: Parameter | None) -> str:
    """Return a value without the brackets and quotes of code, its choices as the form shows them."""
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    value = value.as_dict() if hasattr(value, "as_dict") else value
    if isinstance(value, Mapping):
        return ", ".join(
            _member(key, part, parameter) for key, part in value.items() if part not in (None, "")
        )
    if isinstance(value, list | tuple):
        return "; ".join(_flat(part, parameter) for part in value)
    if parameter is not None and parameter.media and isinstance(value, str) and not is_web_url(value):
        return re.split(r"[\\/]", value)[-1]  # the name of a file
    return str(value) if parameter is None else choice_label(parameter, value)


def _member(key: str, value: object, parameter: Parameter | None) -> str:
    """Return a member of an object as text, after its label if the value is not understood without one."""
    member = None if parameter is None else parameter.members.get(key)
    if key in _PLAIN_MEMBERS:
        return _flat(value, member or parameter)
    return f"{key if member is None else label(member)} {_flat(value, member)}"
