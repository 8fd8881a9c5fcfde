"""The player that a tile shows while the mouse is over it."""

from __future__ import annotations

from pathlib import Path

from ..base.html import Markup, tag
from ..base.page_files import relative_url
from ..base.player import is_image

__all__ = ["preview_html"]


def preview_html(video: Path, key: str) -> Markup | None:
    """Return a muted player without controls; ``None`` if the page cannot get the file.

    It is hidden from screen readers, because the tile says what it is.

    Args:
        video: the saved file.
        key: the key of its task, by which the script finds the tile.
    """
    url = relative_url(video)
    if url is None or is_image(url):
        return None
    return tag(
        "video", src=url, muted="", loop="", playsinline="", preload="auto", tabindex="-1",
        aria_hidden="true", data_key=key,
    )  # fmt: skip
