"""Examples of valid values, for messages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ...i18n import tr
from .limits import EXAMPLE_PROMPT, EXAMPLE_URL
from .problem import Problem, shown
from .schema import Parameter

__all__ = ["example", "example_item", "example_of_member", "unset"]

#: An example value for each type, used if the description has none.
_EXAMPLES: Mapping[str, Any] = MappingProxyType(
    {"name": "default", "text": EXAMPLE_PROMPT, "boolean": True, "integer": 1, "number": 0.5, "seconds": 5}
)


def example(parameter: Parameter) -> Any:
    """Return an example of a valid value; of a text, in the current language."""
    if parameter.type in ("url", "urls"):
        return f"{EXAMPLE_URL}{parameter.example or parameter.name}"
    candidates = (
        parameter.example,
        parameter.default,
        *parameter.choices,
        *parameter.range,
        _EXAMPLES.get(parameter.type),
    )
    valid = (value for value in candidates if value not in (None, ""))
    value = next((one for one in valid if not parameter.choices or one in parameter.choices), None)
    return tr(value) if parameter.type == "text" and isinstance(value, str) else value


def example_of_member(member: Parameter) -> Any:
    """Return an example of a member of an object; for several URLs, as many as the service takes at least."""
    if member.type == "urls":
        fewest, _ = member.limits.get("count", (1, 1))
        return [example(member)] * fewest
    return example(member)


def example_item(parameter: Parameter) -> dict[str, Any]:
    """Return an example of one object of a list."""
    return {key: example_of_member(member) for key, member in parameter.members.items()}


def unset(parameter: Parameter, value: Any) -> Problem:
    """Return the problem of a required field that is not set, with a valid value."""
    text = tr("{field}: it is required; try {example}.")
    return Problem(parameter.name, text.format(field=parameter.name, example=shown(value)))
