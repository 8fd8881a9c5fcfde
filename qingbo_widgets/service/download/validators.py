"""Validators: the proof that a server's file is unchanged, to the byte (RFC 9110, 8.8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

__all__ = ["matches_validator", "strong_validator"]

#: A file can change twice in the second that its date names (RFC 9110, 8.8.2.2).
_SECOND = timedelta(seconds=1)


def strong_validator(headers: Mapping[str, str]) -> str | None:
    """Return the validator for later requests: a strong ``ETag``, or an old enough ``Last-Modified``."""
    tag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
    if tag.startswith('"') and len(tag) > 2:  # a weak tag guarantees the meaning, not the bytes
        return tag
    changed, sent = _moment(modified), _moment(headers.get("Date", "")) or datetime.now(UTC)
    return modified if changed is not None and changed + _SECOND <= sent else None


def matches_validator(headers: Mapping[str, str], validator: str | None) -> bool:
    """Return whether an answer is for the file with this validator. Not every server honours ``If-Range``."""
    name = "ETag" if validator is not None and validator.startswith('"') else "Last-Modified"
    return validator is not None and headers.get(name) == validator


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
