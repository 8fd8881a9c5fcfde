"""The dated contracts that the sandbox keeps, each in a folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ..gaps import Gaps
from ..secrecy import as_date

if TYPE_CHECKING:
    from .contract import Contract

CONTRACTS = ("2026-04", "2026-11")
"""The dates of the contracts, oldest first."""

__all__ = ["CONTRACTS", "contract_of"]

_NO_SUCH = N_("the sandbox has no such contract; choose {known}")


def contract_of(date: str, gaps: Gaps | None = None) -> Contract:
    """Return a contract by its date.

    Args:
        date: one of ``CONTRACTS``.
        gaps: the choices where the documentation of contract 2026-11 is silent; each has a default.

    Raises:
        ValueError: there is no such contract, or it has no gaps.
    """
    date = as_date(date)
    if date == "2026-04":
        if gaps is not None:
            raise ValueError(tr("gaps are choices of contract 2026-11: pass contract='2026-11' as well"))
        from .v2026_04.contract import Contract202604

        return Contract202604()
    if date == "2026-11":
        from .v2026_11.contract import Contract202611

        return Contract202611(gaps or Gaps())
    text = tr("the sandbox has no contract {date}; choose {known}") if date else tr(_NO_SUCH)
    raise ValueError(text.format(date=date, known=tr(" or ").join(CONTRACTS)))
