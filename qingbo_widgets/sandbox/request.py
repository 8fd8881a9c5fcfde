"""Readers of the fields of a valid submit body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .rules import MAX_SHOTS

Body = Mapping[str, Any]


def prompts_of(body: Body) -> list[str]:
    """Return the prompts, one for each shot."""
    return _of_shots(body, "prompt") or [body["prompt"]]


def durations_of(body: Body) -> list[int]:
    """Return the lengths in seconds, one for each shot."""
    return _of_shots(body, "duration") or [body.get("duration", 5)]


def is_pro(body: Body) -> bool:
    """Return whether the mode is ``pro``, which is 1080p, and not ``std``, which is 720p."""
    return bool(extra_of(body).get("mode") == "pro")


def has_sound(body: Body) -> bool:
    """Return whether the video has sound."""
    return body["model"] == "kling-v3" and bool(extra_of(body).get("enable_audio", True))


def extra_of(body: Body) -> Body:
    """Return the parameters of the model; empty if there are none."""
    extra: Body = body.get("extra", {})
    return extra


def quota_of(body: Body) -> int:
    """Return the cost of the task in the service's quota units: 50,000 for five seconds in ``std``."""
    return sum(durations_of(body)) * 10_000 * (2 if is_pro(body) else 1)


def _of_shots(body: Body, name: str) -> list[Any]:
    extra = extra_of(body)
    keys = (f"shot_{number}_{name}" for number in range(1, MAX_SHOTS + 1))
    return [extra[key] for key in keys if key in extra]
