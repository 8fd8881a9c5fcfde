"""The texts about a sweep that has paused, or waits for the account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ...exceptions import QingboError
from ...i18n import N_, sentences, tr
from ...system.times import local_time
from .brake import Run, Trouble

__all__ = ["ELSEWHERE", "NOT_WRITTEN", "OTHER_CONTRACT", "UNFOLLOWED", "stopped", "waiting"]

ELSEWHERE = N_("Another kernel continues this sweep. resume() checks again.")
NOT_WRITTEN = N_("{error} Nothing more was sent.")
_STOPPED = {
    Trouble.lost: N_(
        "{count} submissions in a row were not confirmed: the service may have accepted each of them, and "
        "may charge for it. Nothing more is sent. Look at the service's dashboard: to follow a task that is "
        "listed there, use Check with its id. Then resume() sends one more as a test, and the others once "
        "that is confirmed."
    ),
    Trouble.refused: N_(
        "{count} submissions in a row were refused with the same answer. No tasks were made of them, and "
        "nothing was charged for them. The last answer: {error} Nothing more is sent. Once the cause is "
        "fixed, resume() sends one more as a test, and the others once that is accepted; retry_failed() then "
        "repeats those that were refused."
    ),
    Trouble.failed: N_(
        "{count} tasks in a row were made and failed for the same reason, and each of them may have been "
        "charged: see the service's dashboard. The last error: {error} Nothing more is sent. Once the cause "
        "is fixed, resume() sends one more as a test, and the others once its video is made; retry_failed() "
        "then makes new tasks for those that failed."
    ),
}
_UNSENT = N_("Cells that were not sent: {count}.")
_PLACES = N_("The service takes no more than {count} of these tasks at once now; the others wait their turn.")
_LATER = N_("The service takes no more tasks now. The next one is sent at {when}, by itself.")
OTHER_CONTRACT = N_(
    "{error} Nothing more is sent. Once connected so, with the library in {folder!r}, "
    "Sweep.load({name!r}).resume() submits the waiting cells there."
)
UNFOLLOWED = N_(
    "The task {task} is no longer followed, and may still be rendered and charged: {error} Nothing more is "
    "sent. Once the cause is fixed, follow_again() follows it again at no cost; then resume() sends the "
    "others."
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
