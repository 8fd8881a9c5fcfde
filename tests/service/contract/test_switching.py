"""A change of the model keeps what the next model also takes, by its meaning, and reports the rest."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from qingbo_widgets.service.contract.contracts import CONTRACTS
from qingbo_widgets.service.contract.models import contracts, models_of
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.switching import switched

FIRST, LAST, REFERENCE = (f"https://a.example/{name}.png" for name in ("first", "last", "reference"))
OTHER = "https://a.example/other.png"
VIDEO = "https://a.example/motion.mp4"
FRAMES = [{"url": FIRST, "role": "first_frame"}, {"url": LAST, "role": "last_frame"}]


def moved(to: str, contract: str = "2026-11", /, **fields: Any) -> tuple[VideoRequest, dict[str, Any]]:
    """Return the request for another model, and the values set aside."""
    result = switched(VideoRequest(**fields), to, models_of(contract))
    return result.request, dict(result.set_aside)


@pytest.mark.parametrize(
    ("model", "contract", "fields", "expected"),
    [
        ("kling-v2-6", "2026-11", {"mode": "pro"}, {"resolution": "1080p"}),
        ("kling-v3", "2026-11", {"enable_audio": True}, {"generate_audio": True}),
        ("kling-v1-6", "2026-04", {"resolution": "1080p"}, {"mode": "pro"}),
        ("kling-v3", "2026-04", {"generate_audio": False}, {"enable_audio": False}),
        (
            "kling-v3",
            "2026-11",
            {"image_urls": FIRST, "last_frame": LAST},
            {"image_urls": (FIRST, LAST)},
        ),
        ("kling-v3-omni", "2026-11", {"image_urls": [FIRST, LAST]}, {"image_with_roles": tuple(FRAMES)}),
        ("kling-v3", "2026-04", {"image_urls": [FIRST, LAST]}, {"image_urls": (FIRST,), "last_frame": LAST}),
        ("kling-v2-6", "2026-11", {"duration": 7}, {"duration": 5}),
    ],
)
def test_a_field_is_kept_by_its_meaning(
    model: str, contract: str, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    """The next model has the same setting under its own name."""
    request, set_aside = moved(model, contract, prompt="A koi", **fields)
    assert request == VideoRequest(model, "A koi", **expected)
    assert set_aside == {}


@pytest.mark.parametrize(
    ("model", "fields", "kept", "set_aside"),
    [
        ("kling-3.0-turbo", {"image_urls": [FIRST, LAST]}, {"image_urls": (FIRST,)}, {"image_urls": (LAST,)}),
        ("kling-v2-6", {"resolution": "4k"}, {}, {"resolution": "4k"}),
        ("kling-v3", {"model": "kling-v1-6", "cfg_scale": 0.5}, {}, {"cfg_scale": 0.5}),
        (
            "kling-v3",
            {"model": "kling-v3-omni", "image_urls": [REFERENCE], "image_with_roles": FRAMES},
            {"image_urls": (FIRST, LAST)},
            {"image_urls": (REFERENCE,)},
        ),
        (
            "kling-v3",
            {"model": "kling-video-o1", "image_urls": [OTHER], "image_with_roles": FRAMES[:1]},
            {"image_urls": (FIRST,)},
            {"image_urls": (OTHER,)},
        ),
        (
            "kling-v3",
            {"model": "kling-video-o1", "image_urls": [FIRST, OTHER], "image_with_roles": FRAMES[1:]},
            {"image_urls": (FIRST, LAST)},
            {"image_urls": (OTHER,)},
        ),
        (
            "kling-v3-omni",
            {"model": "kling-video-o1", "image_urls": [OTHER], "image_with_roles": FRAMES[:1]},
            {"image_urls": (OTHER,), "image_with_roles": tuple(FRAMES[:1])},
            {},
        ),
        (
            "kling-v3",
            {"model": "kling-v3-motion-control", "image_urls": FIRST, "video_urls": VIDEO},
            {"image_urls": (FIRST,)},
            {"video_urls": (VIDEO,)},
        ),
    ],
)
def test_the_rest_is_set_aside(
    model: str, fields: dict[str, Any], kept: dict[str, Any], set_aside: dict[str, Any]
) -> None:
    """A value that the next model does not take is reported."""
    assert moved(model, prompt="A koi", **fields) == (VideoRequest(model, "A koi", **kept), set_aside)


def test_shots_become_those_of_the_other_contract() -> None:
    """A list of shots has the form of the next model's contract, and comes back unchanged."""
    shots = [("A koi", 3), ("A heron", 4)]
    today, _ = moved("kling-v3", shots=shots)
    assert today.problems("2026-11") == ()
    assert [dict(item) for item in today.multi_prompt] == [
        {"index": 1, "prompt": "A koi", "duration": 3},
        {"index": 2, "prompt": "A heron", "duration": 4},
    ]
    april = switched(today, "kling-v3", models_of()).request
    assert april == VideoRequest("kling-v3", shots=shots)


@pytest.mark.parametrize(
    ("before", "after", "fields", "expected"),
    [
        (("2026-04", "kling-v3"), ("2026-11", "kling-v3"), {}, {"generate_audio": True}),
        (("2026-11", "kling-v3"), ("2026-04", "kling-v3"), {}, {"enable_audio": False}),
        (("2026-04", "kling-v3"), ("2026-11", "kling-v2-6"), {"mode": "pro"}, {"generate_audio": True}),
        # Set by the user: nothing depends on a default.
        (("2026-04", "kling-v3"), ("2026-11", "kling-v3"), {"enable_audio": True}, {}),
        (("2026-04", "kling-v3"), ("2026-11", "kling-v3"), {"enable_audio": False}, {}),
        (("2026-11", "kling-v3"), ("2026-04", "kling-v3"), {"generate_audio": False}, {}),
        # The documentation names no sound for one of the two models.
        (("2026-04", "kling-v1"), ("2026-11", "kling-v3"), {}, {}),
        (("2026-04", "kling-v3"), ("2026-11", "kling-3.0-turbo"), {}, {}),
        # std is 720p, and the lengths are the same or cannot be the same.
        (("2026-04", "kling-v2-master"), ("2026-11", "kling-v2-6"), {}, {}),
        (("2026-11", "kling-v3"), ("2026-11", "kling-v3-motion-control"), {}, {}),
        (("2026-04", "kling-v3"), ("2026-04", "kling-v3"), {}, {}),
    ],
)
def test_a_default_that_changes_is_named(
    before: tuple[str, str], after: tuple[str, str], fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    """A field that is not set keeps its meaning, or the result names the value that has to be set for it."""
    request = VideoRequest(before[1], "A koi", **fields)
    result = switched(request, after[1], models_of(after[0]), models_of(before[0]))
    assert dict(result.defaults_changed) == expected
    kept = result.request.replace(**result.defaults_changed)
    assert switched(kept, before[1], models_of(before[0])).defaults_changed == {}


def test_a_default_of_the_service_is_never_sent() -> None:
    """The service's own defaults appear in no body: only a field that is set does."""
    for contract, model in ALL:
        described = models_of(contract)[model]
        request, _ = moved(model, contract, prompt="A koi", image_urls=FIRST, video_urls=VIDEO)
        body = str(CONTRACTS[contract].encode(request))
        for name, parameter in described.parameters.items():
            assert parameter.unless_given is None or name not in body


ALL = [(contract, model) for contract in contracts() for model in models_of(contract)]


@pytest.mark.parametrize(("before", "after"), list(itertools.product(ALL, ALL)))
def test_a_usual_request_survives_every_change(before: tuple[str, str], after: tuple[str, str]) -> None:
    """The prompt survives, and nothing but a required value that the old model lacks is a problem."""
    contract, model = before
    request, _ = moved(
        after[1],
        after[0],
        model=model,
        prompt="A koi",
        image_urls=FIRST,
        callback_url="https://a.example/hook",
    )
    assert request.prompt == "A koi"
    assert request.callback_url == "https://a.example/hook"
    assert all("required" in problem.message for problem in request.problems(after[0])), contract
