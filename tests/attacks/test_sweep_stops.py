"""Attacks on the money of a sweep: the same trouble again and again, and an account with fewer places."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from qingbo_widgets import QingboError, Sweep, TaskManager, sweep
from qingbo_widgets.tasks.sweep import places as places_module
from qingbo_widgets.tasks.sweep.cell import CellState
from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid
from tests.faults.server import Exchange, Step, answer, close, html, partial, reset, silence
from tests.faults.service import Service
from tests.waiting import until
from tests.widgets.page import text_of

MakeManager = Callable[..., TaskManager]

RENDERING = (("processing", 40),)
LOST: dict[str, Step] = {
    "502 page": html("<h1>Bad Gateway</h1>"),
    "504 page": html("<h1>Gateway Time-out</h1>", 504),
    "503 JSON": answer({"error": {"message": "no healthy upstream"}}, 503),
    "web page with 200": html("<!doctype html><title>Console</title>", 200),
    "empty 200": answer(b""),
    "200 without task_id": answer({"model": "kling-v3", "status": "queued"}),
    "hangs up": close,
    "resets": reset,
    "hangs up in the answer": partial(b'{"task_id": "task-1", "status": "queued"}', 12),
    "no answer": silence,
}


def refusal(status: int, code: str = "bad", message: str = "not now") -> Step:
    """Return a step that refuses a submission."""
    return answer({"error": {"message": message, "code": code}}, status)


def prompts(count: int) -> list[str]:
    """Return this number of different prompts."""
    return [f"koi {number}" for number in range(count)]


def check_texts(stopped: Sweep, *parts: str) -> None:
    """Check that every place in which a user may look shows these texts, and the cells that were not sent."""
    waiting = stopped.counts[CellState.waiting]

    async def waits() -> None:
        await stopped

    with pytest.raises(QingboError) as caught:
        asyncio.run(waits())
    grid = SweepGrid(stopped)
    shown = {"exception": str(caught.value), "repr": repr(stopped), "grid": text_of(grid)}
    grid.close()
    for place, text in shown.items():
        for part in (*parts, f"not sent: {waiting}", f"{waiting} waiting" if place != "exception" else ""):
            assert part in text, f"the {place} of the sweep does not say {part!r}: {text}"


@pytest.mark.slow
@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_lost_answers_stop_a_sweep(service: Service, make_manager: MakeManager, fault: Step) -> None:
    """However the answer is lost, at most three tasks are made, and the sweep says what that may cost."""
    service.faults["submit"] = [service.create_then(fault)] * 50
    made = sweep(prompt=prompts(20), ask_above=99, manager=make_manager())
    until(lambda: made.is_done)
    assert len(service.tasks) == 3
    assert made.counts == Counter({CellState.waiting: 17, CellState.unconfirmed: 3})
    check_texts(made, "3 submissions in a row were not confirmed", "may charge", "resume()")


@pytest.mark.slow
@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("max_running", [1, 4, 16])
def test_identical_refusals_stop_a_sweep(
    service: Service, make_manager: MakeManager, status: int, max_running: int
) -> None:
    """After three refusals the others wait; resume() sends one first, and all once that is accepted."""
    service.story = RENDERING
    service.faults["submit"] = [refusal(status)] * 500
    made = sweep(prompt=prompts(20), ask_above=99, max_running=max_running, manager=make_manager())
    until(lambda: made.is_done)
    assert len(service.faults["submit"]) == 497, "more were refused than it takes to know"
    assert made.counts == Counter({CellState.waiting: 17, CellState.failed: 3})
    check_texts(made, "3 submissions in a row were refused", "nothing was charged", "not now", "resume()")

    made.resume()
    until(lambda: made.is_done)
    assert len(service.faults["submit"]) == 496, "one is enough to know that it goes on"
    assert "4 submissions in a row" in made.reason

    service.faults.clear()
    made.resume()
    until(lambda: made.counts[CellState.running] == min(max_running, 16))
    assert made.reason == ""


@pytest.mark.slow
def test_a_403_stops_a_sweep_at_once(service: Service, make_manager: MakeManager) -> None:
    """A request that is forbidden to the key is forbidden for every cell."""
    service.faults["submit"] = [refusal(403)] * 500
    made = sweep(prompt=prompts(20), ask_above=99, manager=make_manager())
    until(lambda: made.is_done)
    assert len(service.faults["submit"]) >= 497
    assert (made.state, made.counts[CellState.waiting]) == ("paused", 20)


@pytest.mark.slow
def test_different_refusals_stop_no_sweep(service: Service, make_manager: MakeManager) -> None:
    """Each cell has its own fault: all are sent, and the sweep ends."""
    service.faults["submit"] = [refusal(400, message=f"prompt: {n} characters") for n in range(2501, 2513)]
    made = sweep(prompt=prompts(12), manager=make_manager())
    until(lambda: made.is_done)
    assert (made.state, made.counts[CellState.failed]) == ("ended", 12)


@pytest.mark.slow
@pytest.mark.parametrize("max_running", [1, 4, 16])
def test_tasks_that_fail_alike_stop_a_sweep(
    service: Service, make_manager: MakeManager, max_running: int
) -> None:
    """Each task that is made may be charged: few are made, and resume() makes one as a test."""
    service.story = (("failed", 100),)
    made = sweep(prompt=prompts(30), ask_above=99, max_running=max_running, manager=make_manager())
    until(lambda: made.is_done)
    tasks = len(service.tasks)
    assert tasks <= max(max_running, 3) + 1, "more tasks were made than it takes to know"
    assert made.counts == Counter({CellState.waiting: 30 - tasks, CellState.failed: tasks})
    check_texts(made, "tasks in a row failed", "may have been charged", "resume()")

    made.resume()
    until(lambda: made.is_done)
    assert len(service.tasks) == tasks + 1, "one is enough to know that it goes on"

    service.story = (("completed", 100),)
    made.resume()
    until(lambda: made.state == "ended")
    assert made.counts[CellState.finished] == 30 - tasks - 1


@pytest.mark.slow
def test_failures_of_an_earlier_kernel(service: Service, make_manager: MakeManager) -> None:
    """A sweep that has stopped sends one first in the next kernel too, and then all the others."""
    service.story = (("failed", 100),)
    first = make_manager()
    made = sweep(prompt=prompts(12), name="koi", manager=first)
    until(lambda: made.is_done)
    tasks = len(service.tasks)
    first.close()
    service.story = RENDERING
    again = Sweep.load("koi", manager=make_manager())
    again.resume()
    until(lambda: again.counts[CellState.running] == 1)
    service.story = (("completed", 100),)
    until(lambda: again.state == "ended")
    assert again.counts == Counter({CellState.failed: tasks, CellState.finished: 12 - tasks})


# ---------------------------------------------------------------------- fewer places than the sweep is wide


class Account:
    """The step of an account with a number of places, for submissions."""

    def __init__(self, service: Service, places: int, **refusal: Any) -> None:
        self.service, self.places = service, places
        self.refusal = {"code": "1303", **refusal}
        self.running: set[str] = set()
        self.refused = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, exchange: Exchange) -> bool:
        """Accept the task if there is a place."""
        with self._lock:
            if len(self.running) >= self.places:
                self.refused += 1
                headers = {"Retry_After": str(after)} if (after := self.refusal.get("after")) else {}
                code = {"code": self.refusal["code"]} if self.refusal["code"] else {}
                return answer({"error": {"message": "too many", **code}}, 429, **headers)(exchange)
            task_id = self.service.create_task(exchange.request)
            self.running.add(task_id)
            self.most = max(self.most, len(self.running))
        return answer({"task_id": task_id, "model": "kling-v3", "status": "queued"})(exchange)

    def free(self) -> None:
        """End one task, so that its place is free."""
        with self._lock:
            if self.running:
                self.running.pop()


@pytest.fixture
def account(service: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Account]:
    """Return a function that gives the service an account whose tasks take a few status requests."""
    monkeypatch.setattr(places_module, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(places_module, "LONGEST_PAUSE", 0.8)
    service.story = (*[("processing", 40)] * 3, ("completed", 100))

    def open_account(places: int, **refusal: Any) -> Account:
        account = Account(service, places, **refusal)
        service.faults["submit"] = [account] * 5000
        serve = service.serve

        def served(exchange: Exchange) -> bool:
            task_id = exchange.request.path.rpartition("/")[2]
            if service.tasks.get(task_id) == 3:
                account.running.discard(task_id)
            return serve(exchange)

        monkeypatch.setattr(service, "serve", served)
        return account

    return open_account


@pytest.mark.slow
@pytest.mark.parametrize("refused", [{}, {"code": ""}, {"after": 1}, {"code": "concurrency_limit"}], ids=str)
@pytest.mark.parametrize("places", [1, 2])
def test_a_sweep_wider_than_the_account(
    service: Service, make_manager: MakeManager, account: Callable[..., Account], places: int, refused: Any
) -> None:
    """All cells are made one after the other, without a pause that waits for the user."""
    limited = account(places, **refused)
    made = sweep(prompt=prompts(6), manager=make_manager(), ask_above=0)
    states, messages = [], set()
    made.observe(lambda change: states.append(change["new"]), "state")
    made.observe(lambda change: messages.add(change["new"]), "message")
    made.start()
    until(lambda: made.state in ("ended", "paused"))
    assert states == ["running", "ended"], made.reason
    assert made.counts[CellState.finished] == 6
    assert limited.most == places
    assert limited.refused <= 60, "the service was hammered"
    assert sorted(service.prompts) == prompts(6)
    said = f"at most {places} of these tasks at once" if "after" not in refused else "takes no more tasks now"
    assert any(said in message for message in messages), messages
    assert made.message == ""


@pytest.mark.slow
def test_an_account_without_any_place(
    service: Service, make_manager: MakeManager, account: Callable[..., Account]
) -> None:
    """While others have all places the sweep waits, says so in repr and grid, and goes on by itself."""
    limited = account(0)
    made = sweep(prompt=prompts(3), manager=make_manager())
    until(lambda: limited.refused >= 5)
    assert made.state == "running"
    until(lambda: "takes no more tasks now" in repr(made))
    grid = SweepGrid(made)
    until(lambda: "takes no more tasks now" in text_of(grid))
    grid.close()
    limited.places = 4
    until(lambda: made.state == "ended")
    assert made.counts[CellState.finished] == 3


@pytest.mark.slow
def test_a_spending_limit_still_pauses(service: Service, make_manager: MakeManager) -> None:
    """A window that may last for days is not waited out in silence: the sweep pauses with the reason."""
    service.faults["submit"] = [refusal(429, "quota_window_exceeded")] * 50
    made = sweep(prompt=prompts(6), manager=make_manager())
    until(lambda: made.is_done)
    assert made.state == "paused"
    assert "spending limit" in made.reason
    assert made.counts[CellState.waiting] == 6
