"""Rules of contract 2026-11 that a JSON Schema cannot say; a model names those that apply to it.

Each function gets a body whose fields it reads keep the schema, and the choices of ``Gaps``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...gaps import Gaps
from ..contract import Violation, Violations

Body = Mapping[str, Any]

IMAGE_TOKEN = re.compile(r"<<<image_(\d+)>>>")
"""The name of an entry of ``image_urls`` in a prompt, counted from 1."""
MOST_REFERENCES = 7
"""Reference images and elements of ``kling-v3-omni``, together."""


@dataclass(frozen=True)
class Check:
    """A rule and the fields that it reads."""

    function: Callable[[Body, Gaps], Violations]
    fields: tuple[str, ...]


def shot_numbers(body: Body, _: Gaps) -> Violations:
    """Check that shots are numbered from 1 without a gap (documentation of contract 2026-11, Kling)."""
    numbers = sorted(shot["index"] for shot in body.get("multi_prompt", ()))
    if numbers != list(range(1, len(numbers) + 1)):
        yield Violation("multi_prompt", "multi_prompt must have consecutive indexes from 1")


def shot_lengths(body: Body, _: Gaps) -> Violations:
    """Check that the lengths of shots add up to ``duration`` (documentation of contract 2026-11, Kling)."""
    shots = body.get("multi_prompt")
    if shots is None or "duration" not in body:
        return
    total = sum(shot["duration"] for shot in shots)
    if total != body["duration"]:
        yield Violation(
            "multi_prompt", f"multi_prompt lasts {total} s in all; duration is {body['duration']} s"
        )


def intelligence_shots(body: Body, gaps: Gaps) -> Violations:
    """Check that a model which chooses the shots is given none, if it refuses them (not documented)."""
    is_chosen = body.get("shot_type") == "intelligence" and "multi_prompt" in body
    if is_chosen and gaps.intelligence_shots == "refused":
        yield Violation("multi_prompt", "multi_prompt needs shot_type customize")


def image_tokens(body: Body, _: Gaps) -> Violations:
    """Check that the images which a prompt names exist (documentation of contract 2026-11, Kling)."""
    count = len(body.get("image_urls", ()))
    shots = [(f"multi_prompt[{at}].prompt", shot) for at, shot in enumerate(body.get("multi_prompt", ()))]
    for param, part in [("prompt", body), *shots]:
        for number in IMAGE_TOKEN.findall(part.get("prompt", "")):
            if not 1 <= int(number[-9:]) <= count:
                yield Violation(param, f"{param} names image {number[-9:]} of {count} in image_urls")


def images_beside_video(body: Body, _: Gaps) -> Violations:
    """Check that a video has at most one image beside it, with or without a role."""
    plain, with_roles = len(body.get("image_urls", ())), len(body.get("image_with_roles", ()))
    if body.get("video_urls") and plain <= 1 < plain + with_roles:
        yield Violation("image_with_roles", "image_with_roles and image_urls: at most 1 image with a video")


def reference_count(body: Body, gaps: Gaps) -> Violations:
    """Check that there are at most seven reference images and elements together."""
    with_roles = [image for image in body.get("image_with_roles", ()) if image["role"] == "reference"]
    elements = body.get("element_list", ())
    counted = len(elements)
    if gaps.elements == "pictures":
        counted = sum(len(element["element_input_urls"]) for element in elements)
    if len(body.get("image_urls", ())) + len(with_roles) + counted > MOST_REFERENCES:
        param = "element_list" if elements else "image_with_roles"
        yield Violation(
            param, f"{param}: at most {MOST_REFERENCES} reference images and elements are allowed together"
        )


CHECKS: Mapping[str, Check] = {
    "shot_numbers": Check(shot_numbers, ("multi_prompt",)),
    "shot_lengths": Check(shot_lengths, ("multi_prompt", "duration")),
    "intelligence_shots": Check(intelligence_shots, ("multi_prompt", "shot_type")),
    "image_tokens": Check(image_tokens, ("prompt", "multi_prompt", "image_urls")),
    "images_beside_video": Check(images_beside_video, ("image_urls", "image_with_roles", "video_urls")),
    "reference_count": Check(reference_count, ("image_urls", "image_with_roles", "element_list")),
}
