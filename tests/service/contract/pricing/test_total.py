"""The price of several videos together."""

from __future__ import annotations

from decimal import Decimal

import pytest

from qingbo_widgets.service.contract.pricing.price import Price, PriceSource
from qingbo_widgets.service.contract.pricing.total import total_of

SHORT = Price(Decimal("0.378"), 189_000, source=PriceSource.quote)
LONG = Price(Decimal("0.5"), 250_000, is_exact=False, source=PriceSource.price_list)
UNKNOWN = Price(reason="The model list has no price.")


@pytest.mark.parametrize(
    ("prices", "text"),
    [
        ([SHORT, SHORT], "$0.756"),
        ([SHORT, LONG], "at most $0.878 ($0.378 to $0.50 each)"),
        (
            [SHORT, SHORT, UNKNOWN],
            "$0.756, without 1 of 3 tasks, whose price is not known. The model list has no price.",
        ),
        ([UNKNOWN, UNKNOWN], "not known: The model list has no price."),
        ([], "$0.00"),
    ],
)
def test_text(prices: list[Price], text: str) -> None:
    """A sum says what it leaves out, and its range."""
    assert str(total_of(prices)) == text


def test_amounts() -> None:
    """A sum is at most as exact as its parts."""
    total = total_of([LONG, UNKNOWN, SHORT])
    assert (total.price.usd, total.price.quota) == (Decimal("0.878"), 439_000)
    assert (total.least, total.most, total.count, total.unknown) == (SHORT, LONG, 3, 1)
    assert not total.price.is_exact


def test_amounts_in_quota_only() -> None:
    """Contract 2026-04 does not state what a unit costs."""
    earlier = Price(None, 50_000, source=PriceSource.earlier_task)
    assert total_of([earlier, earlier]).price.quota == 100_000
    assert total_of([earlier, SHORT]).price.usd is None
