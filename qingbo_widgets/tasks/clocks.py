"""Clock helpers: the service's clock may be hours off, and the local clock may stand still."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from ..system.forks import run_in_children

__all__ = ["next_moment", "on_our_clock"]

#: Largest offset that retries of a submission and two manually set clocks can explain.
_TOLERANCE = timedelta(minutes=10)
#: Upper bound for the resolution of any system clock.
_STEP = timedelta(seconds=1)


class _Submitted(Protocol):
    """A task that was submitted from this kernel or elsewhere."""

    request: Any
    submitted_at: datetime
    created_at: datetime | None


def on_our_clock(task: _Submitted, moment: datetime | None) -> datetime | None:
    """Convert a timestamp of the service to the local clock.

    The offset is the difference between the service's creation time and the local submission time.
    """
    if moment is None or task.created_at is None or task.request is None:
        return moment
    ahead = task.created_at - task.submitted_at
    return moment if abs(ahead) < _TOLERANCE else moment - ahead


_guard = threading.Lock()


def _renew_in_child() -> None:
    global _guard
    _guard = threading.Lock()


run_in_children(_renew_in_child)
_latest = datetime.min.replace(tzinfo=UTC)


def next_moment() -> datetime:
    """Return the current UTC time, never the same value twice, so that sorting by it keeps the order.

    The Windows clock advances in steps of 15.6 ms, and many tasks can be submitted within one step.
    """
    global _latest
    with _guard:
        now = datetime.now(UTC)
        # If the clock was set back by more than a step, its time is used unchanged.
        if timedelta(0) <= _latest - now < _STEP:
            now = _latest + timedelta(microseconds=1)
        _latest = now
        return now
