"""``own_links``: an answer that repeats the request has no result in the links of the request."""

from __future__ import annotations

import pytest

from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.own_links import without_own_links
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.snapshot import TaskSnapshot, Video

OWN, OTHER, RESULT = "https://me.example/my koi.mp4", "https://me.example/b.mp4", "https://cdn.example/r.mp4"
REQUESTS = (
    VideoRequest("kling-video-o1", "edit it", video_urls=(OWN, OTHER)),
    VideoRequest("kling-video-o1", "edit it", image_with_roles=({"url": OWN, "role": "x"}, {"url": OTHER})),
)


def answered(*links: str) -> TaskSnapshot:
    """Return the answer with these links in the place of the result."""
    body = {"task_id": "t1", "status": "completed", "data": [{"url": link} for link in links]}
    return CONTRACTS["2026-11"].decode(body)


@pytest.mark.parametrize("request_", REQUESTS, ids=["list", "with roles"])
def test_the_users_own_video_is_no_result(request_: VideoRequest) -> None:
    """The links of the request are left out, also if they had to be percent-encoded."""
    snapshot = without_own_links(answered(OWN, RESULT, OTHER), request_)
    assert (snapshot.videos, snapshot.video_count) == ((Video(RESULT),), 1)
    assert without_own_links(answered(OWN), request_).videos == ()


def test_without_own_videos_nothing_changes() -> None:
    """Other links stay as they are, and all do for a task whose request is not known."""
    snapshot = answered(OWN, RESULT)
    assert without_own_links(snapshot, None) is snapshot
    assert without_own_links(snapshot, VideoRequest(prompt="koi")) is snapshot
