"""The settings of a request as its contract sent them."""

from __future__ import annotations

from typing import Any

import pytest

from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.values import Shot
from qingbo_widgets.widgets.base.settings import settings_of

URL = "https://a.example/koi.png"
VIDEO = "https://a.example/koi.mp4"
AS_LONG = "as long as the input video"


@pytest.mark.parametrize(
    ("contract", "fields", "shown"),
    [
        ("2026-04", {}, ("std", "16:9", "5 s")),
        ("2026-11", {}, ("720p", "", "5 s")),
        # Names of April in a request of today.
        ("2026-11", {"mode": "pro", "duration": 7}, ("1080p", "", "7 s")),
        ("2026-11", {"aspect_ratio": "9:16", "resolution": "4k"}, ("4k", "9:16", "5 s")),
        ("2026-04", {"image_urls": URL, "aspect_ratio": "9:16"}, ("std", "from an image", "5 s")),
        ("2026-11", {"shots": (Shot("a", 3), Shot("b", 4))}, ("720p", "", "7 s")),
        (
            "2026-11",
            {"model": "kling-v3-omni", "action": "edit", "video_urls": VIDEO},
            ("720p", "", AS_LONG),
        ),
        (
            "2026-11",
            {
                "model": "kling-v3-motion-control",
                "image_urls": URL,
                "video_urls": VIDEO,
                "character_orientation": "image",
            },
            ("720p", "from an image", AS_LONG),
        ),
        # References appear in the video; it does not start from them.
        (
            "2026-11",
            {"model": "kling-v3-omni", "image_urls": URL, "aspect_ratio": "1:1"},
            ("720p", "1:1", "5 s"),
        ),
        ("2026-04", {"duration": "long"}, ("std", "16:9", "")),
        ("2031-01", {"resolution": "4k"}, ("4k", "", "5 s")),
    ],
)
def test_what_was_sent_is_shown(contract: str, fields: dict[str, Any], shown: tuple[str, str, str]) -> None:
    """Defaults are those of the task's contract, and nothing is shown that was not sent."""
    settings = settings_of(VideoRequest(**{"prompt": "A koi", **fields}), contract)
    assert (settings.resolution, settings.shape, settings.length) == shown
