"""``Total``: the price of several videos together, with its range."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from ....i18n import N_, sentences, tr
from .numbers import EXACT
from .price import Price, PriceSource

__all__ = ["Total", "total_of"]

_EACH = N_("{total} ({least} to {most} each)")
_REST = N_("{total}, without {count} of {all} tasks, whose price is not known.")


@dataclass(frozen=True)
class Total:
    """The price of several videos.

    Attributes:
        price: the sum of those that are known, for all of them; unknown if none is.
        least: the lowest price of one; ``None`` if none is known.
        most: the highest price of one; ``None`` if none is known.
        count: the number of videos.
        unknown: the number of videos whose price is not known.
        reason: why it is not known, of the first such video.
    """

    price: Price
    least: Price | None
    most: Price | None
    count: int
    unknown: int
    reason: str = ""

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        """Show the text in a notebook."""
        printer.text(str(self))

    def __str__(self) -> str:
        if self.least is None or self.most is None:
            return str(self.price)
        text = str(self.price)
        if self.least.quota != self.most.quota:
            text = tr(_EACH).format(total=text, least=self.least.amount, most=self.most.amount)
        if self.unknown:
            text = tr(_REST).format(total=text, count=self.unknown, all=self.count)
            return sentences(text, self.reason)
        return text


def total_of(prices: Iterable[Price]) -> Total:
    """Return the price of several videos; it is exact if that of each is."""
    every = list(prices)
    if not every:
        return Total(Price(Decimal(0), 0), None, None, 0, 0)
    known = sorted((price for price in every if price.quota is not None), key=lambda price: price.quota or 0)
    reason = next((price.reason for price in every if not price.is_known), "")
    if not known:
        return Total(Price(reason=reason), None, None, len(every), len(every), reason)
    with localcontext(EXACT):
        amounts = [price.usd for price in known if price.usd is not None]
        usd = sum(amounts, Decimal(0)) if len(amounts) == len(known) else None
        quota = sum(price.quota or 0 for price in known)
    sources = {price.source for price in known}
    source = sources.pop() if len(sources) == 1 else PriceSource.price_list
    dates = [price.as_of for price in known if price.as_of is not None]
    is_exact = all(price.is_exact for price in known)
    price = Price(usd, quota, is_exact, source, min(dates, default=None))
    return Total(price, known[0], known[-1], len(every), len(every) - len(known), reason)
