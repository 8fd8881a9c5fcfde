"""``CellPrices``: the price of a sweep's cells together, with one question for each kind of request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from ...exceptions import InvalidRequest
from ...i18n import N_, tr
from ...service.contract.pricing.price import Price
from ...service.contract.pricing.total import Total, total_of
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Models, Parameter
from ...service.priced import priced_values
from ..prices import Prices
from .cell import Cell

__all__ = ["LONGEST_WAIT", "CellPrices", "price_sentence"]

#: Seconds that a call which is about to submit waits for all prices together.
LONGEST_WAIT = 3.0
_NOT_YET = N_("The service has not answered yet.")
_PRICE = N_("Price: {price}.")
_PRICE_WITH_REASON = N_("Price: {price}")
_UNKNOWN = N_("The price is not known.")
_UNKNOWN_BECAUSE = N_("The price is not known: {reason}")


class CellPrices:
    """The prices of a sweep's cells. Thread-safe.

    Args:
        prices: the prices of the manager.
        models: returns the models of the contract that the manager uses now.
    """

    def __init__(self, prices: Prices, models: Callable[[], Models]) -> None:
        self._prices, self._models = prices, models
        self._lock = threading.Lock()
        #: The kind of each cell's request, by contract and number: a sweep may have thousands of cells.
        self._kinds: dict[tuple[str, int], str] = {}
        self._known: dict[str, Price] = {}
        #: What keeps the price of a kind that is asked about.
        self._asking: dict[str, Callable[[], object]] = {}
        self._callbacks: list[Callable[[], object]] = []

    def total(self, cells: Iterable[Cell]) -> Total:
        """Return the price of cells together. Blocks while the service is asked."""
        cells = list(cells)
        for kind, request in self._requests(cells).items():
            self._known[kind] = self._price(request)
        return self._sum(cells)

    def total_within(self, cells: Iterable[Cell]) -> Total:
        """Return the price of cells together, as far as it is known after ``LONGEST_WAIT`` at most."""
        cells, answered = list(cells), threading.Event()
        self.ask(cells, answered.set)
        answered.wait(LONGEST_WAIT)
        return self._sum(cells)

    def known(self, cells: Iterable[Cell]) -> Total | None:
        """Return the price of cells together, without any request; ``None`` if none was asked about."""
        cells = list(cells)
        if not any(self._kind(cell) in self._known for cell in cells):
            return None
        return self._sum(cells)

    def ask(self, cells: Iterable[Cell], callback: Callable[[], object]) -> None:
        """Find the prices of cells on another thread, then call back once; ``known`` has them then.

        Args:
            cells: the cells.
            callback: called once, however often it was passed meanwhile.
        """
        requests = self._requests(cells)
        with self._lock:
            if callback not in self._callbacks:
                self._callbacks.append(callback)
            for kind, request in requests.items():
                self._asking.setdefault(kind, partial(self._keep, kind, request))
            asking = {kind: self._asking[kind] for kind in requests}
        for kind, keep in asking.items():  # again, because without a thread there was no answer
            self._prices.ask(requests[kind], keep)
        self._call_back()

    def _keep(self, kind: str, request: VideoRequest) -> None:
        price = self._prices.latest(request)
        with self._lock:
            if price is not None:
                self._known[kind] = price
            self._asking.pop(kind, None)
        self._call_back()

    def _call_back(self) -> None:
        """Call back if every price has been found."""
        with self._lock:
            if self._asking:
                return
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def _price(self, request: VideoRequest) -> Price:
        try:
            return self._prices.price(request)
        except InvalidRequest as error:  # under the contract of now; the sweep may have another one
            return Price(reason=str(error))

    def _requests(self, cells: Iterable[Cell]) -> dict[str, VideoRequest]:
        """Return one request of each kind."""
        return {self._kind(cell): cell.request for cell in cells}

    def _kind(self, cell: Cell) -> str:
        models = self._models()
        place = models.contract, cell.number
        if place not in self._kinds:
            self._kinds[place] = _kind(cell.request, models)
        return self._kinds[place]

    def _sum(self, cells: Sequence[Cell]) -> Total:
        if not cells:
            return Total(Price(Decimal(0), 0), None, None, 0, 0)
        not_yet = Price(reason=tr(_NOT_YET))
        return total_of(self._known.get(self._kind(cell), not_yet) for cell in cells)


def _kind(request: VideoRequest, models: Models) -> str:
    """Return what the price of a request depends on: neither its texts nor what its pictures show."""
    parameters = models.of(request.model).parameters
    values = {
        name: _number(value) if name in parameters and _is_picture(parameters[name]) else value
        for name, value in priced_values(request, models).items()
    }
    return json.dumps([models.contract, request.model, values], default=repr)


def _is_picture(parameter: Parameter) -> bool:
    return parameter.media in ("image", "mask") and parameter.type in ("url", "urls")


def _number(pictures: Any) -> int:
    return 1 if isinstance(pictures, str) else len(pictures)


def price_sentence(total: Total) -> str:
    """Return a price as a sentence; one that is not known says why."""
    if not total.price.is_known:
        reason = total.reason or total.price.reason
        return tr(_UNKNOWN_BECAUSE).format(reason=reason) if reason else tr(_UNKNOWN)
    text = str(total)
    return tr(_PRICE_WITH_REASON if text.endswith((".", "。")) else _PRICE).format(price=text)
