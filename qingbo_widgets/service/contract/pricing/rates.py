"""``Rates``: the prices of one model, read from the ``price_config`` of the service's model list.

The documentation names the field only; its keys were inferred from the service's own tools (documentation of
contract 2026-11, pricing). So a key that is not among them makes the whole price unknown: it may change any
amount.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from ....i18n import N_, tr
from ..text import plain_line

__all__ = ["Rates", "UnknownPrice", "read_rates"]

#: A resolution as the keys have it, such as ``720p``, ``4k`` or ``fhd``.
_RESOLUTION = r"(?:[0-9]{2,4}p|[0-9]{1,2}k|f?hd|sd|uhd)"
#: What the prices may be named: for a resolution, for a clip of one length, or for any request.
_KEY = re.compile(
    rf"{_RESOLUTION}(?:_[0-9]+s|_sound|_video_ref|_video_input_second|_ref_image)?|edit_{_RESOLUTION}"
    r"|sound|ref_image|base|default"
)
#: Keys of prices that stand beside ``video_prices`` or in it.
_IMAGE_PRICE, _FREE_IMAGES = "video_input_image_price", "video_input_image_free_count"
_FLAGS = ("per_second", "input_video_replaces_output")
_SETTLED_ON_RESULT = {"basis": "upstream_cost"}

_NO_PRICES = N_("The service tells no price of this model.")
_OTHER_SHAPE = N_("The service's price list has an entry that this version does not know ({key:.60}).")


class UnknownPrice(ValueError):
    """A price that does not follow from what the service tells. Its text says why, in a sentence."""


@dataclass(frozen=True)
class Rates:
    """The prices of one model, in USD.

    Attributes:
        prices: the amounts by key, such as ``720p_sound``.
        per_second: whether a price of a resolution is for each second; ``None`` if the list does not say.
        replaces_output: whether a request with an input video costs its seconds only.
        is_settled_on_result: whether the amount is a ceiling until the video is finished.
        image_price: the price of each reference image beyond the free ones.
        free_images: the number of those.
    """

    prices: Mapping[str, Decimal]
    per_second: bool | None = None
    replaces_output: bool = False
    is_settled_on_result: bool = False
    image_price: Decimal = field(default=Decimal(0))
    free_images: int = 0


def read_rates(config: object) -> Rates:
    """Return the prices in a ``price_config``.

    Raises:
        UnknownPrice: it has no prices, or an entry whose meaning is not known.
    """
    if not isinstance(config, Mapping) or not config:
        raise UnknownPrice(tr(_NO_PRICES))
    inner = config.get("video_prices", {})
    if not isinstance(inner, Mapping):
        raise _unknown("video_prices")
    beside = {
        key: value for key, value in config.items() if key not in ("video_prices", "settlement", *_FLAGS)
    }
    if both := beside.keys() & inner.keys():
        raise _unknown(min(map(str, both)))
    entries = {**beside, **inner}
    settlement = config.get("settlement")
    if settlement is not None and settlement != _SETTLED_ON_RESULT:
        raise _unknown("settlement")
    per_second, replaces_output = (_flag(config, name) for name in _FLAGS)
    image_price = _amount(_IMAGE_PRICE, entries.pop(_IMAGE_PRICE, 0))
    free_images = entries.pop(_FREE_IMAGES, 0)
    if type(free_images) is not int or free_images < 0:
        raise _unknown(_FREE_IMAGES)
    if not entries:
        raise UnknownPrice(tr(_NO_PRICES))
    return Rates(
        {key: _amount(key, value) for key, value in entries.items()},
        per_second,
        replaces_output is True,
        settlement is not None,
        image_price,
        free_images,
    )


def _flag(config: Mapping[Any, Any], name: str) -> bool | None:
    value = config.get(name)
    if value is not None and not isinstance(value, bool):
        raise _unknown(name)
    return value


def _amount(key: object, value: object) -> Decimal:
    """Return an amount of the list. A float is read as it is written, not as the nearest binary fraction."""
    is_known = isinstance(key, str) and (key == _IMAGE_PRICE or _KEY.fullmatch(key))
    if not is_known or isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise _unknown(key)
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise _unknown(key) from None
    if not amount.is_finite() or amount < 0:
        raise _unknown(key)
    return amount


def _unknown(key: object) -> UnknownPrice:
    return UnknownPrice(tr(_OTHER_SHAPE).format(key=plain_line(str(key))))
