"""The prices of requests: computed from the model list, or received from the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from .contract.pricing.arithmetic import Source, amount_of, quota_of
from .contract.pricing.billing import Billing, billing_of
from .contract.pricing.price import Price, PriceSource
from .contract.pricing.rates import UnknownPrice, read_rates
from .contract.request import VideoRequest
from .contract.schema import Model, Models
from .contract.terms import terms_of
from .contract.values import is_set

__all__ = ["computed_price", "is_final", "priced_values", "quoted_price"]


def computed_price(
    request: VideoRequest,
    config: object,
    models: Models,
    *,
    as_of: datetime | None = None,
    input_lengths: Sequence[float | Decimal | None] = (),
    source: Source | None = None,
) -> Price:
    """Return the price of a request from the ``price_config`` of its model.

    Args:
        request: the request.
        config: the prices of its model, as the service's model list has them.
        models: the models of the contract.
        as_of: the time at which the service gave them.
        input_lengths: the length of each input video in seconds, ``None`` if it is not known.
        source: the earlier task that the request continues, from which some prices follow.
    """
    values, billing = priced_values(request, models), _billing_of(request, models)
    try:
        longest = _longest_input(models.of(request.model), values)
        amount = amount_of(read_rates(config), billing, values, input_lengths, source, longest)
    except UnknownPrice as error:
        return Price(as_of=as_of, reason=str(error))
    quota = quota_of(amount.usd, terms_of(models.contract).quota_per_dollar)
    return Price(amount.usd, quota, amount.is_exact, PriceSource.price_list, as_of)


def quoted_price(
    request: VideoRequest, usd: Decimal, models: Models, origin: PriceSource, as_of: datetime
) -> Price:
    """Return the price of a request that the service has computed."""
    is_exact = not _billing_of(request, models).may_settle_lower(priced_values(request, models))
    quota = quota_of(usd, terms_of(models.contract).quota_per_dollar)
    return Price(usd, quota, is_exact, origin, as_of)


def is_final(request: VideoRequest, models: Models) -> bool:
    """Return whether any known price of a request is what it costs, and not the most that it can cost.

    It is not with an input video, whose length may not have been known.
    """
    values = priced_values(request, models)
    return not values.get("video_urls") and not _billing_of(request, models).may_settle_lower(values)


def priced_values(request: VideoRequest, models: Models) -> dict[str, Any]:
    """Return the parameters that may decide about the price, with the defaults that are documented.

    Texts, such as the prompt, do not.
    """
    values, model = request.values(models), models.of(request.model)
    unsent = model.unsent(values)
    texts = {name for name, parameter in model.parameters.items() if parameter.type == "text"}
    known = {name: value for name, value in values.items() if name not in unsent | texts and is_set(value)}
    return {**_defaults(model), **known}


def _defaults(model: Model) -> dict[str, Any]:
    """Return the values that the service uses for parameters which are not sent."""
    defaults = {} if not model.name or "generate_audio" in model.parameters else {"generate_audio": False}
    for name, parameter in model.parameters.items():
        if parameter.type == "text":
            continue
        value = parameter.default if is_set(parameter.default) else parameter.unless_given
        if value is not None:
            defaults[name] = value
    return defaults


def _longest_input(model: Model, values: Mapping[str, Any]) -> int:
    """Return the maximum of the seconds of all input videos together; 0 if it is not documented."""
    parameter = model.limited(values).get("video_urls") or model.parameters.get("video_urls")
    limits = () if parameter is None else parameter.limits.get("seconds", ())
    videos = values.get("video_urls")
    return limits[1] * len(videos) if limits and isinstance(videos, tuple) else 0


def _billing_of(request: VideoRequest, models: Models) -> Billing:
    action = request.values(models).get("action") or "generate"
    return billing_of(models.contract, str(request.model), str(action))
