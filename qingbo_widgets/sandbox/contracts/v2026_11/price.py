"""The price of a task in quota, from the ``price_config`` of its model."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..contract import QUOTA


def quota_of(price_config: Mapping[str, Any], body: Mapping[str, Any], seconds: int) -> int:
    """Return the price of a task, truncated to whole quota and at least 1.

    The rate is that of a video reference where the model has one and a video is given, else that of sound
    where the model has one and sound is made, else the plain one (documentation of contract 2026-11,
    pricing).

    Args:
        price_config: the prices of the model in USD for each second.
        body: a valid submit body.
        seconds: the length of the result.
    """
    prices, resolution = price_config["video_prices"], body.get("resolution", "720p")
    keys = [f"{resolution}_video_ref"] if body.get("video_urls") else []
    keys += [f"{resolution}_sound"] if body.get("generate_audio") else []
    rate = next(prices[key] for key in [*keys, resolution] if key in prices)
    # Through the text: the nearest float of a price is a little below or above it.
    return max(1, int(Decimal(str(rate)) * seconds * QUOTA))
