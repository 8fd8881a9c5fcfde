"""``outage``: what is said while there is no news, and how long a refusal is doubted."""

from __future__ import annotations

from datetime import datetime

import pytest

import qingbo_widgets as qw
from qingbo_widgets.tasks.following import outage
from qingbo_widgets.tasks.following.outage import DOUBTED, Trouble


class Clock:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def refusal() -> qw.TaskNotFound:
    """The service's 404."""
    return qw.TaskNotFound("no such task", status=404, code="task_not_found")


def test_a_refusal_is_doubted_for_minutes_and_then_believed():
    """Whatever else happens in between, minutes after the first refusal the next one counts."""
    clock = Clock()
    trouble = Trouble(clock)
    while clock.now + 30.0 <= DOUBTED:
        assert "no such task" in trouble.tell(refusal(), 30.0, is_taken=True)
        assert "Not reachable" in trouble.tell(qw.ConnectionFailed("down."), 30.0, is_taken=True)
        clock.now += 30.0
    with pytest.raises(qw.TaskNotFound):
        trouble.tell(refusal(), 30.0, is_taken=True)
    assert clock.now > 120


def test_a_refusal_of_a_task_that_nobody_has_seen_is_believed_at_once():
    """A misspelt id and a wrong key are told to whoever has typed them."""
    with pytest.raises(qw.TaskNotFound):
        Trouble(Clock()).tell(refusal(), 1.0, is_taken=False)
    with pytest.raises(qw.AuthenticationFailed):
        Trouble(Clock()).tell(qw.AuthenticationFailed("no", status=401), 1.0, is_taken=False)


def test_since_when_it_is_out_of_reach_is_counted_from_the_last_answer(monkeypatch):
    """A service that refuses or asks to wait is there: the moment told begins anew."""
    times = iter([datetime(2026, 4, 1, 12, second=second) for second in (1, 5, 9)])

    class Ticking(datetime):
        @classmethod
        def now(cls):  # type: ignore[override]  # asked without a zone
            return next(times)

    monkeypatch.setattr(outage, "datetime", Ticking)
    trouble = Trouble(Clock())
    down, busy = qw.ConnectionFailed("down."), qw.RateLimited("slow down", status=429)
    for _ in range(2):
        told = trouble.tell(down, 1.0, is_taken=True)
        assert told == "Not reachable since 12:00:01: down. Trying again in 1 s."
    told = trouble.tell(busy, 2.0, is_taken=True)
    assert told == "The service asks to wait: 429: slow down Asking again in 2 s."
    assert trouble.tell(down, 1.0, is_taken=True).startswith("Not reachable since 12:00:05:")
    trouble.tell(refusal(), 1.0, is_taken=True)
    assert trouble.tell(down, 1.0, is_taken=True).startswith("Not reachable since 12:00:09:")
