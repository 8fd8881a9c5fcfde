"""The circuit breaker of a sweep: the same trouble several times in a row stops it.

A submission without a response may still be accepted and charged. A gateway that loses every response would
charge a whole sweep to the account, one task at a time, and none of the tasks could be found again. A task
that is made and fails may be charged, too, and if the reason is the same for the next one, so is that. And a
service that refuses each request with the same answer refuses the next one.

Outcomes are compared in the order of submission, not of arrival, so that it does not matter which of several
requests in flight is answered first.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ...exceptions import BadRequest, InvalidRequest, QingboError, TaskCancelled
from ...service.contract.snapshot import TaskStatus

if TYPE_CHECKING:
    from ..task import Task

__all__ = ["MAX_ALIKE", "Brake", "Run", "Trouble", "concerns_all", "is_refused"]

#: One or two may be chance; three in a row have one cause, at the price of three tasks. Also limits the
#: submissions in flight: each takes a fraction of a second, and its task takes minutes.
MAX_ALIKE = 3
#: A 404 with this code concerns the model of one request; any other 404, the base URL of all requests.
_NO_MODEL = "model_not_found"
#: The parts of a message that differ between two requests with the same error: ids, hashes and times.
_PASSING = re.compile(
    r"\b(?:request|trace|log|ray|event|error|correlation)[-_ ]?id\b\W*[\w-]+"
    r"|\b\d{4}([-/])\d\d?\1\d\d?(?:[T ]+\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\b\d\d:\d\d:\d\d\b"
    r"|\b(?=\w*\d)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b(?=[a-f]*\d)[0-9a-f]{12,}\b"
    r"|\b\d{10,}\b",
    re.IGNORECASE,
)
#: Words with a digit: the numbers of machines, attempts and seconds.
_NUMBERED = re.compile(r"[\w.-]*\d[\w.-]*")


class Trouble(Enum):
    """The kinds of trouble that stop a sweep when they repeat."""

    lost = "lost"
    """The submission remains unconfirmed."""
    refused = "refused"
    """The service has refused the request: no task was made."""
    failed = "failed"
    """The task was made, and failed."""


class _Fate(Enum):
    """The outcome of a submission."""

    pending = "pending"
    lost = "lost"
    refused = "refused"
    accepted = "accepted"  # and running
    gone = "gone"  # accepted, and cancelled or no longer followed
    failed = "failed"
    completed = "completed"
    other = "other"  # cancelled, or refused for a reason that stops the sweep at once


#: Outcomes after which the trouble may still turn out to be over, and those that show that it is.
_UNDECIDED = {
    Trouble.lost: {_Fate.pending},
    Trouble.refused: {_Fate.pending},
    Trouble.failed: {_Fate.pending, _Fate.accepted},
}
_OVER = {
    Trouble.lost: {_Fate.accepted, _Fate.gone, _Fate.failed, _Fate.completed},
    Trouble.refused: {_Fate.accepted, _Fate.gone, _Fate.failed, _Fate.completed},
    Trouble.failed: {_Fate.completed},
}


@dataclass(frozen=True)
class Run:
    """The latest submissions with the same trouble.

    Attributes:
        trouble: its kind.
        count: the number of submissions.
        undecided: the number of later submissions of which the outcome is not known yet.
        keys: the keys of the submissions, the latest first.
    """

    trouble: Trouble
    count: int
    undecided: int
    keys: tuple[str, ...]


class Brake:
    """The outcomes of the submissions of a sweep, and how many more may be sent after them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: By key, in the order of submission: the outcome, and for a refusal or failure its cause.
        self._fates: dict[str, tuple[_Fate, str]] = {}
        #: Outcomes since the last stop: only a new one stops the sweep again.
        self._new: set[str] = set()
        #: Lost submissions whose id the user has entered, which proves no later submission.
        self._found: set[str] = set()

    def begin(self, task: Task) -> None:
        """Record that a task is being submitted, or followed."""
        with self._lock:
            before = self._fates.get(task.key, (None, ""))[0]
            if task.task_id and before == _Fate.lost:
                self._found.add(task.key)
            elif task.task_id:
                self._fates[task.key] = _Fate.accepted, ""
            else:
                self._found.discard(task.key)
                self._fates.pop(task.key, None)  # the latest submission is the last
                self._fates[task.key] = _Fate.pending, ""

    def confirm(self, task: Task) -> None:
        """Record that the service has accepted a submission."""
        with self._lock:
            self._fates[task.key] = _Fate.accepted, ""

    def withdraw(self, task: Task) -> None:
        """Forget a submission that was not sent."""
        with self._lock:
            self._fates.pop(task.key, None)

    def end(self, task: Task) -> Run | None:
        """Record the end of a task; return a run of trouble if nothing more may be submitted."""
        with self._lock:
            fate = _fate_of(task)
            if task.key not in self._found and self._fates.get(task.key) != fate:
                self._fates[task.key] = fate
                self._new.add(task.key)
            for trouble in Trouble:
                run = self._run(trouble)
                is_new = not self._new.isdisjoint(run.keys)
                if run.count >= MAX_ALIKE and not run.undecided and is_new:
                    self._new.clear()
                    return run
        return None

    def recall(self, tasks: Iterable[Task]) -> None:
        """Record the outcomes that earlier kernels have seen.

        Lost submissions count like those of this kernel. A refusal or failure of another day counts only if
        it has stopped the sweep, so that one cell is sent first as a test.
        """
        with self._lock:
            in_order = sorted(tasks, key=lambda task: task.submitted_at)
            self._fates = {task.key: _fate_of(task) for task in in_order}
            for task in in_order:
                if task.status == TaskStatus.submitting:  # by a kernel that has ended: its end follows
                    self._fates[task.key] = _Fate.lost, ""
            self._forgive(MAX_ALIKE - 1)
            self._new.clear()

    def restart(self) -> None:
        """Record that the user tries all refused and failed cells again, at their price."""
        with self._lock:
            self._forgive()

    def room(self, running: int, in_flight: int, max_running: int) -> int:
        """Return how many submissions may begin.

        Lost submissions plus those in flight are three at most, and so are refused ones. After two failed
        tasks, the second is not replaced before a task has succeeded. After a stop, one task is sent first as
        a test.

        Args:
            running: the number of unfinished tasks.
            in_flight: the number of them that the service has not confirmed yet.
            max_running: maximum number of unfinished tasks.
        """
        with self._lock:
            unproven = max(self._run(trouble).count for trouble in (Trouble.lost, Trouble.refused))
            failed = self._run(Trouble.failed)
        room = max(MAX_ALIKE - unproven, 1) - in_flight
        if failed.count >= MAX_ALIKE:
            return min(room, 1 - failed.undecided)
        return min(room, max(max_running - (failed.count == MAX_ALIKE - 1), 1) - running)

    def _forgive(self, most: int | None = None) -> None:
        """Let the refusals and failures so far count no more, if they are ``most`` in a row or fewer."""
        for trouble in (Trouble.refused, Trouble.failed):
            run = self._run(trouble)
            if most is None or run.count <= most:
                self._fates |= dict.fromkeys(run.keys, (_Fate.other, ""))

    def _run(self, trouble: Trouble) -> Run:
        keys: list[str] = []
        cause, undecided = None, 0
        for key in reversed(self._fates):
            fate, why = self._fates[key]
            if fate in _UNDECIDED[trouble]:
                undecided += len(keys) < MAX_ALIKE
            elif fate in _OVER[trouble]:
                break
            elif fate.value == trouble.value:
                if cause not in (None, why):
                    break
                cause = why
                keys.append(key)
        return Run(trouble, len(keys), undecided, tuple(keys))


def is_refused(task: Task) -> bool:
    """Return True if the service certainly did not accept the task."""
    return task.is_done and task.status == TaskStatus.failed and not task.task_id


def concerns_all(error: QingboError | None) -> bool:
    """Return True if the refusal of one submission applies to every other request too."""
    if isinstance(error, BadRequest) and error.contract is not None:
        return True  # the server speaks another contract than the connection
    if isinstance(error, BadRequest) and error.status == 404:
        return error.code != _NO_MODEL and not error.param
    return not isinstance(error, BadRequest | InvalidRequest | TaskCancelled)


def _fate_of(task: Task) -> tuple[_Fate, str]:
    """Return the outcome of a submission, with its cause."""
    if task.status == TaskStatus.completed:
        return _Fate.completed, ""
    if task.status == TaskStatus.unconfirmed:
        return _Fate.lost, ""
    if not task.is_done:
        return (_Fate.accepted if task.task_id else _Fate.pending), ""
    if task.status == TaskStatus.failed and task.task_id:
        return _Fate.failed, _cause(task)
    if is_refused(task) and not concerns_all(task.error):
        return _Fate.refused, _cause(task)
    return (_Fate.gone if task.task_id else _Fate.other), ""


def _cause(task: Task) -> str:
    """Return the error of a task without what differs between two tasks with the same error."""
    parts = [str(getattr(task.error, name, "")) for name in ("status", "code", "param")]
    text = _PASSING.sub("", str(task.error).replace(task.task_id or "\n", ""))
    # A number may be what is wrong with a request; a failure may be charged, whatever its number.
    return "\n".join([*parts, _NUMBERED.sub("", text) if task.task_id else text])
