"""Amounts that a response reports under names that neither contract documents.

The documented cost is read into ``TaskSnapshot.cost``. Gateways, and the services behind them, report
what they have charged for a failed task as ``quota``, ``credits`` or ``usage.cost``, in their own units, or
only in the text of the error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .envelope import layers_of
from .text import plain_line
from .times import read_number

__all__ = ["amounts_in", "is_about_charges"]

#: Objects beside the task's own fields that hold amounts.
_PLACES = ("error", "usage", "billing", "meta", "metadata")
_CHARGED = re.compile(
    r"cost|credit|quota|price|charg|bill|deduct|consum|fees?$|amount|spent",
    re.IGNORECASE,
)
#: Amounts that are only reserved, are returned, or are no amounts of this task.
_NOT_CHARGED = re.compile(
    r"pre.?(?:consum|charg)|froze|freez|reserv|refund|estimat|balance|remain|limit|max|min|config|id$|_at$|time",
    re.IGNORECASE,
)
_ABOUT_CHARGES = re.compile(
    r"\b(?:non-?)?(?:charge|refund|bill|deduct)(?:ed|able|s|d)?\b|[扣计收退]费|扣[除款]|退[款还]|不退",
    re.IGNORECASE,
)
_MOST = 3


def amounts_in(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the amounts other than 0 that a response may report as charged, each as ``"name: value"``."""
    return tuple(dict.fromkeys(_amounts(body)))[:_MOST]


def is_about_charges(message: str) -> bool:
    """Return whether the message of an error says something about a charge or a refund."""
    return _ABOUT_CHARGES.search(message) is not None


def _amounts(body: Mapping[str, Any]) -> Iterator[str]:
    for layer in layers_of(body):
        inner = {place: layer.get(place) for place in _PLACES}
        for place, fields in {"": layer, **inner}.items():
            if not isinstance(fields, Mapping):
                continue
            for name, value in fields.items():
                if _CHARGED.search(name) and not _NOT_CHARGED.search(name) and _is_amount(value):
                    yield plain_line(f"{place}.{name}: {value}".removeprefix("."))


def _is_amount(value: object) -> bool:
    return value is True or bool(read_number(value))
