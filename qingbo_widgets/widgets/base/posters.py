"""The still picture of a saved video, for lists that load no videos."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from ...media.posters import can_make_posters, read_small
from ...tasks.background.poster_queue import posters
from .html import Markup, tag

__all__ = ["jpeg_html", "poster_html", "poster_of"]


def poster_of(video: Path, ready: Callable[[], object]) -> bytes | None:
    """Return the small poster of a video; ``None`` if there is none yet.

    Args:
        video: the file.
        ready: called on another thread once a missing poster is made.
    """
    picture = read_small(video)
    if picture is None and video.is_file() and can_make_posters():
        posters.add(video, ready)
    return picture


def poster_html(picture: bytes | None) -> Markup:
    """Return a small picture as HTML, without a text of its own; an empty field if there is none."""
    if picture is None:
        return tag("div", class_="qingbo-thumb")
    return jpeg_html(picture, class_="qingbo-thumb")


def jpeg_html(picture: bytes, *, alt: str = "", **attributes: str) -> Markup:
    """Return a JPEG picture as HTML that contains it."""
    data = base64.b64encode(picture).decode("ascii")
    return tag("img", src=f"data:image/jpeg;base64,{data}", alt=alt, **attributes)
