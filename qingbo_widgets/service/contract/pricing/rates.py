"""``Rates``: the prices of one model, read from the ``price_config`` of the service's model list.

The documentation names the field only; its keys were inferred from the service's own tools (documentation of
contract 2026-11, pricing). So a key that is not among them makes the whole price unknown: it may change any
amount.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from ....i18n import N_, tr
from ..text import plain_line
from .numbers import number

__all__ = ["Rates", "UnknownPrice", "read_rates"]

#: A resolution as the keys have it, such as ``720p``, ``4k`` or ``fhd``.
_RESOLUTION = r"(?:[0-9]{2,4}p|[0-9]{1,2}k|f?hd)"
#: What the prices may be named: for a resolution, for a clip of one length, or for any request.
_KEY = re.compile(
    rf"{_RESOLUTION}(?:_[0-9]+s|_sound|_video_ref|_video_input_second|_ref_image)?|edit_{_RESOLUTION}"
    r"|sound|ref_image|base|default"
)
_IMAGE_PRICE, _FREE_IMAGES = "video_input_image_price", "video_input_image_free_count"
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
    # Every entry may stand beside ``video_prices`` or in it.
    beside = {key: value for key, value in config.items() if key != "video_prices"}
    if both := beside.keys() & inner.keys():
        raise _unknown(min(map(str, both)))
    entries = {**beside, **inner}
    settlement = entries.pop("settlement", None)
    if settlement is not None and settlement != _SETTLED_ON_RESULT:
        raise _unknown("settlement")
    per_second, replaces_output = (
        _flag(name, entries.pop(name, None)) for name in ("per_second", "input_video_replaces_output")
    )
    image_price, free_images = (_amount(name, entries.pop(name, 0)) for name in (_IMAGE_PRICE, _FREE_IMAGES))
    if free_images != int(free_images):
        raise _unknown(_FREE_IMAGES)
    if other := [key for key in entries if not (isinstance(key, str) and _KEY.fullmatch(key))]:
        raise _unknown(other[0])
    if not entries:
        raise UnknownPrice(tr(_NO_PRICES))
    return Rates(
        {key: _amount(key, value) for key, value in entries.items()},
        per_second,
        replaces_output is True,
        settlement is not None,
        image_price,
        int(free_images),
    )


def _flag(name: str, value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise _unknown(name)


def _amount(key: str, value: object) -> Decimal:
    amount = number(value)
    if amount is None or amount < 0:
        raise _unknown(key)
    return amount


def _unknown(key: object) -> UnknownPrice:
    return UnknownPrice(tr(_OTHER_SHAPE).format(key=plain_line(str(key))))
