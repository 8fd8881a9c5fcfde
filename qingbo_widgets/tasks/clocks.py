"""The service's clock and ours, which may be hours apart; and ours, which may stand still."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from ..system.forks import in_child

__all__ = ["next_moment", "on_our_clock"]

#: A submission, its retries included, and two clocks that are set by hand are no further apart than this.
_AGREE = timedelta(minutes=10)
#: No clock goes in longer steps.
_STEP = timedelta(seconds=1)


class _Submitted(Protocol):
    """A task that was submitted, here or elsewhere."""

    request: Any
    submitted_at: datetime
    created_at: datetime | None


def on_our_clock(task: _Submitted, moment: datetime | None) -> datetime | None:
    """Return a moment that the service named, as our clock would show it.

    The offset is the difference between the service's creation time and our submission time.
    """
    if moment is None or task.created_at is None or task.request is None:
        return moment
    ahead = task.created_at - task.submitted_at
    return moment if abs(ahead) < _AGREE else moment - ahead


_guard = threading.Lock()


def _renew_in_child() -> None:
    global _guard
    _guard = threading.Lock()


in_child(_renew_in_child)
_latest = datetime.min.replace(tzinfo=UTC)


def next_moment() -> datetime:
    """Return the time, UTC, and never the same twice: what is sorted by it keeps its order.

    A clock of Windows goes in steps of 15.6 ms, in which many tasks can be submitted.
    """
    global _latest
    with _guard:
        now = datetime.now(UTC)
        # A clock that was set back by more than a step counts as it is.
        if timedelta(0) <= _latest - now < _STEP:
            now = _latest + timedelta(microseconds=1)
        _latest = now
        return now
