"""The circuit breaker of a sweep: lost responses and refusals that apply to every cell stop it.

A submission without a response may still be accepted and charged. A gateway that loses every response would
charge a whole sweep to the account, one task at a time, and none of the tasks could be found again. So at
most ``MAX_UNPROVEN`` submissions are unproven at any time: those in flight, plus the latest ones that remain
unconfirmed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...exceptions import BadRequest, InvalidRequest, QingboError, TaskCancelled
from ...service.contract.snapshot import TaskStatus

if TYPE_CHECKING:
    from ..task import Task

__all__ = ["MAX_UNPROVEN", "Brake", "concerns_all"]

#: One or two lost responses may be chance; three in a row are an outage, at the price of three tasks. Also
#: limits the submissions in flight: each takes a fraction of a second, and its task takes minutes.
MAX_UNPROVEN = 3
#: A 404 with this code concerns the model of one request; any other 404, the base URL of all requests.
_NO_MODEL = "model_not_found"


class Brake:
    """Counter of consecutive submissions that remain unconfirmed.

    Attributes:
        unconfirmed: number of the latest submissions that remain unconfirmed.
    """

    def __init__(self) -> None:
        self.unconfirmed = 0
        self._lock = threading.Lock()
        self._counted: set[str] = set()

    @property
    def max_in_flight(self) -> int:
        """The maximum of submissions in flight; one as a test once all others remained unconfirmed."""
        return max(MAX_UNPROVEN - self.unconfirmed, 1)

    def confirm(self) -> None:
        """Record a submission that the service has confirmed."""
        self.unconfirmed = 0

    def miss(self, task: Task) -> bool:
        """Record a submission that remains unconfirmed; return True if submitting must stop."""
        with self._lock:
            if task.key in self._counted:
                self._counted.remove(task.key)
                return False
            self.unconfirmed += 1
            return self.unconfirmed >= MAX_UNPROVEN

    def recall(self, tasks: Iterable[Task]) -> None:
        """Count the unconfirmed submissions of earlier kernels, the latest first."""
        with self._lock:
            self.unconfirmed = 0
            for task in sorted(tasks, key=lambda task: task.submitted_at, reverse=True):
                if task.task_id:
                    break
                if task.status in (TaskStatus.submitting, TaskStatus.unconfirmed):
                    self.unconfirmed += 1
                    if not task.is_done:  # its end follows, and it is counted already
                        self._counted.add(task.key)


def concerns_all(error: QingboError | None) -> bool:
    """Return True if the refusal of one submission applies to every other request too."""
    if isinstance(error, BadRequest) and error.contract is not None:
        return True  # the server speaks another contract than the connection
    if isinstance(error, BadRequest) and error.status == 404:
        return error.code != _NO_MODEL and not error.param
    return not isinstance(error, BadRequest | InvalidRequest | TaskCancelled)
