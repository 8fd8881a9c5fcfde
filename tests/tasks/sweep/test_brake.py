"""``brake``: the count of lost responses, and the refusals that apply to every cell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from qingbo_widgets.exceptions import (
    AuthenticationFailed,
    BadRequest,
    ConnectionFailed,
    InsufficientBalance,
    QingboError,
    RateLimited,
    ServiceError,
    TaskCancelled,
)
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.sweep.brake import MAX_UNPROVEN, Brake, concerns_all

NOON = datetime(2026, 4, 10, 12, tzinfo=UTC)


def task(number: int, status: TaskStatus, task_id: str = "", *, is_done: bool = True) -> Any:
    """Return a submission with the attributes that a brake reads; a higher number was submitted later."""
    at = NOON + timedelta(seconds=number)
    return SimpleNamespace(key=str(number), status=status, task_id=task_id, submitted_at=at, is_done=is_done)


def test_as_many_are_in_flight_as_may_be_lost() -> None:
    """Submissions in flight plus lost ones are at most three; a confirmation resets the count."""
    brake = Brake()
    lost = [task(number, TaskStatus.unconfirmed) for number in range(4)]
    allowed = [brake.max_in_flight]
    stops = []
    for each in lost:
        stops.append(brake.miss(each))
        allowed.append(brake.max_in_flight)
    assert allowed == [3, 2, 1, 1, 1]
    assert stops == [False, False, True, True]
    brake.confirm()
    assert brake.max_in_flight == MAX_UNPROVEN


def test_lost_submissions_of_an_earlier_kernel_count_once() -> None:
    """The latest submissions count back to the last confirmed one; a refusal between them proves nothing."""
    interrupted = task(5, TaskStatus.submitting, is_done=False)
    brake = Brake()
    brake.recall(
        [
            interrupted,
            task(1, TaskStatus.unconfirmed),
            task(2, TaskStatus.completed, "task-2"),
            task(3, TaskStatus.unconfirmed),
            task(4, TaskStatus.failed),
        ]
    )
    assert brake.unconfirmed == 2
    assert not brake.miss(interrupted)
    assert brake.unconfirmed == 2
    assert brake.miss(task(6, TaskStatus.unconfirmed))


def _of_contract(contract: str) -> BadRequest:
    """Return a refusal by a server that seems to speak another contract."""
    error = BadRequest("extra must be empty", status=400, code="capability_violation", param="extra")
    error.contract = contract
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (AuthenticationFailed("no", status=401), True),
        (InsufficientBalance("no", status=402), True),
        (ServiceError("no", status=403), True),
        (RateLimited("no", status=429), True),
        (ConnectionFailed("no"), True),
        (BadRequest("no such page", status=404, code="not_found"), True),
        (BadRequest("no such model", status=404, code="model_not_found"), False),
        (BadRequest("no such model", status=404, code="not_found", param="model"), False),
        (BadRequest("too long", status=400, code="not_found"), False),
        (_of_contract("2026-11"), True),
        (TaskCancelled("no"), False),
    ],
)
def test_a_refusal_of_one_cell_is_distinguished_from_a_refusal_of_all(
    error: QingboError, expected: bool
) -> None:
    """A key, a balance or an address is the same for all cells; parameters and a model are not."""
    assert concerns_all(error) is expected
