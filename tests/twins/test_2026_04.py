"""The two independent implementations of the contract, in the client and in the sandbox, agree.

The sandbox accepts exactly the requests for which ``VideoRequest.problems()`` is empty. Each implementation
was written from the documentation alone, so a mistake in one of them shows as a difference here.

Two differences are intended. The client sends an undocumented model or operation unchanged, with a warning,
because the service may support it by now; the sandbox does not. And the client refuses a prompt beside shots,
because it would be silently left out of the body; the sandbox never receives it.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qingbo_widgets.sandbox.contracts.v2026_04.rules import violations
from qingbo_widgets.service.contract.request import CameraControl, DynamicMask, Shot, VideoRequest
from qingbo_widgets.service.contract.v2026_04 import Contract202604

IMAGE = "https://a.example/1.png"
MODELS = ("kling-v3", "kling-v2-master", "kling-v1-6", "kling-v1")
SENT_AS_IT_IS = {"model", "action"}

texts = st.text(min_size=1, max_size=20).filter(str.strip)
long_texts = st.sampled_from([2499, 2500, 2501]).map("鲤".__mul__)
urls = st.sampled_from(
    [
        "https://a.example/1.png",
        "http://a.example:8080/锦.png?x=1#y",
        "HTTPS://A.example/1.PNG",
        "http://[2001:db8::1]/1.png",
        "https://me@a.example/1.png",
    ]
)
bad_urls = st.sampled_from(
    [
        "",
        " ",
        "a.png",
        "file:///tmp/a.png",
        "data:image/png;base64,AAAA",
        "ftp://a.example/1.png",
        "https://",
        "https:///1.png",
        "https://a.example/1 .png",
        "https://a.example/1.png\n",
        "https://a.example/\u200b1.png",
        "https://a.example:port/1.png",
        "https://[::1/1.png",
        "//a.example/1.png",
        7,
        True,
    ]
)
numbers = st.one_of(st.integers(-12, 12), st.floats(-12, 12), st.floats(), st.booleans())
wrong = st.sampled_from([7, -1, 1.5, True, "x", " ", float("nan"), float("inf")])
seconds = st.one_of(st.integers(-1, 17), st.sampled_from([5.0, True, "5", None]))


def often(good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy of mostly valid values, so that combinations have a chance to be valid."""
    return st.integers(0, 7).flatmap(lambda die: good if die else bad)


points = st.tuples(often(st.integers(0, 1000), numbers), often(st.floats(0, 1000), numbers))
trajectories = st.one_of(
    st.lists(points, min_size=1, max_size=4), st.sampled_from([2, 77, 78]).map(lambda count: [(1, 2)] * count)
)
masks = st.lists(st.builds(DynamicMask, often(urls, bad_urls), trajectories), max_size=3) | st.sampled_from(
    [6, 7]
).map(lambda count: [DynamicMask("https://a.example/m.png", [(0, 0), (1, 1)])] * count)
configs = st.dictionaries(
    often(st.sampled_from(["horizontal", "vertical", "pan", "tilt", "roll", "zoom"]), st.just("yaw")),
    often(st.integers(-10, 10), numbers),
    max_size=3,
)
cameras = st.builds(
    CameraControl,
    often(st.sampled_from(["simple", "simple", "down_back", "forward_up"]), st.just("sideways")),
    st.none() | configs,
)
shots = st.lists(
    st.builds(
        Shot, often(texts, long_texts | st.sampled_from(["", " \n"])), often(st.integers(1, 4), seconds)
    ),
    max_size=7,
)

#: For each field, valid and almost valid values.
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "model": often(st.sampled_from(MODELS), st.sampled_from(["kling_v3", "Kling-v3", "", " "])),
    "action": often(st.just("generate"), st.sampled_from(["extend", "", " "])),
    "prompt": often(texts, long_texts | wrong),
    "aspect_ratio": often(st.sampled_from(["16:9", "9:16", "1:1"]), st.just("4:3") | wrong),
    "duration": seconds,
    "mode": often(st.sampled_from(["std", "pro"]), wrong),
    "negative_prompt": st.none() | texts | long_texts | wrong,
    "image_urls": st.lists(often(urls, bad_urls), max_size=2),
    "last_frame": st.none() | urls | bad_urls,
    "callback_url": st.none() | urls | bad_urls,
    "cfg_scale": st.none() | st.floats(-0.1, 1.1) | wrong,
    "enable_audio": st.none() | st.booleans() | wrong,
    "camera_control": st.none() | cameras,
    "static_mask": st.none() | urls | bad_urls,
    "dynamic_masks": masks,
    "shots": shots,
}


#: For each field, values on both sides of each of its limits.
LIMITS: dict[str, list[Any]] = {
    "model": ["kling-v9", "", " "],
    "action": ["generate", "extend", ""],
    "prompt": ["a", "", " ", "鲤" * 2500, "鲤" * 2501],
    "aspect_ratio": ["16:9", "9:16", "1:1", "4:3", ""],
    "duration": [*range(-1, 18), 5.0, True, "5"],
    "mode": ["std", "pro", "4k", ""],
    "negative_prompt": ["a", "", " ", "鲤" * 2500, "鲤" * 2501, 7],
    "image_urls": [[], [IMAGE], [IMAGE, IMAGE], ["a.png"]],
    "last_frame": [None, IMAGE, "", "a.png"],
    "callback_url": [None, IMAGE, "", "ftp://a.example"],
    "cfg_scale": [None, -0.01, 0, 0.5, 1, 1.0, 1.01, 2, True, "1", float("nan"), float("inf")],
    "enable_audio": [None, True, False, 1, "yes"],
    "camera_control": [
        *(CameraControl(kind) for kind in ("simple", "down_back", "forward_up", "right_turn_forward")),
        *(CameraControl(kind) for kind in ("left_turn_forward", "left_turn", "")),
        CameraControl("forward_up", {"zoom": 1}),
        *(CameraControl("simple", {"zoom": value}) for value in (-11, -10.1, -10, 0, 10, 10.1, 11, "5")),  # type: ignore[dict-item]  # a text, too
        *(CameraControl("simple", {axis: 1}) for axis in ("horizontal", "vertical", "pan", "tilt", "roll")),
        CameraControl("simple", {"yaw": 1}),
        CameraControl("simple", {"zoom": 1, "pan": 1}),
    ],
    "static_mask": [None, IMAGE, "", "a.png"],
    "dynamic_masks": [
        *([DynamicMask(IMAGE, [(0, 0)] * count)] for count in (0, 1, 2, 77, 78)),
        *([DynamicMask(IMAGE, [(0, 0), (1, 1)])] * count for count in (0, 1, 6, 7)),
        *([DynamicMask(IMAGE, [(0, 0), (1, y)])] for y in (-1, 0.5, True, "1", None, float("nan"))),  # type: ignore[list-item]  # a text, too
        [DynamicMask("a.png", [(0, 0), (1, 1)])],
    ],
    "shots": [
        *([Shot("a", length)] * count for count in range(9) for length in (1, 5)),
        *([Shot("a", 1), Shot("b", length)] for length in (0, 1, 2, 13, 14, 15, True, 2.0, "2", None)),  # type: ignore[arg-type]  # a text, too
        *([Shot("a", 5), Shot(text, 5)] for text in ("", " ", "鲤" * 2500, "鲤" * 2501)),
    ],
}


def assert_client_and_sandbox_agree(request: VideoRequest) -> None:
    """Check that client and sandbox both accept or both refuse a request."""
    ours = [problem.message for problem in request.problems()]
    ours += [warning.message for warning in request.warnings() if warning.field in SENT_AS_IT_IS]
    # Through JSON, as the service would receive it.
    body = json.loads(json.dumps(Contract202604().encode(request)))
    theirs = [f"{violation.param}: {violation.message}" for violation in violations(body)]
    assert bool(ours) == bool(theirs), f"the client reports {ours}, the sandbox {theirs}, for {body}"


def request_with(fields: dict[str, Any]) -> VideoRequest:
    """Return a request that is valid except perhaps for these fields."""
    return VideoRequest(**({"prompt": "a koi"} | fields | ({"prompt": ""} if fields.get("shots") else {})))


@pytest.mark.parametrize("field", LIMITS)
def test_client_and_sandbox_agree_on_every_limit(field: str) -> None:
    """Client and sandbox agree on both sides of every limit, for each model, with and without an image."""
    for model, images, value in itertools.product(MODELS, ((), (IMAGE,)), LIMITS[field]):
        assert_client_and_sandbox_agree(request_with({"model": model, "image_urls": images, field: value}))


@st.composite
def requests(draw: st.DrawFn) -> VideoRequest:
    """Draw a valid request with up to three random fields."""
    fields: dict[str, Any] = {"model": draw(st.sampled_from(MODELS))}
    if draw(st.booleans()):
        fields["image_urls"] = [IMAGE]
    for name in draw(st.lists(st.sampled_from(sorted(FIELDS)), unique=True, max_size=3)):
        fields[name] = draw(FIELDS[name])
    return request_with(fields)


@pytest.mark.slow
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests())
def test_client_and_sandbox_agree_on_combinations(request: VideoRequest) -> None:
    """Client and sandbox agree on random requests."""
    assert_client_and_sandbox_agree(request)


@pytest.mark.slow
def test_requests_of_both_kinds_are_drawn() -> None:
    """The random requests include enough valid and invalid ones for the comparison to be meaningful."""
    seen: Counter[bool] = Counter()

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(requests())
    def draw_request(request: VideoRequest) -> None:
        seen[not request.problems()] += 1

    draw_request()
    assert min(seen[True], seen[False]) > 60, seen
