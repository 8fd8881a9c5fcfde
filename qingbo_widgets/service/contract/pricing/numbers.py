"""``number``: an amount of money from JSON, exactly as it is written there."""

from __future__ import annotations

import re
from decimal import Context, Decimal

__all__ = ["EXACT", "number"]

#: For sums and products of amounts, whatever the caller's notebook has set: none of them is rounded.
EXACT = Context(prec=100)
_WRITTEN = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?")
_LARGEST = Decimal(10**12)


def number(value: object) -> Decimal | None:
    """Return a number, a float as it is written and not as the nearest binary fraction.

    Returns:
        ``None`` for anything else, and for a number that no amount of money and no length can be.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    if isinstance(value, int) and abs(value) > _LARGEST:  # may have too many digits to be written
        return None
    text = str(value).strip()
    amount = Decimal(text) if _WRITTEN.fullmatch(text) else None
    return amount if amount is not None and abs(amount) <= _LARGEST else None
