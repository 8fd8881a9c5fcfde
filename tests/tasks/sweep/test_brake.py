"""``brake``: the same trouble several times in a row, and the refusals that apply to every cell."""

from __future__ import annotations

import itertools
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
    TaskFailed,
)
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.sweep.brake import MAX_ALIKE, Brake, Run, Trouble, concerns_all

NOON = datetime(2026, 4, 10, 12, tzinfo=UTC)
FREE = 1000


def task(
    number: int,
    status: TaskStatus = TaskStatus.submitting,
    task_id: str = "",
    *,
    error: QingboError | None = None,
    is_done: bool = True,
) -> Any:
    """Return a submission with the attributes that a brake reads; a higher number was submitted later."""
    at = NOON + timedelta(seconds=number)
    return SimpleNamespace(
        key=str(number), status=status, task_id=task_id, submitted_at=at, is_done=is_done, error=error
    )


def lost(number: int) -> Any:
    """Return a submission whose answer was lost."""
    return task(number, TaskStatus.unconfirmed)


def refused(number: int, message: str = "no such mode", **error: Any) -> Any:
    """Return a submission that the service has refused."""
    return task(number, TaskStatus.failed, error=BadRequest(message, **{"status": 400, **error}))


def failed(number: int, message: str = "", code: str = "task_failed") -> Any:
    """Return a task that was made and has failed; its message has its id, as the real one."""
    name = f"task-{number}"
    error = TaskFailed(f"The task {name} failed: {message or 'no GPU'}", task_id=name, code=code)
    return task(number, TaskStatus.failed, name, error=error)


def finished(number: int) -> Any:
    """Return a task with its video."""
    return task(number, TaskStatus.completed, f"task-{number}")


def ends(brake: Brake, *tasks: Any) -> list[Run | None]:
    """Submit tasks one after the other, each when the one before has ended."""
    runs = []
    for each in tasks:
        brake.begin(task(int(each.key)))
        runs.append(brake.end(each))
    return runs


def counts(runs: list[Run | None]) -> list[tuple[Trouble, int] | None]:
    """Return what each run shows: its kind and its length."""
    return [None if run is None else (run.trouble, run.count) for run in runs]


def room(brake: Brake, running: int = 0, in_flight: int = 0) -> int:
    """Return the room of a sweep with very many places."""
    return brake.room(running, in_flight, FREE)


def test_as_many_are_in_flight_as_may_be_lost() -> None:
    """Submissions in flight plus lost ones are at most three; a confirmation resets the count."""
    brake = Brake()
    allowed, stops = [room(brake)], []
    for number in range(4):
        stops += ends(brake, lost(number))
        allowed.append(room(brake))
    assert allowed == [3, 2, 1, 1, 1]
    assert counts(stops) == [None, None, (Trouble.lost, 3), (Trouble.lost, 4)]
    brake.confirm(task(5, TaskStatus.queued, "task-5"))
    assert room(brake) == MAX_ALIKE


@pytest.mark.parametrize("make", [lost, refused, failed])
def test_three_alike_in_a_row_stop(make: Any) -> None:
    """The third lost, refused or failed submission stops the sweep, and after that each further one."""
    kind = Trouble[make.__name__]
    runs = ends(Brake(), *(make(number) for number in range(4)))
    assert counts(runs) == [None, None, (kind, 3), (kind, 4)]


@pytest.mark.parametrize(
    "others",
    [
        [refused(0, "prompt: 2501 characters"), refused(1, "prompt: 2600 characters")],
        [refused(0, param="mode"), refused(1, param="duration")],
        [refused(0, code="one"), refused(1, code="another")],
        [refused(0, status=400), refused(1, status=422)],
        [refused(0, "no model kling-v1-6"), refused(1, "no model kling-v2-master")],
        [failed(0, code="task_failed"), failed(1, code="upstream_unavailable")],
        [failed(0, "no GPU"), failed(1, "the prompt was moderated")],
    ],
)
def test_different_causes_stop_nothing(others: list[Any]) -> None:
    """Refusals and failures with different codes, fields or messages are each about their own request."""
    brake = Brake()
    number = itertools.count(10)
    for _ in range(4):
        for other in others:
            other.key = str(next(number))
            assert ends(brake, other) == [None]


@pytest.mark.parametrize(
    "message",
    [
        "slow (request id: {0:08x}-1c2d-4a5b-9c8d-0123456789ab)",
        "slow [Request-ID: req_01ABCxyz{0}]",
        "slow at 2026-11-29T21:57:{0:02}.123Z",
        "slow, trace 4bf92f3577b34da6a3ce929d0e0e47{0:02x}",
        "slow, job 17752851600{0:02}",
        "slow (2026/11/29 21:57:{0:02}, Ray ID: 8f2{0}ab-FRA)",
        "slow since 21:57:{0:02}",
    ],
)
@pytest.mark.parametrize("make", [refused, failed])
def test_ids_and_times_in_a_message_are_no_difference(make: Any, message: str) -> None:
    """A gateway that writes the id of the request into its message refuses it for the same reason."""
    runs = ends(Brake(), *(make(number, message.format(number + 10)) for number in range(3)))
    assert runs[-1] is not None, "a sweep would go on although every request gets the same answer"


@pytest.mark.parametrize("message", ["timed out after {0}.3s", "node gpu-{0} crashed", "attempt {0} of 99"])
def test_numbers_in_a_failure_are_no_difference(message: str) -> None:
    """Three failed tasks that may have been charged stop the sweep, on whatever machine each ran."""
    runs = ends(Brake(), *(failed(number, message.format(number)) for number in range(3)))
    assert runs[-1] is not None, "a sweep would go on although every task fails in the same way"


@pytest.mark.parametrize("trouble", [lost, refused])
@pytest.mark.parametrize("success", [finished, failed, lambda number: task(number, task_id="task-x")])
def test_an_accepted_submission_resets_the_count(trouble: Any, success: Any) -> None:
    """A task that was made, whatever becomes of it, shows that submissions are accepted."""
    runs = ends(Brake(), trouble(0), trouble(1), success(2), trouble(3), trouble(4))
    assert runs == [None] * 5


def test_only_a_video_resets_failures() -> None:
    """A failure is not contradicted by a task that runs, a refusal, a lost answer or a cancelled task."""
    assert ends(Brake(), failed(0), failed(1), finished(2), failed(3), failed(4)) == [None] * 5
    cancelled = task(4, TaskStatus.cancelled, "task-4", error=TaskCancelled("no"))
    unfollowed = task(5, TaskStatus.processing, "task-5", error=AuthenticationFailed("no", status=401))
    runs = ends(Brake(), failed(0), failed(1), refused(2), lost(3), cancelled, unfollowed, failed(6))
    assert counts(runs)[-1] == (Trouble.failed, 3)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@pytest.mark.parametrize("good", range(4))
@pytest.mark.parametrize(("make", "success"), [(refused, finished), (failed, finished)])
def test_the_order_of_answers_does_not_matter(
    order: tuple[int, ...], good: int, make: Any, success: Any
) -> None:
    """The sweep stops if the last three of four at once are alike, whichever is answered first."""
    brake = Brake()
    ended = [success(number) if number == good else make(number) for number in range(4)]
    for each in ended:
        brake.begin(task(int(each.key)))
    runs = [brake.end(ended[number]) for number in order]
    assert any(runs) is (good == 0), f"answered in the order {order}, {good} succeeded"


def test_nothing_is_sent_while_a_run_is_not_decided() -> None:
    """With three failures and a later task under way, that one decides: a video, and the sweep goes on."""
    brake = Brake()
    for number in range(5):
        brake.begin(task(number))
        brake.confirm(task(number, TaskStatus.queued, f"task-{number}"))
    assert [brake.end(failed(number)) for number in range(3)] == [None] * 3
    assert room(brake, running=2) <= 0, "more tasks were made although three have failed alike"
    assert brake.end(finished(3)) is None
    assert room(brake, running=1) > 0
    assert brake.end(failed(4)) is None


def test_a_failure_is_not_replaced_when_it_is_the_second() -> None:
    """With four at once, five tasks are made before three failures stop the sweep, not six."""
    brake, made, running = Brake(), 0, 0
    queue: list[int] = []
    while made < 20:
        while brake.room(running, 0, 4) > 0:
            brake.begin(task(made, TaskStatus.queued, f"task-{made}"))
            queue.append(made)
            made, running = made + 1, running + 1
        if not queue:
            break
        running -= 1
        brake.end(failed(queue.pop(0)))
        if not queue:
            break
    assert made == 5


def test_after_a_stop_one_is_sent_as_a_test() -> None:
    """One submission at a time until one succeeds; a task that fails must end before the next is sent."""
    brake = Brake()
    ends(brake, failed(0), failed(1), failed(2))
    assert room(brake) == 1
    brake.begin(task(3))
    assert room(brake, running=1, in_flight=1) == 0
    brake.confirm(task(3, TaskStatus.queued, "task-3"))
    assert room(brake, running=1) == 0, "the next task was made before the test had ended"
    assert brake.end(finished(3)) is None
    assert room(brake) == MAX_ALIKE


def test_a_test_that_fails_for_another_reason_lets_the_others_go() -> None:
    """The cause that stopped the sweep is gone."""
    brake = Brake()
    ends(brake, failed(0), failed(1), failed(2))
    assert ends(brake, failed(3, "the prompt was moderated")) == [None]
    assert room(brake) > 1


def test_a_late_end_stops_no_resumed_sweep_whose_test_succeeds() -> None:
    """A task of before the stop that fails during the test neither stops nor frees the sweep."""
    brake = Brake()
    brake.begin(task(0))
    brake.confirm(task(0, TaskStatus.queued, "task-0"))
    assert ends(brake, failed(1), failed(2), failed(3))[-1] is not None
    brake.begin(task(4, TaskStatus.queued, "task-4"))
    assert brake.end(failed(0)) is None
    assert room(brake, running=1) == 0
    assert brake.end(finished(4)) is None
    assert room(brake) > 1


def test_lost_submissions_of_an_earlier_kernel_count_once() -> None:
    """The latest submissions count back to the last confirmed one; a refusal between them proves nothing."""
    interrupted = task(5, TaskStatus.submitting, is_done=False)
    brake = Brake()
    brake.recall([interrupted, lost(1), finished(2), lost(3), refused(4)])
    assert room(brake) == 1
    assert brake.end(lost(5)) is None
    assert room(brake) == 1
    assert counts(ends(brake, lost(6))) == [(Trouble.lost, 3)]


def test_the_end_of_a_submission_of_an_earlier_kernel_stops_nothing() -> None:
    """Three that another kernel has lost are known; they are no news when this kernel finds them."""
    brake = Brake()
    brake.recall([task(number, TaskStatus.submitting, is_done=False) for number in range(3)])
    assert [brake.end(lost(number)) for number in range(3)] == [None] * 3
    assert room(brake) == 1


@pytest.mark.parametrize("make", [refused, failed])
def test_trouble_of_another_day_stops_nothing_today(make: Any) -> None:
    """Two failures of yesterday and one of today are not three in a row; three of yesterday need a test."""
    brake = Brake()
    brake.recall([make(0), make(1)])
    assert ends(brake, make(2)) == [None]
    brake = Brake()
    brake.recall([make(0), make(1), make(2)])
    assert room(brake) == 1
    assert counts(ends(brake, make(3))) == [(Trouble[make.__name__], 4)]


def test_an_earlier_success_hides_no_trouble() -> None:
    """A task that another kernel has submitted, and this one finishes, proves nothing about later ones."""
    brake = Brake()
    brake.recall([task(0, TaskStatus.processing, "task-0", is_done=False)])
    brake.begin(task(0, TaskStatus.processing, "task-0"))
    runs = ends(brake, failed(1), failed(2))
    assert brake.end(finished(0)) is None
    assert counts([*runs, *ends(brake, failed(3))])[-1] == (Trouble.failed, 3)


def test_an_id_that_the_user_enters_hides_no_outage() -> None:
    """The id is from the dashboard: the submission itself was not confirmed."""
    brake = Brake()
    ends(brake, lost(0), lost(1))
    brake.begin(task(1, TaskStatus.queued, "task-1"))
    assert brake.end(finished(1)) is None
    assert counts(ends(brake, lost(2))) == [(Trouble.lost, 3)]


def test_what_was_not_sent_does_not_count() -> None:
    """A submission that a pause has held back is as if it had never begun."""
    brake = Brake()
    ends(brake, lost(0), lost(1))
    brake.begin(task(2))
    brake.withdraw(task(2))
    assert room(brake) == 1
    assert counts(ends(brake, lost(3))) == [(Trouble.lost, 3)]


def test_retrying_them_all_starts_anew() -> None:
    """The user has asked for all failed cells again: they are sent together, and three more may fail."""
    brake = Brake()
    ends(brake, failed(0), failed(1), failed(2), failed(3))
    brake.restart()
    assert room(brake) > 1
    assert counts(ends(brake, failed(4), failed(5), failed(6))) == [None, None, (Trouble.failed, 3)]


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
