"""The rules for requests of contract 2026-04, from the service's documentation.

One pure function, ``violations``, reads the JSON body of a submit and returns every violation. It shares
nothing with the client's own statement of the same rules, so that each reveals a mistake in the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..contract import Violation, Violations
from ..urls import is_public_url

MODELS: Mapping[str, frozenset[str]] = {
    "kling-v3": frozenset({"mode", "enable_audio"}),
    "kling-v2-master": frozenset({"mode"}),
    "kling-v1-6": frozenset({"mode", "cfg_scale", "camera_control", "static_mask", "dynamic_masks"}),
    "kling-v1": frozenset({"mode", "cfg_scale"}),
}
"""The four models, each with the keys that it accepts in ``extra`` (``kling-v3`` also ``shot_N_*``)."""

CAMERA_PRESETS = frozenset({"down_back", "forward_up", "right_turn_forward", "left_turn_forward"})
CAMERA_AXES = ("horizontal", "vertical", "pan", "tilt", "roll", "zoom")
ASPECT_RATIOS = ("16:9", "9:16", "1:1")
MODES = ("std", "pro")
MAX_PROMPT = 2500
"""Characters, not bytes, in a prompt, a negative prompt and the prompt of a shot."""
MAX_SHOTS = 6
_SHOT_KEY = re.compile(r"shot_([1-6])_(prompt|duration)")

_NEGATIVE_MODELS = frozenset({"kling-v1", "kling-v1-6"})
_MULTI_SHOT_MODEL = "kling-v3"
_LONG_SECONDS = range(3, 16)  # kling-v3, and the sum of its shots
_SHORT_SECONDS = (5, 10)
_MASKS = range(1, 7)
_POINTS = range(2, 78)


Check = Callable[[Any, str], Violations]


def violations(body: object) -> list[Violation]:
    """Return every violation of contract 2026-04 by a submit body; empty if the service accepts it.

    Args:
        body: the decoded JSON body, of any type.
    """
    return list(_request(body))


def _request(body: object) -> Violations:
    if not isinstance(body, dict):
        yield Violation("", "the body must be a JSON object")
        return
    model = body.get("model")
    if not isinstance(model, str) or model not in MODELS:
        yield Violation("model", f"model must be one of {', '.join(MODELS)}")
        return
    extra = body.get("extra", {})
    shots = _shot_keys(model, extra)
    for name, value in body.items():
        if name not in ("model", "extra"):
            yield from _root_field(name, value, model)
    yield from _prompt_or_shots(body, shots)
    if "last_frame" in body and "image_urls" not in body:
        yield Violation("last_frame", "last_frame needs a first frame in image_urls")
    yield from _extra(extra, model, shots, with_image="image_urls" in body)


def _shot_keys(model: str, extra: object) -> list[str]:
    if model != _MULTI_SHOT_MODEL or not isinstance(extra, dict):
        return []
    return [key for key in extra if _SHOT_KEY.fullmatch(key)]


def _root_field(name: str, value: object, model: str) -> Violations:
    if name == "duration":
        seconds = _LONG_SECONDS if model == _MULTI_SHOT_MODEL else _SHORT_SECONDS
        if not _is_integer(value) or value not in seconds:
            wanted = "3 to 15" if seconds is _LONG_SECONDS else "5 or 10"
            yield Violation(name, f"duration of {model} must be {wanted} whole seconds")
    elif name == "negative_prompt" and model not in _NEGATIVE_MODELS:
        yield Violation(name, f"{model} does not support negative_prompt")
    elif name in _ROOT_CHECKS:
        yield from _ROOT_CHECKS[name](value, name)
    else:
        yield Violation(name, f"unknown field {name}")


def _prompt_or_shots(body: Mapping[str, object], shots: list[str]) -> Violations:
    if not shots:
        if "prompt" not in body:
            yield Violation("prompt", "prompt is required")
        return
    for name in ("prompt", "duration"):
        if name in body:
            yield Violation(name, f"{name} is not allowed with shots: each shot has its own")


def _extra(extra: object, model: str, shots: list[str], *, with_image: bool) -> Violations:
    if not isinstance(extra, dict):
        yield Violation("extra", "extra must be an object")
        return
    for key, value in extra.items():
        param = f"extra.{key}"
        if key in shots:
            continue
        if key not in MODELS[model]:
            yield Violation(param, f"{model} takes no {key}")
            continue
        if key in ("static_mask", "dynamic_masks") and not with_image:
            yield Violation(param, f"{key} needs an image in image_urls")
        yield from _EXTRA_CHECKS[key](value, param)
    if shots:
        yield from _shots(extra)


def _shots(extra: Mapping[str, object]) -> Violations:
    numbers = {int(match[1]) for match in map(_SHOT_KEY.fullmatch, extra) if match}
    if numbers != set(range(1, len(numbers) + 1)):
        yield Violation("extra", "shots must have consecutive numbers from 1")
        return
    if len(numbers) < 2:
        yield Violation("extra", f"multi-shot takes 2 to {MAX_SHOTS} shots")
    total = 0
    for number in sorted(numbers):
        prompt, duration = f"shot_{number}_prompt", f"shot_{number}_duration"
        yield from _text(extra.get(prompt), f"extra.{prompt}")
        seconds = extra.get(duration)
        if isinstance(seconds, int) and _is_integer(seconds) and seconds >= 1:
            total += seconds
        else:
            yield Violation(f"extra.{duration}", f"{duration} must be a whole number of seconds, at least 1")
            return
    if total not in _LONG_SECONDS:
        yield Violation("extra", f"the shots add up to {total} s; they must add up to 3 to 15 s")


def _text(value: object, param: str) -> Violations:
    if not isinstance(value, str) or not value.strip():
        yield Violation(param, f"{param} must be a text that is not empty")
    elif len(value) > MAX_PROMPT:
        yield Violation(param, f"{param} has {len(value)} characters; at most {MAX_PROMPT} are allowed")


def _negative(value: object, param: str) -> Violations:
    # Blanks are allowed: the documentation limits only the length.
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_PROMPT:
        yield Violation(param, f"{param} must be a text of 1 to {MAX_PROMPT} characters")


def _one_of(*allowed: str) -> Check:
    def check(value: object, param: str) -> Violations:
        if not isinstance(value, str) or value not in allowed:
            yield Violation(param, f"{param} must be {' or '.join(allowed)}")

    return check


def _url(value: object, param: str) -> Violations:
    if not isinstance(value, str) or not is_public_url(value):
        yield Violation(param, f"{param} must be an http:// or https:// URL")


def _one_url(value: object, param: str) -> Violations:
    if not isinstance(value, list) or len(value) != 1:
        yield Violation(param, f"{param} must be a list of exactly 1 URL")
    else:
        yield from _url(value[0], f"{param}[0]")


def _boolean(value: object, param: str) -> Violations:
    if not isinstance(value, bool):
        yield Violation(param, f"{param} must be true or false")


def _between(low: float, high: float) -> Check:
    def check(value: Any, param: str) -> Violations:
        if not (_is_number(value) and low <= value <= high):
            yield Violation(param, f"{param} must be a number from {low:g} to {high:g}")

    return check


def _camera(value: object, param: str) -> Violations:
    if not isinstance(value, dict):
        yield Violation(param, f"{param} must be an object with a type")
        return
    yield from _only(value, ("type", "config"), param)
    kind = value.get("type")
    if kind == "simple":
        yield from _camera_config(value.get("config"), f"{param}.config")
    elif not isinstance(kind, str) or kind not in CAMERA_PRESETS:
        types = ", ".join(("simple", *sorted(CAMERA_PRESETS)))
        yield Violation(f"{param}.type", f"{param}.type must be one of {types}")
    elif "config" in value:
        yield Violation(f"{param}.config", f"the camera type {kind} takes no config")


def _camera_config(value: object, param: str) -> Violations:
    if not isinstance(value, dict) or not value:
        yield Violation(param, f"{param} must be an object with at least one of {', '.join(CAMERA_AXES)}")
        return
    yield from _only(value, CAMERA_AXES, param)
    for axis in CAMERA_AXES:
        if axis in value:
            yield from _between(-10, 10)(value[axis], f"{param}.{axis}")


def _dynamic_masks(value: object, param: str) -> Violations:
    if not isinstance(value, list) or len(value) not in _MASKS:
        yield Violation(param, f"{param} must be a list of 1 to {_MASKS[-1]} masks")
        return
    for index, mask in enumerate(value):
        place = f"{param}[{index}]"
        if not isinstance(mask, dict):
            yield Violation(place, f"{place} must be an object with mask_url and trajectories")
            continue
        yield from _only(mask, ("mask_url", "trajectories"), place)
        yield from _url(mask.get("mask_url"), f"{place}.mask_url")
        yield from _trajectories(mask.get("trajectories"), f"{place}.trajectories")


def _trajectories(value: object, param: str) -> Violations:
    if not isinstance(value, list) or len(value) not in _POINTS:
        yield Violation(param, f"{param} must be a list of {_POINTS[0]} to {_POINTS[-1]} points")
        return
    for index, point in enumerate(value):
        if (
            not isinstance(point, dict)
            or set(point) != {"x", "y"}
            or not all(map(_is_number, point.values()))
        ):
            yield Violation(
                f"{param}[{index}]", f"{param}[{index}] must be an object of two numbers, x and y"
            )


def _only(value: Mapping[str, object], allowed: tuple[str, ...], param: str) -> Violations:
    for key in value:
        if key not in allowed:
            yield Violation(f"{param}.{key}", f"{param} takes no {key}")


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)  # in Python, True is the integer 1


def _is_number(value: Any) -> bool:
    # An integer of any size is finite, but math.isfinite overflows with a large one.
    return _is_integer(value) or (isinstance(value, float) and math.isfinite(value))


_ROOT_CHECKS: Mapping[str, Check] = {
    "action": _one_of("generate"),
    "prompt": _text,
    "negative_prompt": _negative,
    "aspect_ratio": _one_of(*ASPECT_RATIOS),
    "image_urls": _one_url,
    "last_frame": _url,
    "callback_url": _url,
}

_EXTRA_CHECKS: Mapping[str, Check] = {
    "mode": _one_of(*MODES),
    "enable_audio": _boolean,
    "cfg_scale": _between(0, 1),
    "camera_control": _camera,
    "static_mask": _url,
    "dynamic_masks": _dynamic_masks,
}
