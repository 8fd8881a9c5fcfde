"""Tests of the videos that requests of contract 2026-11 describe."""

from __future__ import annotations

from typing import Any

import pytest

from qingbo_widgets.sandbox.contracts import contract_of
from qingbo_widgets.sandbox.order import Element, Order, Shot
from tests.sandbox.contracts.v2026_11.bodies import ELEMENT, PICTURE, VIDEO, body, shots

A, B, C = (f"https://example.com/{name}.png" for name in "abc")
OMNI, O1, V3, V26, TURBO = "kling-v3-omni", "kling-video-o1", "kling-v3", "kling-v2-6", "kling-3.0-turbo"
MOTION = "kling-v3-motion-control"


def order(request: dict[str, Any], input_seconds: int = 0) -> Order:
    """Return the order of a body after a check that the body is valid."""
    contract = contract_of("2026-11")
    assert contract.violations(request) == []
    return contract.order(request, input_seconds)


def test_defaults() -> None:
    """Without further fields a video is a silent one of 720p, 16:9, without a watermark."""
    result = order(body(V3))
    assert result.shots == (Shot("a pond", 5),)
    assert (result.short_side, result.aspect_ratio) == (720, "16:9")
    assert not (result.has_sound)
    assert not (result.has_watermark)
    assert not (result.urls)
    assert not (result.negative_prompt)
    assert result.facts == ("kling-v3", "720p", "5 s")


@pytest.mark.parametrize(("resolution", "side"), [("720p", 720), ("1080p", 1080), ("4k", 2160)])
def test_fields_with_a_meaning_of_their_own(resolution: str, side: int) -> None:
    """Resolution, ratio, sound, watermark and negative prompt reach the drawing."""
    fields = {"aspect_ratio": "1:1", "generate_audio": True, "watermark": True, "negative_prompt": "blur"}
    result = order(body(V3, resolution=resolution, **fields))
    assert (result.short_side, result.aspect_ratio, result.negative_prompt) == (side, "1:1", "blur")
    assert result.has_sound
    assert result.has_watermark


@pytest.mark.parametrize("model", [V26, V3, O1])
def test_two_images_are_frames(model: str) -> None:
    """Two images are the first and the last frame, and one is the first."""
    result = order(body(model, resolution="1080p", image_urls=[A, B]))
    assert (result.first_frame, result.last_frame, result.references) == (A, B, ())
    assert order(body(model, image_urls=[A])).first_frame == A


def test_images_of_omni_are_references() -> None:
    """Images of ``kling-v3-omni`` are references, whose shape the video has unless a ratio is given."""
    result = order(body(OMNI, image_urls=[A, B, C]))
    assert (result.first_frame, result.references, result.aspect_ratio) == ("", (A, B, C), "")
    assert order(body(OMNI, image_urls=[A], aspect_ratio="9:16")).aspect_ratio == "9:16"


def test_roles_decide() -> None:
    """Images with roles are what their role says, beside the images without."""
    roles = [{"url": A, "role": "last_frame"}, {"url": B, "role": "reference"}]
    result = order(body(OMNI, image_with_roles=roles, image_urls=[C]))
    assert (result.first_frame, result.last_frame, result.references) == ("", A, (C, B))
    result = order(body(O1, image_with_roles=[*roles, {"url": C, "role": "first_frame"}]))
    assert (result.first_frame, result.last_frame, result.references) == (C, A, (B,))


def test_elements() -> None:
    """Elements keep their names and pictures."""
    assert order(body(V3, element_list=[ELEMENT])).elements == (Element("cat", (PICTURE, PICTURE)),)


def test_shots_in_the_order_of_their_index() -> None:
    """Shots are those of ``multi_prompt`` by their index; without any, the prompt is the only one."""
    listed = [{"index": 2, "prompt": "b", "duration": 6}, {"index": 1, "prompt": "a", "duration": 4}]
    assert order(shots(4, 6, multi_prompt=listed)).shots == (Shot("a", 4), Shot("b", 6))
    alone = order(body(V3, multi_shot=True, shot_type="intelligence"))
    assert alone.shots == (Shot("a pond", 5),)


@pytest.mark.parametrize("model", [OMNI, O1])
def test_a_reference_video(model: str) -> None:
    """A video beside a prompt is a reference, and so is an image beside it."""
    result = order(body(model, video_urls=[VIDEO], image_urls=[A]), 8)
    assert (result.source_video, result.source_use, result.seconds) == (VIDEO, "reference", 5)
    assert (result.first_frame, result.references, result.aspect_ratio) == ("", (A,), "")


@pytest.mark.parametrize("model", [OMNI, O1])
def test_an_edited_video(model: str) -> None:
    """An edited video keeps its length."""
    result = order(body(model, action="edit", duration=0, video_urls=[VIDEO]), 8)
    assert (result.source_use, result.seconds, result.keeps_source_sound) == ("edit", 8, False)


@pytest.mark.parametrize(("value", "is_kept"), [(None, True), ("yes", True), ("no", False)])
def test_motion_control(value: str | None, is_kept: bool) -> None:
    """Motion control moves the picture for the length of the video, with its sound by default."""
    result = order(body(MOTION, image_urls=[A], keep_original_sound=value), 8)
    assert (result.source_use, result.first_frame, result.seconds) == ("motion", A, 8)
    assert result.keeps_source_sound == is_kept


def test_equal_bodies_give_equal_videos() -> None:
    """The scenery is decided by the body."""
    assert order(body(V3)) == order(body(V3))
    assert order(body(V3)).seed != order(body(V3, watermark=True)).seed
