"""The texts about a sweep that has paused, or waits for the account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ...exceptions import QingboError
from ...i18n import N_, sentences, tr
from ...system.times import local_time
from .brake import Run, Trouble

__all__ = ["ELSEWHERE", "NOT_WRITTEN", "OTHER_CONTRACT", "UNFOLLOWED", "stopped", "waiting"]

ELSEWHERE = N_("Another kernel is running this sweep. resume() checks again.")
NOT_WRITTEN = N_("{error} Nothing more was sent.")
_STOPPED = {
    Trouble.lost: N_(
        "{count} submissions in a row were not confirmed. The service may have accepted each of them, and "
        "may charge for it. Nothing more is sent. Check the service's dashboard: to follow a task that is "
        "listed there, use Check with its id. resume() then sends one more as a test, and the others once "
        "it is confirmed."
    ),
    Trouble.refused: N_(
        "{count} submissions in a row were refused with the same response. No tasks were created, and "
        "nothing was charged. The last response: {error} Nothing more is sent. Once you have fixed the "
        "cause, resume() sends one more as a test, and the others once it is accepted; retry_failed() then "
        "repeats those that were refused."
    ),
    Trouble.failed: N_(
        "{count} tasks in a row failed for the same reason. Each may have been charged: see the service's "
        "dashboard. The last error: {error} Nothing more is sent. Once you have fixed the cause, resume() "
        "sends one more as a test, and the others once its video is finished; retry_failed() then creates "
        "new tasks for those that failed."
    ),
}
_UNSENT = N_("Cells that were not sent: {count}.")
_PLACES = N_("The service takes at most {count} of these tasks at once now; the others wait.")
_LATER = N_("The service takes no more tasks now. The next one is sent automatically at {when}.")
OTHER_CONTRACT = N_(
    "{error} Nothing more is sent. After you have connected that way with the library {folder!r}, "
    "Sweep.load({name!r}).resume() submits the waiting cells."
)
UNFOLLOWED = N_(
    "The task {task} is no longer followed, and may still be rendered and charged: {error} Nothing more is "
    "sent. Once you have fixed the cause, follow_again() follows it at no cost; then resume() sends the "
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
