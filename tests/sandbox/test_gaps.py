"""Tests of each choice where the documentation of contract 2026-11 is silent, except those of the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import requests

from qingbo_widgets.sandbox import Faults, Gaps, Sandbox
from qingbo_widgets.sandbox.backend import Backend
from qingbo_widgets.sandbox.contracts import contract_of
from tests.sandbox.caller import Caller, hook
from tests.sandbox.contracts.v2026_11.bodies import MINIMAL, body
from tests.waiting import until

pytestmark = pytest.mark.slow

REQUEST = MINIMAL["kling-v3"]
DAY = 86_400.0


@contextmanager
def running(gaps: Gaps, *, speed: float = 1000, faults: Faults | None = None) -> Iterator[Caller]:
    """Run a sandbox with these choices whose tasks fail without being drawn."""
    faults = faults or Faults(fail="task_failed")
    with Sandbox(speed=speed, faults=faults, contract="2026-11", gaps=gaps) as sandbox:
        caller = Caller(sandbox, REQUEST)
        with caller.session:
            yield caller


class Clock:
    """A clock that stands still until a test moves it."""

    now = 1_791_564_954.5

    def __call__(self) -> float:
        return self.now


class Desk:
    """A backend with a simulated clock, whose videos are drawn at once, without a file."""

    def __init__(self, gaps: Gaps) -> None:
        self.clock = Clock()
        self.backend = Backend(contract_of("2026-11", gaps), gaps, clock=self.clock)
        self.backend.faults = Faults(fail="task_failed")

    def submit(self) -> str:
        """Submit, and return the id of the task."""
        return self.backend.submit(REQUEST).task_id

    def complete(self, task_id: str) -> None:
        """Let a task be completed."""
        entry = self.backend.tasks[task_id]
        entry.failure = None
        self.clock.now = entry.created + entry.plan.ends + 0.1

    def status(self, task_id: str) -> dict[str, Any]:
        """Return the status response."""
        return self.backend.contract.status(self.backend.state(task_id))


@contextmanager
def desk(gaps: Gaps) -> Iterator[Desk]:
    """Yield a desk and close its backend."""
    made = Desk(gaps)
    try:
        yield made
    finally:
        made.backend.close()


@pytest.mark.parametrize(
    ("unit", "created"), [("seconds", 1_791_564_954), ("milliseconds", 1_791_564_954_500)]
)
def test_times(unit: Any, created: int) -> None:
    """Times are in seconds or milliseconds, all of them."""
    with desk(Gaps(times=unit)) as made:
        task_id = made.submit()
        assert made.status(task_id)["created_at"] == created
        submitted = made.backend.contract.submitted(made.backend.state(task_id))
        assert submitted["created_at"] == created
        made.complete(task_id)
        content = made.status(task_id)
        factor = 1 if unit == "seconds" else 1000
        assert 0 <= content["completed_at"] - created <= 60 * factor
        expires = content["result"]["videos"][0]["expires_at"]
        assert expires - content["completed_at"] == 604_800 * factor


@pytest.mark.parametrize(("choice", "progress"), [("integer", 0), ("string", "")])
def test_submit_progress(choice: Any, progress: object) -> None:
    """The progress of a submit is an integer or a text."""
    with running(Gaps(submit_progress=choice), speed=0.001) as call:
        content = call("POST", "/tasks", json=REQUEST).json()
        assert content["progress"] == progress
        assert type(content["progress"]) is type(progress)


@pytest.mark.parametrize("progress", ["100%", "0%", ""])
def test_cancelled_progress(progress: Any) -> None:
    """A cancelled task has the progress that was chosen."""
    with desk(Gaps(cancelled_progress=progress)) as made:
        task_id = made.submit()
        made.backend.cancel(task_id)
        assert made.status(task_id)["progress"] == progress


@pytest.mark.parametrize(
    ("choice", "on_submit", "elsewhere"),
    [
        ("by_endpoint", {"message", "code", "param", "type"}, {"message", "code"}),
        ("code", {"message", "code"}, {"message", "code"}),
        ("all", {"message", "code", "param", "type"}, {"message", "code", "type"}),
    ],
)
def test_error_fields(choice: Any, on_submit: set[str], elsewhere: set[str]) -> None:
    """Errors have the fields of their endpoint, only a code, or all fields."""
    with running(Gaps(error_fields=choice)) as call:
        assert set(call("POST", "/tasks", json={"model": "kling-v3"}).json()["error"]) == on_submit
        assert set(call("GET", "/tasks/x").json()["error"]) == elsewhere


def test_unauthorized() -> None:
    """A 401 has no code, a code, or another envelope."""
    seen = {}
    for choice in ("without_code", "with_code", "success_false"):
        with running(Gaps(unauthorized=choice)) as call:
            answer = requests.get(f"{call.sandbox.base_url}/models", timeout=10)
            assert answer.status_code == 401
            seen[choice] = answer.json()
    assert set(seen["without_code"]["error"]) == {"message", "type"}
    assert seen["with_code"]["error"]["code"] == "invalid_api_key"
    assert set(seen["success_false"]) == {"success", "message"}
    assert seen["success_false"]["success"] is False


@pytest.mark.parametrize("code", ["insufficient_balance", ""])
def test_balance_code(code: Any) -> None:
    """A 402 has a code or none."""
    with running(Gaps(balance_code=code), faults=Faults(no_balance=True)) as call:
        answer = call("POST", "/tasks", json=REQUEST)
        assert (answer.status_code, answer.json()["error"].get("code", "")) == (402, code)


def test_several_errors() -> None:
    """Several violations are answered with the first one, or with the messages of all."""
    wrong = {**REQUEST, "seed": 1, "n": 2}
    for gaps, count in ((Gaps(), 1), (Gaps(several_errors="joined"), 2)):
        with running(gaps) as call:
            error = call("POST", "/tasks", json=wrong).json()["error"]
            assert error["param"] == "seed"
            assert len(error["message"].split("; ")) == count


def test_model_case() -> None:
    """The case of letters in a model's name matters or not; the answer has the name that was sent."""
    loud = {**REQUEST, "model": "Kling-V3"}
    with running(Gaps()) as call:
        assert call("POST", "/tasks", json=loud).status_code == 404
    with running(Gaps(model_case="ignored")) as call:
        content = call("POST", "/tasks", json=loud).json()
        assert (content["model"], content["pre_consumed_cost"]) == ("Kling-V3", 189_000)


@pytest.mark.parametrize("word", ["completed", "succeeded"])
def test_completed_event(word: Any) -> None:
    """The word for a completed task in ``callback_events`` decides on its callback."""
    contract = contract_of("2026-11", Gaps(completed_event=word))
    assert contract.calls_back({**REQUEST, "callback_events": [word]}, "completed")
    assert not contract.calls_back({**REQUEST, "callback_events": [word]}, "failed")
    assert contract.calls_back({**REQUEST, "callback_events": ["failed"]}, "failed")
    with running(Gaps(completed_event=word)) as call, hook() as (url, received):
        call.submit(callback_url=url, callback_events=[word, "failed"])
        until(lambda: received)


def test_other_body() -> None:
    """A key that returns with another body answers the first task, or 400; the same body is accepted."""
    for gaps, status in ((Gaps(), 200), (Gaps(other_body="refused"), 400)):
        with running(gaps) as call:
            answers = [
                call("POST", "/tasks", json=request, headers={"Idempotency-Key": "k"})
                for request in (REQUEST, dict(reversed(REQUEST.items())), {**REQUEST, "prompt": "a lake"})
            ]
            assert [answer.status_code for answer in answers] == [200, 200, status]
            assert answers[1].json()["task_id"] == answers[0].json()["task_id"]
            assert len(call.sandbox.requests) == 1


def test_resubmitted() -> None:
    """A key that returns answers the current state, or that of the submit."""
    seen = {}
    for choice in ("current", "as_submitted"):
        with running(Gaps(resubmitted=choice)) as call:
            sent = {"json": REQUEST, "headers": {"Idempotency-Key": "k"}}
            first = call("POST", "/tasks", **sent).json()
            call.ended(first["task_id"])
            seen[choice] = first, call("POST", "/tasks", **sent).json()
    first, again = seen["current"]
    assert (again["task_id"], again["status"], again["cost"]) == (first["task_id"], "failed", 0)
    first, again = seen["as_submitted"]
    assert again == first


def test_refused_key() -> None:
    """The key of a refused submit is free again, or answers the same refusal."""
    for gaps, status in ((Gaps(), 200), (Gaps(refused_key="used"), 400)):
        with running(gaps) as call:
            key = {"Idempotency-Key": "k"}
            assert call("POST", "/tasks", json={**REQUEST, "n": 2}, headers=key).status_code == 400
            again = call("POST", "/tasks", json=REQUEST, headers=key)
            assert again.status_code == status
            assert again.status_code == 200 or again.json()["error"]["param"] == "n"
            assert call("POST", "/tasks", json=REQUEST).status_code == 200


def test_long_wait() -> None:
    """A wait above the limit is capped or refused; one at the limit is accepted by both."""
    for gaps, status in ((Gaps(), 200), (Gaps(long_wait="refused"), 400)):
        with running(gaps) as call:
            for seconds, expected in ((60, 200), (61, status), (10**30, status)):
                headers = {"Prefer": f"wait={seconds}"}
                assert call("POST", "/tasks", json=REQUEST, headers=headers).status_code == expected
    assert contract_of("2026-11").wait_seconds("wait=61") == 60


@pytest.mark.slow
@pytest.mark.parametrize("status", [200, 202])
def test_unfinished_status(status: Any) -> None:
    """A wait in vain has the HTTP status that was chosen; a successful one has 200."""
    with running(Gaps(unfinished_status=status), speed=0.001) as call:
        assert call("POST", "/tasks", json=REQUEST, headers={"Prefer": "wait=1"}).status_code == status
    with running(Gaps(unfinished_status=status)) as call:
        assert call("POST", "/tasks", json=REQUEST, headers={"Prefer": "wait=30"}).status_code == 200


@pytest.mark.parametrize(
    ("choice", "completed", "failed", "cancelled"),
    [
        ("completed", "settled", None, None),
        ("ended", "settled", "refunded", "refunded"),
        ("never", None, None, None),
    ],
)
def test_billing_status(choice: Any, completed: object, failed: object, cancelled: object) -> None:
    """The billing status is that of completed tasks, of all ends, or absent."""
    with desk(Gaps(billing_status=choice)) as made:
        tasks = [made.submit() for _ in range(3)]
        made.backend.cancel(tasks[2])
        made.complete(tasks[0])
        made.clock.now += 100
        statuses = [made.status(task_id) for task_id in tasks]
        assert [status["status"] for status in statuses] == ["completed", "failed", "cancelled"]
        assert [status.get("billing_status") for status in statuses] == [completed, failed, cancelled]


@pytest.mark.parametrize(("choice", "is_later"), [("fixed", False), ("recomputed", True)])
def test_expires_at(choice: Any, is_later: bool) -> None:
    """The expiry of a link is fixed, or moves with each request."""
    with desk(Gaps(expires_at=choice)) as made:
        task_id = made.submit()
        made.complete(task_id)
        first = made.status(task_id)["result"]["videos"][0]["expires_at"]
        made.clock.now += DAY
        assert made.status(task_id)["result"]["videos"][0]["expires_at"] == first + DAY * is_later


@pytest.mark.parametrize("place", ["in_error", "beside_error"])
@pytest.mark.parametrize(
    ("unit", "form"),
    [("seconds", r"\d{10}"), ("milliseconds", r"\d{13}"), ("iso", r"\d{4}-\d\d-\d\dT[\d:]{8}Z")],
)
def test_spending_window(place: Any, unit: Any, form: str) -> None:
    """The figures of a spending window are in the error or beside it, its end in one of three units."""
    with running(Gaps(window_fields=place, reset_at=unit), faults=Faults(quota_window=60)) as call:
        content = call("POST", "/tasks", json=REQUEST).json()
    figures = content["error"] if place == "in_error" else content
    assert {"window", "used", "cap", "reset_at"} <= set(figures)
    assert re.fullmatch(form, str(figures["reset_at"]))
    assert content["error"]["code"] == "quota_window_exceeded"


@pytest.mark.parametrize(("choice", "status"), [("refused", 400), ("billed", 200)])
def test_unreadable_video(tmp_path: Path, choice: Any, status: int) -> None:
    """A video that cannot be read is 400, or billed at the longest length."""
    with running(Gaps(unreadable_video=choice)) as call:
        url = f"{call.sandbox.base_url}/nothing.mp4"
        answer = call("POST", "/tasks", json=body("kling-v3-motion-control", video_urls=[url]))
        assert answer.status_code == status
        assert status == 400 or answer.json()["pre_consumed_cost"] == 30 * 56_700


def test_unreachable_video() -> None:
    """A video out of reach is taken to last five seconds, or is treated as unreadable."""
    request = body("kling-v3-motion-control", video_urls=["http://nowhere.invalid/a.mp4"])
    with running(Gaps()) as call:
        assert call("POST", "/tasks", json=request).json()["pre_consumed_cost"] == 5 * 56_700
    with running(Gaps(unreachable_video="unreadable")) as call:
        answer = call("POST", "/tasks", json=request)
        assert answer.json()["error"]["code"] == "input_video_duration_unknown"
    with running(Gaps(unreachable_video="unreadable", unreadable_video="billed")) as call:
        assert call("POST", "/tasks", json=request).json()["pre_consumed_cost"] == 30 * 56_700


def test_only_contract_2026_11_has_gaps() -> None:
    """Gaps of contract 2026-04, an unknown contract and an unknown choice are errors with the choices."""
    with pytest.raises(ValueError, match="2026-11"):
        Sandbox(gaps=Gaps())
    with pytest.raises(ValueError, match="2026-04 or 2026-11"):
        Sandbox(contract="2026-05")
    with pytest.raises(ValueError, match="'seconds', 'milliseconds'"):
        Gaps(times="minutes")  # type: ignore[arg-type]  # not a choice
    with pytest.raises(ValueError, match="credit"):
        Sandbox(credit=-1)


def test_each_gap_is_described() -> None:
    """The docstring describes every choice."""
    assert Gaps.__doc__ is not None
    assert [field.name for field in fields(Gaps) if f"{field.name}: " not in Gaps.__doc__] == []
