"""``amount_of``: the price of a request, computed from the prices of its model. Pure, in ``Decimal``.

The amount is the rate times the seconds of the result, plus the input seconds times their own rate, plus the
reference images (documentation of contract 2026-11, pricing). Where the documentation does not determine a
part, the price is unknown; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from typing import Any

from ....i18n import N_, tr
from .billing import Billing
from .rates import Rates, UnknownPrice

__all__ = ["Amount", "amount_of", "quota_of"]

_ONE = Decimal(1)
_NO_RATE = N_("The service tells no price of this model for {what:.60}.")
_NO_RESOLUTION = N_("The price depends on the resolution, and the request names none.")
_NO_LENGTH = N_("The price depends on the length of the video, and the request names none.")
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
    unread = billing.unread_input or longest_input
    return _Bill(rates, billing, values, shape, tuple(input_lengths), unread).amount()


@dataclass(frozen=True)
class Source:
    """The earlier task from which the price of a request follows.

    Attributes:
        values: the parameters of its body; ``duration`` is the length of its video if that was not requested.
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
        self._prices, self._inputs = rates.prices, input_lengths
        self._resolution = str(values.get("resolution") or billing.resolution).lower()
        self._has_video = bool(shape.get("video_urls"))
        self._is_ceiling = billing.may_settle_lower(shape) or rates.is_settled_on_result

    def amount(self) -> Amount:
        """Return the sum of the parts."""
        if self._rates.replaces_output and self._has_video:
            usd = self._input_seconds(Decimal(0)) * self._price(f"{self._resolution}_video_input_second")
        else:
            usd = self._output() + self._images()
        return Amount(usd, not self._is_ceiling)

    def _output(self) -> Decimal:
        """Return the price of the result and of the input seconds."""
        if (clip := self._clip()) is not None:
            seconds, usd = Decimal(0), clip
        else:
            seconds = self._output_seconds()
            usd = seconds * self._rate()
        if self._has_video and (rate := self._prices.get(f"{self._resolution}_video_input_second")):
            usd += self._input_seconds(seconds) * rate
        return usd

    # ------------------------------------------------------------------ rates

    def _clip(self) -> Decimal | None:
        """Return the price of a whole clip; ``None`` if the model is billed by the second."""
        if self._billing.has_edit_rate:
            return None
        prices, resolution = self._prices, self._resolution
        lengths = [key for key in prices if key.startswith(f"{resolution}_") and key[-2:-1].isdigit()]
        if lengths:
            key = f"{resolution}_{self._requested()}s"
            if key in prices:
                return prices[key]
            if resolution not in prices:
                raise UnknownPrice(tr(_NO_RATE).format(what=f"{resolution}, {self._requested()} s"))
        if resolution in prices:
            if self._rates.per_second is None:
                raise UnknownPrice(tr(_NO_UNIT))
            return None if self._rates.per_second else prices[resolution]
        if "default" in prices:
            if self._rates.per_second is None:
                raise UnknownPrice(tr(_NO_UNIT))
            return None if self._rates.per_second else prices["default"]
        return prices.get("base")

    def _rate(self) -> Decimal:
        """Return the price of a second of the result."""
        prices, resolution = self._prices, self._resolution
        if self._billing.has_edit_rate:
            return self._price(f"edit_{resolution}")
        plain = prices.get(resolution, prices.get("default"))
        if plain is not None and resolution in self._billing.one_rate:
            return plain
        if self._has_video and (reference := prices.get(f"{resolution}_video_ref")) is not None:
            return reference
        sound = prices.get(f"{resolution}_sound", prices.get("sound"))
        makes_sound = self._shape.get("generate_audio")
        if sound is not None and sound != plain and makes_sound is None:
            raise UnknownPrice(tr(_NO_AUDIO))
        if makes_sound and sound is not None:
            return sound
        if plain is None:
            raise self._no_rate(resolution)
        return plain

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
        return int(self._shape.get("duration") or 0)

    def _output_seconds(self) -> Decimal:
        billing, requested = self._billing, self._requested()
        if billing.follows_input(self._shape):
            return max(self._input_total(), Decimal(billing.least_length))
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
        lengths = [*self._inputs, *[None] * (len(self._shape["video_urls"]) - len(self._inputs))]
        if any(length is None for length in lengths):
            if not self._unread_input:
                raise UnknownPrice(tr(_NO_INPUT_LENGTH))
            self._is_ceiling = True
            return Decimal(self._unread_input)
        return sum(
            (max(Decimal(str(length)).to_integral_value(ROUND_DOWN), _ONE) for length in lengths), Decimal(0)
        )

    # ------------------------------------------------------------------ images

    def _images(self) -> Decimal:
        """Return the price of the reference images."""
        rates = self._rates
        each = self._prices.get(f"{self._resolution}_ref_image", self._prices.get("ref_image", Decimal(0)))
        if not (each or rates.image_price):
            return Decimal(0)
        with_roles = self._shape.get("image_with_roles") or ()
        count = len(self._shape.get("image_urls") or ()) + sum(
            str(image.get("role", "")).startswith("reference") for image in with_roles
        )
        return count * each + max(count - rates.free_images, 0) * rates.image_price
