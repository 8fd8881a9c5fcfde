"""The answers about prices of contract 2026-11: of the quote, and of the tool ``estimate_cost``.

The documentation names the fields and shows no example; ``Gaps`` has the choices.
"""

from __future__ import annotations

from ...gaps import Gaps
from .. import contract as base
from ..contract import QUOTA, Json, Price
from ..refusal import Refusal


class PriceAnswers202611(base.PriceAnswers):
    """The answers with the choices of ``Gaps``."""

    def __init__(self, gaps: Gaps) -> None:
        self._gaps = gaps

    def quote(self, price: Price) -> Json:
        """Return the quote: US dollars, and the seconds that are charged."""
        return {
            "code": self._gaps.quote_code,
            "message": "success",
            "data": {
                "total_usd": float(price.usd),
                "unit": price.unit,
                "billed_quantity": price.quantity,
                "multipliers": {"group_ratio": 1.0},
            },
        }

    def refused_quote(self, refusal: Refusal) -> tuple[Json, int]:
        """Return the envelope of a refusal, whose ``errorKey`` is the code of the submit's refusal."""
        code = "error" if self._gaps.quote_code == "success" else refusal.status
        status = 200 if self._gaps.quote_status == "always_200" else refusal.status
        return {"code": code, "message": refusal.message, "errorKey": refusal.code}, status

    def estimate(self, model: str, price: Price) -> Json:
        """Return the price in quota and in US dollars."""
        name = self._gaps.estimate_field
        return {"model": model, name: price.quota, f"{name}_usd": price.quota / QUOTA}

    def refused_estimate(self, refusal: Refusal) -> Json:
        """Return code and message of the submit's refusal, and the field if there is one."""
        error = {"code": refusal.code, "message": refusal.message}
        return error | ({"param": refusal.param} if refusal.param else {})
