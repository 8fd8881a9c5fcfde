"""The price of a task, from the ``price_config`` of its model (documentation of contract 2026-11, pricing).

The documentation names the field and describes its content in prose, so the meaning of each key is inferred.
The keys stand in ``video_prices`` or beside it; ``<res>`` is the resolution of the request:

| key | US dollars |
|---|---|
| ``<res>`` | for each second of the result if ``per_second`` is true, otherwise for the whole clip |
| ``<res>_<n>s`` | for a whole clip of n seconds |
| ``edit_<res>`` | in the place of ``<res>``: when a video is edited |
| ``<res>_video_ref`` | in the place of ``<res>``: beside an input video |
| ``<res>_sound`` | in the place of ``<res>``: when sound is generated |
| ``sound`` | like ``<res>_sound``, at every resolution |
| ``base`` | for a whole clip, where no key above applies |
| ``default`` | like ``<res>``, where no key above applies |
| ``<res>_video_input_second`` | for each second of the input video, in addition |
| ``<res>_ref_image``, ``ref_image`` | for each reference image, in addition |
| ``video_input_image_price`` | for each reference image above ``video_input_image_free_count``, in addition |

With ``input_video_replaces_output: true``, the seconds of an input video are charged in the place of the
result. ``settlement`` changes no price: such a model freezes its maximum, and ``Faults.settles_at`` decides
the amount that is charged in the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ...order import Order
from ..contract import Price
from ..refusal import Refusal

Body = Mapping[str, Any]
Rates = Mapping[str, Decimal]


def price_of(price_config: Mapping[str, Any], body: Body, order: Order, input_seconds: int) -> Price:
    """Return the price of a task.

    Args:
        price_config: the prices of its model.
        body: a valid submit body.
        order: the video that it describes.
        input_seconds: the length of the input video in whole seconds; 0 if there is none.

    Raises:
        Refusal: the model has no price for this request.
    """
    keys = {**price_config, **price_config.get("video_prices", {})}
    # Through the text: the nearest float of a price is a little below or above it.
    rates = {key: Decimal(str(value)) for key, value in keys.items() if _is_price(value)}
    resolution, has_video = body.get("resolution", "720p"), bool(body.get("video_urls"))
    of_input = rates.get(f"{resolution}_video_input_second") if has_video else None
    if has_video and keys.get("input_video_replaces_output") is True:
        price = None if of_input is None else Price(of_input * input_seconds, "second", input_seconds)
    else:
        price = _of_result(rates, body, order.seconds, per_second=keys.get("per_second") is True)
        if price is not None and of_input is not None:
            quantity = price.quantity + (input_seconds if price.unit == "second" else 0)
            price = Price(price.usd + of_input * input_seconds, price.unit, quantity)
    if price is None:
        message = f"{body['model']} has no price for this request; nothing was charged"
        raise Refusal(500, "price_not_configured", message)
    return Price(price.usd + _of_images(rates, resolution, len(order.references)), price.unit, price.quantity)


def _of_result(rates: Rates, body: Body, seconds: int, *, per_second: bool) -> Price | None:
    """Return the price of the result alone, or ``None`` if no key applies."""
    resolution = body.get("resolution", "720p")
    clip = f"{resolution}_{seconds}s"
    keys = [f"edit_{resolution}"] if body.get("action") == "edit" else []
    keys += [f"{resolution}_video_ref"] if body.get("video_urls") else []
    keys += [f"{resolution}_sound", "sound"] if body.get("generate_audio") else []
    key = next((key for key in (*keys, clip, resolution, "base", "default") if key in rates), None)
    if key is None:
        return None
    if per_second and key not in (clip, "base"):
        return Price(rates[key] * seconds, "second", seconds)
    return Price(rates[key], "clip", 1)


def _of_images(rates: Rates, resolution: str, count: int) -> Decimal:
    """Return the price of the reference images; 0 if no key applies."""
    each = rates.get(f"{resolution}_ref_image", rates.get("ref_image", Decimal(0)))
    beyond = max(Decimal(0), count - rates.get("video_input_image_free_count", Decimal(0)))
    return each * count + rates.get("video_input_image_price", Decimal(0)) * beyond


def _is_price(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
