"""Texts of other libraries and of users' functions, without what must not be shown."""

from __future__ import annotations

import re

from ...service.contract.urls import without_query
from ...service.secrets.known_keys import hide
from ...service.secrets.masking import without_secrets

__all__ = ["shown"]

_URL = re.compile(r"https?://[^\s\"'<>]+")
#: Characters of a text that are shown: a gateway may answer with a page.
_LONGEST = 300


def shown(text: str) -> str:
    """Return a text on one line without keys, logins and the queries of URLs, which may be signatures."""
    text = _URL.sub(lambda match: without_query(match[0]), hide(" ".join(text.split())))
    text = without_secrets(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
