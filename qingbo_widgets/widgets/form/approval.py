"""Files whose URL or path was filled in: nothing is read of them before the user allows it.

A preset, draft, pasted text or task may come from another user, who must neither see who opens it nor get a
picture of this machine.
"""

from __future__ import annotations

from collections.abc import Iterable

from .form_fields import FormFields

__all__ = ["is_unapproved", "spellings"]


def is_unapproved(form: FormFields, place: object) -> bool:
    """Return True if a URL or path was filled in, and the user has not allowed to read the file."""
    return isinstance(place, str) and place.strip() in form.unapproved


def spellings(places: Iterable[str]) -> frozenset[str]:
    """Return URLs and paths as controls may write them: without blanks around them, or split at blanks."""
    return frozenset(part for place in places for part in (place.strip(), *place.split()))
