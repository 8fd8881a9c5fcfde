"""``Price``: what a video costs, as far as it is known before it is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, localcontext
from enum import Enum
from typing import Any

from ....i18n import N_, tr
from ..quota import dollars, units
from .numbers import EXACT

__all__ = ["Price", "PriceSource"]

_AT_MOST = N_("at most {amount}")
_ABOUT = N_("about {amount}")
_UNKNOWN = N_("not known: {reason}")


class PriceSource(Enum):
    """The origin of a price."""

    quote = "quote"
    estimate = "estimate_cost"
    price_list = "price_config"
    earlier_task = "earlier task"
    none = ""


@dataclass(frozen=True)
class Price:
    """The price of one video before it is made.

    Attributes:
        usd: the amount in US dollars; ``None`` if it is not known.
        quota: the amount in the service's units; ``None`` if it is not known.
        is_exact: False if it is the most that the video can cost.
        source: the origin of the amount.
        as_of: the time at which the service gave it.
        reason: why it is not known, in a sentence; empty if it is.
    """

    usd: Decimal | None = None
    quota: int | None = None
    is_exact: bool = True
    source: PriceSource = PriceSource.none
    as_of: datetime | None = None
    reason: str = ""

    @property
    def is_known(self) -> bool:
        """True if there is an amount."""
        return self.quota is not None

    @property
    def amount(self) -> str:
        """The amount as text, such as ``$0.378``; empty if it is not known."""
        if self.usd is not None:
            return dollars(self.usd)
        return "" if self.quota is None else units(self.quota)

    def times(self, count: int) -> Price:
        """Return the price of several such videos."""
        if count == 1 or self.quota is None:
            return self
        with localcontext(EXACT):
            return replace(self, usd=None if self.usd is None else self.usd * count, quota=self.quota * count)

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        """Show the text in a notebook."""
        printer.text(str(self))

    def __str__(self) -> str:
        if not self.is_known:
            return tr(_UNKNOWN).format(reason=self.reason)
        if not self.is_exact:
            return tr(_AT_MOST).format(amount=self.amount)
        if self.source is PriceSource.quote or not self.quota:
            return self.amount
        # Only a quote counts the discount and the surcharge of the account.
        return tr(_ABOUT).format(amount=self.amount)
