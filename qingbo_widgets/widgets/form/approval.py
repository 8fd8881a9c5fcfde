"""Files whose URL or path was filled in: nothing is read of them before the user allows it.

A preset, draft, pasted text or task may come from another user, who must neither see who opens it nor get a
picture of this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from .form_fields import FormFields

__all__ = ["is_unapproved", "without"]


def is_unapproved(form: FormFields, place: object) -> bool:
    """Return True if a URL or path was filled in, and the user has not allowed to read the file.

    It may be a part of the text that was filled in: a control divides a list at its blanks.
    """
    if not isinstance(place, str) or not form.unapproved or not place.strip():
        return False
    return any(map(_occurrence(place).search, form.unapproved))


def without(texts: Iterable[str], places: Iterable[str]) -> frozenset[str]:
    """Return texts that were filled in, without these URLs and paths in them."""
    left = set(texts)
    for place in filter(str.strip, places):
        left = {part for text in left for part in _occurrence(place).split(text) if part.strip()}
    return frozenset(left)


@lru_cache(maxsize=200)
def _occurrence(place: str) -> re.Pattern[str]:
    """Return the pattern of a URL or path as a whole text, or between blanks in one."""
    return re.compile(rf"(?<!\S){re.escape(place.strip())}(?!\S)")
