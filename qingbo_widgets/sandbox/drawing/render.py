"""Rendering of the video for a request. Run as a module, it reads its order from standard input."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..contracts.v2026_04.request import Body, durations_of, extra_of, has_sound, is_pro, prompts_of
from .camera import Camera, View
from .film import FPS, Floats, Frame, encode
from .lettering import Lettering, ShotText
from .media import UnusablePicture, fetch
from .mood import moods_of
from .picture import Brush, Pictures, film_size
from .scene import Landscape
from .sound import ambience

_SHAPES = {"16:9": (16, 9), "9:16": (9, 16), "1:1": (1, 1)}
_DRAFT = 4  # divisor of the width and the height of a draft
_PICTURES = 24  # minimum number of pictures in a draft, each shown for several frames


class _Scene(Protocol):
    def paint(self, seconds: float, moment: float, view: View, /) -> Frame: ...


def render(request: Body, path: str | Path, *, draft: bool = False) -> None:
    """Render a video: equal requests give equal videos.

    Args:
        request: a valid submit body of contract 2026-04.
        path: the mp4 file to write.
        draft: True to render a quarter of the width and height, and few pictures.

    Raises:
        UnusablePicture: a picture that the request names cannot be loaded.
    """
    short = (1080 if is_pro(request) else 720) // (_DRAFT if draft else 1)
    seed = zlib.crc32(json.dumps(request, sort_keys=True).encode())
    camera = Camera(extra_of(request).get("camera_control"))
    prompts, lengths = prompts_of(request), durations_of(request)
    moods = moods_of(prompts, seed)
    if "image_urls" in request:
        first = fetch(request["image_urls"][0])
        size = film_size(first, short)
    else:
        shape = _SHAPES[request.get("aspect_ratio", "16:9")]
        size = short * shape[0] // min(shape) // 2 * 2, short * shape[1] // min(shape) // 2 * 2

    def scene(shot: int) -> _Scene:
        if "image_urls" in request and shot == 0:
            return _pictures(request, size, first, camera)
        return Landscape(size, moods[shot], seed + shot, camera.reach, drifts=not camera.moves)

    lettering = [Lettering(size, text) for text in _shot_texts(request, prompts)]
    scenes = [scene(shot) for shot in range(len(lengths))]
    starts = [sum(lengths[:shot]) for shot in range(len(lengths))]

    def paint(index: int) -> Frame:
        seconds = index / FPS
        shot = max(number for number, start in enumerate(starts) if start <= seconds)
        seconds -= starts[shot]
        moment = seconds / (lengths[shot] - 1 / FPS)
        frame = scenes[shot].paint(seconds, moment, camera.view(moment))
        lettering[shot].draw(frame)
        return frame

    sound = _sound(lengths, seed, draft=draft) if has_sound(request) else None
    count = sum(lengths) * FPS
    encode(path, size, count, paint, sound, hold=max(count // _PICTURES, 1) if draft else 1)


def _sound(lengths: Sequence[int], seed: int, *, draft: bool) -> Floats:
    """Return the sound of the shots; for a draft, the sound of one second, repeated."""
    return np.tile(ambience([1], seed), sum(lengths)) if draft else ambience(lengths, seed)


def _pictures(request: Body, size: tuple[int, int], first: Any, camera: Camera) -> Pictures:
    extra = extra_of(request)
    last = fetch(request["last_frame"]) if "last_frame" in request else None
    static = fetch(extra["static_mask"]) if "static_mask" in extra else None
    brushes = [
        Brush(fetch(mask["mask_url"]), [(point["x"], point["y"]) for point in mask["trajectories"]])
        for mask in extra.get("dynamic_masks", [])
    ]
    return Pictures(size, first, last, static, brushes, moved=camera.moves)


def _shot_texts(request: Body, prompts: Sequence[str]) -> list[ShotText]:
    extra = extra_of(request)
    facts = [
        request["model"],
        "pro 1080p" if is_pro(request) else "std 720p",
        f"{sum(durations_of(request))} s",
    ]
    if "cfg_scale" in extra:
        facts.append(f"cfg {extra['cfg_scale']:g}")
    if "camera_control" in extra:
        facts.append(f"camera {extra['camera_control']['type']}")
    details = [" · ".join(facts)]
    if "negative_prompt" in request:
        details.append(f"not: {request['negative_prompt']}")
    return [
        ShotText(
            prompt,
            details,
            f"shot {number}/{len(prompts)}" if len(prompts) > 1 else "",
            is_large="image_urls" not in request or number > 1,
        )
        for number, prompt in enumerate(prompts, 1)
    ]


def main() -> int:
    """Render one order; on failure, write the ``error`` of the task to standard output."""
    order = json.load(sys.stdin)
    try:
        render(order["request"], order["path"], draft=order["draft"])
    except UnusablePicture as error:
        json.dump({"code": "upstream_bad_request", "message": str(error)}, sys.stdout)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
