"""Readers of the fields of a valid submit body."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from .order import Order, Shot
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


def order_of(body: Body) -> Order:
    """Return the description of the video to draw."""
    extra = extra_of(body)
    return Order(
        shots=tuple(map(Shot, prompts_of(body), durations_of(body))),
        short_side=1080 if is_pro(body) else 720,
        aspect_ratio=body.get("aspect_ratio", "16:9"),
        has_sound=has_sound(body),
        first_frame=body.get("image_urls", [""])[0],
        last_frame=body.get("last_frame", ""),
        camera_control=extra.get("camera_control"),
        static_mask=extra.get("static_mask", ""),
        dynamic_masks=tuple(extra.get("dynamic_masks", ())),
        facts=_facts_of(body),
        negative_prompt=body.get("negative_prompt", ""),
        seed=zlib.crc32(json.dumps(body, sort_keys=True).encode()),
    )


def _facts_of(body: Body) -> tuple[str, ...]:
    extra = extra_of(body)
    facts = [body["model"], "pro 1080p" if is_pro(body) else "std 720p", f"{sum(durations_of(body))} s"]
    if "cfg_scale" in extra:
        facts.append(f"cfg {extra['cfg_scale']:g}")
    if "camera_control" in extra:
        facts.append(f"camera {extra['camera_control']['type']}")
    return tuple(facts)


def _of_shots(body: Body, name: str) -> list[Any]:
    extra = extra_of(body)
    keys = (f"shot_{number}_{name}" for number in range(1, MAX_SHOTS + 1))
    return [extra[key] for key in keys if key in extra]
