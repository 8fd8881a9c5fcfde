"""The length of the video that a task asks for."""

from __future__ import annotations

from numbers import Real  # NumPy's numbers too
from typing import Any

from .dataframe import request_columns
from .entry import Entry
from .requests import readable_part_of

__all__ = ["as_seconds", "seconds_of"]

#: The most seconds that are taken for the length of a video, and not for damage.
_LONGEST = 86_400


def seconds_of(entry: Entry) -> float | None:
    """Return the seconds that a request asks for; ``None`` if the model or an input video decides them."""
    if entry.request is None:
        return None
    return as_seconds(request_columns(readable_part_of(entry), entry.contract)["duration"])


def as_seconds(value: Any) -> float | None:
    """Return the value of the column ``duration`` of a request; ``None`` if it is no length of a video."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return None
    seconds = float(value)
    return seconds if 0 < seconds < _LONGEST else None
