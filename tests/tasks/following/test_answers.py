"""``answers``: the trait changes that an answer of the service causes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.service.contract.snapshot import ServiceFailure, Video
from qingbo_widgets.tasks.following.answers import changes_from, links_in
from qingbo_widgets.tasks.state import TaskState

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


def task(**traits: object) -> TaskState:
    """Return a running task."""
    state = TaskState()
    state.set_traits(**{"task_id": "t1", "model": "kling-v3", "status": qw.TaskStatus.processing, **traits})
    return state


def test_what_is_known_is_not_taken_back() -> None:
    """An answer that contains less, or is stale, leaves id, model, progress and creation time unchanged."""
    known = task(progress=60, created_at=NOON)
    answer = qw.TaskSnapshot("another", status=qw.TaskStatus.processing, progress=20)
    assert changes_from(answer, known, eta=7.0) == {
        "task_id": "t1",
        "model": "kling-v3",
        "status": qw.TaskStatus.processing,
        "progress": 60,
        "created_at": NOON,
        "eta": 7.0,
        "cost": None,
        "frozen": None,
        "billing_status": "",
    }


def test_a_completed_task_has_its_links() -> None:
    """A completed task has 100 % and no remaining time, whatever progress the answer reports."""
    videos = (Video("https://cdn/a.mp4", NOON + timedelta(hours=2)), Video("https://cdn/b.mp4", NOON))
    answer = qw.TaskSnapshot(
        "t1", status=qw.TaskStatus.completed, progress=99, completed_at=NOON, videos=videos
    )
    changes = changes_from(answer, task(progress=60), eta=3.0)
    assert (changes["progress"], changes["completed_at"], changes["eta"]) == (100, NOON, None)
    assert changes["video_urls"] == ("https://cdn/a.mp4", "https://cdn/b.mp4")
    assert changes["expires_at"] == NOON, "the link that dies first"
    assert "error" not in changes


def test_links_without_an_end_have_none() -> None:
    """A link without an expiry in the answer has none in the traits."""
    answer = qw.TaskSnapshot("t1", videos=(Video("https://cdn/a.mp4"),))
    assert links_in(answer) == {"video_urls": ("https://cdn/a.mp4",), "expires_at": None}


@pytest.mark.parametrize(
    ("failure", "text", "code"),
    [
        (ServiceFailure("no koi", "bad_prompt"), "The task t1 failed (bad_prompt): no koi. ", "bad_prompt"),
        (ServiceFailure("no koi"), "The task t1 failed: no koi. ", None),
        (ServiceFailure(""), "The task t1 failed: the service gave no reason. ", None),
        (None, "The task t1 failed: the service gave no reason. ", None),
    ],
)
def test_a_failure_has_its_reason(failure: ServiceFailure | None, text: str, code: str | None) -> None:
    """The error has the service's reason and code; an end without a time gets ours."""
    before = datetime.now(UTC)
    changes = changes_from(
        qw.TaskSnapshot("t1", status=qw.TaskStatus.failed, error=failure), task(progress=60), eta=3.0
    )
    error = changes["error"]
    assert isinstance(error, qw.TaskFailed)
    assert (error.task_id, error.code) == ("t1", code)
    assert str(error) == text + "The service refunds failed tasks."
    assert before <= changes["completed_at"] <= datetime.now(UTC)
    assert (changes["progress"], changes["eta"]) == (60, None)
    assert "video_urls" not in changes


@pytest.mark.parametrize(
    ("answer", "contract", "text"),
    [
        ({"cost": 0}, "2026-11", "The service charged nothing for it."),
        ({"billing_status": "refunded"}, "2026-11", "The service charged nothing for it."),
        ({"billing_status": "refund_pending"}, "2026-11", "Its refund is pending at the service."),
        ({"cost": 0, "billing_status": "refund_pending"}, "2026-11", "Its refund is pending"),
        ({}, "2026-11", "The service refunds failed tasks."),
        ({"cost": 250_000}, "2026-11", "The service reports that it cost $0.50 all the same"),
        ({"cost": 250_000}, "2026-04", "The service reports that it cost 250000 units of quota all the same"),
    ],
)
def test_a_failure_promises_no_refund_against_the_answer(
    answer: dict[str, Any], contract: str, text: str
) -> None:
    """The error tells the cost that the answer has, and promises a refund only if it has none."""
    state = task()
    state.contract = contract
    snapshot = qw.TaskSnapshot("t1", status=qw.TaskStatus.failed, **answer)
    error = changes_from(snapshot, state, eta=None)["error"]
    assert text in str(error)
    assert ("refunds" in str(error)) == (text == "The service refunds failed tasks.")


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("upstream_unavailable", "Another try may succeed."),
        ("upstream_rate_limited", "Another try may succeed in a few minutes."),
        ("upstream_bad_request", "The same request would fail again"),
        ("task_failed", "Another try may succeed, or fail again"),
    ],
)
def test_a_failure_says_whether_another_try_helps(code: str, advice: str) -> None:
    """The error explains each documented code, in a sentence after the service's own message."""
    failure = ServiceFailure("upstream said no", code)
    snapshot = qw.TaskSnapshot("t1", status=qw.TaskStatus.failed, error=failure)
    text = str(changes_from(snapshot, task(), eta=None)["error"])
    assert text.startswith(f"The task t1 failed ({code}): upstream said no. The ")
    assert advice in text


def test_the_costs_are_kept() -> None:
    """The frozen quota of one answer and the cost of a later one are both kept."""
    queued = qw.TaskSnapshot("t1", frozen=5500)
    changes = changes_from(queued, task(), eta=None)
    assert (changes["frozen"], changes["cost"], changes["billing_status"]) == (5500, None, "")
    state = task(frozen=5500)
    ended = qw.TaskSnapshot("t1", status=qw.TaskStatus.completed, cost=5000, billing_status="settled")
    changes = changes_from(ended, state, eta=None)
    assert (changes["frozen"], changes["cost"], changes["billing_status"]) == (5500, 5000, "settled")
    state = task(cost=5000, billing_status="settled")
    again = changes_from(qw.TaskSnapshot("t1", status=qw.TaskStatus.completed), state, eta=None)
    assert (again["cost"], again["billing_status"]) == (5000, "settled")


def test_a_cancelled_task_says_so() -> None:
    """A cancelled answer sets ``TaskCancelled``, which ``wait`` raises."""
    error = changes_from(qw.TaskSnapshot("t1", status=qw.TaskStatus.cancelled), task(), eta=None)["error"]
    assert isinstance(error, qw.TaskCancelled)
    assert error.task_id == "t1"


@pytest.mark.parametrize(
    ("fields", "contract", "text"),
    [
        ({"cost": 189000}, "2026-11", " The service reports that it cost $"),
        ({"cost": 4}, "2026-04", " The service reports that it cost 4 units of quota all the same"),
        ({"billing_status": "refund_pending"}, "2026-11", " Its refund is pending at the service."),
        ({"refunded": False}, "2026-11", " The service reports that it was not refunded"),
        ({"refunded": False, "cost": 0}, "2026-11", ""),
        ({"refunded": True}, "2026-11", ""),
        ({}, "2026-04", ""),
    ],
)
def test_a_cancelled_task_tells_a_cost_that_remains(fields: dict[str, Any], contract: str, text: str) -> None:
    """The error of a cancelled task tells what the service has charged or not refunded."""
    answer = qw.TaskSnapshot("t1", status=qw.TaskStatus.cancelled, **fields)
    known = task()
    known.contract = contract
    error = changes_from(answer, known, eta=None)["error"]
    assert isinstance(error, qw.TaskCancelled)
    assert str(error).startswith("The task was cancelled." + text)
    assert text or str(error) == "The task was cancelled."
