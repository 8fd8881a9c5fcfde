"""``Problem``: one reason why the service would refuse a request; and the sentence that says it."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from dataclasses import dataclass

from ...i18n import tr
from ..secrets.known_keys import hide

__all__ = ["Problem", "listed", "numbered", "refused", "shown"]


class _Short(reprlib.Repr):
    """A short ``repr`` out of which keys are taken before it is cut, or half a key would remain."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 60

    def repr_str(self, x: str, level: int) -> str:
        """Return a text, short."""
        return super().repr_str(hide(x), level)

    def repr_instance(self, x: object, level: int) -> str:
        """Return an object that reprlib has no way of its own for, short."""
        del level
        whole = hide(repr(x))
        half = (self.maxother - 3) // 2
        return whole if len(whole) <= self.maxother else f"{whole[:half]}...{whole[-half - 1 :]}"


_short = _Short()


@dataclass(frozen=True)
class Problem:
    """One reason why the service would refuse a request, or one thing to know before sending it.

    Attributes:
        field: the field of ``VideoRequest`` that it is about.
        message: a sentence with the field, its value, the limit, and a value that would do.
        number: which shot or mask it is about, counted from 1; 0 where it is about the field as a whole.
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
    """Return the problem of a value that is outside a limit.

    Args:
        field: the field.
        value: its value.
        limit: the end of a sentence that begins with the value.
        example: a value that would do.
        where: the field and the part of it, where the value is only a part.
    """
    message = tr("{where}: {value} {limit}; {example} would do.")
    return Problem(
        field, message.format(where=where or field, value=shown(value), limit=limit, example=shown(example))
    )


def numbered(field: str, number: int) -> str:
    """Return the name of one part of a field, counted from 1."""
    return tr("{field}, number {number}").format(field=field, number=number)


def shown(value: object) -> str:
    """Return a value as a message quotes it: short, without a key, whatever its ``__repr__`` does."""
    if isinstance(value, int) and abs(value) >= 10**60:  # Python prints no integer of thousands of digits
        return f"<{type(value).__name__}>"
    try:
        return _short.repr(str.__str__(value) if isinstance(value, str) else value)
    except Exception:  # a foreign __repr__
        return f"<{type(value).__name__}>"


def listed(values: Iterable[object]) -> str:
    """Return values as a sentence lists them."""
    return ", ".join(map(str, values))
