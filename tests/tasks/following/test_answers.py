"""``answers``: the trait changes that an answer of the service causes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.service.contract.snapshot import ServiceFailure, Video
from qingbo_widgets.tasks.following.answers import changes_from, links_in, note_on
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
    assert str(error) == text + NOT_SAID
    assert before <= changes["completed_at"] <= datetime.now(UTC)
    assert (changes["progress"], changes["eta"]) == (60, None)
    assert "video_urls" not in changes


PROMISED = (
    "The response does not say whether it was refunded. The service's documentation promises that; its "
    "dashboard and qw.balance() show it."
)
NOT_SAID = "The response does not say whether it was charged: see the service's dashboard."


@pytest.mark.parametrize(
    ("answer", "contract", "text"),
    [
        ({"cost": 0}, "2026-11", "The service charged nothing for it."),
        ({"billing_status": "refunded"}, "2026-11", "The service reports that it was refunded."),
        ({"billing_status": "refund_pending"}, "2026-11", "The service's refund is pending."),
        ({"cost": 0, "billing_status": "refund_pending"}, "2026-11", "refund is pending"),
        ({}, "2026-11", PROMISED),
        ({"cost": 250_000}, "2026-11", "The service still reports a cost of $0.50"),
        ({"cost": 250_000}, "2026-04", "The service still reports a cost of 250,000 units of quota"),
        ({"cost": 250_000, "frozen": 250_000}, "2026-11", "still reports a cost of $0.50"),
        ({"cost": 5, "billing_status": "settled"}, "2026-04", "still reports a cost of 5 units of quota"),
        (
            {"cost": 5, "billing_status": "refund_pending"},
            "2026-04",
            "service. The service's refund is pending",
        ),
        ({"cost": 5, "billing_status": "refunded"}, "2026-04", "units of quota, which was refunded."),
        ({"cost": 5, "refunded": True}, "2026-04", "it cost 5 units of quota, which was refunded."),
        ({"cost": 5, "refunded": False}, "2026-04", "still reports a cost of 5 units of quota"),
        ({"cost": 0, "billing_status": "settled"}, "2026-11", "The service charged nothing for it."),
        ({"cost": 0, "frozen": 5}, "2026-11", "The service charged nothing for it."),
        ({"frozen": 250_000}, "2026-11", PROMISED),
        ({"refunded": True}, "2026-04", "The service reports that it was refunded."),
        ({"refunded": False}, "2026-04", "The service reports that it was not refunded"),
        (
            {"billing_status": "settled"},
            "2026-11",
            'reports no cost (billing status "settled"): see its dashboard.',
        ),
        ({"billing_status": "odd"}, "2026-11", 'reports no cost (billing status "odd")'),
        ({"billing_status": "REFUNDED", "cost": 0}, "2026-11", "reports that it was refunded."),
        ({"word": "FAILURE"}, "2026-04", "does not say whether it was charged: see the service's dashboard."),
        ({"word": "FAILURE", "cost": 0}, "2026-04", "The service charged nothing for it."),
        ({"word": "expired"}, "2026-04", "does not say whether it was charged: see the service's dashboard."),
        ({"word": "Failed"}, "2026-04", NOT_SAID),
        ({"raw": {"cost": 0.35}}, "2026-04", "The response reports cost: 0.35"),
        ({"raw": {"data": {"quota": 5500}}}, "2026-04", "The response reports quota: 5500"),
        ({"raw": {"usage": {"cost": "12.5", "tokens": 9}}}, "2026-04", "reports usage.cost: 12.5. The"),
        ({"raw": {"error": {"credits": 3}}}, "2026-04", "The response reports error.credits: 3"),
        ({"raw": {"billed": True, "fee": 2}}, "2026-04", "reports billed: True, fee: 2. The service's"),
        ({"raw": {"quota": 0, "pre_consumed_cost": 5}}, "2026-04", NOT_SAID),
        ({"raw": {"quota": 9}, "refunded": True}, "2026-04", "reports that it was refunded."),
        (
            {"error": ServiceFailure("You were charged.")},
            "2026-04",
            "dashboard shows whether it was charged.",
        ),
        ({"error": ServiceFailure("内容违规，不退费")}, "2026-04", "dashboard shows whether it was charged."),
        ({"error": ServiceFailure("battery not charging")}, "2026-04", NOT_SAID),
    ],
)
def test_a_failure_promises_no_refund_against_the_answer(
    answer: dict[str, Any], contract: str, text: str
) -> None:
    """The error tells the cost and the refund that the answer has, and no more than the documentation."""
    state = task()
    state.contract = contract
    snapshot = qw.TaskSnapshot("t1", status=qw.TaskStatus.failed, **answer)
    error = changes_from(snapshot, state, eta=None)["error"]
    assert text in str(error)
    assert ("documentation promises" in str(error)) == (text == PROMISED)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"cost": 250_000}, "服务仍报告费用 $0.50"),
        ({"cost": 250_000, "refunded": True}, "服务报告它的费用为 $0.50，并且已经退还。"),
        ({}, "响应没有说明是否已退款。服务的文档承诺会退款；请查看控制台或 qw.balance()。"),
        ({"refunded": True}, "服务报告费用已经退还。"),
        ({"billing_status": "settled"}, "服务没有报告费用（计费状态“settled”）：请查看控制台。"),
        (
            {"word": "expired"},
            "任务 t1 在服务端已经过期，无法再获取视频。响应没有说明是否扣费",
        ),
        ({"word": "FAILURE"}, "服务没有说明原因（状态“FAILURE”）。响应没有说明是否扣费"),
    ],
    ids=str,
)
def test_a_cost_that_remains_in_chinese(answer: dict[str, Any], text: str) -> None:
    """The Chinese text promises no refund against the answer either."""
    qw.set_locale("zh")
    state = task()
    state.contract = "2026-11"
    snapshot = qw.TaskSnapshot("t1", status=qw.TaskStatus.failed, **answer)
    error = str(changes_from(snapshot, state, eta=None)["error"])
    assert text in error
    assert "会退还" not in error


def test_an_expired_task_says_so() -> None:
    """There is nothing to fetch of a task that has expired; the service's reason follows."""
    snapshot = qw.TaskSnapshot("t1", status=qw.TaskStatus.failed, word=" Expired ")
    text = "The task t1 has expired at the service, so its video can no longer be fetched. "
    doubt = "The response does not say whether it was charged: see the service's dashboard."
    assert str(changes_from(snapshot, task(), eta=None)["error"]) == text + doubt
    snapshot = replace(snapshot, error=ServiceFailure("the pond is dry", "dry"))
    error = changes_from(snapshot, task(), eta=None)["error"]
    assert (str(error), error.code) == (f"{text}the pond is dry. {doubt}", "dry")


def test_a_failure_under_another_name() -> None:
    """Without a reason, the user reads the service's own word."""
    snapshot = qw.TaskSnapshot("t1", status=qw.TaskStatus.failed, word="FAILURE")
    error = changes_from(snapshot, task(), eta=None)["error"]
    assert 'failed: the service gave no reason (status "FAILURE"). ' in str(error)


@pytest.mark.parametrize("status", [qw.TaskStatus.failed, qw.TaskStatus.cancelled])
def test_an_end_without_a_video_keeps_its_links(status: qw.TaskStatus) -> None:
    """A link beside a failure may lead to a video that was paid for, so the user gets it."""
    answer = qw.TaskSnapshot("t1", status=status, videos=(Video("https://cdn/a.mp4", NOON),))
    changes = changes_from(answer, task(), eta=None)
    assert (changes["video_urls"], changes["expires_at"]) == (("https://cdn/a.mp4",), NOON)
    assert "But the response has a link to a video: see task.video_urls." in str(changes["error"])


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        ({"status": qw.TaskStatus("paused"), "error": ServiceFailure("dry", "E1")}, "ended: dry (E1)"),
        ({"status": qw.TaskStatus.queued, "error": ServiceFailure("dry")}, "ended: dry"),
        ({"status": qw.TaskStatus.failed, "error": ServiceFailure("dry")}, ""),
        ({"status": qw.TaskStatus.processing}, ""),
    ],
    ids=str,
)
def test_an_error_of_a_task_that_has_not_ended_is_shown(answer: dict[str, Any], note: str) -> None:
    """An error beside a status that is no end becomes a message."""
    text = note_on(qw.TaskSnapshot("t1", **answer))
    assert text.endswith(note)
    assert bool(text) == bool(note)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("upstream_unavailable", "A retry may succeed."),
        ("upstream_rate_limited", "A retry may succeed in a few minutes."),
        ("upstream_bad_request", "The same request would fail again"),
        ("task_failed", "A retry may succeed, but not if"),
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
        ({"cost": 189000}, "2026-11", " The service still reports a cost of $"),
        ({"cost": 4}, "2026-04", " The service still reports a cost of 4 units of quota"),
        ({"billing_status": "refund_pending"}, "2026-11", " The service's refund is pending."),
        ({"refunded": False}, "2026-11", " The service reports that it was not refunded"),
        ({"refunded": False, "cost": 0}, "2026-11", " The service charged nothing for it."),
        ({"refunded": True}, "2026-11", " The service reports that it was refunded."),
        ({"billing_status": "refunded", "cost": 0}, "2026-11", " The service reports that it was refunded."),
        ({}, "2026-04", " The response does not say whether it was refunded. The service's documentation"),
        ({"raw": {"usage": {"cost": 3}}}, "2026-11", " The response reports usage.cost: 3. The service's"),
        ({"raw": {"quota": 9}, "refunded": True}, "2026-11", " The service reports that it was refunded."),
        ({"raw": {"refunded_quota": 9}}, "2026-11", " The response does not say whether it was refunded."),
        ({"error": ServiceFailure("不退费")}, "2026-11", " The service's dashboard shows whether it was"),
    ],
)
def test_a_cancelled_task_tells_its_cost_and_refund(fields: dict[str, Any], contract: str, text: str) -> None:
    """The error of a cancelled task tells what the answer says about its cost and its refund."""
    answer = qw.TaskSnapshot("t1", status=qw.TaskStatus.cancelled, **fields)
    known = task()
    known.contract = contract
    error = changes_from(answer, known, eta=None)["error"]
    assert isinstance(error, qw.TaskCancelled)
    assert str(error).startswith("The task was cancelled." + text)
