"""A click whose action takes a while: the button says so at once, and the kernel stays free."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from qingbo_widgets.widgets.base.build import button
from qingbo_widgets.widgets.base.clicks import Clicks
from qingbo_widgets.widgets.base.slow import Slow, start
from tests.widgets.page import send_click


class Work:
    """The work for a click, which ends when the test lets it.

    Attributes:
        error: what it raises.
        done: the results that were handed over, each with its thread.
        ends: the messages at the ends.
    """

    def __init__(self) -> None:
        self.clicks, self.gate = Clicks(), threading.Event()
        self.error: BaseException | None = None
        self.done: list[tuple[str, threading.Thread]] = []
        self.ends: list[str] = []
        self.starts = 0
        self.button = button("Continue", "", lambda: self._click())

    def _click(self) -> None:
        with self.clicks.once(self) as is_new:
            if is_new:
                start(self.clicks, self.button, self._act, self.ends.append)

    def _act(self) -> Slow[str]:
        self.starts += 1
        return Slow("Taking the last frame…", self._work, self._show)

    def _work(self) -> str:
        assert self.gate.wait(30), "the test never let the work end"
        if self.error is not None:
            raise self.error
        return "frame"

    def _show(self, made: str) -> None:
        self.done.append((made, threading.current_thread()))


@pytest.fixture
def work() -> Iterator[Work]:
    """Yield the work, which does not outlive the test."""
    work = Work()
    yield work
    work.gate.set()


def in_kernel(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test inside an event loop, as a kernel handles its messages."""

    async def run() -> None:
        await asyncio.wait_for(test(), 60)

    asyncio.run(run())


async def until(condition: Callable[[], Any]) -> None:
    """Wait for a condition while the loop runs."""
    while not condition():
        await asyncio.sleep(0.01)


def test_the_button_says_at_once_what_is_done(work: Work) -> None:
    """A click returns before the work; the button is busy until the end, and other clicks do nothing."""

    async def test() -> None:
        send_click(work.button)
        assert work.button.description == "Taking the last frame…", "nothing shows that the click has arrived"
        assert "qingbo-busy" in work.button._dom_classes
        assert not work.button.disabled, "a disabled button loses the focus"
        work.clicks.forget()  # as if more than a second had passed
        send_click(work.button)
        work.gate.set()
        await until(lambda: work.ends)
        assert work.starts == 1, "an impatient click did the work again"
        assert work.done == [("frame", threading.main_thread())], "the form is filled in on another thread"
        assert work.button.description == "Continue"
        assert "qingbo-busy" not in work.button._dom_classes

    in_kernel(test)


@pytest.mark.parametrize(
    "error", [kind("no such frame") for kind in (ValueError, SystemExit, asyncio.CancelledError)], ids=repr
)
def test_an_error_is_shown_and_the_click_can_be_repeated(work: Work, error: BaseException) -> None:
    """The error of the other thread reaches the user; the button works again at once."""

    async def test() -> None:
        work.error = error
        work.gate.set()
        send_click(work.button)
        await until(lambda: work.ends)
        assert work.ends == ["no such frame"]
        work.error = None
        send_click(work.button)
        await until(lambda: work.done)
        assert work.starts == 2, "the click after an error was dropped as a repetition"

    in_kernel(test)


def test_a_view_that_was_closed_meanwhile(work: Work) -> None:
    """The end of the work writes to no closed button."""

    async def test() -> None:
        send_click(work.button)
        work.button.close()
        work.gate.set()
        await until(lambda: work.done)
        await asyncio.sleep(0)
        assert work.ends == []

    in_kernel(test)


def test_without_a_loop_all_is_done_at_once(work: Work) -> None:
    """In a program without an event loop, the result is there after the click."""
    work.gate.set()
    send_click(work.button)
    assert [made for made, _ in work.done] == ["frame"]
