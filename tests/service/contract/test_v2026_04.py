"""The wire format of contract 2026-04."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingbo_widgets.service.contract.request import CameraControl, DynamicMask, VideoRequest
from qingbo_widgets.service.contract.snapshot import ServiceFailure, TaskSnapshot, TaskStatus, Video
from qingbo_widgets.service.contract.v2026_04 import Contract202604

CONTRACT = Contract202604()
IMAGE = "https://a.example/first.png"
LINK = "https://cdn.example/v.mp4?sig=1"
MOMENT = datetime(2026, 4, 4, 6, 46, 0, 40000, UTC)


def decode(**fields: object) -> TaskSnapshot:
    """Return the snapshot of a response with these fields."""
    return CONTRACT.decode({"task_id": "task-1", **fields})


def test_the_first_example_of_the_documentation() -> None:
    """The body is exactly the documented one."""
    request = VideoRequest(
        model="kling-v2-master", prompt="一条锦鲤在清澈的池塘中游动，水面波光粼粼", mode="pro"
    )
    assert CONTRACT.encode(request) == {
        "model": "kling-v2-master",
        "action": "generate",
        "prompt": "一条锦鲤在清澈的池塘中游动，水面波光粼粼",
        "aspect_ratio": "16:9",
        "duration": 5,
        "extra": {"mode": "pro"},
    }


def test_the_second_example_of_the_documentation() -> None:
    """Shots are in ``extra`` and replace the prompt and the duration."""
    request = VideoRequest(shots=[("特写：一杯咖啡在桌上冒着热气", 5), ("镜头拉远，展示整个咖啡馆的场景", 5)])
    assert CONTRACT.encode(request) == {
        "model": "kling-v3",
        "action": "generate",
        "aspect_ratio": "16:9",
        "extra": {
            "mode": "std",
            "shot_1_prompt": "特写：一杯咖啡在桌上冒着热气",
            "shot_1_duration": 5,
            "shot_2_prompt": "镜头拉远，展示整个咖啡馆的场景",
            "shot_2_duration": 5,
        },
    }


def test_everything_at_once() -> None:
    """Each optional field has its place; with an image there is no aspect ratio."""
    request = VideoRequest(
        "kling-v1-6",
        "a",
        duration=10,
        negative_prompt="b",
        image_urls=IMAGE,
        last_frame=IMAGE,
        callback_url="https://a.example/hook",
        cfg_scale=0,
        camera_control=CameraControl("simple", {"zoom": 5}),
        static_mask=IMAGE,
        dynamic_masks=[DynamicMask(IMAGE, [(1, 2), (3, 4)])],
    )
    assert CONTRACT.encode(request) == {
        "model": "kling-v1-6",
        "action": "generate",
        "prompt": "a",
        "duration": 10,
        "negative_prompt": "b",
        "image_urls": [IMAGE],
        "last_frame": IMAGE,
        "callback_url": "https://a.example/hook",
        "extra": {
            "mode": "std",
            "cfg_scale": 0,
            "camera_control": {"type": "simple", "config": {"zoom": 5}},
            "static_mask": IMAGE,
            "dynamic_masks": [{"mask_url": IMAGE, "trajectories": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}],
        },
    }


def test_sound_off_is_sent() -> None:
    """``enable_audio=False`` is sent, because the service's default is on; unset fields are not sent."""
    assert CONTRACT.encode(VideoRequest(prompt="a", enable_audio=False))["extra"]["enable_audio"] is False
    assert CONTRACT.encode(VideoRequest(prompt="a", negative_prompt=""))["extra"] == {"mode": "std"}


def test_the_documented_answer_to_submit() -> None:
    """Milliseconds become a time with its zone."""
    snapshot = decode(
        model="kling-v3", action="generate", status="queued", created_at=1775285160040, progress=0
    )
    assert snapshot == TaskSnapshot("task-1", "kling-v3", "generate", created_at=MOMENT)


def test_a_completed_task() -> None:
    """The link, its expiry, the times and the cost are read."""
    snapshot = decode(
        status="completed",
        progress="100%",
        start_time=1775285161,
        completed_at="1775285260",
        cost=50000,
        result={"images": [], "videos": [{"url": [LINK], "expires_at": 1775371660}]},
    )
    assert snapshot.status.is_ended
    assert snapshot.progress == 100
    assert snapshot.videos == (Video(LINK, datetime(2026, 4, 5, 6, 47, 40, tzinfo=UTC)),)
    assert snapshot.completed_at is not None
    assert snapshot.started_at is not None
    assert (snapshot.completed_at - snapshot.started_at).total_seconds() == 99
    assert snapshot.cost == 50000


@pytest.mark.parametrize(
    "moment",
    [
        1775285160.040,
        1775285160040,
        "1775285160040",
        "2026-04-04T06:46:00.040Z",
        "2026-04-04T08:46:00.040+02:00",
        "2026-04-04 06:46:00.040",
    ],
)
def test_every_form_of_a_time(moment: object) -> None:
    """Seconds, milliseconds and text give the same time."""
    assert decode(created_at=moment).created_at == MOMENT


#: Go writes a missing time as year 1. Windows cannot convert any of these to local time.
OTHER_AGES = [
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "1969-07-20",
    "9999-12-31T23:59:59Z",
    99_999_999_999,
]


@pytest.mark.parametrize(
    "moment", [None, "", 0, -5, True, "soon", float("nan"), 10**400, 10**20, [], {}, *OTHER_AGES]
)
def test_an_invalid_time(moment: object) -> None:
    """An invalid time becomes ``None``, without an error."""
    assert decode(created_at=moment).created_at is None


@pytest.mark.parametrize(
    ("said", "percent"),
    [
        (45, 45),
        (45.9, 45),
        ("45%", 45),
        (" 45 %", 45),
        ("45", 45),
        ("", 0),
        (None, 0),
        (-3, 0),
        (250, 100),
        ("half", 0),
        (True, 0),
        ([], 0),
    ],
)
def test_every_form_of_progress(said: object, percent: int) -> None:
    """Progress in any form becomes a whole number from 0 to 100."""
    assert decode(status="processing", progress=said).progress == percent


def test_completed_without_progress_is_100_percent() -> None:
    """A completed task without progress has 100 %."""
    assert decode(status="completed").progress == 100


@pytest.mark.parametrize(
    "videos",
    [
        [{"url": LINK}],
        [{"url": [LINK]}],
        [LINK],
        [{"url": LINK}, {"url": "javascript:alert(1)"}, {"url": "file:///etc/passwd"}, {}, 7, None],
    ],
)
def test_every_form_of_a_link(videos: object) -> None:
    """Links may be text or a list; anything except web links is dropped."""
    assert decode(result={"videos": videos}).videos == (Video(LINK),)


@pytest.mark.parametrize("result", [None, [], "", 7, {}, {"videos": None}, {"videos": {"url": None}}])
def test_no_result(result: object) -> None:
    """A response without videos is valid."""
    assert decode(result=result).videos == ()


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ({"message": "no", "code": "task_failed"}, ServiceFailure("no", "task_failed")),
        ({"message": "no"}, ServiceFailure("no")),
        ({"code": 1303}, ServiceFailure("1303", "1303")),
        ("no", ServiceFailure("no")),
        (
            {"message": "\x1b[2J\x1b[31mgone\r\nis \u202eit\ud800", "code": "a\nb\x07"},
            ServiceFailure("[2J[31mgone is it", "a b"),
        ),
        ("", None),
        ({}, None),
        (None, None),
        (7, None),
    ],
)
def test_every_form_of_an_error(error: object, failure: ServiceFailure | None) -> None:
    """An error may be text or an object, with or without a code; control characters are dropped."""
    assert decode(status="failed", error=error).error == failure


RESULT = {"images": [], "videos": [{"url": LINK}]}
ENDED_AT = 1775285160040


@pytest.mark.parametrize("word", ["succeeded", "done", "RENDERED", "terminé", "7", 7, None, ""])
@pytest.mark.parametrize("proof", [{"completed_at": ENDED_AT}, {"progress": 100}, {"progress": "100%"}])
def test_a_video_of_a_task_that_has_ended_completes_it(word: object, proof: dict[str, object]) -> None:
    """A video with proof of the end completes the task, whatever its status name, before the link expires."""
    snapshot = decode(status=word, result=RESULT, **proof)
    assert snapshot.status is TaskStatus.completed
    assert snapshot.progress == 100
    assert [video.url for video in snapshot.videos] == [LINK]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": "Succeeded", "result": RESULT}, "completed"),
        ({"status": "succeed", "result": RESULT}, "completed"),  # Kling's own name, behind the gateway
        ({"status": "failed", "result": RESULT, "completed_at": ENDED_AT}, "failed"),
        ({"status": "error", "error": {"message": "no"}}, "failed"),
        ({"status": "rejected", "error": "no", "completed_at": ENDED_AT}, "failed"),
        ({"status": "rejected", "error": "no", "result": RESULT, "completed_at": ENDED_AT}, "completed"),
        ({"status": "succeeded", "completed_at": ENDED_AT, "progress": 100}, "completed"),
        ({"status": "done", "completed_at": ENDED_AT, "error": {"code": 0}}, "completed"),
        ({"status": "canceled"}, "cancelled"),
        ({"status": "Canceled", "result": RESULT, "progress": 100}, "completed"),
    ],
)
def test_an_end_under_another_name(fields: dict[str, object], status: str) -> None:
    """Status names of other gateways end a task if the response has the matching data."""
    assert decode(**fields).status == status


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "succeeded"},
        {"status": "success", "result": {"videos": [{"url": "file:///etc/passwd"}]}},
        {"status": "error", "progress": 100},
        {"status": "previewing", "result": RESULT, "progress": 50},
        {"status": "retrying", "error": {"message": "upstream is busy"}, "progress": 100},
        {"status": "processing", "result": RESULT, "progress": 100},
    ],
)
def test_an_unproven_end_is_not_an_end(fields: dict[str, object]) -> None:
    """A status name alone does not end a task, because an ended task is never checked again."""
    status = decode(**fields).status
    assert not status.is_ended
    assert status == fields["status"], "the user sees the name"


@pytest.mark.parametrize("status", [None, 7, "", " ", [], {}])
def test_no_status_is_queued(status: object) -> None:
    """A response without a status counts as queued."""
    assert decode(status=status).status is TaskStatus.queued


def test_the_answer_to_cancel() -> None:
    """The response to a cancel has little data; ``raw`` contains the refunded quota."""
    snapshot = decode(status="cancelled", refunded=True, refunded_quota=50000)
    assert snapshot.status is TaskStatus.cancelled
    assert snapshot.raw["refunded_quota"] == 50000
    assert "refunded" not in repr(snapshot)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "task-1",
        {},
        {"task_id": ""},
        {"task_id": 0},
        {"task_id": True},
        {"task_id": "a\nb"},
        {"task_id": "a" * 257},
    ],
)
def test_a_response_without_a_task(body: object) -> None:
    """A response without a usable task id raises."""
    with pytest.raises(ValueError, match="the response"):
        CONTRACT.decode(body)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("1e400"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["url", "videos"]), inner),
    max_leaves=5,
)
answers = st.fixed_dictionaries(
    {"task_id": st.just("task-1")},
    optional=dict.fromkeys(
        ("status", "progress", "created_at", "completed_at", "result", "error", "cost", "model"), anything
    ),
)


@pytest.mark.slow
@given(answers)
def test_no_answer_breaks_the_reader(body: dict[str, object]) -> None:
    """Any response with a task id gives a snapshot with a valid progress."""
    assert 0 <= CONTRACT.decode(body).progress <= 100
