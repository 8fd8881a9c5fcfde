"""The texts about a sweep that has paused, or waits for the account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ...exceptions import BudgetExceeded, QingboError
from ...i18n import N_, sentences, tr
from ...service.contract.pricing.total import Total
from ...service.contract.quota import dollars
from ...system.times import local_time
from .brake import Run, Trouble

__all__ = ["ELSEWHERE", "NOT_WRITTEN", "OTHER_CONTRACT", "UNFOLLOWED", "over_budget", "stopped", "waiting"]

ELSEWHERE = N_("Another kernel is running this sweep. resume() checks again.")
NOT_WRITTEN = N_("{error} Nothing more was sent.")
_STOPPED = {
    Trouble.lost: N_(
        "{count} submissions in a row were not confirmed; the service may charge for each. Nothing more is "
        "sent. Check them with ids from the dashboard; resume() sends one first."
    ),
    Trouble.refused: N_(
        "{count} submissions in a row were refused, and nothing was charged: {error} Nothing more is sent. "
        "Fix the cause; resume() sends one first, and retry_failed() repeats the refused ones."
    ),
    Trouble.failed: N_(
        "{count} tasks in a row failed, and may have been charged: {error} Nothing more is sent. Fix the "
        "cause; resume() sends one first, and retry_failed() repeats the failed ones."
    ),
}
_UNSENT = N_("Cells that were not sent: {count}.")
_BUDGET = N_(
    "Paused at the budget of {budget}: {left} is left ({spent} spent, {frozen} reserved), and the next video "
    "costs {price}."
)
_UNSENT_PRICE = N_("Cells that were not sent: {count}, together {price}.")
_RAISE_IT = N_("After a higher budget, resume() submits them.")
_PLACES = N_("The service takes at most {count} of these tasks at once now; the others wait.")
_LATER = N_("The service takes no more tasks now. The next one is sent automatically at {when}.")
OTHER_CONTRACT = N_(
    "{error} Nothing more is sent. After you have connected that way with the library {folder!r}, "
    "Sweep.load({name!r}).resume() submits the waiting cells."
)
UNFOLLOWED = N_(
    "The task {task} is no longer followed, and may be charged: {error} Nothing more is sent. Fix the cause;"
    " follow_again() follows it at no cost, resume() then sends the others."
)


def stopped(run: Run, error: QingboError | None, unsent: int) -> str:
    """Return why a sweep has paused after the same trouble several times.

    Args:
        run: the trouble.
        error: the last error.
        unsent: the number of cells that were not sent.
    """
    text = tr(_STOPPED[run.trouble]).format(count=run.count, error=error)
    return sentences(text, tr(_UNSENT).format(count=unsent))


def over_budget(error: BudgetExceeded, unsent: Total) -> str:
    """Return why a sweep has paused at a budget.

    Args:
        error: the refusal of the next cell.
        unsent: the price of the cells that were not sent.
    """
    if error.price is None:  # which is the reason, and the error says why it is not known
        text = str(error)
    else:
        amounts = {name: dollars(getattr(error, name)) for name in ("budget", "left", "spent", "frozen")}
        text = tr(_BUDGET).format(price=dollars(error.price), **amounts)
    stopped_cells = tr(_UNSENT_PRICE if unsent.price.is_known and not unsent.unknown else _UNSENT)
    stopped_cells = stopped_cells.format(count=unsent.count, price=unsent)
    return sentences(text, stopped_cells, tr(_RAISE_IT))


def waiting(places: int | None, seconds: float) -> str:
    """Return what a sweep waits for while the account takes no more tasks; empty if it does not wait.

    Args:
        places: the number of the sweep's tasks that run, if that is all that the account takes.
        seconds: the time until the next attempt.
    """
    if places is not None:
        return tr(_PLACES).format(count=places)
    if seconds <= 0:
        return ""
    when = datetime.now(UTC) + timedelta(seconds=seconds)
    return tr(_LATER).format(when=local_time(when, seconds=True))
