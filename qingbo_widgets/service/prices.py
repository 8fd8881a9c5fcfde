"""``PriceFinder``: the price of a request, from the first of the service's three sources that has one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from ..exceptions import BadRequest, ConnectionFailed, QingboError, ServiceError
from ..i18n import N_, tr
from .client import NO_PRICES, Client
from .contract.error_codes import is_refusal
from .contract.pricing.arithmetic import Source
from .contract.pricing.price import Price
from .contract.request import VideoRequest
from .priced import computed_price, priced_values

__all__ = ["KEPT", "TIMEOUT", "PriceFinder"]

#: Seconds for which a price is not requested again: prices change a few times a month.
KEPT = 600.0
#: Seconds after which a source that did not answer is tried again.
_LATER = 3600.0
#: Seconds to connect, and seconds between two bytes of an answer: a submission may wait for the price.
TIMEOUT = (3.0, 5.0)
#: Seconds after which a model list that could not be read is requested again.
_SOON = 20.0
_NOT_LISTED = N_("The service's model list has no price of {model:.60}.")


class _PriceList(NamedTuple):
    """The prices of all models, and the time at which the service gave them."""

    configs: dict[str, object]
    as_of: datetime
    error: str = ""


class PriceFinder:
    """Finds prices, and keeps them for some minutes. Blocking, and safe to use from several threads.

    While one thread asks the service, the others wait, so that the same request is asked about once.

    The sources are the service's quote, the estimate of its tools endpoint, and the arithmetic of the model
    list. The first two are optional: the documentation does not prove that they answer, so one that does not
    is left out for an hour.

    Args:
        client: the client of the service.
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self.client, self._clock = client.with_timeout(*TIMEOUT), clock
        self._lock, self._asking = threading.Lock(), threading.Lock()
        self._prices: dict[str, tuple[float, Price]] = {}
        self._list: tuple[float, _PriceList] | None = None
        #: How often the prices were forgotten: an answer from before must not be kept.
        self._forgotten = 0
        self._silent_until = {"quote": float("-inf"), "estimate": float("-inf")}

    def find(
        self,
        request: VideoRequest,
        input_lengths: Sequence[float | Decimal | None] = (),
        source: Source | None = None,
        *,
        is_sendable: bool = True,
        max_age: float = KEPT,
    ) -> Price:
        """Return the price of a request; an unknown one says why. Raise nothing for a service that fails.

        The prompt does not change a price. A price that is unknown because the service failed is not kept.

        Args:
            request: the request, without problems.
            input_lengths: the length of each input video in seconds, ``None`` if it is not known.
            source: the earlier task that the request continues.
            is_sendable: whether the service could read the request; a file that is not uploaded yet has no
                URL, so only the model list can tell its price.
            max_age: seconds for which a price that the service has given is good.
        """
        terms, name = self.client.contract.terms, self.client.contract.name
        if not terms.quota_per_dollar:
            return Price(reason=tr(NO_PRICES).format(contract=name))
        values = priced_values(request, self.client.contract.models)
        key = json.dumps([values, input_lengths, source, is_sendable], default=repr)
        with self._asking:
            kept = self._prices.get(key)
            if kept is not None and self._clock() - kept[0] < max_age:
                return kept[1]
            forgotten = self._forgotten
            price = self._asked(request) if is_sendable else None
            if price is None:
                prices = self._price_list(max_age)
                price = self._from(prices, request, input_lengths, source)
                if prices.error:
                    return price
            with self._lock:
                if forgotten == self._forgotten:
                    self._prices[key] = (self._clock(), price)
            return price

    def load_list(self) -> None:
        """Request the model list, unless there is one of some minutes ago."""
        if self.client.contract.terms.quota_per_dollar:
            with self._asking:
                self._price_list()

    def listed(
        self, request: VideoRequest, input_lengths: Sequence[float | Decimal | None] = ()
    ) -> Price | None:
        """Return the price that the last model list gives, without any request; ``None`` without a list."""
        if self._list is None:
            return None
        return self._from(self._list[1], request, input_lengths, None)

    def forget(self) -> None:
        """Forget every price, for instance because the service has taken another one than it said."""
        with self._lock:
            self._prices, self._list = {}, None
            self._forgotten += 1

    def _asked(self, request: VideoRequest) -> Price | None:
        """Return the service's own price; ``None`` if neither source has one."""
        for name, ask in (("quote", self.client.quote), ("estimate", self.client.estimate)):
            if self._clock() < self._silent_until[name]:
                continue
            try:
                return ask(request)
            except QingboError as error:
                if not _is_about_the_request(error):
                    self._silent_until[name] = self._clock() + _LATER
        return None

    def _from(
        self,
        prices: _PriceList,
        request: VideoRequest,
        input_lengths: Sequence[float | Decimal | None],
        source: Source | None,
    ) -> Price:
        if prices.error:
            return Price(as_of=prices.as_of, reason=prices.error)
        config, models = prices.configs.get(request.model), self.client.contract.models
        if config is None:
            return Price(as_of=prices.as_of, reason=tr(_NOT_LISTED).format(model=request.model))
        return computed_price(
            request, config, models, as_of=prices.as_of, input_lengths=input_lengths, source=source
        )

    def _price_list(self, max_age: float = KEPT) -> _PriceList:
        with self._lock:
            if self._list is not None:
                good_for = KEPT if self._list[1].error else max_age
                if self._clock() - self._list[0] < good_for:
                    return self._list[1]
        now, kept, forgotten = datetime.now(UTC), self._clock(), self._forgotten
        try:
            prices = _PriceList(self.client.price_list(), now)
        except ConnectionFailed as error:  # kept for a moment, so that not every task waits for a timeout
            prices, kept = _PriceList({}, now, str(error)), self._clock() - KEPT + _SOON
        except QingboError as error:
            return _PriceList({}, now, str(error))
        with self._lock:
            if forgotten == self._forgotten:
                self._list = (kept, prices)
        return prices


def _is_about_the_request(error: QingboError) -> bool:
    """Return whether an error is the answer of a source that has no price of this request only."""
    return isinstance(error, BadRequest) or (isinstance(error, ServiceError) and is_refusal(error.code))
