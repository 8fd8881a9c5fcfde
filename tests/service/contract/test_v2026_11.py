"""Requests of contract 2026-11: the seven Kling models, their limits, and the names of contract 2026-04."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.models import models_of
from qingbo_widgets.service.contract.request import VideoRequest

CONTRACT = "2026-11"
IMAGE, OTHER, VIDEO = ("https://a.example/1.png", "https://a.example/2.png", "https://a.example/1.mp4")
ROBOT = {"name": "robot", "description": "a red robot", "element_input_urls": [IMAGE, OTHER]}
SHOTS = [{"index": 1, "prompt": "A koi", "duration": 3}, {"index": 2, "prompt": "A heron", "duration": 4}]
STORY: dict[str, Any] = {"multi_shot": True, "shot_type": "customize", "multi_prompt": SHOTS, "duration": 7}
CALLBACK = {"callback_url": "https://a.example/hook", "callback_events": ["completed", "failed"]}
MOTION = {"image_urls": [IMAGE], "video_urls": [VIDEO], "character_orientation": "image"}

#: The fields of each model beyond the prompt that its smallest request sends.
MINIMAL: dict[str, dict[str, Any]] = {
    **{
        name: {"resolution": "720p", "duration": 5}
        for name in ("kling-3.0-turbo", "kling-v2-6", "kling-v3", "kling-v3-omni", "kling-video-o1")
    },
    **{
        f"kling-{version}-motion-control": {
            **MOTION,
            "resolution": "720p",
            "duration": 0,
            "keep_original_sound": "yes",
        }
        for version in ("v2-6", "v3")
    },
}
#: The fields of the largest requests of each model: every parameter is in one of them.
FULL: dict[str, list[dict[str, Any]]] = {
    "kling-3.0-turbo": [
        {"resolution": "1080p", "duration": 15, "aspect_ratio": "9:16", "watermark": True, "n": 1},
        {"resolution": "720p", "duration": 3, "image_urls": [IMAGE]},
    ],
    "kling-v2-6": [
        {
            "resolution": "1080p",
            "duration": 10,
            "aspect_ratio": "1:1",
            "negative_prompt": "rain",
            "image_urls": [IMAGE],
            "generate_audio": True,
            "watermark": False,
            "n": 1,
        },
        {"resolution": "1080p", "duration": 5, "image_urls": [IMAGE, OTHER], "generate_audio": False},
    ],
    "kling-v3": [
        {
            "resolution": "4k",
            "aspect_ratio": "16:9",
            "negative_prompt": "rain",
            "image_urls": [IMAGE, OTHER],
            "generate_audio": True,
            "watermark": True,
            "n": 1,
            "element_list": [ROBOT] * 3,
            **STORY,
        }
    ],
    "kling-v3-omni": [
        {
            "resolution": "4k",
            "aspect_ratio": "16:9",
            "negative_prompt": "rain",
            "image_urls": [IMAGE] * 6,
            "image_with_roles": [{"url": IMAGE, "role": role} for role in ("first_frame", "last_frame")],
            "generate_audio": True,
            "watermark": True,
            "n": 1,
            "element_list": [ROBOT],
            **STORY,
        },
        {"resolution": "1080p", "duration": 5, "video_urls": [VIDEO], "image_urls": [IMAGE]},
        {"action": "edit", "resolution": "720p", "duration": 0, "video_urls": [VIDEO]},
    ],
    "kling-video-o1": [
        {
            "resolution": "1080p",
            "duration": 10,
            "aspect_ratio": "16:9",
            "image_urls": [IMAGE, OTHER],
            "image_with_roles": [{"url": IMAGE, "role": "reference"}],
            "n": 1,
        },
        {"action": "edit", "resolution": "720p", "duration": 0, "video_urls": [VIDEO]},
    ],
    "kling-v2-6-motion-control": [
        {
            **MOTION,
            "resolution": "1080p",
            "duration": 0,
            "keep_original_sound": "no",
            "watermark": True,
            "n": 1,
        }
    ],
    "kling-v3-motion-control": [
        {
            **MOTION,
            "resolution": "1080p",
            "duration": 0,
            "keep_original_sound": "yes",
            "watermark": True,
            "n": 1,
        }
    ],
}


def payload(model: str, **fields: Any) -> dict[str, Any]:
    """Return the body of a request without problems."""
    request = VideoRequest(model, fields.pop("prompt", "A koi"), **fields)
    assert request.problems(CONTRACT) == ()
    return CONTRACTS[CONTRACT].encode(request)


@pytest.mark.parametrize("model", models_of(CONTRACT))
def test_the_smallest_request(model: str) -> None:
    """A prompt, and what the model cannot do without, makes a body with the documented defaults."""
    needed = MOTION if model.endswith("motion-control") else {}
    assert payload(model, **needed) == {
        "model": model,
        "action": "generate",
        "prompt": "A koi",
        **MINIMAL[model],
    }


@pytest.mark.parametrize(("model", "fields"), [(name, one) for name, many in FULL.items() for one in many])
def test_the_largest_request(model: str, fields: dict[str, Any]) -> None:
    """Every parameter of a model stands in the body as the caller set it, and is read back from there."""
    body = payload(model, **fields, **CALLBACK)
    assert body == {"model": model, "action": "generate", "prompt": "A koi", **fields, **CALLBACK}
    assert CONTRACTS[CONTRACT].encode(VideoRequest.from_body(body, CONTRACT)) == body


def test_the_largest_requests_have_every_parameter() -> None:
    """No parameter of a model is left untested."""
    for model, requests in FULL.items():
        used = {name for fields in requests for name in fields}
        common = {"model", "action", "prompt", *CALLBACK}
        assert used | common == set(models_of(CONTRACT)[model].parameters), model


def problem_fields(model: str, **fields: Any) -> list[str]:
    """Return the fields of the problems of a request."""
    request = VideoRequest(model, fields.pop("prompt", "A koi"), **fields)
    return [problem.field for problem in request.problems(CONTRACT)]


CONFLICTS: list[tuple[str, dict[str, Any], str]] = [
    ("kling-3.0-turbo", {"image_urls": IMAGE, "aspect_ratio": "16:9"}, "aspect_ratio"),
    ("kling-3.0-turbo", {"image_urls": [IMAGE, OTHER]}, "image_urls"),
    ("kling-3.0-turbo", {"resolution": "4k"}, "resolution"),
    ("kling-3.0-turbo", {"negative_prompt": "rain"}, "negative_prompt"),
    ("kling-3.0-turbo", {"duration": 2}, "duration"),
    ("kling-3.0-turbo", {"duration": 16}, "duration"),
    ("kling-v2-6", {"duration": 7}, "duration"),
    ("kling-v2-6", {"generate_audio": True}, "generate_audio"),
    ("kling-v2-6", {"image_urls": [IMAGE, OTHER]}, "image_urls"),
    (
        "kling-v2-6",
        {"image_urls": [IMAGE, OTHER], "resolution": "1080p", "generate_audio": True},
        "generate_audio",
    ),
    ("kling-v3", {"image_urls": [IMAGE] * 3}, "image_urls"),
    ("kling-v3", {"action": "edit"}, "action"),
    ("kling-v3", {"video_urls": VIDEO}, "video_urls"),
    ("kling-v3", {"multi_shot": True}, "multi_shot"),
    ("kling-v3", {**STORY, "multi_shot": False}, "multi_prompt"),
    ("kling-v3", {**STORY, "duration": 8}, "multi_prompt"),
    ("kling-v3", {**STORY, "multi_prompt": [{**SHOTS[0], "index": 2}, SHOTS[1]]}, "multi_prompt"),
    ("kling-v3", {**STORY, "multi_prompt": [("A koi", 1)] * 7}, "multi_prompt"),
    ("kling-v3", {"element_list": [ROBOT] * 4}, "element_list"),
    ("kling-v3", {"element_list": [{**ROBOT, "element_input_urls": [IMAGE]}]}, "element_list"),
    ("kling-v3", {"element_list": [{**ROBOT, "colour": "red"}]}, "element_list"),
    ("kling-v3", {"element_list": [{"name": "robot"}]}, "element_list"),
    ("kling-v3", {"n": 2}, "n"),
    ("kling-v3", {"callback_events": ["started"]}, "callback_events"),
    ("kling-v3-omni", {"video_urls": VIDEO, "generate_audio": True}, "generate_audio"),
    ("kling-v3-omni", {"video_urls": VIDEO, "image_urls": [IMAGE, OTHER]}, "image_urls"),
    ("kling-v3-omni", {"video_urls": [VIDEO, VIDEO]}, "video_urls"),
    ("kling-v3-omni", {"action": "edit"}, "video_urls"),
    ("kling-v3-omni", {"action": "edit", "video_urls": VIDEO, "duration": 5}, "duration"),
    ("kling-v3-omni", {"action": "edit", "video_urls": VIDEO, "image_urls": IMAGE}, "image_urls"),
    ("kling-v3-omni", {"duration": 0}, "duration"),
    ("kling-v3-omni", {"image_urls": [IMAGE] * 8}, "image_urls"),
    ("kling-v3-omni", {"image_urls": [IMAGE] * 6, "element_list": [ROBOT] * 2}, "element_list"),
    ("kling-v3-omni", {"prompt": "<<<image_2>>> dances", "image_urls": IMAGE}, "prompt"),
    ("kling-v3-omni", {"image_with_roles": [{"url": IMAGE, "role": "hero"}]}, "image_with_roles"),
    ("kling-v3-omni", {"image_with_roles": [{"url": "1.png", "role": "reference"}]}, "image_with_roles"),
    ("kling-v3-omni", {"image_with_roles": [(IMAGE, "last_frame")] * 2}, "image_with_roles"),
    ("kling-video-o1", {"image_urls": [IMAGE] * 3}, "image_urls"),
    ("kling-video-o1", {"watermark": True}, "watermark"),
    ("kling-v3-motion-control", {**MOTION, "image_urls": ()}, "image_urls"),
    ("kling-v3-motion-control", {**MOTION, "image_urls": [IMAGE, OTHER]}, "image_urls"),
    ("kling-v3-motion-control", {**MOTION, "video_urls": ()}, "video_urls"),
    ("kling-v3-motion-control", {**MOTION, "character_orientation": None}, "character_orientation"),
    ("kling-v3-motion-control", {**MOTION, "character_orientation": "left"}, "character_orientation"),
    ("kling-v3-motion-control", {**MOTION, "keep_original_sound": True}, "keep_original_sound"),
    ("kling-v3-motion-control", {**MOTION, "duration": 5}, "duration"),
    ("kling-v3-motion-control", {**MOTION, "aspect_ratio": "16:9"}, "aspect_ratio"),
    ("kling-v3-motion-control", {**MOTION, "prompt": " "}, "prompt"),
]


@pytest.mark.parametrize(("model", "fields", "field"), CONFLICTS)
def test_a_conflict_is_a_problem_of_its_field(model: str, fields: dict[str, Any], field: str) -> None:
    """A request that the service refuses is refused before it is sent, at the field to change."""
    assert set(problem_fields(model, **fields)) == {field}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"model": "kling-v3", "prompt": "A koi"}, "duration"),
        ({"model": "kling-v3", "prompt": "A koi", "duration": None}, "duration"),
        ({"model": "kling-v3-motion-control", "prompt": "A koi", **MOTION}, "duration"),
        ({"model": "kling-v3", "duration": 5}, "prompt"),
    ],
)
def test_a_body_without_a_required_field(body: dict[str, Any], field: str) -> None:
    """A body that the service refuses is not read as a request with the default of the missing field."""
    request = VideoRequest.from_body(body, CONTRACT)
    assert [problem.field for problem in request.problems(CONTRACT)] == [field]


def test_an_empty_list_is_no_list_of_shots() -> None:
    """A body whose list must have an entry is refused if it has none, and one that may be empty is read."""
    body = {"model": "kling-v3", "prompt": "A koi", "duration": 5}
    with pytest.raises(TypeError, match="multi_prompt"):
        VideoRequest.from_body({**body, "multi_prompt": []}, CONTRACT)
    assert VideoRequest.from_body({**body, "element_list": []}, CONTRACT).problems(CONTRACT) == ()


@pytest.mark.parametrize(
    ("model", "given", "sent"),
    [
        ("kling-v3", {"mode": "std"}, {"resolution": "720p"}),
        ("kling-v3", {"mode": "pro", "resolution": "1080p"}, {"resolution": "1080p"}),
        ("kling-v3", {"enable_audio": True}, {"generate_audio": True}),
        ("kling-3.0-turbo", {"enable_audio": False}, {}),
        ("kling-v3", {"image_urls": IMAGE, "last_frame": OTHER}, {"image_urls": [IMAGE, OTHER]}),
        ("kling-video-o1", {"image_urls": IMAGE, "last_frame": OTHER}, {"image_urls": [IMAGE, OTHER]}),
        (
            "kling-v3-omni",
            {"image_urls": IMAGE, "last_frame": OTHER},
            {
                "image_with_roles": [
                    {"url": IMAGE, "role": "first_frame"},
                    {"url": OTHER, "role": "last_frame"},
                ]
            },
        ),
        (
            "kling-v3",
            {"shots": [("A koi", 3), ("A heron", 4)], "prompt": ""},
            {"prompt": "A koi A heron", **STORY},
        ),
        ("kling-v3", {"shots": [("A koi", 3), ("A heron", 4)], "duration": 5}, STORY),
    ],
)
def test_names_of_april(model: str, given: dict[str, Any], sent: dict[str, Any]) -> None:
    """A request in the names of contract 2026-04 is sent in those of today."""
    usual = {"action": "generate", "prompt": "A koi", "resolution": "720p", "duration": 5}
    assert payload(model, **given) == {"model": model, **usual, **sent}


@pytest.mark.parametrize(
    ("model", "fields", "names"),
    [
        ("kling-v3", {"mode": "pro", "resolution": "720p"}, ("mode", "resolution")),
        ("kling-v3", {"mode": "std", "resolution": "4k"}, ("mode", "resolution")),
        ("kling-v3", {"enable_audio": True, "generate_audio": False}, ("enable_audio", "generate_audio")),
        ("kling-v3", {"image_urls": [IMAGE, OTHER], "last_frame": VIDEO}, ("last_frame", "image_urls")),
        ("kling-v3", {"shots": [("A koi", 5)], "multi_prompt": SHOTS}, ("shots", "multi_prompt")),
        ("kling-v3", {"shots": [("A koi", 5)], "shot_type": "intelligence"}, ("shots", "shot_type")),
        (
            "kling-v3-omni",
            {"image_with_roles": [(VIDEO, "last_frame")], "last_frame": OTHER},
            ("last_frame", "image_with_roles"),
        ),
    ],
)
def test_two_spellings_with_different_values(
    model: str, fields: dict[str, Any], names: tuple[str, str]
) -> None:
    """Two names of one thing with different values are a problem that names both."""
    problems = VideoRequest(model, "A koi", **fields).problems(CONTRACT)
    assert problems
    assert problems[0].field == names[0]
    assert all(name in problems[0].message for name in names)


@pytest.mark.parametrize(
    ("model", "fields", "field", "text"),
    [
        ("kling-v3", {"mode": "ultra"}, "mode", "std, pro"),
        ("kling-v2-6", {"enable_audio": True}, "enable_audio", "needs resolution 1080p"),
        ("kling-3.0-turbo", {"last_frame": IMAGE}, "last_frame", "does not take a last frame"),
        ("kling-v3", {"last_frame": IMAGE}, "last_frame", "needs an input image"),
        (
            "kling-v2-6",
            {"shots": [("A koi", 5)]},
            "shots",
            "Models that take it: kling-v3 and kling-v3-omni.",
        ),
        ("kling-v3", {"cfg_scale": 0.5}, "cfg_scale", "is a parameter of contract 2026-04 (for kling"),
    ],
)
def test_a_problem_has_the_name_that_the_caller_used(
    model: str, fields: dict[str, Any], field: str, text: str
) -> None:
    """A value that today's model refuses is reported under the name of April that the caller gave."""
    (problem,) = VideoRequest(model, "A koi", **fields).problems(CONTRACT)
    assert problem.field == field
    assert text in problem.message


@pytest.mark.parametrize(
    ("model", "fields", "text"),
    [
        ("kling-v1", {}, "kling-v3"),
        ("kling-v2-master", {"mode": "pro", "image_urls": IMAGE, "last_frame": OTHER}, "kling-v2-6"),
        ("kling-v1-6", {"camera_control": "forward_up"}, "none of its models supports the whole request"),
        ("kling-v2.6", {}, "is now called kling-v2-6"),
    ],
)
def test_a_model_of_april(model: str, fields: dict[str, Any], text: str) -> None:
    """A model that the service no longer has is refused, with the models that can do the same."""
    problem = next(
        problem
        for problem in VideoRequest(model, "A koi", **fields).problems(CONTRACT)
        if problem.field == "model"
    )
    assert text in problem.message


def test_the_advice_for_a_model_of_april_does_not_contradict_itself() -> None:
    """A last frame is no problem of a model that is gone, because its successor takes one."""
    request = VideoRequest("kling-v1-6", "A koi", image_urls=IMAGE, last_frame=OTHER)
    assert [problem.field for problem in request.problems(CONTRACT)] == ["model"]
    (_, reason) = request.replace(cfg_scale=0.5).problems(CONTRACT)
    assert reason.field == "cfg_scale"


@pytest.mark.parametrize(
    ("prompt", "images", "left"),
    [
        ("A koi", [IMAGE], ()),
        ("<<<image_1>>> swims", [IMAGE], (IMAGE,)),
        ("<<<image_1>>> swims", [IMAGE, VIDEO], (IMAGE, VIDEO)),
        ("A koi", [IMAGE, VIDEO], (IMAGE, VIDEO)),
    ],
)
def test_a_last_frame_leaves_references_where_they_are(
    prompt: str, images: list[str], left: tuple[str, ...]
) -> None:
    """An image that the prompt names by its number keeps it, and several images stay references."""
    body = payload("kling-v3-omni", prompt=prompt, image_urls=images, last_frame=OTHER)
    assert tuple(body.get("image_urls", ())) == left
    roles = [image["role"] for image in body["image_with_roles"]]
    assert roles == (["last_frame"] if left else ["first_frame", "last_frame"])


def test_a_model_of_the_other_contract_is_named_as_such() -> None:
    """A warning about a model of today names its contract, not a similar model of April."""
    (warning,) = VideoRequest("kling-v2-6", "A koi").warnings()
    assert "a model of contract 2026-11" in warning.message
    assert "Did you mean" not in warning.message


def test_an_unlisted_model_is_sent_as_it_is() -> None:
    """A model that this version does not describe is sent with what the caller set, and nothing else."""
    request = VideoRequest("veo3.1-fast", "A koi", duration=8, resolution="4k")
    assert request.problems(CONTRACT) == ()
    assert "is not a known model" in request.warnings(CONTRACT)[0].message
    assert CONTRACTS[CONTRACT].encode(request) == {
        "model": "veo3.1-fast",
        "action": "generate",
        "prompt": "A koi",
        "resolution": "4k",
        "duration": 8,
    }


def test_names_of_today_are_refused_by_april() -> None:
    """Contract 2026-04 is unchanged: it has no resolution."""
    (problem,) = VideoRequest("kling-v3", "A koi", resolution="1080p").problems()
    assert problem.field == "resolution"


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": "std"},
        {"image_urls": IMAGE, "last_frame": OTHER},
        {"model": "kling-v3-omni", "image_urls": IMAGE, "last_frame": OTHER},
        {"shots": [("A koi", 3), ("A heron", 4)], "duration": 10},
        {"mode": "std", "resolution": "1080p"},
        {"enable_audio": True, "generate_audio": True},
    ],
)
def test_a_translated_request_is_the_same_request(fields: dict[str, Any]) -> None:
    """A request in today's names has the same body as before, or the same conflict."""
    request = VideoRequest(**{"prompt": "A koi", **fields})
    own = request.translated(CONTRACT)
    assert bool(own.problems(CONTRACT)) == bool(request.problems(CONTRACT))
    if not request.problems(CONTRACT):
        assert CONTRACTS[CONTRACT].encode(own) == CONTRACTS[CONTRACT].encode(request)
        assert not {"mode", "last_frame", "shots", "enable_audio"} & set(own.given)


def test_equal_requests_have_equal_hashes() -> None:
    """The order in which fields are given does not matter."""
    one = VideoRequest("kling-v3", "A koi", resolution="4k", watermark=True)
    other = VideoRequest("kling-v3", "A koi", watermark=True, resolution="4k")
    assert one == other
    assert hash(one) == hash(other)


def test_a_missing_value_stays_missing_in_copies() -> None:
    """A body without its duration is no valid request after copying it either."""
    request = VideoRequest.from_body({"model": "kling-v3", "prompt": "A koi"}, CONTRACT)
    for copied in (copy.deepcopy(request), pickle.loads(pickle.dumps(request)), request.replace(n=1)):
        assert [problem.field for problem in copied.problems(CONTRACT)] == ["duration"]
    assert request.replace(duration=5).problems(CONTRACT) == ()


def test_a_duration_beside_shots_of_april_is_no_secret() -> None:
    """The shots decide the length, as in April, and a warning says so."""
    request = VideoRequest(shots=[("A koi", 3), ("A heron", 4)], duration=10)
    assert request.problems(CONTRACT) == ()
    (warning,) = request.warnings(CONTRACT)
    assert warning.field == "duration"
