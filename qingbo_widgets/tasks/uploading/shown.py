"""Texts of other libraries and of users' functions, without what must not be shown."""

from __future__ import annotations

from ...service.contract.urls import without_queries
from ...service.secrets.known_keys import hide
from ...service.secrets.masking import without_secrets

__all__ = ["shown"]

#: Characters of a text that are shown: a gateway may answer with a page.
_LONGEST = 300


def shown(text: str) -> str:
    """Return a text on one line without keys, logins and the queries of URLs, which may be signatures."""
    text = without_secrets(without_queries(hide(" ".join(text.split()))))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
