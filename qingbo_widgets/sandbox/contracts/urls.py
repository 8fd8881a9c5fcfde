"""The check of a URL that a request names."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_public_url(text: str) -> bool:
    """Return whether a text is a complete http or https URL."""
    if any(character.isspace() or not character.isprintable() for character in text):
        return False  # urlsplit would drop some of these silently
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for an invalid port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
