"""``quota_text``: an amount of the service's quota as text."""

from __future__ import annotations

from ...i18n import tr
from .terms import terms_of

__all__ = ["quota_text"]


def quota_text(quota: int, contract: str) -> str:
    """Return an amount in US dollars, or in quota if its contract does not state the rate.

    Args:
        quota: the amount, in the service's units.
        contract: the date of the task's contract.
    """
    rate = terms_of(contract).quota_per_dollar
    if not rate:
        return tr("{quota:,} units of quota").format(quota=quota)
    whole, _, part = f"{quota / rate:,.6f}".partition(".")
    return f"${whole}.{part.rstrip('0').ljust(2, '0')}"
