"""Responses in every form that the documentation of contract 2026-11 shows, read alike in both contracts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.snapshot import ServiceFailure, TaskSnapshot, TaskStatus, Video

LINK = "https://cdn.example/koi.mp4"
TASK = {"task_id": "task-wave1789004688b950049238", "model": "kling-v3", "action": "generate"}


@pytest.fixture(params=sorted(CONTRACTS))
def contract(request: pytest.FixtureRequest) -> Any:
    """Return each contract."""
    return CONTRACTS[request.param]


def read(contract: Any, **body: object) -> TaskSnapshot:
    """Return the snapshot of a response with these members."""
    snapshot: TaskSnapshot = contract.decode({**TASK, **body})
    return snapshot


def test_the_answer_to_submit(contract: Any) -> None:
    """Seconds, a whole number as progress, and the quota that is frozen."""
    snapshot = read(contract, status="queued", created_at=1720000000, progress=0, pre_consumed_cost=5500)
    assert (snapshot.status, snapshot.progress, snapshot.frozen) == (TaskStatus.queued, 0, 5500)
    assert snapshot.created_at == datetime(2024, 7, 3, 9, 46, 40, tzinfo=UTC)
    assert (snapshot.cost, snapshot.billing_status) == (None, "")


@pytest.mark.parametrize(
    ("status", "progress", "percent"),
    [("queued", "", 0), ("processing", "45%", 45), ("completed", "100%", 100), ("failed", "100%", 100)],
)
def test_progress_as_text(contract: Any, status: str, progress: str, percent: int) -> None:
    """Progress is text: empty right after queuing, and 100 % at both ends."""
    snapshot = read(contract, status=status, progress=progress)
    assert (snapshot.status, snapshot.progress) == (status, percent)


def test_a_settled_task(contract: Any) -> None:
    """A completed task has its cost, the state of its billing, and links in a list that last 7 days."""
    result = {"videos": [{"url": [LINK], "expires_at": 1792169754}]}
    snapshot = read(
        contract,
        status="completed",
        progress="100%",
        completed_at=1791564954,
        cost=189000,
        billing_status="settled",
        result=result,
        urls={"get": "https://api.qingbo.ai/v1/tasks/x", "cancel": "https://api.qingbo.ai/v1/tasks/x/cancel"},
    )
    assert (snapshot.cost, snapshot.billing_status) == (189000, "settled")
    (video,) = snapshot.videos
    assert video.url == LINK
    assert video.expires_at is not None
    assert snapshot.completed_at is not None
    assert (video.expires_at - snapshot.completed_at).days == 7


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_an_end_that_costs_nothing(contract: Any, status: str) -> None:
    """A failed or cancelled task has the cost 0, which is not the same as none."""
    assert read(contract, status=status, cost=0, billing_status="refunded").cost == 0


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ({"code": "task_failed", "message": "[task_failed] No."}, ServiceFailure("No.", "task_failed")),
        ({"message": "[upstream_unavailable] No."}, ServiceFailure("No.", "upstream_unavailable")),
        ("[upstream_rate_limited] Busy.", ServiceFailure("Busy.", "upstream_rate_limited")),
        ({"message": "[task_failed]"}, ServiceFailure("task_failed", "task_failed")),
        ({"code": "task_failed", "message": "[first] No."}, ServiceFailure("[first] No.", "task_failed")),
        ({"code": None, "message": "[1080p] No."}, ServiceFailure("[1080p] No.")),
        ({"message": "No [task_failed]."}, ServiceFailure("No [task_failed].")),
    ],
)
def test_a_code_in_front_of_the_message(contract: Any, error: object, failure: ServiceFailure) -> None:
    """A prefix is dropped if it repeats the code, and becomes the code if there is none."""
    assert read(contract, status="failed", error=error).error == failure


def test_pictures_beside_the_video_are_no_videos(contract: Any) -> None:
    """A last frame or a GIF is not downloaded in place of the video, wherever it stands in the result."""
    gif, frame = "https://cdn.example/koi.gif?sign=a.mp4", "https://cdn.example/last.PNG"
    result = {"images": [{"url": [frame]}], "videos": [{"url": [frame, LINK, gif]}, {"url": gif}]}
    snapshot = read(contract, status="completed", result=result)
    assert snapshot.videos == (Video(LINK),)


@pytest.mark.parametrize(
    "link", ["https://cdn.example/out.webp", "https://cdn.example/poster.jpg?format=mp4"]
)
def test_the_only_link_is_the_video(contract: Any, link: str) -> None:
    """A paid video is saved even if its only link has the name of a picture."""
    assert read(contract, status="completed", result={"videos": [{"url": link}]}).videos == (Video(link),)


def test_the_body_of_a_callback(contract: Any) -> None:
    """A callback's body equals a status response, also with the older name of the end."""
    result = {"videos": [{"url": [LINK], "expires_at": 1792169754}]}
    snapshot = read(contract, status="succeeded", progress="100%", completed_at=1791564954, result=result)
    assert snapshot.status is TaskStatus.completed


@pytest.mark.parametrize("quota", [-1, 0.35, "", "free", True, None, [], float("nan"), 2**63])
def test_an_invalid_quota(contract: Any, quota: object) -> None:
    """A cost that is no amount is unknown, not zero."""
    snapshot = read(contract, cost=quota, pre_consumed_cost=quota, billing_status=quota)
    assert (snapshot.cost, snapshot.frozen) == (None, None)
