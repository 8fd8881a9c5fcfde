"""``results``: the videos of a task in the places of other services, and what is in the place of a link."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.results import results_in
from qingbo_widgets.service.contract.snapshot import TaskSnapshot, TaskStatus, Video
from tests.faults.film import film

LINK, OTHER = "https://cdn.example/koi.mp4", "https://cdn.example/carp.mp4"
FILM = film(bytes(range(256)))
CODED = base64.b64encode(FILM).decode()


def read(**fields: object) -> TaskSnapshot:
    """Return the snapshot of a completed task with these members."""
    return CONTRACTS["2026-04"].decode({"task_id": "t1", "status": "completed", **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"result": [LINK]},
        {"result": LINK},
        {"result": {"video_url": LINK}},
        {"result": {"url": LINK}},
        {"result": {"video": LINK}},
        {"result": {"videos": {"url": LINK}}},
        {"result": {"video_urls": [LINK]}},
        {"results": [{"url": LINK, "type": "video"}, {"url": "https://a.example/c", "type": "image/png"}]},
        {"output": LINK},
        {"output": [LINK]},
        {"output": {"video_url": LINK}},
        {"outputs": [{"video": {"url": LINK, "cover_url": OTHER}}]},
        {"video_url": LINK},
        {"url": LINK},
        {"video": {"url": LINK}},
        {"videos": [{"url": LINK}]},
        {"videos": [LINK]},
        {"data": [{"url": LINK}]},
        {"data": {"task_result": {"videos": [{"id": "v", "url": LINK}]}}},
        {"content": {"video_url": LINK}},
        {"content": [{"type": "video_url", "video_url": {"url": LINK}}]},
        {"creations": [{"id": "c", "url": LINK, "cover_url": OTHER}]},
        {"assets": {"video": LINK, "image": OTHER}},
        {"response": {"generateVideoResponse": {"generatedSamples": [{"video": {"uri": LINK}}]}}},
        {"result": {"videos": []}, "output": {"video_url": LINK}},
        {"output": {"type": "image_to_video", "video_url": LINK}},
        {"data": {"type": "image2video", "result": {"type": "audio-to-video", "url": LINK}}},
        {"output": [{"type": "video", "role": "assistant", "url": LINK}]},
    ],
    ids=str,
)
def test_the_result_is_found_elsewhere(fields: dict[str, Any]) -> None:
    """A link in the place of another service is the video."""
    assert read(**fields).videos == (Video(LINK),)


def test_the_documented_place_comes_first() -> None:
    """With a video in the documented place, no other place is read."""
    snapshot = read(result={"videos": [{"url": LINK}]}, video_url=OTHER, output=[OTHER])
    assert snapshot.videos == (Video(LINK),)


@pytest.mark.parametrize(
    "fields",
    [
        {"video_urls": [LINK]},
        {"input": {"video_urls": [LINK]}, "image_urls": [LINK]},
        {"request": {"url": LINK}},
        {"data": {"prompt": "koi", "video_urls": [LINK]}},
        {"urls": {"get": LINK, "cancel": LINK}},
        {"poll_url": LINK, "callback_url": LINK, "cover_url": LINK},
        {"result": {"images": [{"url": LINK}], "cover": LINK}},
        {"content": [{"type": "text", "text": "koi"}, {"type": "video_url", "video_url": {"url": LINK}}]},
        {"content": [{"type": "video_url", "role": "reference_video", "video_url": {"url": LINK}}]},
        {"output": [{"type": "image_url", "url": LINK}, {"type": "audio/mpeg", "url": LINK}]},
        {"output": {"url": "javascript:alert(1)"}},
        {"video_url": "file:///etc/passwd"},
    ],
    ids=str,
)
def test_what_is_not_the_result(fields: dict[str, Any]) -> None:
    """The links of the request, of the task itself and of pictures are no videos, nor is a script."""
    assert read(**fields).videos == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "koi", "video_url": OTHER, "output": LINK},
        {"prompt": "koi", "video": {"url": OTHER}, "result": {"url": LINK}},
        {"data": {"prompt": "koi", "videos": [OTHER], "output": {"url": LINK}}},
        {"data": {"prompt": "koi", "video_url": LINK}},
        {"prompt": "koi", "video_url": LINK},
    ],
    ids=str,
)
def test_the_result_comes_before_a_video_beside_the_prompt(fields: dict[str, Any]) -> None:
    """Beside the prompt may be the user's own video; it counts only if no other is there."""
    assert read(**fields).videos == (Video(LINK),)


def test_the_request_is_not_searched_as_a_part_of_the_envelope() -> None:
    """The object of the task repeats the request also inside an envelope."""
    task = {"task_id": "t1", "status": "completed", "video_urls": [OTHER]}
    decode = CONTRACTS["2026-04"].decode
    assert decode({"code": 0, "data": task}).videos == ()
    assert decode({"code": 0, "data": task, "output": {"url": LINK}}).videos == (Video(LINK),)


def test_the_results_of_other_tasks_are_not_taken() -> None:
    """In a list of tasks, only the entry of this task is searched, even if it has no video yet."""
    other = {"task_id": "t2", "url": OTHER}
    assert read(data=[other, {"task_id": "t1", "url": LINK}]).videos == (Video(LINK),)
    assert read(data=[other, {"id": "t1", "url": None}]).videos == ()


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"result": {"videos": [{"url": "/v1/videos/t1/content"}]}}, "/v1/videos/t1/content"),
        ({"result": {"videos": [{"url": ""}, {"url": "javascript:alert(1)"}]}}, "javascript:alert(1)"),
        ({"video_url": "//cdn.example/v.mp4?sign=secret"}, "//cdn.example/v.mp4"),
        ({"output": {"url": "x" * 500}}, "x" * 79 + "…"),
        ({"video_url": "data:video/mp4;base64,QUJD"}, "data:video/mp4;base64,QUJD"),
        ({"data": {"result": {"videos": [{"url": "a\x1b[31m"}]}}}, "a[31m"),
        ({"result": {"videos": [{"url": " "}]}}, ""),
        ({"result": None}, ""),
    ],
)
def test_what_is_in_the_place_of_a_link(fields: dict[str, Any], shown: str) -> None:
    """Text that is no usable link is kept to be shown: short, on one line, without a signature."""
    snapshot = read(**fields)
    assert (snapshot.videos, snapshot.unusable_link) == ((), shown)


@pytest.mark.parametrize(
    "fields",
    [
        {"result": {"videos": [{"b64_json": CODED}]}},
        {"data": [{"b64_json": CODED}]},
        {"result": {"videos": [{"url": f"data:video/mp4;base64,{CODED}"}]}},
        {"video_url": f"data:video/mp4;codecs=avc1;base64,{CODED}"},
        {"output": f"data:video/mp4;base64,{CODED}"},
        {"video_base64": CODED.rstrip("=")},
        {"output": {"video_base64": "\n".join((CODED[:76], CODED[76:]))}},
        {"b64_json": base64.urlsafe_b64encode(FILM).decode()},
    ],
    ids=["b64_json", "data", "url", "codecs", "output", "no padding", "lines", "url-safe"],
)
def test_a_video_in_base64(fields: dict[str, Any]) -> None:
    """The video itself is decoded; neither the repr nor the raw response repeats it."""
    snapshot = read(**fields, model="kling-v3")
    assert snapshot.videos == (Video("", None, FILM),)
    assert snapshot.status is TaskStatus.completed
    assert CODED[200:260] not in f"{snapshot!r}"
    assert snapshot.raw["model"] == "kling-v3"


def test_a_long_video_in_base64_is_not_kept_twice() -> None:
    """Of a video in base64, the raw response keeps the beginning."""
    large = base64.b64encode(film(bytes(100_000))).decode()
    snapshot = read(result={"videos": [{"b64_json": large}]})
    assert len(str(snapshot.raw)) < 1000
    assert str(snapshot.raw["result"]["videos"][0]["b64_json"]).startswith(large[:80])


@pytest.mark.parametrize(
    "text", ["", "koi", "A" * 100, "!" * 100, base64.b64encode(b"\x89PNG" + bytes(200)).decode()], ids=len
)
def test_base64_that_is_no_video(text: str) -> None:
    """Text, a picture or damaged base64 is no video."""
    assert read(data=[{"b64_json": text}]).videos == ()


@pytest.mark.parametrize(
    ("result", "count"),
    [
        ({"videos": [{"url": [LINK, OTHER]}]}, 1),
        ({"videos": [{"url": LINK}, {"url": OTHER}]}, 2),
        ({"videos": [{"url": LINK}, {"url": LINK}]}, 1),
        ({"videos": [{"url": LINK}, {"url": "https://cdn.example/last.png"}]}, 1),
        ({"videos": [{"url": [LINK, OTHER]}, {"url": OTHER}]}, 1),
        ({"videos": [{"url": LINK, "download_url": OTHER}]}, 1),
        ({"items": [{"url": LINK, "download_url": OTHER}]}, 1),
        ({"items": [{"url": LINK}, {"url": OTHER}]}, 2),
        ({"url": LINK, "b64_json": CODED}, 1),
        ({"video_urls": [LINK, OTHER]}, 2),
        ([LINK, OTHER], 2),
        (None, 0),
    ],
    ids=str,
)
def test_the_number_of_different_videos(result: object, count: int) -> None:
    """Entries are different videos; the links of one entry lead to the same one."""
    assert read(result=result).video_count == count


def test_each_link_has_the_number_of_its_video() -> None:
    """Links with the same number lead to the same video: those of an entry, and of one that shares one."""
    third, fourth = "https://cdn.example/eel.mp4", "https://cdn.example/eel-small.mp4"
    entries = [{"url": [LINK, OTHER]}, {"url": [third, fourth]}, {"url": OTHER}]
    numbers = {video.url: video.number for video in read(result={"videos": entries}).videos}
    assert list(numbers.items()) == [(LINK, 0), (OTHER, 0), (third, 1), (fourth, 1)]


def test_an_expiry_beside_the_link() -> None:
    """The expiry is read wherever the link is."""
    (video,) = read(output={"expires_at": 1792169754, "video": {"url": LINK}}).videos
    assert video.expires_at is not None


@pytest.mark.timeout(20)
def test_a_hostile_result_costs_no_time() -> None:
    """Neither depth nor width keeps the reader busy."""
    deep: Any = LINK
    for _ in range(300):
        deep = {"data": [deep]}
    assert results_in({"data": deep}).videos == ()
    wide = {"data": [{"url": "x", "data": [{}] * 10} for _ in range(20_000)]}
    assert results_in(wide).videos == ()
