"""``read_time`` and ``read_number``: numbers and times in the forms that services use."""

from __future__ import annotations

import math
from datetime import UTC, datetime

__all__ = ["read_number", "read_time"]

#: The largest time in seconds (the year 5138); a larger number is in milliseconds (from March 1973).
_LATEST_SECOND = 1e11
_FIRST_YEAR, _END_YEAR = 1971, 3000


def read_number(value: object) -> float | None:
    """Return a finite number, also from text such as ``"45%"``; ``None`` for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value.strip().removesuffix("%") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def read_time(value: object) -> datetime | None:
    """Return a time given in seconds, in milliseconds or as ISO 8601 text; ``None`` for anything else."""
    number = read_number(value)
    try:
        if number is not None:
            seconds = number / 1000 if number > _LATEST_SECOND else number
            return _plausible(datetime.fromtimestamp(seconds, UTC))
        if isinstance(value, str):
            time = datetime.fromisoformat(value.strip())
            return _plausible(time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC))
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _plausible(time: datetime) -> datetime | None:
    """Return the time; ``None`` if no task can have it: Go writes a missing time as year 1.

    Such a time could not be shown either: outside these years, Windows cannot convert to local time.
    """
    return time if _FIRST_YEAR <= time.year < _END_YEAR else None
