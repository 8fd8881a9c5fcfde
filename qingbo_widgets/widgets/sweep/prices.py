"""The price of what a click would submit, as text and HTML. Nothing here asks the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ...tasks.sweep.cell import CellState
from ...tasks.sweep.prices import price_sentence
from ..base import html as markup
from ..base.html import Markup

if TYPE_CHECKING:
    from ...tasks.sweep.cell import Cell
    from ...tasks.sweep.sweep import Sweep

__all__ = ["price_html", "price_text", "priced_cells", "retry_price"]

_REST = N_("Waiting tasks: {price}")


def priced_cells(sweep: Sweep) -> list[Cell]:
    """Return the cells that a click would submit: those that wait, and those that have failed."""
    if sweep.manager.is_closed:
        return []
    states = {CellState.failed} | ({CellState.waiting} if sweep.waits_for_user else set())
    return [cell for cell in sweep.cells if cell.state in states]


def price_text(sweep: Sweep) -> str:
    """Return the price of the cells that wait for the user, as a sentence.

    Empty before the prices are found, and if the reason of a pause has it.
    """
    total = sweep.known_price
    return "" if total is None or str(total) in sweep.reason else price_sentence(total)


def price_html(sweep: Sweep) -> Markup:
    """Return the price of the cells that wait for the user, for the place beside the button."""
    total = sweep.known_price
    if total is None:
        return Markup("")
    if not total.price.is_known:
        return markup.span(price_sentence(total), "qingbo-dim")
    text = str(total)
    return markup.span(text if sweep.state == "planned" else tr(_REST).format(price=text))


def retry_price(sweep: Sweep) -> str:
    """Return the price of the failed cells as a sentence; empty if it is not known."""
    failed = [cell for cell in sweep.cells if cell.state == CellState.failed]
    total = sweep.prices.known(failed) if failed else None
    return price_sentence(total) if total is not None and total.price.is_known else ""
