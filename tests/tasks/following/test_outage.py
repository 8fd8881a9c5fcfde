"""``outage``: the message during an outage, and the time until a refusal is final."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

import qingbo_widgets as qw
from qingbo_widgets.system.times import local_time
from qingbo_widgets.tasks.following import outage
from qingbo_widgets.tasks.following.outage import REFUSAL_PATIENCE, Outage


class Clock:
    """A clock set by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the current time."""
        return self.now


def refusal() -> qw.TaskNotFound:
    """Return the service's 404."""
    return qw.TaskNotFound("no such task", status=404, code="task_not_found")


def test_a_refusal_is_final_after_some_minutes():
    """A refusal is final minutes after the first one, even with other errors in between."""
    clock = Clock()
    current = Outage(clock)
    while clock.now + 30.0 <= REFUSAL_PATIENCE:
        assert "no such task" in current.explain(refusal(), 30.0, is_taken=True)[0]
        message = current.explain(qw.ConnectionFailed("down."), 30.0, is_taken=True)[0]
        assert "has been unreachable since" in message
        clock.now += 30.0
    with pytest.raises(qw.TaskNotFound):
        current.explain(refusal(), 30.0, is_taken=True)
    assert clock.now > 120


def test_a_refusal_of_an_unknown_task_is_final_at_once():
    """A misspelt id or a wrong key is reported to the user at once."""
    with pytest.raises(qw.TaskNotFound):
        Outage(Clock()).explain(refusal(), 1.0, is_taken=False)
    with pytest.raises(qw.AuthenticationFailed):
        Outage(Clock()).explain(qw.AuthenticationFailed("no", status=401), 1.0, is_taken=False)


@pytest.mark.parametrize("kind", [qw.AuthenticationFailed, qw.ServerFault])
def test_an_error_in_a_200_is_never_final(kind):
    """A gateway that answers 200 may speak of its own key, so the task is followed on, with its words."""
    clock, error = Clock(), kind("token has expired", status=200, code="1004")
    current = Outage(clock)
    for _ in range(100):
        message, _ = current.explain(error, 30.0, is_taken=True)
        assert "responds: 200 (1004): token has expired" in message
        assert "unreachable" not in message
        clock.now += 30.0
    with pytest.raises(qw.AuthenticationFailed):
        Outage(clock).explain(qw.AuthenticationFailed("no", status=200), 1.0, is_taken=False)


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (qw.ConnectionFailed("no route."), "has been unreachable since .*: no route"),
        (qw.ServerFault("Bad Gateway", status=502), "has returned errors since .*: 502: Bad Gateway"),
        (
            qw.ServerFault("about another task", status=200),
            "has sent unusable responses since .*: 200: about",
        ),
    ],
    ids=["unreachable", "502", "another task"],
)
def test_the_message_names_the_trouble(error, trouble):
    """A service that answers with errors is not called unreachable; each offers another try at once."""
    message, wait = Outage(Clock()).explain(error, 30.0, is_taken=True)
    assert re.match(rf"The service {trouble}.* Trying again in 30 s\.$", message)
    assert wait.is_away


def test_an_outage_starts_after_the_last_answer(monkeypatch):
    """A refusal or a rate limit counts as an answer, so the start of the outage is reset."""
    times = iter([datetime(2026, 4, 1, 12, second=second) for second in (1, 5, 9)])

    def since(second: int) -> str:
        return local_time(datetime(2026, 4, 1, 12, second=second), seconds=True)

    class Ticking(datetime):
        @classmethod
        def now(cls):  # type: ignore[override]  # asked without a zone
            return next(times)

    actual = datetime
    monkeypatch.setattr(outage, "datetime", Ticking)
    current = Outage(Clock())
    down, busy = qw.ConnectionFailed("down."), qw.RateLimited("slow down", status=429)
    for _ in range(2):
        message, wait = current.explain(down, 1.0, is_taken=True)
        assert message == f"The service has been unreachable since {since(1)}: down. Trying again in 1 s."
        assert wait.reason == f"The service has been unreachable since {since(1)}: down."
        assert wait.is_away
        assert abs((wait.at - actual.now(UTC)).total_seconds() - 1) < 0.5
    message, wait = current.explain(busy, 2.0, is_taken=True)
    assert message == "The service asks to wait: 429: slow down. Asking again in 2 s."
    assert not wait.is_away, "a service that asks to wait is not hurried"
    assert current.explain(down, 1.0, is_taken=True)[0].startswith(
        f"The service has been unreachable since {since(5)}:"
    )
    current.explain(refusal(), 1.0, is_taken=True)
    assert current.explain(down, 1.0, is_taken=True)[0].startswith(
        f"The service has been unreachable since {since(9)}:"
    )
