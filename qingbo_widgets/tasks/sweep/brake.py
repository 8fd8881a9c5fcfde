"""The brake of a sweep: it stops after answers that got lost, and after a refusal that all cells would meet.

A submission without an answer may be taken and charged all the same. A gateway that loses every answer would
empty a whole sweep into an account, a task at a time, and none of them would be found again. So no more than
``MOST_UNPROVEN`` submissions are ever without proof: those under way, and the latest ones that stay
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

__all__ = ["MOST_UNPROVEN", "Brake", "concerns_all"]

#: One lost answer is bad luck and two may be; three in a row are an outage, at the price of three tasks. Also
#: the submissions under way at once: each takes a fraction of a second, and its task minutes.
MOST_UNPROVEN = 3
#: A 404 with this code is about the model of one request; without it, about the address of all.
_NO_MODEL = "model_not_found"


class Brake:
    """Counts the submissions in a row that stay unconfirmed.

    Attributes:
        unconfirmed: how many the latest ones are.
    """

    def __init__(self) -> None:
        self.unconfirmed = 0
        self._lock = threading.Lock()
        self._recalled: set[str] = set()

    @property
    def most_under_way(self) -> int:
        """The submissions that may wait for an answer at once; one to try, where all others are used up."""
        return max(MOST_UNPROVEN - self.unconfirmed, 1)

    def confirm(self) -> None:
        """Take notice of a submission that the service has confirmed."""
        self.unconfirmed = 0

    def miss(self, task: Task) -> bool:
        """Take notice of a submission that stays unconfirmed; return whether to stop submitting."""
        with self._lock:
            if task.key in self._recalled:
                self._recalled.remove(task.key)
                return False
            self.unconfirmed += 1
            return self.unconfirmed >= MOST_UNPROVEN

    def recall(self, tasks: Iterable[Task]) -> None:
        """Count what earlier kernels have left, the latest submission first."""
        with self._lock:
            self.unconfirmed = 0
            for task in sorted(tasks, key=lambda task: task.submitted_at, reverse=True):
                if task.task_id:
                    break
                if task.status in (TaskStatus.submitting, TaskStatus.unconfirmed):
                    self.unconfirmed += 1
                    if not task.is_done:  # it is about to end, and is counted already
                        self._recalled.add(task.key)


def concerns_all(error: QingboError | None) -> bool:
    """Tell whether a refused submission would be refused for every other request, too."""
    if isinstance(error, BadRequest) and error.status == 404:
        return error.code != _NO_MODEL and not error.param
    return not isinstance(error, BadRequest | InvalidRequest | TaskCancelled)
