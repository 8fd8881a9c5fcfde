"""``Problem``: a reason why the service would refuse a request, and the helpers that word it."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...i18n import tr
from ..secrets.known_keys import hide

__all__ = [
    "Problem",
    "assigned",
    "listed",
    "models_in_words",
    "numbered",
    "part_of",
    "refused",
    "refused_as",
    "shown",
    "without",
]

_MOST_NAMED = 4


class _ShortRepr(reprlib.Repr):
    """A short ``repr`` that hides keys before truncating, so that no half of a key remains."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 60
        self.maxtuple = 2  # the lists of a request are tuples: two entries show what it is about

    def repr_str(self, x: str, level: int) -> str:
        """Return the short repr of a string."""
        return super().repr_str(hide(x), level)

    def repr_instance(self, x: object, level: int) -> str:
        """Return the short repr of an object of a type that reprlib does not handle."""
        del level
        text = hide(repr(x))
        half = (self.maxother - 3) // 2
        return text if len(text) <= self.maxother else f"{text[:half]}...{text[-half - 1 :]}"


_short_repr = _ShortRepr()


@dataclass(frozen=True)
class Problem:
    """A reason why the service would refuse a request, or a warning about it.

    Attributes:
        field: the field of ``VideoRequest`` that the problem is about.
        message: a sentence with the field, its value, the limit, and a valid example.
        number: the number of the part that the problem is about, such as a shot, counted from 1; 0 for the
            whole field.
    """

    field: str
    message: str
    number: int = 0

    def __post_init__(self) -> None:
        # The message quotes the value, and a key may have been pasted in its place.
        object.__setattr__(self, "message", hide(self.message))

    def __str__(self) -> str:
        return self.message


def refused(field: str, value: object, limit: str, example: object, where: str = "") -> Problem:
    """Return a problem for a value outside a limit.

    Args:
        field: the field.
        value: its value.
        limit: the predicate of a sentence whose subject is the value.
        example: a valid value.
        where: the field and the part of it, if the value is only a part.
    """
    return refused_as(field, shown(value), limit, shown(example), where)


def refused_as(field: str, subject: str, limit: str, suggestion: str, where: str = "") -> Problem:
    """Return a problem as ``refused`` does, with texts for the value and for what to try instead."""
    message = tr("{where}: {value} {limit}; try {example}.")
    return Problem(
        field, message.format(where=where or field, value=subject, limit=limit, example=suggestion)
    )


def without(field: str, value: object, limit: str) -> Problem:
    """Return a problem for a value that must be left out; ``limit`` as in ``refused``."""
    message = tr("{field}: {value} {limit}; leave {field} out.")
    return Problem(field, message.format(field=field, value=shown(value), limit=limit))


def numbered(field: str, number: int) -> str:
    """Return the name of a numbered part of a field, counted from 1."""
    return tr("{field}, number {number}").format(field=field, number=number)


def part_of(where: str, part: str) -> str:
    """Return the name of a member of an object, such as ``element_list, number 1, name``."""
    return tr("{where}, {part}").format(where=where, part=part)


def shown(value: object) -> str:
    """Return a value for quoting in a message: short, without a key, even if its ``__repr__`` raises."""
    if isinstance(value, int) and abs(value) >= 10**60:  # Python refuses to print huge integers
        return f"<{type(value).__name__}>"
    try:
        return _short_repr.repr(str.__str__(value) if isinstance(value, str) else value)
    except Exception:  # a foreign __repr__
        return f"<{type(value).__name__}>"


def assigned(changes: Mapping[str, Any]) -> str:
    """Return values of fields as Python's keyword arguments."""
    return ", ".join(f"{name}={shown(value)}" for name, value in changes.items())


def listed(values: Iterable[object]) -> str:
    """Return the values in a sentence, separated by commas."""
    return tr(", ").join(map(str, values))


def models_in_words(models: Sequence[str]) -> str:
    """Return the names of models in a sentence; of many, the first four and the number of the others."""
    more = len(models) - _MOST_NAMED
    if more > 1:
        return tr("{models} and {count} more").format(models=listed(models[:_MOST_NAMED]), count=more)
    return (tr(" and ") if len(models) == 2 else tr(", ")).join(models)
