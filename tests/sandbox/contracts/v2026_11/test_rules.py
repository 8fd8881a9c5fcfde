"""Tests of the rules of contract 2026-11, each limit from both sides."""

# ruff: noqa: E501 - a table of cases reads better with one case per line

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from qingbo_widgets.sandbox.contracts.v2026_11 import models as models_module
from qingbo_widgets.sandbox.contracts.v2026_11.checks import CHECKS
from qingbo_widgets.sandbox.contracts.v2026_11.models import models
from qingbo_widgets.sandbox.contracts.v2026_11.rules import violations
from qingbo_widgets.sandbox.gaps import Gaps
from tests.sandbox.contracts.v2026_11.bodies import (
    ELEMENT,
    FULLEST,
    MINIMAL,
    PICTURE,
    VIDEO,
    Body,
    body,
    shots,
)

EMPTY: list[Any] = []
OMNI, O1, V3, V26, TURBO = "kling-v3-omni", "kling-video-o1", "kling-v3", "kling-v2-6", "kling-3.0-turbo"
MOTION = ("kling-v2-6-motion-control", "kling-v3-motion-control")
PLAIN = (TURBO, V26, V3, OMNI, O1)
BAD_URLS = (
    "",
    "a.png",
    "ftp://example.com/a",
    "file:///a.png",
    "data:image/png;base64,AA==",
    "https://",
    "https://a b/c",
    1,
    None,
)

#: For each model, the parameters that it does not declare although another model does.
UNDECLARED: dict[str, list[str]] = {
    TURBO: ["video_urls", "negative_prompt", "generate_audio", "multi_shot", "image_with_roles"],
    V26: ["video_urls", "multi_shot", "shot_type", "multi_prompt", "element_list", "image_with_roles"],
    V3: ["video_urls", "image_with_roles", "character_orientation"],
    OMNI: ["character_orientation", "keep_original_sound"],
    O1: ["negative_prompt", "generate_audio", "watermark", "multi_shot", "element_list"],
    **{name: ["aspect_ratio", "negative_prompt", "generate_audio", "image_with_roles"] for name in MOTION},
}

ELEMENT_OF_FOUR = {**ELEMENT, "element_input_urls": [PICTURE] * 4}


def roles(*names: str) -> list[Body]:
    """Return images with these roles."""
    return [{"url": PICTURE, "role": name} for name in names]


def edit(model: str, **fields: Any) -> Body:
    """Return a valid body of action ``edit`` with changed fields; ``None`` removes a field."""
    return body(model, **{"action": "edit", "duration": 0, "video_urls": [VIDEO], **fields})


ALLOWED: dict[str, Body] = {
    **{f"minimal {name}": value for name, value in MINIMAL.items()},
    **{f"fullest {name}": value for name, value in FULLEST.items()},
    **{f"{name} for {s} s": body(name, duration=s) for name in (TURBO, V3, OMNI) for s in (3, 4, 15)},
    **{f"{name} for {s} s": body(name, duration=s) for name in (V26, O1) for s in (5, 10)},
    **{f"{name} {r}": body(name, resolution=r) for name in MINIMAL for r in ("720p", "1080p")},
    **{f"{name} 4k": body(name, resolution="4k") for name in (V3, OMNI)},
    **{f"{name} {ratio}": body(name, aspect_ratio=ratio) for name in PLAIN for ratio in ("16:9", "9:16", "1:1")},
    **{f"ratio beside an image {name}": body(name, aspect_ratio="1:1", image_urls=[PICTURE]) for name in PLAIN[1:]},
    **{f"edit {name}": edit(name) for name in (OMNI, O1)},
    **{f"video and one image {name}": body(name, video_urls=[VIDEO], image_urls=[PICTURE]) for name in (OMNI, O1)},
    **{f"no image in the array {name}": body(name, image_urls=EMPTY) for name in PLAIN},
    **{f"no video in the array {name}": body(name, video_urls=EMPTY, image_urls=[PICTURE] * 2) for name in (OMNI, O1)},
    "ratio beside an empty array": body(TURBO, aspect_ratio="1:1", image_urls=EMPTY),
    "two images at 1080p": body(V26, resolution="1080p", image_urls=[PICTURE] * 2),
    "audio at 1080p": body(V26, resolution="1080p", generate_audio=True),
    "no audio at 720p": body(V26, generate_audio=False),
    "no audio beside a video": body(OMNI, generate_audio=False, video_urls=[VIDEO]),
    "seven references": body(OMNI, image_urls=[PICTURE] * 7),
    "four references and three elements": body(OMNI, image_urls=[PICTURE] * 4, element_list=[ELEMENT] * 3),
    "five references, one with a role, and an element": body(OMNI, image_urls=[PICTURE] * 5, image_with_roles=roles("reference"), element_list=[ELEMENT]),
    "a last frame without a first": body(OMNI, image_with_roles=roles("last_frame")),
    "an element of four pictures": body(V3, element_list=[ELEMENT_OF_FOUR]),
    "one shot": shots(10),
    "six shots": shots(1, 1, 1, 1, 1, 5),
    "shots in another order": shots(4, 6, multi_prompt=[{"index": 2, "prompt": "x", "duration": 6}, {"index": 1, "prompt": "y", "duration": 4}]),
    "shots chosen by the model": body(V3, multi_shot=True, shot_type="intelligence"),
    "multi_shot off": body(V3, multi_shot=False),
    "shot_type alone": body(V3, shot_type="customize"),
    "a token in a model without tokens": body(V3, prompt="<<<image_9>>>"),
    "a long prompt": body(V3, prompt="湖" * 10_000),
    "an empty negative prompt": body(V3, negative_prompt=""),
    "events without a URL": body(V3, callback_events=["failed"]),
    "empty extra": body(V3, extra={}),
    "picture orientation": body(MOTION[0], character_orientation="image"),
    "url over http with a port": body(V3, image_urls=["http://127.0.0.1:80/a?b#c"]),
}  # fmt: skip

REFUSED: dict[str, tuple[Any, str]] = {
    **{f"body {value!r}": (value, "") for value in (None, EMPTY, "x", 1)},
    **{f"model {model!r}": ({"model": model, "prompt": "x", "duration": 5}, "model") for model in (None, 3, [V3])},
    **{f"{name} without {field}": (body(name, **{field: None}), field) for name in PLAIN for field in ("prompt", "duration")},
    **{
        f"{name} without {field}": (body(name, **{field: None}), field)
        for name in MOTION
        for field in ("prompt", "duration", "image_urls", "video_urls", "character_orientation")
    },
    **{f"prompt {value!r} {name}": (body(name, prompt=value), "prompt") for name in MINIMAL for value in ("", " \n\u3000", 1)},
    **{f"{name} for {s!r} s": (body(name, duration=s), "duration") for name in (TURBO, V3, OMNI) for s in (0, 2, 16, 5.0, "5", True)},
    **{f"{name} for {s!r} s": (body(name, duration=s), "duration") for name in (V26, O1) for s in (0, 3, 6, 9, 11, 15, 5.0, True)},
    **{f"{name} for {s!r} s": (body(name, duration=s), "duration") for name in MOTION for s in (1, 5, 0.0, False)},
    **{f"{name} edit": (body(name, action="edit"), "action") for name in (TURBO, V26, V3, *MOTION)},
    **{f"{name} action {a!r}": (body(name, action=a), "action") for name in (OMNI, V3) for a in ("extend", "", 1)},
    **{f"{name} {r!r}": (body(name, resolution=r), "resolution") for name in (TURBO, V26, O1, *MOTION) for r in ("4k", "480p", "1080P", 720)},
    **{f"{name} {r!r}": (body(name, resolution=r), "resolution") for name in (V3, OMNI) for r in ("4K", "2160p", "", 4)},
    **{f"ratio {value!r}": (body(V3, aspect_ratio=value), "aspect_ratio") for value in ("4:3", "", 1.7)},
    **{f"n {value!r}": (body(V3, n=value), "n") for value in (0, 2, 1.0, True, "1")},
    **{f"watermark {value!r}": (body(V3, watermark=value), "watermark") for value in ("yes", 1)},
    **{f"keep_original_sound {v!r}": (body(MOTION[1], keep_original_sound=v), "keep_original_sound") for v in (True, "true")},
    **{f"orientation {v!r}": (body(MOTION[1], character_orientation=v), "character_orientation") for v in ("", "VIDEO", 1)},
    **{f"image {url!r}": (body(V3, image_urls=[url]), "image_urls[0]") for url in BAD_URLS},
    **{f"video {url!r}": (body(OMNI, video_urls=[url]), "video_urls[0]") for url in BAD_URLS},
    **{f"images {value!r}": (body(V3, image_urls=value), "image_urls") for value in (PICTURE, 1)},
    "an element without a description": (body(V3, element_list=[{**ELEMENT, "description": ""}]), "element_list[0].description"),
    "two images turbo": (body(TURBO, image_urls=[PICTURE] * 2), "image_urls"),
    **{f"three images {name}": (body(name, image_urls=[PICTURE] * 3, resolution="1080p"), "image_urls") for name in (V26, V3, O1)},
    "eight images": (body(OMNI, image_urls=[PICTURE] * 8), "image_urls"),
    **{f"two images {name}": (body(name, image_urls=[PICTURE] * 2), "image_urls") for name in MOTION},
    **{f"no image {name}": (body(name, image_urls=EMPTY), "image_urls") for name in MOTION},
    **{f"two videos {name}": (body(name, video_urls=[VIDEO] * 2), "video_urls") for name in (OMNI, O1, *MOTION)},
    "audio at 720p": (body(V26, generate_audio=True), "generate_audio"),
    "audio at 720p, said": (body(V26, generate_audio=True, resolution="720p"), "generate_audio"),
    "two images at 720p": (body(V26, image_urls=[PICTURE] * 2), "image_urls"),
    "audio and two images": (body(V26, resolution="1080p", generate_audio=True, image_urls=[PICTURE] * 2), "generate_audio"),
    "audio beside a video": (body(OMNI, generate_audio=True, video_urls=[VIDEO]), "generate_audio"),
    **{f"two images beside a video {name}": (body(name, video_urls=[VIDEO], image_urls=[PICTURE] * 2), "image_urls") for name in (OMNI, O1)},
    **{
        f"an image and a role beside a video {name}": (
            body(name, video_urls=[VIDEO], image_urls=[PICTURE], image_with_roles=roles("reference")),
            "image_with_roles",
        )
        for name in (OMNI, O1)
    },
    **{f"edit with an image {name}": (edit(name, image_urls=[PICTURE]), "image_urls") for name in (OMNI, O1)},
    **{f"edit with a role {name}": (edit(name, image_with_roles=roles("reference")), "image_with_roles") for name in (OMNI, O1)},
    **{f"edit without a video {name}": (edit(name, video_urls=None), "video_urls") for name in (OMNI, O1)},
    **{f"edit with no video {name}": (edit(name, video_urls=EMPTY), "video_urls") for name in (OMNI, O1)},
    **{f"edit with two videos {name}": (edit(name, video_urls=[VIDEO] * 2), "video_urls") for name in (OMNI, O1)},
    **{f"edit for {s} s {name}": (edit(name, duration=s), "duration") for name in (OMNI, O1) for s in (5, 10)},
    "ratio beside an image": (body(TURBO, aspect_ratio="16:9", image_urls=[PICTURE]), "aspect_ratio"),
    "shots without multi_shot": (shots(4, 6, multi_shot=None), "multi_prompt"),
    "shots with multi_shot off": (shots(4, 6, multi_shot=False), "multi_prompt"),
    "multi_shot without a type": (shots(4, 6, shot_type=None), "multi_shot"),
    "shots without a prompt": (shots(4, 6, prompt=None), "prompt"),
    **{f"shot type {value!r}": (shots(4, 6, shot_type=value), "shot_type") for value in ("auto", "", 1)},
    "no shots": (shots(), "multi_prompt"),
    "seven shots": (shots(1, 1, 1, 1, 1, 1, 4), "multi_prompt"),
    "shots too short": (shots(4, 5), "multi_prompt"),
    "shots too long": (shots(4, 7), "multi_prompt"),
    **{f"shot of {s!r} s": (shots(4, s), "multi_prompt[1].duration") for s in (0, -1, 6.0, "6", True)},
    **{f"shot index {i!r}": (shots(4, 6, multi_prompt=[{"index": i, "prompt": "x", "duration": 10}]), "multi_prompt[0].index") for i in (0, 1.0, "1")},
    "shots from 2": (shots(10, multi_prompt=[{"index": 2, "prompt": "x", "duration": 10}]), "multi_prompt"),
    "shots with one number": (shots(4, 6, multi_prompt=[{"index": 1, "prompt": "x", "duration": 5}] * 2), "multi_prompt"),
    "shot without a prompt": (shots(4, 6, multi_prompt=[{"index": 1, "duration": 10}]), "multi_prompt[0].prompt"),
    "shot with a blank prompt": (shots(4, 6, multi_prompt=[{"index": 1, "prompt": " ", "duration": 10}]), "multi_prompt[0].prompt"),
    "shot that is a text": (shots(4, 6, multi_prompt=["x"]), "multi_prompt[0]"),
    "four elements": (body(V3, element_list=[ELEMENT] * 4), "element_list"),
    **{f"element of {n} pictures": (body(V3, element_list=[{**ELEMENT, "element_input_urls": [PICTURE] * n}]), "element_list[0].element_input_urls") for n in (0, 1, 5)},
    "element with a bad picture": (body(V3, element_list=[{**ELEMENT, "element_input_urls": [PICTURE, "x"]}]), "element_list[0].element_input_urls[1]"),
    "element without a name": (body(V3, element_list=[{**ELEMENT, "name": " "}]), "element_list[0].name"),
    **{f"element without {key}": (body(V3, element_list=[{k: v for k, v in ELEMENT.items() if k != key}]), f"element_list[0].{key}") for key in ELEMENT},
    "references and elements": (body(OMNI, image_urls=[PICTURE] * 5, element_list=[ELEMENT] * 3), "element_list"),
    "references with and without roles": (body(OMNI, image_urls=[PICTURE] * 7, image_with_roles=roles("reference")), "image_with_roles"),
    **{f"two {role}s": (body(OMNI, image_with_roles=roles(role, role)), "image_with_roles") for role in ("first_frame", "last_frame")},
    **{f"role {role!r}": (body(OMNI, image_with_roles=[{"url": PICTURE, "role": role}]), "image_with_roles[0].role") for role in ("reference_image", "", 1)},
    "role without a picture": (body(OMNI, image_with_roles=[{"role": "reference"}]), "image_with_roles[0].url"),
    **{f"token {n} of 1 {name}": (body(name, prompt=f"<<<image_{n}>>>", image_urls=[PICTURE]), "prompt") for name in (OMNI, O1) for n in (0, 2, 10**40)},
    "token without images": (body(OMNI, prompt="<<<image_1>>>"), "prompt"),
    "token in a shot": ({**shots(10, multi_prompt=[{"index": 1, "prompt": "<<<image_1>>>", "duration": 10}]), "model": OMNI}, "multi_prompt[0].prompt"),
    **{f"callback {url!r}": (body(V3, callback_url=url), "callback_url") for url in BAD_URLS if url is not None},
    **{f"events {value!r}": (body(V3, callback_events=value), "callback_events") for value in (EMPTY, "failed", ["failed", "failed"])},
    **{f"event {value!r}": (body(V3, callback_events=["failed", value]), "callback_events[1]") for value in ("done", "succeeded", "", 1)},
}  # fmt: skip


@pytest.mark.parametrize("request_body", ALLOWED.values(), ids=ALLOWED)
def test_allowed(request_body: Any) -> None:
    """A body that the documentation allows has no violations."""
    assert violations(request_body, Gaps()) == []


@pytest.mark.parametrize(("request_body", "param"), REFUSED.values(), ids=REFUSED)
def test_refused(request_body: Any, param: str) -> None:
    """A body that the documentation does not allow has a violation with its position and a message."""
    (first, *others) = violations(request_body, Gaps())
    assert param in [violation.param for violation in (first, *others)]
    assert (first.status, first.code) == (400, "invalid_parameter")
    assert all(violation.message.startswith(violation.param) for violation in others)


@pytest.mark.parametrize("name", MINIMAL)
def test_an_undeclared_parameter_is_a_capability_violation(name: str) -> None:
    """A parameter that the model does not declare is refused by its name, before any other mistake."""
    for param in [*UNDECLARED[name], "seed", "quality", "size", "cfg_scale", "mode", "last_frame", "x"]:
        first = violations(body(name, n=2, **{param: 1}), Gaps())[0]
        assert (first.param, first.code, first.status) == (param, "capability_violation", 400)
    nested = violations(shots(10, multi_prompt=[{"index": 1, "prompt": "x", "duration": 10, "x": 1}]), Gaps())
    assert [(violation.param, violation.code) for violation in nested] == [
        ("multi_prompt[0].x", "capability_violation")
    ]


@pytest.mark.parametrize("extra", [{"mode": "pro"}, [1], "x"])
def test_extra_is_refused_before_anything_else(extra: Any) -> None:
    """A body with ``extra`` is refused for that, even if its model does not exist."""
    first = violations({"model": "kling-v1", "extra": extra}, Gaps())[0]
    assert (first.param, first.code, first.status) == ("extra", "capability_violation", 400)


@pytest.mark.parametrize("name", ["kling-v1", "kling-v1-6", "kling-v2-master", "KLING-V3", "", "x" * 1000])
def test_an_unknown_model_is_404(name: str) -> None:
    """A model that does not exist, or no longer, is answered with 404 and nothing else."""
    (only,) = violations({"model": name, "prompt": "", "seed": 1}, Gaps())
    assert (only.param, only.code, only.status) == ("model", "model_not_found", 404)
    assert len(only.message) < 200


def test_all_violations_are_reported_at_once() -> None:
    """A body with several mistakes has a violation for each, also of the rules beyond the schema."""
    wrong = shots(4, 7, seed=1, n=2, image_urls=["x"])
    assert [violation.param for violation in violations(wrong, Gaps())] == [
        "seed", "image_urls[0]", "n", "multi_prompt",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("gaps", "request_body", "param"),
    [
        (Gaps(intelligence_shots="refused"), shots(4, 6, shot_type="intelligence"), "multi_prompt"),
        (Gaps(elements="pictures"), body(OMNI, image_urls=[PICTURE] * 4, element_list=[ELEMENT_OF_FOUR]), "element_list"),
        (Gaps(model_case="exact"), {**MINIMAL[V3], "model": "Kling-V3"}, "model"),
        (Gaps(completed_event="succeeded"), body(V3, callback_events=["completed"]), "callback_events[0]"),
        (Gaps(), body(V3, callback_events=["succeeded"]), "callback_events[0]"),
    ],
)  # fmt: skip
def test_gaps_that_refuse(gaps: Gaps, request_body: Any, param: str) -> None:
    """The choice decides on a request about which the documentation is silent."""
    assert [violation.param for violation in violations(request_body, gaps)] == [param]


@pytest.mark.parametrize(
    ("gaps", "request_body"),
    [
        (Gaps(), shots(4, 6, shot_type="intelligence")),
        (Gaps(), body(OMNI, image_urls=[PICTURE] * 4, element_list=[ELEMENT_OF_FOUR])),
        (Gaps(model_case="ignored"), {**MINIMAL[V3], "model": "Kling-V3"}),
        (Gaps(completed_event="succeeded"), body(V3, callback_events=["succeeded", "failed"])),
    ],
)
def test_gaps_that_allow(gaps: Gaps, request_body: Any) -> None:
    """The other choice accepts the same request."""
    assert violations(request_body, gaps) == []


@pytest.mark.parametrize("path", sorted(Path(models_module.__file__).parent.glob("models/*.json")), ids=str)
def test_each_family_is_a_valid_schema(path: Path) -> None:
    """Each model's schema is valid JSON Schema, uses parts that exist and only named checks that exist."""
    family = json.loads(path.read_text(encoding="utf-8"))
    for model in family["models"].values():
        Draft202012Validator.check_schema({"$defs": family["$defs"], **model["schema"]})
        assert set(model.get("checks", ())) <= set(CHECKS)
    text = path.read_text(encoding="utf-8")
    unused = [name for name in family["$defs"] if f'"#/$defs/{name}"' not in text]
    assert unused == []


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(
            st.sampled_from(["index", "prompt", "duration", "url", "role", "name", "x"]), parts, max_size=4
        )
    ),
    max_leaves=8,
)
params = st.sampled_from(sorted({param for fullest in FULLEST.values() for param in fullest} - {"model"}))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(MINIMAL)), st.dictionaries(params, any_json, max_size=4))
def test_any_json_is_answered(name: str, fields: Body) -> None:
    """Any JSON value of a field is accepted or refused by its name, never with an internal error."""
    for violation in violations({**MINIMAL[name], **fields}, Gaps()):
        assert violation.message
        assert re.split(r"[.\[]", violation.param)[0] in {*MINIMAL[name], *fields, "video_urls"}


def test_the_seven_models_exist() -> None:
    """The models are the seven of the documentation's Kling page."""
    assert set(models()) == set(MINIMAL)
