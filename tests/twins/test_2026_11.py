"""The two independent statements of contract 2026-11, the client's and the sandbox's, agree on bodies.

The client's is data (``models/2026-11``), the sandbox's is JSON Schema. Each was written from the
documentation alone, so a mistake in one of them shows as a difference here: a body that only one accepts, or
that they refuse for different fields.

Two differences are intended. The client sends a model that it does not describe unchanged, with a warning,
because the service may have it by now. And to the client an empty value means that the field is not set: it
never sends one, so none is compared here.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qingbo_widgets.sandbox.contracts.v2026_11.rules import violations
from qingbo_widgets.sandbox.gaps import Gaps
from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.models import models_of
from qingbo_widgets.service.contract.request import VideoRequest

CONTRACT = CONTRACTS["2026-11"]
MODELS = tuple(models_of("2026-11"))
IMAGE, OTHER, VIDEO = (
    "https://a.example/1.png",
    "http://b.example:8080/锦.png?x=1#y",
    "https://a.example/1.mp4",
)
ROBOT = {"name": "robot", "description": "a red robot", "element_input_urls": [IMAGE, OTHER]}
SHOTS = [{"index": 1, "prompt": "A koi", "duration": 3}, {"index": 2, "prompt": "A heron", "duration": 2}]
URLS = [
    [],
    [IMAGE],
    [IMAGE, OTHER],
    *([IMAGE] * count for count in (3, 6, 7, 8)),
    [IMAGE, ""],
    ["a.png"],
    IMAGE,
    [7],
]
WRONG = [7, -1, 1.5, True, "x", " ", "", [], {}, None]

#: For each field of a body, values on both sides of its limits, and values of other types.
VALUES: dict[str, list[Any]] = {
    "model": [*MODELS, "kling-v1", "kling-v2.6", "", " ", 7],
    "action": ["generate", "edit", "extend", *WRONG],
    "prompt": [
        "A koi",
        "鲤" * 3000,
        "<<<image_1>>> dances",
        "<<<image_2>>>",
        "<<<image_0>>>",
        "@robot",
        *WRONG,
    ],
    "resolution": ["720p", "1080p", "4k", "4K", "480p", *WRONG],
    "aspect_ratio": ["16:9", "9:16", "1:1", "4:3", *WRONG],
    "duration": [*range(-1, 17), 30, 5.0, "5", True, None],
    "negative_prompt": ["rain", "鲤" * 3000, *WRONG],
    "image_urls": [*URLS, None],
    "video_urls": [[], [VIDEO], [VIDEO, VIDEO], ["a.mp4"], VIDEO, ["data:video/mp4;base64,AA"], None],
    "image_with_roles": [
        [],
        *(
            [{"url": IMAGE, "role": role}]
            for role in ("first_frame", "last_frame", "reference", "reference_image", 7)
        ),
        [{"url": IMAGE, "role": "first_frame"}, {"url": OTHER, "role": "last_frame"}],
        [{"url": IMAGE, "role": "first_frame"}, {"url": OTHER, "role": "first_frame"}],
        [{"url": IMAGE, "role": "reference"}] * 5,
        [{"url": "a.png", "role": "reference"}],
        [{"url": IMAGE}],
        [{"role": "reference"}],
        [{"url": IMAGE, "role": "reference", "weight": 1}],
        [IMAGE],
        {"url": IMAGE, "role": "reference"},
    ],
    "element_list": [
        [],
        *([ROBOT] * count for count in (1, 2, 3, 4)),
        *([{**ROBOT, "element_input_urls": [IMAGE] * count}] for count in (0, 1, 2, 4, 5)),
        *([{**ROBOT, name: value}] for name in ("name", "description") for value in ("", " ", 7)),
        *([{key: value for key, value in ROBOT.items() if key != name}] for name in ROBOT),
        [{**ROBOT, "colour": "red"}],
        [{**ROBOT, "element_input_urls": ["a.png", IMAGE]}],
        ["robot"],
        ROBOT,
    ],
    "generate_audio": [True, False, 1, "yes", None],
    "watermark": [True, False, 0, "no"],
    "n": [0, 1, 2, 1.0, True, "1"],
    "multi_shot": [True, False, 1, "true"],
    "shot_type": ["customize", "intelligence", "auto", *WRONG],
    "multi_prompt": [
        [],
        SHOTS,
        SHOTS[::-1],
        SHOTS[:1],
        [{"index": number, "prompt": "A koi", "duration": 1} for number in range(1, 6)],
        [{"index": number, "prompt": "A koi", "duration": 1} for number in range(1, 7)],
        [{"index": number, "prompt": "A koi", "duration": 1} for number in range(1, 8)],
        [{**SHOTS[0], "index": 0}, SHOTS[1]],
        [{**SHOTS[0], "index": 3}, SHOTS[1]],
        [SHOTS[0], SHOTS[0]],
        *([{**SHOTS[0], "duration": value}, SHOTS[1]] for value in (0, -1, 2, 2.5, True, "3", None)),
        *([{**SHOTS[0], "prompt": value}, SHOTS[1]] for value in ("", " ", 7)),
        *([{key: value for key, value in SHOTS[0].items() if key != name}, SHOTS[1]] for name in SHOTS[0]),
        [{**SHOTS[0], "camera": "left"}, SHOTS[1]],
        SHOTS[0],
        ["A koi"],
    ],
    "character_orientation": ["image", "video", *WRONG],
    "keep_original_sound": ["yes", "no", *WRONG],
    "callback_url": [IMAGE, "ftp://a.example", "a.example", " ", 7],
    "callback_events": [
        [],
        ["completed"],
        ["failed", "cancelled"],
        ["failed"] * 2,
        ["started"],
        "failed",
        [7],
    ],
    "extra": [{}, {"mode": "pro"}, "x"],
    "seed": [7],
    "quality": ["high"],
    "size": ["1280x720"],
    "mode": ["pro"],
    "cfg_scale": [0.5],
    "first_frame_image": [IMAGE],
}
NEEDED = {"image_urls": [IMAGE], "video_urls": [VIDEO], "character_orientation": "video", "duration": 0}
ABSENT = object()
NO_GAPS = Gaps()


def usual(model: str) -> dict[str, Any]:
    """Return a body that the model accepts."""
    body = {"model": model, "prompt": "A koi", "duration": 5}
    return body | NEEDED if str(model).endswith("motion-control") else body


def refused_by_client(body: dict[str, Any]) -> set[str]:
    """Return the fields for which the client refuses to send a body."""
    try:
        request = VideoRequest.from_body(body, "2026-11")
    except TypeError as error:  # the body has a part that no request can have
        return {
            re.split(r"[.\[]", place)[0]
            for place in str(error).split(" for ")[1].split(" of ")[0].split(", ")
        }
    fields = {problem.field for problem in request.problems("2026-11")}
    unlisted = {one.field for one in request.warnings("2026-11") if "is not a known model" in one.message}
    return fields | unlisted


def refused_by_sandbox(body: dict[str, Any]) -> set[str]:
    """Return the fields for which the sandbox refuses a body."""
    return {re.split(r"[.\[]", violation.param)[0] for violation in violations(body, NO_GAPS)}


def as_received(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body without its empty values, as the service would receive it."""
    received: dict[str, Any] = json.loads(
        json.dumps({name: value for name, value in body.items() if value not in (None, "", [])})
    )
    return received


def assert_agreement(body: dict[str, Any]) -> None:
    """Check that both accept a body, or that both refuse it for the same field."""
    body = as_received(body)
    ours, theirs = refused_by_client(body), refused_by_sandbox(body)
    assert bool(ours) == bool(theirs), f"the client refuses {ours}, the sandbox {theirs}, for {body}"
    has_model = theirs != {"model"}  # without one, the sandbox checks nothing else
    assert not ours or not has_model or ours & theirs, (
        f"the client refuses {ours}, the sandbox {theirs}, for {body}"
    )


def with_fields(model: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return a usual body with other values, without those that are absent."""
    return {name: value for name, value in {**usual(model), **fields}.items() if value is not ABSENT}


@pytest.mark.slow
@pytest.mark.parametrize("field", VALUES)
@pytest.mark.parametrize("model", MODELS)
def test_they_agree_on_every_value(model: str, field: str) -> None:
    """Client and sandbox agree on each value of each field by itself, and on its absence."""
    for value in (*VALUES[field], ABSENT):
        assert_agreement(with_fields(model, {field: value}))


#: Values that make other fields possible or impossible.
DECIDING: list[dict[str, Any]] = [
    {"resolution": "1080p"},
    {"image_urls": [IMAGE]},
    {"image_urls": [IMAGE, OTHER], "resolution": "1080p"},
    {"image_urls": [IMAGE] * 6},
    {"video_urls": [VIDEO]},
    {"action": "edit", "video_urls": [VIDEO], "duration": 0},
    {"multi_shot": True, "shot_type": "customize", "multi_prompt": SHOTS},
    {"multi_shot": True, "shot_type": "customize"},
    {"element_list": [ROBOT]},
    {"character_orientation": "image"},
]


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_they_agree_on_every_pair(model: str) -> None:
    """Client and sandbox agree on each value of each field beside values that decide about others."""
    different = {}  # a quarter are equal without their empty values
    for fields, name in itertools.product(DECIDING, VALUES):
        for value in (*VALUES[name], ABSENT):
            if name != "model":
                body = as_received(with_fields(model, {**fields, name: value}))
                different[json.dumps(body, sort_keys=True)] = body
    for body in different.values():
        assert_agreement(body)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the body of a request, valid except perhaps for some fields."""
    model = draw(st.sampled_from(MODELS))
    fields: dict[str, Any] = dict(draw(st.sampled_from([{}, *DECIDING])))
    takes = sorted(models_of("2026-11")[model].parameters)
    names = st.sampled_from(takes) if draw(st.integers(0, 5)) else st.sampled_from(sorted(VALUES))
    for name in draw(st.lists(names, unique=True, max_size=4)):
        few = VALUES[name][: draw(st.sampled_from([2, 4, 20]))]
        fields[name] = draw(st.sampled_from([*few, ABSENT]))
    return with_fields(model, fields)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bodies())
def test_they_agree_on_random_bodies(body: dict[str, Any]) -> None:
    """Client and sandbox agree on combinations of values."""
    assert_agreement(body)


@pytest.mark.slow
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bodies())
def test_what_the_client_sends_is_accepted(body: dict[str, Any]) -> None:
    """The sandbox accepts every body that the client writes for a request without problems."""
    try:
        request = VideoRequest.from_body(body, "2026-11").replace()
    except TypeError:
        return
    if request.model in MODELS and not request.problems("2026-11"):
        sent = json.loads(json.dumps(CONTRACT.encode(request)))
        assert violations(sent, NO_GAPS) == []


@pytest.mark.slow
def test_bodies_of_both_kinds_are_drawn() -> None:
    """The random bodies include enough valid and invalid ones for the comparison to be meaningful."""
    seen: Counter[bool] = Counter()

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(bodies())
    def draw_body(body: dict[str, Any]) -> None:
        seen[not refused_by_client(body)] += 1

    draw_body()
    assert min(seen[True], seen[False]) > 40, seen
