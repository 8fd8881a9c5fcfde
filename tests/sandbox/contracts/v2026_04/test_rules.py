"""Tests of the rules of contract 2026-04, each limit from both sides."""

# ruff: noqa: E501 - a table of cases reads better with one case per line

from __future__ import annotations

import math
from typing import Any

import pytest

from qingbo_widgets.sandbox.contracts.v2026_04.rules import CAMERA_AXES, CAMERA_PRESETS, MODELS, violations

URL = "https://example.com/a.png"
POINT = {"x": 1, "y": 2.5}
MASK = {"mask_url": URL, "trajectories": [POINT, POINT]}


def body(model: Any = "kling-v3", **fields: Any) -> dict[str, Any]:
    """Return a valid body with additional fields."""
    return {"model": model, "prompt": "a pond", **fields}


def shots(*durations: Any, prompt: Any = "a pond", **fields: Any) -> dict[str, Any]:
    """Return a multi-shot body."""
    extra: dict[str, Any] = {}
    for number, duration in enumerate(durations, 1):
        extra |= {f"shot_{number}_prompt": prompt, f"shot_{number}_duration": duration}
    return {"model": "kling-v3", "extra": extra | fields}


def camera(control: Any) -> dict[str, Any]:
    """Return a body with a camera control."""
    return body("kling-v1-6", extra={"camera_control": control})


def simple(**config: Any) -> dict[str, Any]:
    """Return a body with the camera type ``simple``."""
    return camera({"type": "simple", "config": config})


def masked(**extra: Any) -> dict[str, Any]:
    """Return a body for image-to-video with masks."""
    return body("kling-v1-6", image_urls=[URL], extra=extra)


def moving(**fields: Any) -> dict[str, Any]:
    """Return a body with one dynamic mask, with changed fields."""
    return masked(dynamic_masks=[{**MASK, **fields}])


ALLOWED: dict[str, Any] = {
    **{f"model {model}": body(model) for model in MODELS},
    "action": body(action="generate"),
    "prompt of one character": body(prompt="x"),
    "prompt of 2500 Chinese characters": body(prompt="湖" * 2500),
    "16:9": body(aspect_ratio="16:9"),
    "9:16": body(aspect_ratio="9:16"),
    "1:1": body(aspect_ratio="1:1"),
    "aspect ratio beside an image": body(aspect_ratio="1:1", image_urls=[URL]),
    "v3 for 3 s": body(duration=3),
    "v3 for 4 s": body(duration=4),
    "v3 for 15 s": body(duration=15),
    **{f"{model} for {s} s": body(model, duration=s) for model in MODELS for s in (5, 10)},
    "negative prompt v1": body("kling-v1", negative_prompt="x" * 2500),
    "negative prompt v1-6": body("kling-v1-6", negative_prompt="blur"),
    "first frame": body(image_urls=[URL]),
    "first frame over http with a port": body(image_urls=["http://127.0.0.1:80/a?b#c"]),
    "scheme in capitals": body(image_urls=["HTTPS://EXAMPLE.COM"]),
    "last frame": body(image_urls=[URL], last_frame=URL),
    "callback": body(callback_url="http://localhost:1/hook"),
    "empty extra": body(extra={}),
    **{f"{model} {mode}": body(model, extra={"mode": mode}) for model in MODELS for mode in ("std", "pro")},
    "audio on": body(extra={"enable_audio": True}),
    "audio off": body(extra={"enable_audio": False}),
    **{f"cfg {x} v1": body("kling-v1", extra={"cfg_scale": x}) for x in (0, 1, 0.5, 0.0, 1.0)},
    "cfg v1-6": body("kling-v1-6", extra={"cfg_scale": 0.5}),
    "2 shots": shots(5, 5),
    "2 shots of 3 s in all": shots(1, 2),
    "6 shots of 15 s in all": shots(1, 1, 1, 1, 1, 10),
    "shots with an image": {**shots(1, 2), "image_urls": [URL]},
    "shots with mode and audio": shots(1, 2, mode="pro", enable_audio=False),
    "shot prompt of 2500 characters": shots(1, 2, prompt="x" * 2500),
    **{preset: camera({"type": preset}) for preset in sorted(CAMERA_PRESETS)},
    **{f"{axis} {x}": simple(**{axis: x}) for axis in CAMERA_AXES for x in (-10, 10, 0, 2.5)},
    "two axes at once": simple(pan=1, zoom=1),
    "all axes zero": simple(**dict.fromkeys(CAMERA_AXES, 0)),
    "static mask": masked(static_mask=URL),
    "1 dynamic mask": masked(dynamic_masks=[MASK]),
    "6 dynamic masks": masked(dynamic_masks=[MASK] * 6),
    "77 points": moving(trajectories=[POINT] * 77),
    "camera beside masks": body(
        "kling-v1-6", image_urls=[URL], extra={"static_mask": URL, "camera_control": {"type": "forward_up"}}
    ),
}

BAD_URLS: tuple[str, ...] = (
    "",
    "x",
    "ftp://example.com/a",
    "file:///a.png",
    "data:image/png;base64,AA==",
    "https://",
    "http:///a",
)
BAD_URLS += (
    "https://a b/c",
    " https://example.com",
    "https://example.com\n",
    "http://[::1",
    "http://a:port/",
)
EMPTY: list[Any] = []
NO_KEYS: dict[str, Any] = {}
NO_TEXT = ("", " \n\u3000", None, 1, ["x"])

REFUSED: dict[str, tuple[Any, str]] = {
    **{f"body {value!r}": (value, "") for value in (None, EMPTY, "x", 1)},
    "no model": ({"prompt": "x"}, "model"),
    **{f"model {model!r}": (body(model), "model") for model in ("kling-v9", "", "KLING-V3", None, 3, ["kling-v3"])},
    **{f"action {value!r}": (body(action=value), "action") for value in ("edit", "", None, 1)},
    "no prompt": ({"model": "kling-v3"}, "prompt"),
    **{f"prompt {value!r}": (body(prompt=value), "prompt") for value in NO_TEXT},
    "prompt of 2501 characters": (body(prompt="湖" * 2501), "prompt"),
    **{f"ratio {value!r}": (body(aspect_ratio=value), "aspect_ratio") for value in ("4:3", "", None, 1.7)},
    "wrong ratio beside an image": (body(aspect_ratio="4:3", image_urls=[URL]), "aspect_ratio"),
    **{f"v3 for {s!r} s": (body(duration=s), "duration") for s in (2, 16, 0, -5, 5.0, "5", True, None)},
    **{
        f"{model} for {s!r} s": (body(model, duration=s), "duration")
        for model in MODELS
        if model != "kling-v3"
        for s in (3, 4, 6, 9, 11, 15, 5.0, True, None)
    },
    **{f"negative prompt {m}": (body(m, negative_prompt="x"), "negative_prompt") for m in ("kling-v3", "kling-v2-master")},
    **{f"negative prompt {v!r}": (body("kling-v1", negative_prompt=v), "negative_prompt") for v in ("", None, 1)},
    "negative prompt of 2501 characters": (body("kling-v1", negative_prompt="x" * 2501), "negative_prompt"),
    **{f"images {v!r}": (body(image_urls=v), "image_urls") for v in (EMPTY, [URL, URL], URL, None, NO_KEYS)},
    **{f"image {url!r}": (body(image_urls=[url]), "image_urls[0]") for url in (*BAD_URLS, None, 1)},
    **{f"last frame {u!r}": (body(image_urls=[URL], last_frame=u), "last_frame") for u in (*BAD_URLS, None, [URL])},
    "last frame without a first": (body(last_frame=URL), "last_frame"),
    **{f"callback {url!r}": (body(callback_url=url), "callback_url") for url in (*BAD_URLS, None)},
    "unknown field": (body(seed=1), "seed"),
    "extra at the root": (body(mode="pro"), "mode"),
    **{f"extra {value!r}": (body(extra=value), "extra") for value in (None, EMPTY, "x")},
    **{f"mode {value!r}": (body(extra={"mode": value}), "extra.mode") for value in ("PRO", "", None, 1)},
    **{f"audio {v!r}": (body(extra={"enable_audio": v}), "extra.enable_audio") for v in (1, "true", None)},
    **{
        f"{model} with {key}": (body(model, image_urls=[URL], extra={key: value}), f"extra.{key}")
        for key, value in {
            "enable_audio": True,
            "cfg_scale": 0.5,
            "camera_control": {"type": "forward_up"},
            "static_mask": URL,
            "dynamic_masks": [MASK],
            "shot_1_prompt": "x",
            "unheard_of": 1,
        }.items()
        for model, keys in MODELS.items()
        if key not in keys and not (model == "kling-v3" and key.startswith("shot"))
    },
    **{
        f"cfg {x!r}": (body("kling-v1", extra={"cfg_scale": x}), "extra.cfg_scale")
        for x in (-0.01, 1.01, True, False, "0.5", None, math.nan, math.inf, 10**400)
    },
    "shots beside a prompt": ({**shots(1, 2), "prompt": "x"}, "prompt"),
    "shots beside a duration": ({**shots(5, 5), "duration": 10}, "duration"),
    "1 shot": (shots(5), "extra"),
    "7 shots": (shots(2, 2, 2, 2, 2, 2, 2), "extra.shot_7_prompt"),
    "shots of 2 s in all": (shots(1, 1), "extra"),
    "shots of 16 s in all": (shots(8, 8), "extra"),
    "shots from 2": (shots(1, 2, shot_3_prompt="x") | {"extra": {"shot_2_prompt": "x", "shot_2_duration": 5}}, "extra"),
    "shots with a gap": (shots(3, 3, shot_4_prompt="x", shot_4_duration=3), "extra"),
    "shot without a prompt": (shots(3, shot_2_duration=3), "extra.shot_2_prompt"),
    "shot without a duration": (shots(3, shot_2_prompt="x"), "extra.shot_2_duration"),
    "shot number with a zero": (shots(3, 3, shot_01_prompt="x"), "extra.shot_01_prompt"),
    **{f"shot prompt {v!r}": (shots(5, 5, prompt=v), "extra.shot_1_prompt") for v in (*NO_TEXT, "x" * 2501)},
    **{f"shot of {s!r} s": (shots(5, s), "extra.shot_2_duration") for s in (0, -1, 2.0, "2", True, None)},
    **{f"camera {v!r}": (camera(v), "extra.camera_control") for v in (None, "forward_up", EMPTY)},
    **{f"type {v!r}": (camera({"type": v}), "extra.camera_control.type") for v in ("spin", "", None, 1, ["simple"])},
    "camera without a type": (camera({}), "extra.camera_control.type"),
    "preset with a config": (camera({"type": "down_back", "config": {"pan": 1}}), "extra.camera_control.config"),
    "camera with more": (camera({"type": "down_back", "speed": 1}), "extra.camera_control.speed"),
    "simple without a config": (camera({"type": "simple"}), "extra.camera_control.config"),
    "simple with an empty config": (simple(), "extra.camera_control.config"),
    "seventh axis": (simple(pan=1, dolly=1), "extra.camera_control.config.dolly"),
    **{
        f"{axis} {x!r}": (simple(**{axis: x}), f"extra.camera_control.config.{axis}")
        for axis in CAMERA_AXES
        for x in (-10.01, 11, True, "1", None, math.nan)
    },
    **{f"static mask {u!r}": (masked(static_mask=u), "extra.static_mask") for u in (*BAD_URLS, None)},
    "static mask without an image": (body("kling-v1-6", extra={"static_mask": URL}), "extra.static_mask"),
    "dynamic masks without an image": (body("kling-v1-6", extra={"dynamic_masks": [MASK]}), "extra.dynamic_masks"),
    **{f"masks {len(v) if v else v!r}": (masked(dynamic_masks=v), "extra.dynamic_masks") for v in ([], [MASK] * 7, None)},
    "mask that is not an object": (masked(dynamic_masks=[URL]), "extra.dynamic_masks[0]"),
    "mask with more": (moving(speed=1), "extra.dynamic_masks[0].speed"),
    **{f"mask url {u!r}": (moving(mask_url=u), "extra.dynamic_masks[0].mask_url") for u in (*BAD_URLS, None)},
    **{
        f"path of {len(v) if v else v!r}": (moving(trajectories=v), "extra.dynamic_masks[0].trajectories")
        for v in ([POINT], [POINT] * 78, None)
    },
    **{
        f"point {v!r}": (moving(trajectories=[POINT, v]), "extra.dynamic_masks[0].trajectories[1]")
        for v in ({"x": 1}, {"x": 1, "y": 1, "z": 1}, {"x": True, "y": 1}, {"x": "1", "y": 1}, {"x": math.inf, "y": 0}, [1, 2])
    },
}  # fmt: skip


@pytest.mark.parametrize("request_body", ALLOWED.values(), ids=ALLOWED)
def test_allowed(request_body: Any) -> None:
    """A body that the documentation allows has no violations."""
    assert violations(request_body) == []


@pytest.mark.parametrize(("request_body", "param"), REFUSED.values(), ids=REFUSED)
def test_refused(request_body: Any, param: str) -> None:
    """A body that the documentation does not allow has a violation with its position and a message."""
    result = violations(request_body)
    assert param in [violation.param for violation in result]
    assert all(violation.message for violation in result)


def test_all_violations_are_reported_at_once() -> None:
    """A body with three mistakes has three violations."""
    result = violations(body("kling-v1", duration=4, seed=1, extra={"mode": "best"}))
    assert {violation.param for violation in result} == {"duration", "seed", "extra.mode"}
