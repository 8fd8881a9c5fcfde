"""``amount_of``: the price of a request, computed from the prices of its model. Pure, in ``Decimal``.

The amount is the rate times the seconds of the result, plus the input seconds times their own rate, plus the
reference images (documentation of contract 2026-11, pricing). Where the documentation does not determine a
part, the price is unknown; nothing is guessed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal, localcontext
from typing import Any

from ....i18n import N_, tr
from .billing import Billing
from .numbers import EXACT, number
from .rates import Rates, UnknownPrice

__all__ = ["Amount", "amount_of", "quota_of"]

_ZERO, _ONE = Decimal(0), Decimal(1)
#: The beginning of the key of a rate of the action ``edit``.
_EDIT = "edit_"
_INPUT_SECOND, _IMAGE = "_video_input_second", "ref_image"
#: The beginnings of keys that do not depend on the resolution.
_FOR_ALL = ("default", "base", "sound", "ref")
_NO_RATE = N_("The service tells no price of this model for {what:.60}.")
_NO_RESOLUTION = N_("The price depends on the resolution, and the request names none.")
_NO_LENGTH = N_("The price depends on the length of the video, and the request names none.")
_NO_COUNT = N_("The price depends on the reference images, and the request does not list them.")
_NO_AUDIO = N_("The price depends on the sound, and it is not known whether this model makes it by itself.")
_NO_INPUT_LENGTH = N_("The price depends on the length of the input video, which is not known here.")
_NO_UNIT = N_("The service does not say whether this model's price is for a second or for a video.")
_NO_SOURCE = N_("The price follows from the earlier task, which this library does not have.")


@dataclass(frozen=True)
class Amount:
    """A computed price.

    Attributes:
        usd: the amount in US dollars.
        is_exact: False if it is the most that the request can cost.
    """

    usd: Decimal
    is_exact: bool


def quota_of(usd: Decimal, quota_per_dollar: int) -> int:
    """Return an amount in whole quota: truncated, but at least 1 unless it is free.

    The service documents this rounding for texts only, and none for videos.
    """
    with localcontext(EXACT):
        quota = int((usd * quota_per_dollar).to_integral_value(ROUND_DOWN))
    return max(quota, 1) if usd > 0 else 0


def amount_of(
    rates: Rates,
    billing: Billing,
    values: Mapping[str, Any],
    input_lengths: Sequence[float | Decimal | None] = (),
    source: Source | None = None,
    longest_input: int = 0,
) -> Amount:
    """Return the price of a request.

    Args:
        rates: the prices of the model.
        billing: the facts about the model and action.
        values: the parameters of the body; a missing one is not known, unless the model has no such one.
        input_lengths: the length of each input video in seconds, ``None`` if it is not known; of the earlier
            task, if the price follows from it.
        source: the earlier task from which the price follows.
        longest_input: the maximum of the seconds of all input videos, for the case that they are not known; 0
            if it is not documented.

    Raises:
        UnknownPrice: the service tells no such price, or it depends on something that is not known.
    """
    shape = values
    if billing.is_of_source:
        if source is None:
            raise UnknownPrice(tr(_NO_SOURCE))
        shape, input_lengths = source.values, source.input_lengths
    unread = billing.unread_input or billing.most_input or longest_input
    with localcontext(EXACT):
        return _Bill(rates, billing, values, shape, input_lengths, unread).amount()


@dataclass(frozen=True)
class Source:
    """The earlier task from which the price of a request follows.

    Attributes:
        values: the parameters of its body.
        input_lengths: the length of each of its input videos in seconds, ``None`` if it is not known.
    """

    values: Mapping[str, Any]
    input_lengths: Sequence[float | Decimal | None] = ()


class _Bill:
    """The parts of one price.

    Args:
        rates: the prices of the model.
        billing: the facts about the model and action.
        values: the parameters of the body.
        shape: those that decide about lengths, input videos, images and sound: of this body, or of the
            earlier task's.
        input_lengths: the length of each input video.
        unread_input: the seconds of input videos whose length is not known; 0 if these have no limit.
    """

    def __init__(
        self,
        rates: Rates,
        billing: Billing,
        values: Mapping[str, Any],
        shape: Mapping[str, Any],
        input_lengths: Sequence[float | Decimal | None],
        unread_input: int,
    ) -> None:
        self._unread_input = unread_input
        self._rates, self._billing, self._shape = rates, billing, shape
        self._prices, self._inputs = rates.prices, tuple(input_lengths)
        self._is_edit = values.get("action") == "edit"
        self._resolution = str(values.get("resolution") or billing.resolution).lower()
        if billing.ignores_resolution and len(edited := self._edit_rates()) == 1:
            self._resolution = edited[0].removeprefix(_EDIT)
        self._videos = _list_of(shape, "video_urls", _NO_INPUT_LENGTH)
        self._is_ceiling = billing.may_settle_lower(shape) or rates.is_settled_on_result

    def amount(self) -> Amount:
        """Return the sum of the parts."""
        if not self._resolution and any(key.partition("_")[0] not in _FOR_ALL for key in self._prices):
            raise UnknownPrice(tr(_NO_RESOLUTION))
        if self._rates.replaces_output and self._videos:
            usd = self._price(f"{self._resolution}{_INPUT_SECOND}") * self._input_seconds(_ZERO)
        else:
            usd = self._output() + self._images()
        return Amount(usd, not self._is_ceiling)

    def _output(self) -> Decimal:
        """Return the price of the result and of the input seconds."""
        rate, is_for_a_second = self._rate()
        seconds = self._output_seconds() if is_for_a_second else _ZERO
        usd = seconds * rate if is_for_a_second else rate
        if self._videos and (rate := self._addition(_INPUT_SECOND)):
            usd += self._input_seconds(seconds) * rate
        return usd

    # ------------------------------------------------------------------ rates

    def _rate(self) -> tuple[Decimal, bool]:
        """Return the price of the result, and whether it is for each second of it."""
        if self._is_edit and (self._billing.has_edit_rate or self._edit_rates()):
            return self._price(f"{_EDIT}{self._resolution}"), self._is_for_a_second()
        plain, is_clip = self._plain()
        special = self._special(None if is_clip else plain)
        if special is not None:
            if is_clip:  # nothing says how the other rate depends on the length
                raise UnknownPrice(tr(_NO_UNIT))
            return special, self._is_for_a_second()
        if plain is None:
            raise self._no_rate(self._resolution)
        return plain, not is_clip and self._is_for_a_second()

    def _plain(self) -> tuple[Decimal | None, bool]:
        """Return the price without regard to sound and input videos, and whether its key is one of clips."""
        prices, resolution = self._prices, self._resolution
        plain = prices.get(resolution, prices.get("default"))
        if any(re.fullmatch(rf"{re.escape(resolution)}_[0-9]+s", key) for key in prices):
            if not self._requested():
                raise UnknownPrice(tr(_NO_LENGTH))
            if (clip := prices.get(f"{resolution}_{self._requested()}s")) is not None:
                return clip, True
            if plain is None and "base" not in prices:
                raise self._no_rate(f"{resolution}, {self._requested()} s")
        if plain is None and "base" in prices:
            return prices["base"], self._rates.per_second is not False
        return plain, False

    def _special(self, plain: Decimal | None) -> Decimal | None:
        """Return the rate with an input video, or with sound; ``None`` if the request has no such rate."""
        prices, resolution = self._prices, self._resolution
        if plain is not None and resolution in self._billing.one_rate:
            return None
        if self._videos and (reference := prices.get(f"{resolution}_video_ref")) is not None:
            return reference
        sound = prices.get(f"{resolution}_sound", prices.get("sound"))
        makes_sound = self._shape.get("generate_audio")
        if sound is not None and sound != plain and not isinstance(makes_sound, bool):
            raise UnknownPrice(tr(_NO_AUDIO))
        return sound if makes_sound is True else None

    def _addition(self, suffix: str) -> Decimal:
        """Return the price of an addition at this resolution; 0 if it is free at all resolutions."""
        key = f"{self._resolution}{suffix}"
        if key not in self._prices and any(usd for one, usd in self._prices.items() if one.endswith(suffix)):
            raise self._no_rate(key)
        return self._prices.get(key, _ZERO)

    def _edit_rates(self) -> list[str]:
        return [key for key in self._prices if key.startswith(_EDIT)]

    def _is_for_a_second(self) -> bool:
        if self._rates.per_second is None:
            raise UnknownPrice(tr(_NO_UNIT))
        return self._rates.per_second

    def _price(self, key: str) -> Decimal:
        try:
            return self._prices[key]
        except KeyError:
            raise self._no_rate(key) from None

    def _no_rate(self, key: str) -> UnknownPrice:
        return UnknownPrice(tr(_NO_RATE).format(what=key) if self._resolution else tr(_NO_RESOLUTION))

    # ------------------------------------------------------------------ seconds

    def _requested(self) -> int:
        """Return the requested seconds; 0 if none are requested."""
        duration = self._shape.get("duration")
        if duration is None:
            return 0
        if type(duration) is not int or duration < 0:
            raise UnknownPrice(tr(_NO_LENGTH))
        return duration

    def _output_seconds(self) -> Decimal:
        billing, requested = self._billing, self._requested()
        if billing.follows_input(self._shape):
            shortest, longest = billing.result_seconds or (0, sys.maxsize)
            return min(max(self._input_total(), Decimal(shortest)), Decimal(longest))
        if requested:
            return Decimal(requested)
        if billing.ceiling is None:
            raise UnknownPrice(tr(_NO_LENGTH))
        return billing.ceiling

    def _input_seconds(self, output: Decimal) -> Decimal:
        """Return the billed input seconds of a request with this many output seconds."""
        total, billing = self._input_total(), self._billing
        least = (billing.least_input * output).to_integral_value(ROUND_CEILING)
        return max(min(total, Decimal(billing.most_input)) if billing.most_input else total, least)

    def _input_total(self) -> Decimal:
        """Return the seconds of the input videos: each truncated to whole seconds, and at least 1."""
        lengths = [number(length) for length in self._inputs]
        known = [length for length in lengths if length is not None and length >= 0]
        if len(known) != len(self._videos):
            if not self._unread_input:
                raise UnknownPrice(tr(_NO_INPUT_LENGTH))
            self._is_ceiling = True
            return Decimal(self._unread_input)
        return sum((max(length.to_integral_value(ROUND_DOWN), _ONE) for length in known), _ZERO)

    # ------------------------------------------------------------------ images

    def _images(self) -> Decimal:
        """Return the price of the reference images."""
        rates, prices = self._rates, self._prices
        if not (rates.image_price or any(usd for key, usd in prices.items() if key.endswith(_IMAGE))):
            return _ZERO
        with_roles = _list_of(self._shape, "image_with_roles", _NO_COUNT)
        if not all(isinstance(image, Mapping) for image in with_roles):
            raise UnknownPrice(tr(_NO_COUNT))
        references = [image for image in with_roles if str(image.get("role")).startswith("reference")]
        count = len(_list_of(self._shape, "image_urls", _NO_COUNT)) + len(references)
        if not count:
            return _ZERO
        has_one_price = _IMAGE in prices and f"{self._resolution}_{_IMAGE}" not in prices
        each = prices[_IMAGE] if has_one_price else self._addition(f"_{_IMAGE}")
        return count * each + max(count - rates.free_images, 0) * rates.image_price


def _list_of(values: Mapping[str, Any], name: str, reason: str) -> Sequence[Any]:
    """Return a parameter that is a list; empty if it is not set.

    Raises:
        UnknownPrice: it has another value; the text is the reason.
    """
    value = values.get(name) or ()
    if not isinstance(value, list | tuple):
        raise UnknownPrice(tr(reason))
    return value
