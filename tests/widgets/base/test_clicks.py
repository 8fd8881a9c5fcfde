"""Repeated clicks are detected by the page's clock, or else by the kernel's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import clicks
from qingbo_widgets.widgets.base.clicks import Clicks, TimestampedButton
from qingbo_widgets.widgets.card.task_card import TaskCard
from qingbo_widgets.widgets.studio.follow_up import FollowUp
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.widgets.page import send_click

#: The page's clock, far from the kernel's.
EPOCH = datetime(2031, 5, 5, tzinfo=UTC)


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: Callable[[], float]) -> None:
    """Replace the kernel's clock for clicks only: a thread that reads it would wait for the wrong moment."""
    monkeypatch.setattr(clicks, "time", SimpleNamespace(monotonic=seconds))


class Bench:
    """A guarded button, with a page and a kernel whose clocks the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kernel = 1000.0
        self.done: list[str] = []
        self.takes = 0.0
        self.action = "make it"
        self.clicks = Clicks()
        self.button = TimestampedButton(description="Make it")
        self.button.on_click(lambda _: self._act())
        set_clock(monkeypatch, lambda: self.kernel)
        monkeypatch.setattr(clicks, "_offsets", {})

    def click(self, made: float | None, handled: float, *, session: str = "page", text: bool = False) -> int:
        """Handle a click and return the number of actions run so far."""
        self.kernel = 1000.0 + handled
        header: dict[str, Any] = {"session": session}
        if made is not None:
            date = EPOCH + timedelta(seconds=made)
            header["date"] = date.isoformat().replace("+00:00", "Z") if text else date
        send_click(self.button, header)
        return len(self.done)

    def _act(self) -> None:
        with self.clicks.once(self.action) as is_new:
            if is_new:
                self.kernel += self.takes
                self.done.append(self.action)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Yield a bench with one button."""
    bench = Bench(monkeypatch)
    yield bench
    bench.button.close()


@pytest.mark.parametrize("text", [False, True])
def test_a_double_click_is_one_however_long_the_first_takes(bench: Bench, text: bool) -> None:
    """A click 250 ms after the first is a repetition, even if handling the first takes three seconds."""
    bench.takes = 3.0
    assert bench.click(0.0, 0.1, text=text) == 1
    assert bench.click(0.25, 3.2, text=text) == 1
    assert bench.click(9.0, 9.1, text=text) == 2


def test_clicks_that_waited_for_the_kernel_are_one(bench: Bench) -> None:
    """Clicks queued while a cell runs for 20 s count as one."""
    for made in (0.0, 5.0, 11.0, 19.0):
        assert bench.click(made, 20.0 + made / 1000) == 1
    assert bench.click(22.0, 22.1) == 2


def test_a_click_made_before_the_answer_is_one_even_if_another_cell_came_between(bench: Bench) -> None:
    """A click made before the first was handled is a repetition, even if a cell of a minute delays it."""
    bench.click(-50.0, -49.9)
    assert bench.click(0.0, 10.0) == 2
    assert bench.click(8.0, 70.0) == 2
    assert bench.click(72.0, 72.1) == 3


def test_two_actions_are_two(bench: Bench) -> None:
    """A click three seconds later, or immediately for another action, runs a new action."""
    assert bench.click(0.0, 0.1) == 1
    assert bench.click(3.0, 3.1) == 2
    bench.action = "make another"
    assert bench.click(3.2, 3.3) == 3


def test_a_held_key_is_one_click(bench: Bench) -> None:
    """A key held down for ten seconds, at thirty clicks a second, runs one action."""
    for number in range(300):
        assert bench.click(number / 30, number / 30 + 0.05) == 1
    assert bench.click(12.0, 12.1) == 2


@pytest.mark.parametrize("session", ["page", "another page"])
def test_without_a_time_the_kernel_counts_from_the_end_of_the_first(bench: Bench, session: str) -> None:
    """The kernel's clock decides if the host sends no time, or if two pages have different clocks."""
    bench.takes = 5.0
    made = None if session == "page" else 0.0
    assert bench.click(made, 0.0) == 1
    assert bench.click(None if made is None else -900.0, 5.1, session=session) == 1
    assert bench.click(None if made is None else -890.0, 15.0, session=session) == 2


def test_a_clock_set_back_does_not_lock_the_button(bench: Bench) -> None:
    """A second after the page's clock is set back by an hour, clicks run actions again."""
    assert bench.click(0.0, 0.1) == 1
    assert bench.click(10.0 - 3600, 10.1) == 2
    assert bench.click(20.0 - 3600, 20.1) == 3
    assert bench.click(20.2 - 3600, 20.3) == 3
    assert bench.click(7200.0 - 2 * 3600, 7200.1) == 4
    assert bench.click(7210.0 - 2 * 3600, 7210.1) == 5


def test_a_failed_action_can_be_retried_immediately(bench: Bench) -> None:
    """A click after a failed action is not a repetition."""
    with pytest.raises(ValueError, match="no room"), bench.clicks.once("x"):
        raise ValueError("no room")
    with bench.clicks.once("x") as is_new:
        assert is_new


def test_two_threads_are_one_click(bench: Bench) -> None:
    """Clicks that the kernel handles on several threads at once run one action."""
    barrier, new = threading.Barrier(8), []

    def click() -> None:
        barrier.wait()
        with bench.clicks.once("x") as is_new:
            new.append(is_new)
            if is_new:
                entered.wait(5)

    entered = threading.Event()
    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads[1:]:
        thread.join(0.05)
    entered.set()
    for thread in threads:
        thread.join()
    assert sorted(new) == [False] * 7 + [True]


def test_a_studio_in_a_slow_kernel_submits_once(
    manager: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two clicks 250 ms apart submit one task, even if submitting takes two seconds."""
    studio, now = VideoStudio(manager, prompt="A koi"), [5000.0]
    set_clock(monkeypatch, lambda: now[0])

    def click(made: float) -> None:
        send_click(studio.generate_button, {"session": "s", "date": EPOCH + timedelta(seconds=made)})

    submit = manager.submit
    monkeypatch.setattr(manager, "submit", lambda *args: (now.__setitem__(0, now[0] + 2.0), submit(*args))[1])
    click(0.0)
    click(0.25)
    assert len(manager.tasks) == 1
    now[0] += 10.0
    click(12.0)
    assert len(manager.tasks) == 2
    studio.close()


def test_every_button_that_acts_is_guarded(manager: TaskManager, make_task: Any) -> None:
    """A double click acts once on "Submit again" of a card and on the form of a follow-up."""
    acted: list[str] = []
    task = make_task(status=TaskStatus.unconfirmed)
    task.submit_again = lambda: acted.append("again")  # like a task whose submission has failed before
    card = TaskCard(task)
    card.buttons.submit_again_button.click()
    card.buttons.submit_again_button.click()
    assert acted == ["again"]
    card.close()
    follow_up = FollowUp(manager)
    follow_up.offer(task.request)
    follow_up.generate_button.click()
    follow_up.generate_button.click()
    assert len(follow_up.cards) == len(manager.tasks) == 1
    follow_up.close()
