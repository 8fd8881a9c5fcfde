"""Readers of the service's answers about money. They are lenient, because few of them are documented.

An answer without a usable amount is read as ``None``; nothing in these answers may break a form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ....i18n import tr
from ..quota import dollars
from ..text import plain_line

__all__ = ["Balance", "read_balance", "read_estimate", "read_price_list", "read_quote", "refusal_in"]

#: Names under which an estimate may have its amount in US dollars.
_USD = ("total_usd", "estimated_cost_usd", "cost_usd", "pre_consumed_cost_usd", "usd")


@dataclass(frozen=True)
class Balance:
    """The money of an account, in US dollars.

    Attributes:
        available: the amount that is left.
        used: the amount that was spent.
        granted: the sum of both.
        as_of: the time of the answer.
    """

    available: Decimal
    used: Decimal | None = None
    granted: Decimal | None = None
    as_of: datetime | None = None

    def __str__(self) -> str:
        return tr("{amount} left").format(amount=dollars(self.available))


def read_balance(answer: Mapping[str, Any]) -> Balance | None:
    """Return the balance in an answer; of the three amounts, one may be missing."""
    available, used, granted = (
        number(answer.get(f"total_{name}_usd")) for name in ("available", "used", "granted")
    )
    if available is None and granted is not None and used is not None:
        available = granted - used
    if available is None:
        return None
    as_of = number(answer.get("as_of"))
    try:
        moment = None if as_of is None else datetime.fromtimestamp(float(as_of), UTC)
    except (ValueError, OverflowError, OSError):
        moment = None
    return Balance(available, used, granted, moment)


def read_quote(answer: Mapping[str, Any]) -> Decimal | None:
    """Return the amount of a quote in US dollars."""
    data = answer.get("data")
    return number(data.get("total_usd")) if isinstance(data, Mapping) else None


def refusal_in(answer: Mapping[str, Any]) -> str:
    """Return the service's reason for refusing a quote, for the user; empty if there is none."""
    if not answer.get("errorKey"):
        return ""
    return plain_line(answer.get("message") or answer["errorKey"])


def read_estimate(answer: Mapping[str, Any]) -> Decimal | None:
    """Return the amount in US dollars in an answer of the tools endpoint."""
    result = answer.get("result")
    if not isinstance(result, Mapping) or result.get("isError"):
        return None
    content = result.get("structuredContent")
    if not isinstance(content, Mapping):
        return None
    return next((amount for name in _USD if (amount := number(content.get(name))) is not None), None)


def read_price_list(answer: Mapping[str, Any]) -> dict[str, object]:
    """Return the ``price_config`` of each model in the model list."""
    items = answer.get("data")
    return {
        str(item["id"]): item["price_config"]
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, Mapping) and "id" in item and item.get("price_config") is not None
    }


def number(value: object) -> Decimal | None:
    """Return an amount that is not negative; a float as it is written in JSON."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None
