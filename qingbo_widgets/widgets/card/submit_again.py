"""Another submission of a task that the service has not confirmed or has refused, and what it may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ...service.contract.snapshot import TaskStatus
from ...system.times import local_time

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["SubmitAgain"]

_AGAIN = N_("The service did not accept this task. Submits it again.")
_MAY_BILL = N_(
    "Submits with the same idempotency key. If the first task exists, a service that ignores the key charges "
    "twice."
)
_REPEATS = N_(
    "Submits with the same idempotency key. Until {end}, the service returns the first task if it exists, "
    "and charges once."
)
_FORGOTTEN = N_(
    "The service no longer has the key of this submission: a new task is charged even if the first one "
    "exists. Needs a second click."
)
_ANEW = N_(
    "The service no longer has the key of this submission: a new task is charged even if the first one "
    "exists. Check its dashboard first. To submit, click again."
)


class SubmitAgain:
    """The action of the button *Submit again*: one that may be charged anew needs a second click.

    Args:
        task: the task.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        #: Whether the user knows that another submission would be charged anew.
        self._is_warned = False

    def help_text(self) -> str:
        """Return what a click would do at present."""
        if self._task.status == TaskStatus.failed:
            return tr(_AGAIN)
        if self._task.is_key_forgotten:
            return tr(_FORGOTTEN)
        end = self._task.key_remembered_until
        return tr(_MAY_BILL) if end is None else tr(_REPEATS).format(end=local_time(end))

    def click(self) -> str:
        """Submit the task, or return the warning before a submission that is charged anew.

        The warning is not an error: after one, the second of a double click would count as the consent.
        """
        if not self._task.is_key_forgotten:
            self._task.submit_again()
        elif self._is_warned:
            self._is_warned = False  # one consent is for one submission
            self._task.submit_again(may_charge_again=True)
        else:
            self._is_warned = True
            return tr(_ANEW)
        return ""

    def withdraw_warning(self) -> None:
        """Warn again before the next submission, because the task has changed since the warning."""
        self._is_warned = False
