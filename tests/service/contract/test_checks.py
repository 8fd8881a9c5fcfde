"""The rules of the service's documentation, and the messages for requests that break them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.request import CameraControl, DynamicMask, VideoRequest

IMAGE = "https://a.example/first.png"
POINTS = [(0, 0), (10, 10)]


def v3(**fields: Any) -> VideoRequest:
    """Return a request to kling-v3, valid except perhaps for these fields."""
    return VideoRequest(**{"prompt": "a koi", **fields})


def v16(**fields: Any) -> VideoRequest:
    """Return a request to kling-v1-6, valid except perhaps for these fields."""
    return VideoRequest(**{"model": "kling-v1-6", "prompt": "a koi", "image_urls": IMAGE, **fields})


def shots(*seconds: int) -> VideoRequest:
    """Return a multi-shot request with shots of these lengths."""
    return VideoRequest(shots=[("a koi", length) for length in seconds])


FINE = {
    "plain": v3(),
    "longest prompt": v3(prompt="鲤" * 2500),
    "every duration of v3": v3(duration=15),
    "ten seconds": v16(duration=10),
    "ratio is not sent with an image": v16(aspect_ratio="4:3"),
    "shots": shots(1, 2),
    "six shots of 15 s": shots(3, 3, 3, 2, 2, 2),
    "duration is not sent with shots": shots(5, 5).replace(duration=99),
    "blank prompt beside shots": shots(5, 5).replace(prompt=" \n"),
    "audio off": v3(enable_audio=False),
    "cfg 0": v16(cfg_scale=0),
    "preset": v16(camera_control="down_back"),
    "simple": v16(camera_control=CameraControl("simple", {"pan": -10, "roll": 10.0})),
    "masks": v16(static_mask=IMAGE, dynamic_masks=[DynamicMask(IMAGE, POINTS)] * 6),
    "77 points": v16(dynamic_masks=[DynamicMask(IMAGE, [(1, 1)] * 77)]),
    "last frame": v16(last_frame=IMAGE),
    "negative prompt": VideoRequest("kling-v1", "a koi", negative_prompt="b" * 2500),
    "callback": v3(callback_url="http://a.example:8080/hook?id=1"),
    "unknown model": VideoRequest("kling-v9", "a koi", duration=42, cfg_scale=0.1, enable_audio=True),
}


@pytest.mark.parametrize("name", FINE)
def test_a_valid_request_has_no_problems(name: str) -> None:
    """A request at the limits of every rule has no problems."""
    assert FINE[name].problems() == ()


WRONG = [
    (v3(model=""), "model", "kling-v3"),
    (v3(model=["kling-v3"]), "model", "kling-v3"),
    (v3(action=" "), "action", "generate"),
    (v3(mode="4k"), "mode", "'4k' is not one of std, pro"),
    (v3(aspect_ratio="4:3"), "aspect_ratio", "16:9, 9:16, 1:1"),
    (v3(prompt=""), "prompt", "does not describe the video"),
    (v3(prompt=" \n"), "prompt", "does not describe the video"),
    (v3(prompt=None), "prompt", "does not describe the video"),
    (v3(prompt=7), "prompt", "7 is not text; try 'A koi"),
    (v3(prompt="a" * 2501), "prompt", "has 2501 characters, but the service takes at most 2500"),
    (v3(duration=2), "duration", "2 is not a length that kling-v3 renders (3, 4"),
    (v3(duration=5.0), "duration", "5.0"),
    (v3(duration=True), "duration", "True"),
    (v3(duration=10**5000), "duration", "<int>"),
    (v16(duration=7), "duration", "7 is not a length that kling-v1-6 renders (5, 10"),
    (v3(model="kling-v9", duration=0), "duration", "whole number"),
    (v3(negative_prompt="b"), "negative_prompt", "take it: kling-v1-6 and kling-v1, and"),
    (v3(negative_prompt="b"), "negative_prompt", "'b' is set, but kling-v3 does not take it"),
    (v16(negative_prompt="b" * 2501), "negative_prompt", "2501"),
    (v16(negative_prompt=5), "negative_prompt", "not text"),
    (VideoRequest("kling-v2-master", "a", cfg_scale=0.5), "cfg_scale", "kling-v2-master does not take it"),
    (v16(cfg_scale=1.1), "cfg_scale", "from 0 to 1"),
    (v16(cfg_scale=float("nan")), "cfg_scale", "nan"),
    (v16(cfg_scale=float("inf")), "cfg_scale", "inf"),
    (v16(cfg_scale=True), "cfg_scale", "True"),
    (v16(enable_audio=True), "enable_audio", "take it: kling-v3."),
    (v3(enable_audio="yes"), "enable_audio", "neither True nor False"),
    (v3(camera_control="forward_up"), "camera_control", "take it: kling-v1-6."),
    (v16(camera_control="sideways"), "camera_control", "'sideways' is not one of simple, down_back"),
    (v16(camera_control=7), "camera_control", "not a camera movement"),
    (v16(camera_control="simple"), "camera_control", "simple needs"),
    (v16(camera_control=CameraControl("simple", {})), "camera_control", "simple needs"),
    (v16(camera_control=CameraControl("simple", {"zoom": 11})), "camera_control", "zoom: 11"),
    (v16(camera_control=CameraControl("simple", {"zoom": "5"})), "camera_control", "'5'"),  # type: ignore[dict-item]  # the mistake
    (v16(camera_control=CameraControl("simple", {"yaw": 1})), "camera_control", "'yaw' is not an axis"),
    (v16(camera_control=CameraControl("forward_up", {"zoom": 1})), "camera_control", "takes no config"),
    (v3(image_urls=[IMAGE, IMAGE]), "image_urls", "2 given, but kling-v3 takes 1"),
    (v3(image_urls=7), "image_urls", "7"),
    (v3(image_urls="koi.png"), "image_urls", "a public http(s) URL"),
    (v3(image_urls="file:///tmp/koi.png"), "image_urls", "a file on this machine"),
    (v3(image_urls="data:image/png;base64,AAAA"), "image_urls", "is a data: URL"),
    (v3(image_urls="https:///koi.png"), "image_urls", "a host"),
    (v3(image_urls="https://a.example/a koi.png"), "image_urls", "no blanks"),
    (v3(image_urls=IMAGE + "\n"), "image_urls", "blanks at its ends"),
    (v3(last_frame=IMAGE), "last_frame", "first.png' needs an input image"),
    (v3(last_frame=IMAGE), "last_frame", "(for example image_urls='https://example.com/first.png')"),
    (v3(callback_url="ftp://a.example"), "callback_url", "a public http(s) URL"),
    (v16(image_urls=(), static_mask=IMAGE), "static_mask", "needs an input image"),
    (v16(static_mask=b"png"), "static_mask", "<bytes> has no URL"),
    (v16(image_urls=(), dynamic_masks=[DynamicMask(IMAGE, POINTS)]), "dynamic_masks", "input image"),
    (v16(dynamic_masks=[DynamicMask(IMAGE, POINTS)] * 7), "dynamic_masks", "at most 6; try 6"),
    (v16(dynamic_masks=[DynamicMask(IMAGE, POINTS[:1])]), "dynamic_masks", "1 points"),
    (v16(dynamic_masks=[DynamicMask(IMAGE, POINTS[:1])]), "dynamic_masks", "try [(0, 0), (10, 10)]"),
    (v16(dynamic_masks=[DynamicMask(IMAGE, [(1, 1)] * 78)]), "dynamic_masks", "2 to 77; try 77"),
    (v16(dynamic_masks=[DynamicMask(IMAGE, [(1, 1), (1, float("nan"))])]), "dynamic_masks", "not a point"),
    (v16(dynamic_masks=[DynamicMask("mask.png", POINTS)]), "dynamic_masks", "number 1"),
    (v16(dynamic_masks=[7]), "dynamic_masks", "7 is not a DynamicMask"),
    (v16(dynamic_masks=7), "dynamic_masks", "7 is not a list of DynamicMask; try [DynamicMask('https://"),
    (shots(5), "shots", "1 given, but the service takes 2 to 6; try 2"),
    (shots(2, 2, 2, 2, 2, 2, 2), "shots", "7 given, but the service takes 2 to 6; try 6"),
    (shots(1, 1), "shots", "add up to 2 s"),
    (shots(8, 8), "shots", "add up to 16 s"),
    (shots(0, 5), "shots", "number 1: 0"),
    (shots(5, 5).replace(shots=[("", 5), ("a", 5)]), "shots", "number 1"),
    (shots(5, 5).replace(shots=[(5, 5), ("a", 5)]), "shots", "number 1: 5 is not text"),  # type: ignore[list-item]  # the mistake
    (shots(5, 5).replace(shots=[("a", 5), "b"]), "shots", "'b' is not a prompt and a duration"),  # type: ignore[list-item]  # the mistake
    (shots(5, 5).replace(shots=7), "shots", "not a list"),  # type: ignore[arg-type]  # the mistake
    (shots(5, 5).replace(shots=[("a" * 2501, 5), ("b", 5)]), "shots", "2501 characters"),
    (shots(5, 5).replace(prompt="lost"), "prompt", "is not sent"),
    (shots(5, 5).replace(model="kling-v1"), "shots", "take it: kling-v3."),
]


@pytest.mark.parametrize(
    ("request_", "field", "words"), WRONG, ids=[f"{w[1]}-{n}" for n, w in enumerate(WRONG)]
)
def test_an_invalid_value_is_reported(request_: VideoRequest, field: str, words: str) -> None:
    """A problem names its field and the mistake, and no other field has one."""
    problems = request_.problems()
    assert {problem.field for problem in problems} == {field}
    assert any(words in problem.message for problem in problems)
    assert all(problem.message.startswith(field) for problem in problems)


def test_a_file_on_disk_is_recognised(tmp_path: Path) -> None:
    """The path of a local picture gets a message that explains why it is refused."""
    picture = tmp_path / "koi.png"
    picture.touch()
    assert "is a file on this machine" in v3(image_urls=str(picture)).problems()[0].message


def test_a_long_value_is_shortened() -> None:
    """A message stays short, however long the value."""
    assert len(v3(prompt="a" * 100_000).problems()[0].message) < 200


class Stubborn:
    """A value that refuses to be compared or shown."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __bool__(self) -> bool:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError

    __hash__ = object.__hash__


@pytest.mark.slow
@pytest.mark.parametrize(
    "value", [Stubborn(), object(), {}, [[]], b"", 1j, {"type": []}, float("nan"), 3, True]
)
@pytest.mark.parametrize("field", VideoRequest.field_names())
def test_no_value_makes_the_checks_raise(field: str, value: Any) -> None:
    """``problems()`` and ``warnings()`` never raise, for any value in any field."""
    omni = VideoRequest("kling-v3-omni", "a koi", last_frame="https://a.example/2.png", mode="pro")
    for base in (v3(), v16(), shots(5, 5), omni, omni.replace(shots=[("a", 3)])):
        request = base.replace(**{field: value})
        for contract in CONTRACTS:
            assert isinstance(request.problems(contract), tuple)
            assert isinstance(request.warnings(contract), tuple)


ADVICE = [
    (v3(model="kling_v3"), "model", "Did you mean kling-v3?"),
    (v3(action="extend"), "action", "not documented"),
    (v16(aspect_ratio="1:1"), "aspect_ratio", "the input image sets the shape"),
    (shots(5, 5).replace(duration=8), "duration", "the shots set the length"),
    (v3(image_urls="http://localhost:8888/koi.png"), "image_urls", "cannot reach"),
    (v3(image_urls="http://192.168.1.7/koi.png"), "image_urls", "cannot reach"),
    (v16(camera_control=CameraControl("simple", {"zoom": 1, "pan": 1})), "camera_control", "2 axes"),
    (v16(camera_control=CameraControl("simple", {"zoom": 0})), "camera_control", "no axis is set"),
    (v16(camera_control="forward_up", last_frame=IMAGE), "camera_control", "last_frame"),
    (v16(camera_control="forward_up", static_mask=IMAGE), "camera_control", "static_mask"),
    (shots(5, 5).replace(shots=[("a" * 513, 5), ("b", 5)]), "shots", "513 characters"),
]


@pytest.mark.parametrize(("request_", "field", "words"), ADVICE)
def test_a_doubtful_request_has_a_warning(request_: VideoRequest, field: str, words: str) -> None:
    """A request that the service accepts but that may not do what the user intends gets a warning."""
    assert request_.problems() == ()
    (warning,) = request_.warnings()
    assert warning.field == field
    assert words in warning.message


def test_a_server_on_this_machine_reaches_private_addresses() -> None:
    """A private URL gets no warning if the server runs on this machine, like the sandbox."""
    request_ = v16(image_urls=["http://127.0.0.1:8000/a.png"])
    assert [warning.field for warning in request_.warnings()] == ["image_urls"]
    assert request_.warnings(local_service=True) == ()


@pytest.mark.parametrize(
    ("images", "role", "named"),
    [
        (["a"], "first_frame", "a"),
        (["a", "b"], "first_frame", "a"),
        (["a", "b"], "last_frame", "b"),
        (["a"], "last_frame", ""),
        (["a"], "reference", ""),
        (["c"], "first_frame", ""),
        (["a", "c"], "last_frame", ""),
        ([], "first_frame", ""),
    ],
)
def test_a_frame_that_is_given_twice(images: list[str], role: str, named: str) -> None:
    """Two images for one frame have a warning that names both; no document says that they are refused."""
    urls = {name: f"https://example.com/{name}.png" for name in "abc"}
    roles = [{"url": urls["c"], "role": role}]
    request = VideoRequest(
        "kling-video-o1", "A koi", image_urls=[urls[name] for name in images], image_with_roles=roles
    )
    assert request.problems("2026-11") == ()
    warnings = [str(warning) for warning in request.warnings("2026-11")]
    assert len(warnings) == bool(named)
    both = [urls["c"], urls.get(named, ""), f"both have the role {role}"]
    assert all(part in text for text in warnings for part in both)
    reference = request.replace(prompt="A koi like <<<image_1>>>")
    assert not any("the role" in str(warning) for warning in reference.warnings("2026-11"))


def test_a_plain_request_has_no_warnings() -> None:
    """A plain request has no warnings."""
    assert v3().warnings() == ()
    assert shots(5, 5).warnings() == ()


def test_a_problem_has_the_number_of_its_shot_or_mask() -> None:
    """A problem has the number of its shot or mask, so that a form can show it there."""
    request_ = v3(prompt="", shots=[("a koi", 5), (" ", 0), ("x" * 600, 5)])
    assert [problem.number for problem in request_.problems()] == [2, 2]
    assert [problem.number for problem in request_.warnings()] == [3]
    assert [problem.number for problem in shots(10, 10).problems()] == [0]
    masks = v16(dynamic_masks=[DynamicMask(IMAGE, POINTS), DynamicMask(IMAGE, POINTS[:1])])
    assert [problem.number for problem in masks.problems()] == [2]
