"""Submit bodies of contract 2026-11 for the tests: for each model the shortest one and the fullest one."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

PICTURE = "https://example.com/a.png"
VIDEO = "https://example.com/a.mp4"

_COMMON: Body = {
    "resolution": "1080p",
    "aspect_ratio": "9:16",
    "n": 1,
    "callback_url": "https://example.com/hook",
    "callback_events": ["completed", "failed", "cancelled"],
}
_MOTION: Body = {
    "prompt": "a dancer",
    "duration": 0,
    "image_urls": [PICTURE],
    "video_urls": [VIDEO],
    "character_orientation": "video",
}
_FULL_MOTION: Body = {
    **_MOTION,
    "action": "generate",
    "resolution": "1080p",
    "watermark": True,
    "n": 1,
    "keep_original_sound": "no",
    "callback_url": "https://example.com/hook",
    "callback_events": ["failed"],
}
ELEMENT: Body = {"name": "cat", "description": "a grey cat", "element_input_urls": [PICTURE] * 2}
_SHOTS: Body = {
    "multi_shot": True,
    "shot_type": "customize",
    "multi_prompt": [
        {"index": 1, "prompt": "calm", "duration": 4},
        {"index": 2, "prompt": "a storm", "duration": 6},
    ],
}


def body(model: str, **fields: Any) -> Body:
    """Return the shortest body of a model with additional fields; ``None`` removes a field."""
    return {name: value for name, value in {**MINIMAL[model], **fields}.items() if value is not None}


def shots(*durations: Any, **fields: Any) -> Body:
    """Return a multi-shot body of ``kling-v3`` with shots of these lengths."""
    shots = [
        {"index": number, "prompt": "x", "duration": length} for number, length in enumerate(durations, 1)
    ]
    return body("kling-v3", **{**_SHOTS, "multi_prompt": shots, "duration": 10, **fields})


MINIMAL: dict[str, Body] = {
    name: {"model": name, **({"prompt": "a pond", "duration": 5} if "motion" not in name else _MOTION)}
    for name in (
        "kling-3.0-turbo",
        "kling-v2-6",
        "kling-v3",
        "kling-v3-omni",
        "kling-video-o1",
        "kling-v2-6-motion-control",
        "kling-v3-motion-control",
    )
}

FULLEST: dict[str, Body] = {
    "kling-3.0-turbo": body("kling-3.0-turbo", **_COMMON, action="generate", duration=15, watermark=True),
    "kling-v2-6": body(
        "kling-v2-6",
        **_COMMON,
        action="generate",
        duration=10,
        image_urls=[PICTURE],
        negative_prompt="blur",
        generate_audio=True,
        watermark=True,
    ),
    "kling-v3": body(
        "kling-v3",
        **_COMMON | {"resolution": "4k"},
        **_SHOTS,
        action="generate",
        duration=10,
        image_urls=[PICTURE, PICTURE],
        negative_prompt="blur",
        generate_audio=True,
        watermark=True,
        element_list=[ELEMENT] * 3,
    ),
    "kling-v3-omni": body(
        "kling-v3-omni",
        **_COMMON | {"resolution": "4k"},
        **_SHOTS,
        action="generate",
        prompt="<<<image_1>>> and @cat",
        duration=10,
        image_urls=[PICTURE],
        video_urls=[VIDEO],
        negative_prompt="blur",
        generate_audio=False,
        watermark=True,
        element_list=[ELEMENT] * 3,
    ),
    "kling-video-o1": body(
        "kling-video-o1",
        **_COMMON,
        action="generate",
        prompt="<<<image_2>>> then <<<image_1>>>",
        duration=10,
        image_urls=[PICTURE, PICTURE],
        image_with_roles=[
            {"url": PICTURE, "role": "first_frame"},
            {"url": PICTURE, "role": "last_frame"},
            {"url": PICTURE, "role": "reference"},
        ],
    ),
    "kling-v2-6-motion-control": {"model": "kling-v2-6-motion-control", **_FULL_MOTION},
    "kling-v3-motion-control": {"model": "kling-v3-motion-control", **_FULL_MOTION},
}
