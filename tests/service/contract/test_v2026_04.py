"""Contract 2026-04 on the wire."""

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
    """A snapshot out of an answer with these fields."""
    return CONTRACT.decode({"task_id": "task-1", **fields})


def test_the_first_example_of_the_documentation() -> None:
    """The documented body comes out, no field more and none less."""
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
    """Shots stand in extra, instead of the prompt and the duration."""
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


def test_sound_off_is_said() -> None:
    """False is a value, for the service's default is on; nothing is sent where nothing was chosen."""
    assert CONTRACT.encode(VideoRequest(prompt="a", enable_audio=False))["extra"]["enable_audio"] is False
    assert CONTRACT.encode(VideoRequest(prompt="a", negative_prompt=""))["extra"] == {"mode": "std"}


def test_the_documented_answer_to_submit() -> None:
    """Milliseconds become a time with its zone."""
    snapshot = decode(
        model="kling-v3", action="generate", status="queued", created_at=1775285160040, progress=0
    )
    assert snapshot == TaskSnapshot("task-1", "kling-v3", "generate", created_at=MOMENT)


def test_a_completed_task() -> None:
    """The link, its end, the times and the cost are found."""
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
    """Seconds, milliseconds, text: one moment."""
    assert decode(created_at=moment).created_at == MOMENT


#: Year 1 is how Go writes "none". Windows knows no local time for any of them, so none could be shown.
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
def test_a_time_that_is_none(moment: object) -> None:
    """What cannot be a time is no time, and no error."""
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
    """A whole number from 0 to 100, whatever was written."""
    assert decode(status="processing", progress=said).progress == percent


def test_completed_without_progress_is_all_of_it() -> None:
    """A bar does not stay empty beside a finished video."""
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
    """Text or list; what is no web link is left out."""
    assert decode(result={"videos": videos}).videos == (Video(LINK),)


@pytest.mark.parametrize("result", [None, [], "", 7, {}, {"videos": None}, {"videos": {"url": LINK}}])
def test_no_result(result: object) -> None:
    """A task without videos is no error."""
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
    """Text or object, with a code or without; nothing in it that a terminal would act on."""
    assert decode(status="failed", error=error).error == failure


RESULT = {"images": [], "videos": [{"url": LINK}]}
ENDED_AT = 1775285160040


@pytest.mark.parametrize("word", ["succeeded", "done", "RENDERED", "terminé", "7", 7, None, ""])
@pytest.mark.parametrize("proof", [{"completed_at": ENDED_AT}, {"progress": 100}, {"progress": "100%"}])
def test_a_video_of_a_task_that_has_ended_completes_it(word: object, proof: dict[str, object]) -> None:
    """By any name of the service: the link dies, and the video is paid for."""
    snapshot = decode(status=word, result=RESULT, **proof)
    assert snapshot.status is TaskStatus.completed
    assert snapshot.progress == 100
    assert [video.url for video in snapshot.videos] == [LINK]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": "Succeeded", "result": RESULT}, "completed"),
        ({"status": "succeed", "result": RESULT}, "completed"),  # Kling's own, behind the gateway
        ({"status": "failed", "result": RESULT, "completed_at": ENDED_AT}, "failed"),
        ({"status": "error", "error": {"message": "no"}}, "failed"),
        ({"status": "rejected", "error": "no", "completed_at": ENDED_AT}, "failed"),
        ({"status": "rejected", "error": "no", "result": RESULT, "completed_at": ENDED_AT}, "completed"),
        ({"status": "canceled"}, "cancelled"),
        ({"status": "Canceled", "result": RESULT, "progress": 100}, "completed"),
    ],
)
def test_an_end_by_another_word(fields: dict[str, object], status: str) -> None:
    """Words of other gateways, where the answer has what goes with them."""
    assert decode(**fields).status == status


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "succeeded"},
        {"status": "succeeded", "completed_at": ENDED_AT, "progress": 100},
        {"status": "done", "completed_at": ENDED_AT, "error": {"code": 0}},
        {"status": "done", "result": {"videos": [{"url": "file:///etc/passwd"}]}, "progress": 100},
        {"status": "error", "progress": 100},
        {"status": "previewing", "result": RESULT, "progress": 50},
        {"status": "retrying", "error": {"message": "upstream is busy"}, "progress": 100},
        {"status": "processing", "result": RESULT, "progress": 100},
    ],
)
def test_what_is_no_end_is_followed(fields: dict[str, object]) -> None:
    """A task that is taken for ended is not asked about again, so a word alone does not end it."""
    status = decode(**fields).status
    assert not status.is_ended
    assert status == fields["status"], "the user sees the word"


@pytest.mark.parametrize("status", [None, 7, "", " ", [], {}])
def test_no_status_is_queued(status: object) -> None:
    """A task whose state is not said is one that has not begun."""
    assert decode(status=status).status is TaskStatus.queued


def test_the_answer_to_cancel() -> None:
    """It carries little; what was refunded is found in raw."""
    snapshot = decode(status="cancelled", refunded=True, refunded_quota=50000)
    assert snapshot.status is TaskStatus.cancelled
    assert snapshot.raw["refunded_quota"] == 50000
    assert "refunded" not in repr(snapshot)


@pytest.mark.parametrize(
    "body",
    [None, [], "task-1", {}, {"task_id": ""}, {"task_id": 7}, {"task_id": "a\nb"}, {"task_id": "a" * 257}],
)
def test_what_cannot_be_a_task(body: object) -> None:
    """Without an id there is nothing to follow."""
    with pytest.raises(ValueError, match="the answer"):
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
    """Whatever stands in the fields, a snapshot comes out, and its progress is a percentage."""
    assert 0 <= CONTRACT.decode(body).progress <= 100
