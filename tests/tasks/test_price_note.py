"""``price_note``: what is said when the price before a submission and the amount taken differ."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.service.contract.pricing.price import Price, PriceSource
from qingbo_widgets.tasks.price_note import price_note

RUNNING, COMPLETED = qw.TaskStatus.processing, qw.TaskStatus.completed


def costing(usd: str, source: PriceSource = PriceSource.quote, *, is_exact: bool = True) -> Price:
    """Return a price in US dollars."""
    return Price(Decimal(usd), int(Decimal(usd) * 500_000), is_exact, source)


QUOTE, LISTED, CAPPED = (
    costing("0.378"),
    costing("0.378", PriceSource.price_list),
    costing("1", is_exact=False),
)
APRIL = Price(None, 75_000, True, PriceSource.earlier_task)


def task(price: Price | None, frozen: int | None, cost: int | None = None, **state: Any) -> Any:
    """Return a task with these amounts: completed if it has a cost, else running."""
    status = RUNNING if cost is None else COMPLETED
    facts = {"status": status, "contract": "2026-11", "manager": SimpleNamespace(is_sandbox=False), **state}
    return SimpleNamespace(price=price, frozen=frozen, cost=cost, **facts)


@pytest.mark.parametrize(
    ("priced", "text", "is_higher"),
    [
        (
            task(QUOTE, 250_000),
            "The price before the submission was $0.378; the service has reserved $0.50.",
            True,
        ),
        (
            task(QUOTE, 100_000),
            "The price before the submission was $0.378; the service has reserved $0.20.",
            False,
        ),
        (
            task(CAPPED, 600_000),
            "The price before the submission was at most $1.00; the service has reserved $1.20.",
            True,
        ),
        (
            task(LISTED, 250_000),
            "Expected: about $0.378, not counting a discount or surcharge of your account. The service has "
            "reserved $0.50.",
            True,
        ),
        (
            task(LISTED, 250_000, 250_000),
            "Expected: about $0.378, not counting a discount or surcharge of your account. It cost $0.50.",
            True,
        ),
        (task(QUOTE, 250_000, 250_000), "The price before the submission was $0.378; it cost $0.50.", True),
        (task(QUOTE, 189_000, 250_000), "The price before the submission was $0.378; it cost $0.50.", True),
        (task(QUOTE, None, 100_000), "The price before the submission was $0.378; it cost $0.20.", False),
        (task(QUOTE, 189_000, 100_000), "The service had reserved $0.378; it cost $0.20.", False),
        (task(CAPPED, 500_000, 210_000), "The service had reserved $1.00; it cost $0.42.", False),
        (task(QUOTE, 250_000, 189_000), "The service had reserved $0.50; it cost $0.378.", False),
        (task(None, 189_000, 250_000), "The service had reserved $0.378; it cost $0.50.", True),
        (
            task(QUOTE, 250_000, status=COMPLETED),
            "The price before the submission was $0.378; the service has reserved $0.50.",
            True,
        ),
        (task(QUOTE, 189_000, 0), "The service had reserved $0.378; it cost $0.00.", False),
        (
            task(APRIL, None, 100_000, contract="2026-04"),
            "The last such task cost 75,000 units of quota; this one cost 100,000 units of quota.",
            True,
        ),
        (
            task(APRIL, 100_000, contract="2026-04"),
            "The last such task cost 75,000 units of quota; the service has reserved 100,000 units of quota "
            "for this one.",
            True,
        ),
        (
            task(QUOTE, 250_000, 250_000, manager=SimpleNamespace(is_sandbox=True)),
            "The price before the submission was $0.378; it cost $0.50, not charged.",
            True,
        ),
    ],
)
def test_a_difference_is_said(priced: Any, text: str, is_higher: bool) -> None:
    """The sentence has both amounts; only a higher one is to be noticed."""
    assert price_note(priced) == (text, is_higher)


@pytest.mark.parametrize(
    "priced",
    [
        task(None, 189_000),
        task(None, None, 189_000),
        task(QUOTE, None),
        task(QUOTE, 189_000),
        task(QUOTE, 189_000, 189_000),
        task(QUOTE, 189_001, 189_001),
        task(LISTED, 188_999),
        task(Price(reason="No price is known."), 189_000),
        task(APRIL, 189_000),
        task(QUOTE, 100_000, contract="2026-04"),
        task(QUOTE, 250_000, 0, status=qw.TaskStatus.failed),
        task(QUOTE, 250_000, 250_000, status=qw.TaskStatus.cancelled),
    ],
)
def test_nothing_is_said(priced: Any) -> None:
    """Equal, roundable and unknown amounts do not differ, and an error has its own text."""
    assert price_note(priced) is None


def test_in_chinese() -> None:
    """The amounts are in the Chinese sentence."""
    qw.set_locale("zh")
    noted = price_note(task(QUOTE, 250_000))
    assert noted is not None
    assert noted.text == "提交前的价格是 $0.378；服务预留了 $0.50。"
