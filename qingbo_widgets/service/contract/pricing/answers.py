"""Readers of the service's answers about money. They are lenient, because few of them are documented.

An answer without a usable amount is read as ``None``; nothing in these answers may break a form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from ....i18n import tr
from ...secrets.known_keys import hide
from ..error_codes import is_refusal
from ..quota import dollars
from ..text import plain_line
from ..times import read_time
from .numbers import EXACT, number

__all__ = [
    "Balance",
    "read_balance",
    "read_estimate",
    "read_price_list",
    "read_quote",
    "refusal_in",
    "tool_error_in",
]

#: The values of ``code`` in a quote that may mean success; the documentation does not say which does.
_SUCCESS = (None, 0, 200, "0", "200", "ok", "OK", "success", "SUCCESS")
#: Names under which an estimate may have its amount in US dollars.
_USD = ("total_usd", "estimated_cost_usd", "cost_usd", "pre_consumed_cost_usd", "usd")


@dataclass(frozen=True)
class Balance:
    """The money of an account, in US dollars.

    Attributes:
        available: the amount that is left; below 0 if more was settled than there was.
        used: the amount that was spent.
        granted: the sum of both.
        as_of: the time of the answer.
    """

    available: Decimal
    used: Decimal | None = None
    granted: Decimal | None = None
    as_of: datetime | None = None

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        """Show the text in a notebook."""
        printer.text(str(self))

    def __str__(self) -> str:
        return tr("{amount} left").format(amount=dollars(self.available))


def read_balance(answer: Mapping[str, Any]) -> Balance | None:
    """Return the balance in an answer; of the three amounts, one may be missing."""
    available, used, granted = (
        number(answer.get(f"total_{name}_usd")) for name in ("available", "used", "granted")
    )
    if available is None and granted is not None and used is not None:
        with localcontext(EXACT):
            available = granted - used
    if available is None:
        return None
    return Balance(available, used, granted, read_time(answer.get("as_of")))


def read_quote(answer: Mapping[str, Any]) -> Decimal | None:
    """Return the amount of a quote in US dollars; ``None`` for an answer that reports an error.

    No model is free, so an amount of 0 is none.
    """
    data = answer.get("data")
    if answer.get("errorKey") or answer.get("code") not in _SUCCESS or not isinstance(data, Mapping):
        return None
    return _price(data.get("total_usd")) or None


def refusal_in(answer: Mapping[str, Any]) -> str:
    """Return the reason why the service quotes no such task, for the user.

    Returns:
        An empty text if there is none, and for a refusal that may be about the quote only.
    """
    key = answer.get("errorKey")
    if not isinstance(key, str) or not is_refusal(key):
        return ""
    message = answer.get("message")
    return plain_line(hide(message)) if isinstance(message, str) and message else key


def read_estimate(answer: Mapping[str, Any]) -> Decimal | None:
    """Return the amount in US dollars in an answer of the tools endpoint; as in a quote, 0 is none."""
    result = answer.get("result")
    if not isinstance(result, Mapping) or result.get("isError"):
        return None
    content = result.get("structuredContent")
    if not isinstance(content, Mapping):
        return None
    return next((amount for name in _USD if (amount := _price(content.get(name)))), None)


def tool_error_in(answer: Mapping[str, Any]) -> str:
    """Return the error that a tool of the endpoint reports about its arguments; empty if there is none."""
    result = answer.get("result")
    if not isinstance(result, Mapping) or not result.get("isError"):
        return ""
    parts = result.get("content")
    texts = [
        part.get("text") for part in (parts if isinstance(parts, list) else ()) if isinstance(part, Mapping)
    ]
    return plain_line(hide(" ".join(text for text in texts if isinstance(text, str)))) or tr("no explanation")


def read_price_list(answer: Mapping[str, Any]) -> dict[str, object]:
    """Return the ``price_config`` of each model in the model list."""
    items = answer.get("data")
    return {
        str(item["id"]): item["price_config"]
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, Mapping) and "id" in item and item.get("price_config") is not None
    }


def _price(value: object) -> Decimal | None:
    """Return an amount that may be a price."""
    amount = number(value)
    return amount if amount is not None and amount >= 0 else None
