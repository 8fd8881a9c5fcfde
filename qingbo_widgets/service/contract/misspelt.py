"""Suggestions for names of fields that do not exist."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from ...i18n import tr
from ..secrets.known_keys import hide

__all__ = ["named"]

#: Least likeness of two names, from 0 to 1, for one to be a misspelling of the other.
_ALIKE = 0.75


def named(unknown: Iterable[str], known: Collection[str]) -> str:
    """Return the unknown names as a list for an error text, each with the known name that is most like it."""
    return hide(", ".join(f"{name}{_suggestion(name, known)}" for name in sorted(unknown)))


def _suggestion(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name.casefold().replace("-", "_"), known, n=1, cutoff=_ALIKE)
    return f" ({tr('did you mean {name}?').format(name=near[0])})" if near else ""
