"""The recognition of the key of the service, given in place of a contract or a path."""

from __future__ import annotations

import os
import re

__all__ = ["as_date", "holds_key"]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}")
#: Characters. A shorter value is no real key, and may be a part of any path.
_SHORTEST = 8


def as_date(text: object) -> str:
    """Return a text that has the form of a contract's date; of anything else, an empty text.

    A function that takes a date calls this first and assigns the result to the same name, because verbose
    tracebacks print the arguments.
    """
    return text if isinstance(text, str) and _DATE.fullmatch(text) else ""


def holds_key(text: str) -> bool:
    """Return whether a text contains an API key of the environment, of this service or another."""
    return any(
        name.upper().endswith("API_KEY")
        and len(value := os.environ[name].strip()) >= _SHORTEST
        and value in text
        for name in os.environ
    )
