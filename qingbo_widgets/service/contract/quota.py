"""Amounts of money as text."""

from __future__ import annotations

from decimal import Context, Decimal

from ...i18n import tr
from .terms import terms_of

__all__ = ["PENDING", "REFUNDED", "charged_text", "dollars", "quota_text", "units"]

#: The states of billing before a refund is final (documentation of contract 2026-11, account).
PENDING = ("reserved", "pricing_pending", "settlement_pending", "refund_pending")
#: The state of billing after a refund.
REFUNDED = "refunded"
#: For amounts, whatever the caller's notebook has set.
_CONTEXT = Context(prec=28)


def quota_text(quota: int, contract: str) -> str:
    """Return an amount in US dollars, or in quota if its contract does not state the rate.

    Args:
        quota: the amount, in the service's units.
        contract: the date of the task's contract.
    """
    rate = terms_of(contract).quota_per_dollar
    return dollars(_CONTEXT.divide(Decimal(quota), rate)) if rate else units(quota)


def charged_text(amount: str, *, is_sandbox: bool) -> str:
    """Return an amount as text, of the sandbox with a word that it is not charged."""
    return tr("{amount}, not charged").format(amount=amount) if is_sandbox else amount


def dollars(usd: Decimal) -> str:
    """Return an amount in US dollars as text, with at least 2 and at most 6 decimals."""
    whole, _, part = f"{usd.copy_abs():,.6f}".partition(".")
    return f"{'-' if usd < 0 else ''}${whole}.{part.rstrip('0').ljust(2, '0')}"


def units(quota: int) -> str:
    """Return an amount in the service's units as text."""
    return tr("{quota:,} units of quota").format(quota=quota)
