"""``Budget``: a limit on the money that tasks may cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

from ..exceptions import InvalidRequest
from ..i18n import N_, tr
from ..service.contract.problem import Problem
from ..service.contract.quota import dollars

__all__ = ["Budget"]

Per = Literal["all", "day"]
Unknown = Literal["refuse", "allow"]

_NO_AMOUNT = N_("budget: it must be an amount in US dollars, 0 or more; try 5.")
_NO_CHOICE = N_("budget: {name} must be {choices}.")


@dataclass(frozen=True)
class Budget:
    """A limit on the money that tasks may cost, in US dollars.

    Args:
        usd: the limit, as a number or a text such as ``"2.50"``.
        per: ``"all"`` for all tasks, or ``"day"`` for those since midnight.
        unknown: ``"refuse"`` to refuse a task whose price is not known, or ``"allow"`` to submit it; it then
            counts as nothing until the service tells its amount.

    Raises:
        InvalidRequest: a value is none of these.
    """

    usd: Decimal
    per: Per = "all"
    unknown: Unknown = "refuse"

    def __init__(self, usd: object, per: Per = "all", unknown: Unknown = "refuse") -> None:
        amount = _amount(usd)
        if amount is None:
            raise InvalidRequest((Problem("budget", tr(_NO_AMOUNT)),))
        for name, value, choices in (("per", per, get_args(Per)), ("unknown", unknown, get_args(Unknown))):
            if value not in choices:
                text = tr(_NO_CHOICE).format(name=name, choices=" | ".join(f'"{one}"' for one in choices))
                raise InvalidRequest((Problem("budget", text),))
        object.__setattr__(self, "usd", amount)
        object.__setattr__(self, "per", per)
        object.__setattr__(self, "unknown", unknown)

    @classmethod
    def of(cls, value: Any) -> Budget | None:
        """Return the budget that an argument or a setting means: itself, or an amount; ``None`` for none.

        Raises:
            InvalidRequest: it is no amount.
        """
        return value if value is None or isinstance(value, cls) else cls(value)

    @property
    def since(self) -> datetime | None:
        """The time, UTC, from which tasks count; ``None`` for all."""
        if self.per == "all":
            return None
        # A naive time is the local one, with the offset of that moment: the clock may be put back today.
        return datetime.combine(datetime.now(), time.min).astimezone(UTC)

    def __str__(self) -> str:
        amount = dollars(self.usd)
        return amount if self.per == "all" else tr("{amount} a day").format(amount=amount)


def _amount(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None
