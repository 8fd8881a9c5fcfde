"""``Selection``: the filters and the order of a search in the library."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ..i18n import N_, tr

__all__ = ["ORDERS", "Selection"]

#: The sort orders and their labels.
ORDERS = {
    "newest": N_("Newest first"),
    "oldest": N_("Oldest first"),
    "best": N_("Best rated first"),
    "model": N_("By model"),
    "prompt": N_("By prompt"),
    "cheapest": N_("Lowest cost first"),
    "dearest": N_("Highest cost first"),
    "cheapest_second": N_("Lowest cost a second first"),
    "dearest_second": N_("Highest cost a second first"),
    "shuffled": N_("Shuffled"),
}


@dataclass(frozen=True)
class Selection:
    """The filters and the order of a search; by default all tasks.

    Attributes:
        text: words that must all occur in the prompt, or in the shots' prompts.
        model: the model's name.
        mode: ``std`` (720p) or ``pro`` (1080p), or another resolution, such as ``4k``.
        status: a ``TaskStatus``.
        tag: one of the user's tags.
        rating: the minimum rating, 0..5.
        unrated: only tasks without a rating.
        since: submitted at this time or later; with a time zone.
        until: submitted before this time; with a time zone.
        max_cost: the maximum cost in US dollars; tasks whose cost is not known in dollars are left out.
        order: a key of ``ORDERS``. In those of the cost, the tasks that cost nothing, or of which that is not
            known, come last, newest first.
    """

    text: str = ""
    model: str | None = None
    mode: str | None = None
    status: str | None = None
    tag: str | None = None
    rating: int | None = None
    unrated: bool = False
    since: datetime | None = None
    until: datetime | None = None
    max_cost: Decimal | None = None
    order: str = "newest"

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            message = tr("An order is one of {orders}, not {order!r}.")
            raise ValueError(message.format(orders=", ".join(ORDERS), order=self.order))

    @property
    def needs_index(self) -> bool:
        """True if the search reads what the index of the prompts, and of what is derived from them, has."""
        return bool(self.text.strip()) or self.mode is not None or self.order == "prompt"

    @property
    def is_by_cost(self) -> bool:
        """True if the order is that of the cost, or of the cost of a second."""
        return self.order.startswith(("cheapest", "dearest"))

    @property
    def is_by_second(self) -> bool:
        """True if the order is that of the cost of a second."""
        return self.order.endswith("_second")
