"""Tests of the prices of contract 2026-11, in quota."""

from __future__ import annotations

from typing import Any

import pytest

from qingbo_widgets.sandbox.contracts import contract_of
from tests.sandbox.contracts.v2026_11.bodies import VIDEO, body

#: Requests with their length in seconds and the product of seconds and price in quota.
PRICES: list[tuple[str, dict[str, Any], int]] = [
    ("kling-v3", {}, 189_000),  # the worked examples of the documentation
    ("kling-v3", {"resolution": "1080p", "duration": 10, "generate_audio": True}, 756_000),
    ("kling-v3-omni", {"video_urls": [VIDEO]}, 283_500),
    ("kling-3.0-turbo", {"duration": 3}, 193_050),
    ("kling-3.0-turbo", {"duration": 15, "resolution": "1080p"}, 1_208_250),
    ("kling-v2-6", {}, 94_500),
    ("kling-v2-6", {"resolution": "1080p"}, 157_500),
    ("kling-v2-6", {"resolution": "1080p", "generate_audio": True}, 315_000),
    ("kling-v3", {"generate_audio": True}, 283_500),
    ("kling-v3", {"generate_audio": False}, 189_000),
    ("kling-v3", {"resolution": "4k"}, 1_205_325),
    ("kling-v3", {"resolution": "4k", "generate_audio": True}, 1_205_325),
    ("kling-v3-omni", {"generate_audio": True}, 252_000),
    ("kling-v3-omni", {"video_urls": []}, 189_000),
    ("kling-v3-omni", {"video_urls": [VIDEO], "resolution": "1080p"}, 378_000),
    ("kling-v3-omni", {"video_urls": [VIDEO], "resolution": "4k"}, 1_205_325),
    ("kling-v3-omni", {"video_urls": [VIDEO], "action": "edit", "duration": 0}, 7 * 56_700),
    ("kling-video-o1", {"resolution": "1080p"}, 252_000),
    ("kling-video-o1", {"video_urls": [VIDEO], "action": "edit", "duration": 0}, 7 * 56_700),
    ("kling-v2-6-motion-control", {}, 7 * 31_500),
    ("kling-v2-6-motion-control", {"resolution": "1080p"}, 7 * 50_400),
    ("kling-v3-motion-control", {}, 7 * 56_700),
    ("kling-v3-motion-control", {"resolution": "1080p"}, 7 * 75_600),
]


@pytest.mark.parametrize(("model", "fields", "quota"), PRICES)
def test_prices(model: str, fields: dict[str, Any], quota: int) -> None:
    """A task costs the rate of its resolution, sound and video reference times its seconds, to the quota.

    The input video lasts seven seconds.
    """
    contract, request = contract_of("2026-11"), body(model, **fields)
    assert contract.violations(request) == []
    assert contract.cost(request, contract.order(request, 7)) == quota
