"""The meaning of a valid submit body: the video that it describes, and the video that it starts from."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, Literal

from ...order import Element, Order, Shot, SourceUse
from ..contract import InputVideo
from .models import Model

Body = Mapping[str, Any]

_SHORT_SIDES = {"720p": 720, "1080p": 1080, "4k": 2160}


def input_video_of(body: Body, model: Model) -> InputVideo | None:
    """Return the input video with the limits of its length (documentation of contract 2026-11, Kling).

    The service reads its length before it accepts the task, whether or not the result follows it.
    """
    if not body.get("video_urls"):
        return None
    orientation = body.get("character_orientation")
    limits = next(
        limits for limits in model.input_video if limits.get("orientation", orientation) == orientation
    )
    return InputVideo(body["video_urls"][0], "video_urls", limits["least"], limits["most"])


def order_of(body: Body, model: Model, input_seconds: int) -> Order:
    """Return the video that a valid body describes. Equal bodies give equal videos.

    Args:
        body: a valid submit body.
        model: its model.
        input_seconds: the length of its input video; the result has it if ``duration`` is 0.
    """
    seconds, resolution = body["duration"] or input_seconds, body.get("resolution", "720p")
    frames, references = _images(body, model)
    return Order(
        shots=_shots(body, seconds),
        short_side=_SHORT_SIDES[resolution],
        # Without a ratio, the result follows the shape of what it shows.
        aspect_ratio=body.get("aspect_ratio", "" if references or body.get("video_urls") else "16:9"),
        has_sound=body.get("generate_audio", False),
        first_frame=frames["first_frame"],
        last_frame=frames["last_frame"],
        references=references,
        elements=tuple(
            Element(element["name"], tuple(element["element_input_urls"]))
            for element in body.get("element_list", ())
        ),
        source_video=body["video_urls"][0] if body.get("video_urls") else "",
        source_use=_source_use(body),
        keeps_source_sound=body.get("keep_original_sound", "yes") == "yes" and _source_use(body) == "motion",
        facts=(model.name, resolution, f"{seconds} s"),
        negative_prompt=body.get("negative_prompt", ""),
        has_watermark=body.get("watermark", False),
        seed=zlib.crc32(json.dumps(body, sort_keys=True).encode()),
    )


def _shots(body: Body, seconds: int) -> tuple[Shot, ...]:
    if "multi_prompt" not in body:
        return (Shot(body["prompt"], seconds),)
    shots = sorted(body["multi_prompt"], key=lambda shot: int(shot["index"]))
    return tuple(Shot(shot["prompt"], shot["duration"]) for shot in shots)


def _source_use(body: Body) -> SourceUse | None:
    if not body.get("video_urls"):
        return None
    if "character_orientation" in body:
        return "motion"
    return "edit" if body.get("action") == "edit" else "reference"


def _images(
    body: Body, model: Model
) -> tuple[dict[Literal["first_frame", "last_frame"], str], tuple[str, ...]]:
    """Return the frames, empty where there is none, and the references.

    Beside a reference video, an image is a reference as well; two images are frames elsewhere, and one is the
    first frame. An image with a role goes before one without.
    """
    with_roles = [(image["role"], image["url"]) for image in body.get("image_with_roles", ())]
    images = body.get("image_urls", [])
    references = tuple(url for role, url in with_roles if role == "reference")
    if model.images == "references" or _source_use(body) == "reference":
        images, references = [], (*images, *references)
    first, last = [*images, "", ""][:2]
    roles = dict(with_roles)
    frames: dict[Literal["first_frame", "last_frame"], str] = {
        "first_frame": roles.get("first_frame", first),
        "last_frame": roles.get("last_frame", last),
    }
    return frames, references
