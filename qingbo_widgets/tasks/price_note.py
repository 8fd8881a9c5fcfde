"""``price_note``: the difference between the price before a submission and the amount that was taken."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..i18n import N_, tr
from ..service.contract.pricing.price import Price, PriceSource
from ..service.contract.quota import charged_text, quota_text
from ..service.contract.snapshot import TaskStatus
from ..service.contract.terms import terms_of

__all__ = ["ROUNDING", "PriceNote", "Priced", "price_note"]

#: Units of quota by which two roundings of one price may differ.
ROUNDING = 1
_QUOTED = (
    N_("The price before the submission was {price}; the service has reserved {amount}."),
    N_("The price before the submission was {price}; it cost {amount}."),
)
#: Only a quote counts what applies to the account.
_EXPECTED = (
    N_(
        "Expected: {price}, not counting a discount or surcharge of your account. The service has reserved "
        "{amount}."
    ),
    N_("Expected: {price}, not counting a discount or surcharge of your account. It cost {amount}."),
)
_EARLIER = (
    N_("The last such task cost {price}; the service has reserved {amount} for this one."),
    N_("The last such task cost {price}; this one cost {amount}."),
)
_SETTLED = N_("The service had reserved {reserved}; it cost {amount}.")


class _Owner(Protocol):
    @property
    def is_sandbox(self) -> bool: ...


class Priced(Protocol):
    """The part of a task that its price note depends on."""

    status: TaskStatus
    contract: str
    price: Price | None
    cost: int | None
    frozen: int | None

    @property
    def manager(self) -> _Owner:
        """The manager that follows it."""


class PriceNote(NamedTuple):
    """A sentence about amounts that differ.

    Attributes:
        text: the sentence.
        is_higher: whether more was taken than was shown before. Less is usual.
    """

    text: str
    is_higher: bool


def price_note(task: Priced) -> PriceNote | None:
    """Return how the price before the submission, the reserved amount and the cost differ, if they do.

    While the task runs, the reserved amount is compared with the price; at the end, the cost with both. A
    task that ended without a video has none: its error says what is known about a refund.
    """
    if task.status in (TaskStatus.failed, TaskStatus.cancelled):
        return None
    price, cost, reserved = _comparable(task), task.cost, task.frozen
    if cost is None or not task.status.is_ended:
        return _compared(task, price, reserved, is_cost=False)
    if (note := _compared(task, price, cost, is_cost=True)) is not None and note.is_higher:
        return note
    if reserved is not None and cost != reserved:
        text = tr(_SETTLED).format(reserved=quota_text(reserved, task.contract), amount=_cost(task, cost))
        return PriceNote(text, cost > reserved)
    return note


def _comparable(task: Priced) -> Price | None:
    """Return the price before the submission, if it is in the unit of the task's amounts."""
    price, is_in_dollars = task.price, bool(terms_of(task.contract).quota_per_dollar)
    return price if price is not None and (price.usd is not None) == is_in_dollars else None


def _compared(task: Priced, price: Price | None, taken: int | None, *, is_cost: bool) -> PriceNote | None:
    expected = None if price is None else price.quota
    if price is None or expected is None or taken is None or abs(taken - expected) <= ROUNDING:
        return None
    shown = str(price)
    if price.source is PriceSource.earlier_task:
        texts, shown = _EARLIER, price.amount
    else:
        texts = _QUOTED if price.source is PriceSource.quote else _EXPECTED
    return PriceNote(tr(texts[is_cost]).format(price=shown, amount=_cost(task, taken)), taken > expected)


def _cost(task: Priced, quota: int) -> str:
    is_sandbox = task.manager.is_sandbox and bool(quota)
    return charged_text(quota_text(quota, task.contract), is_sandbox=is_sandbox)
