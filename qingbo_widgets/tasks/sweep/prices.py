"""``CellPrices``: the price of a sweep's cells together, with one question for each kind of request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from ...exceptions import InvalidRequest
from ...i18n import N_, tr
from ...service.contract.pricing.price import Price
from ...service.contract.pricing.total import Total, total_of
from ...service.contract.request import VideoRequest
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
        contract: returns the date of the contract that the manager uses now.
    """

    def __init__(self, prices: Prices, contract: Callable[[], str]) -> None:
        self._prices, self._contract = prices, contract
        self._lock = threading.Lock()
        #: The kind of each cell's request, by contract and number: a sweep may have thousands of cells.
        self._kinds: dict[tuple[str, int], str] = {}
        #: The answers that are awaited, by kind, and what is called after the last one.
        self._awaited: dict[str, Callable[[], object]] = {}
        self._callbacks: list[Callable[[], object]] = []

    def total(self, cells: Iterable[Cell]) -> Total:
        """Return the price of cells together. Blocks while the service is asked."""
        cells = list(cells)
        found = {kind: self._price(request) for kind, request in self._requests(cells).items()}
        return self._sum(cells, found)

    def total_within(self, cells: Iterable[Cell]) -> Total:
        """Return the price of cells together, as far as it is known after ``LONGEST_WAIT`` at most."""
        cells, answered = list(cells), threading.Event()
        self.ask(cells, answered.set)
        answered.wait(LONGEST_WAIT)
        return self._sum(cells, self._known(cells))

    def known(self, cells: Iterable[Cell]) -> Total | None:
        """Return the price of cells together, without any request; ``None`` if none was asked about."""
        cells = list(cells)
        found = self._known(cells)
        return self._sum(cells, found) if found else None

    def ask(self, cells: Iterable[Cell], callback: Callable[[], object]) -> None:
        """Find the prices of cells on another thread, then call back once; ``known`` has them then.

        Args:
            cells: the cells.
            callback: called once, however often it was passed meanwhile.
        """
        due = {kind: one for kind, one in self._requests(cells).items() if self._prices.is_due(kind)}
        with self._lock:
            if callback not in self._callbacks:
                self._callbacks.append(callback)
            # The same function for each answer, so that it is called once.
            answers = {kind: self._awaited.setdefault(kind, partial(self._on_answer, kind)) for kind in due}
        for kind, request in due.items():
            self._prices.ask(request, answers[kind])
        self._call_back()

    def _on_answer(self, kind: str) -> None:
        with self._lock:
            self._awaited.pop(kind, None)
        self._call_back()

    def _call_back(self) -> None:
        """Call back if no answer is awaited."""
        with self._lock:
            if self._awaited:
                return
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def _price(self, request: VideoRequest) -> Price:
        try:
            return self._prices.price(request)
        except InvalidRequest as error:  # under the contract of now; the sweep may have another one
            return Price(reason=str(error))

    def _known(self, cells: Sequence[Cell]) -> dict[str, Price]:
        kinds = {self._kind(cell) for cell in cells}
        return {kind: price for kind in kinds if (price := self._prices.latest_of(kind)) is not None}

    def _requests(self, cells: Iterable[Cell]) -> dict[str, VideoRequest]:
        """Return one request of each kind."""
        return {self._kind(cell): cell.request for cell in cells}

    def _kind(self, cell: Cell) -> str:
        place = self._contract(), cell.number
        if place not in self._kinds:
            self._kinds[place] = self._prices.kind(cell.request)
        return self._kinds[place]

    def _sum(self, cells: Sequence[Cell], found: Mapping[str, Price]) -> Total:
        not_yet = Price(reason=tr(_NOT_YET))
        return total_of(found.get(self._kind(cell), not_yet) for cell in cells)


def price_sentence(total: Total | None) -> str:
    """Return a price as a sentence; one that is not known says why. Empty for ``None``: nothing was asked."""
    if total is None:
        return ""
    if not total.price.is_known:
        reason = total.reason or total.price.reason
        return tr(_UNKNOWN_BECAUSE).format(reason=reason) if reason else tr(_UNKNOWN)
    text = str(total)
    return tr(_PRICE_WITH_REASON if text.endswith((".", "。")) else _PRICE).format(price=text)
