"""Rendering of the video for an order. Run as a module, it reads the order from standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import numpy as np

from ..order import Order
from .film import FPS, Floats, Painter, encode
from .media import UnusablePicture
from .reel import Reel
from .shots import Footage, Shot, shots_of
from .sound import ambience, sample_count
from .source import UnusableVideo, fetch

_DRAFT = 4  # divisor of the width and the height of a draft
_PICTURES = 24  # minimum number of pictures in a draft, each shown for several frames
_SHARPEST = 1080  # short side of the largest frames that are painted; those of larger films are enlarged


def render(
    order: Order,
    path: str | Path,
    *,
    draft: bool = False,
    report: Callable[[float], object] = lambda _: None,
) -> None:
    """Render a video: equal orders give equal videos.

    Args:
        order: the video to draw.
        path: the mp4 file to write.
        draft: True to render a quarter of the width and height, and few pictures.
        report: called with the share of the drawing that is done, 0 to 1.

    Raises:
        UnusablePicture: a picture of the order cannot be loaded.
        UnusableVideo: the source video cannot be loaded.
    """
    with ExitStack() as files:
        footage = None
        if order.source_video:
            clip = files.enter_context(fetch(order.source_video))
            footage = Footage(clip, clip.measures())
        short = order.short_side // (_DRAFT if draft else 1)
        enlarge = -(-short // _SHARPEST)
        size, shots = shots_of(order, short // enlarge, footage)
        sound = _sound(order, footage, draft=draft)
        reel = None
        if footage is not None:
            reel = files.enter_context(closing(Reel(footage.clip, repeats=order.source_use != "edit")))
        count = order.seconds * FPS
        hold = max(count // _PICTURES, 1) if draft else 1
        prepare = partial(_prepare, shots, reel)
        encode(path, size, count, prepare, sound, hold=hold, enlarge=enlarge, report=report)


def _prepare(shots: Sequence[Shot], reel: Reel | None, index: int) -> Painter:
    """Return the function that paints a frame; the frame of the source video is decoded at once."""
    seconds = index / FPS
    shot = next(shot for shot in reversed(shots) if shot.start <= seconds)
    source = reel.at(seconds, shot.screen) if reel and shot.screen else None
    return partial(shot.paint, seconds - shot.start, source)


def _sound(order: Order, footage: Footage | None, *, draft: bool) -> Floats | None:
    """Return the sound of the source or of the shots; for a draft, that of one second, repeated."""
    if footage is not None and order.keeps_source_sound:
        sound = footage.clip.sound(sample_count(order.seconds))
        if sound is not None:
            return sound
    if not order.has_sound:
        return None
    if draft:
        return np.tile(ambience([1], order.seed), order.seconds)
    return ambience([shot.seconds for shot in order.shots], order.seed)


def main() -> int:
    """Render one order; write its progress and, on failure, the ``error`` of the task to standard output.

    Each line is a JSON object: ``share`` is that of the drawing that is done.
    """
    task = json.load(sys.stdin)
    try:
        render(
            Order.from_dict(task["order"]),
            task["path"],
            draft=task["draft"],
            report=lambda share: _write({"share": share}),
        )
    except (UnusablePicture, UnusableVideo) as error:
        _write({"code": "upstream_bad_request", "message": str(error)})
        return 1
    return 0


def _write(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
