"""Times for the user, with their zone: an output is read later, and elsewhere."""

from __future__ import annotations

from datetime import datetime

__all__ = ["local_time"]


def local_time(moment: datetime, *, seconds: bool = False) -> str:
    """Return a time in this computer's zone, such as ``2026-11-29 22:04 UTC+8``.

    Args:
        moment: the time, with its zone.
        seconds: whether to show the seconds.
    """
    here = moment.astimezone()
    return f"{here:{'%Y-%m-%d %H:%M:%S' if seconds else '%Y-%m-%d %H:%M'}} {_zone(here)}"


def _zone(moment: datetime) -> str:
    """Return the offset from UTC, such as ``UTC+8`` or ``UTC-3:30``."""
    offset = moment.utcoffset()
    minutes = 0 if offset is None else round(offset.total_seconds() / 60)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"
