"""The lock, the refresher and weak observers."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Callable

import ipywidgets
import pytest
from traitlets import HasTraits, Int

from qingbo_widgets.widgets.base import ipw
from qingbo_widgets.widgets.base.sync import Refresher, close_parts, lazy, observe, update, weakly

Until = Callable[[Callable[[], object]], None]


class Source(HasTraits):
    """An object to observe."""

    number = Int()
    other = Int()


class View:
    """A view that counts its calls."""

    def __init__(self, rounds: int = 3) -> None:
        self.calls = 0
        self.rounds = rounds

    def on_change(self) -> None:
        self.calls += 1

    def refresh(self) -> bool:
        self.calls += 1
        return self.calls < self.rounds


def test_threads_writing_one_widget_lose_nothing() -> None:
    """Six threads write one widget without errors or lost values, which needs the lock around hold_sync."""
    bar = ipywidgets.IntProgress(max=10_000)
    errors: list[Exception] = []

    def write() -> None:
        try:
            for _ in range(300):
                with update(bar):
                    bar.value += 1
                    bar.description = str(bar.value)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert (bar.value, bar.description) == (1800, "1800")
    close_parts(bar)
    bar.close()


def test_close_parts_closes_everything_inside(live_widgets: Callable[[], int]) -> None:
    """Children of children, layouts and styles are closed, even after a hundred runs of a cell."""
    before = live_widgets()
    for _ in range(100):
        box = ipywidgets.VBox([ipywidgets.HBox([ipywidgets.Text(), ipywidgets.Button()])])
        close_parts(box)
        box.close()
    assert live_widgets() == before


def test_an_observed_source_keeps_no_view_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """An observed view can be garbage-collected, and the source drops it at the next change."""
    source, view = Source(), View()
    forgotten: list[list[str]] = []
    unobserve = source.unobserve
    monkeypatch.setattr(source, "unobserve", lambda *args: forgotten.append(args[1]) or unobserve(*args))
    observe(source, view, "on_change", ["number"])
    source.number = 1
    assert view.calls == 1
    gone = weakref.ref(view)
    del view
    gc.collect()
    assert gone() is None
    assert forgotten == []
    source.number = 2
    assert forgotten == [["number"]]
    source.number = 3
    assert forgotten == [["number"]], "it receives no further change"


def test_traits_that_change_together_are_one_call() -> None:
    """Traits changed in one ``hold_trait_notifications`` cause a single call."""
    source, view = Source(), View()
    observe(source, view, "on_change", ["number", "other"])
    with source.hold_trait_notifications():
        source.number, source.other = 1, 1
    assert view.calls == 1
    source.number = 2
    source.other = 2
    assert view.calls == 3


def test_a_weak_call_keeps_no_view_alive(caplog: pytest.LogCaptureFixture) -> None:
    """A weak call ignores its arguments, and does nothing once the view is gone."""
    view = View()
    call = weakly(view, "on_change")
    call()
    call("something", 2)
    assert view.calls == 2
    gone = weakref.ref(view)
    del view
    gc.collect()
    assert gone() is None
    call()
    assert caplog.text == ""


def test_a_lazy_part_is_made_once_and_closed_with_the_rest(live_widgets: Callable[[], int]) -> None:
    """A lazy part is created on first access, and closed whether it is on the page or not."""

    class Box(ipw.VBox):
        made = 0

        @lazy
        def button(self) -> ipywidgets.Button:
            """Presses."""
            Box.made += 1
            return ipywidgets.Button()

    before = live_widgets()
    box, other = Box(), Box()
    assert Box.made == 0
    assert box.button is box.button
    assert other.button is not box.button
    assert Box.made == 2
    assert Box.button.__doc__ == "Presses."
    for each in (box, other):
        close_parts(each)
        each.close()
    assert live_widgets() == before


def test_stop_ends_observing_and_may_be_called_twice() -> None:
    """A stopped view receives no further calls."""
    source, view = Source(), View()
    stop = observe(source, view, "on_change", ["number"])
    stop()
    stop()
    source.number = 1
    assert view.calls == 0


def test_a_view_that_raises_does_not_reach_the_source(caplog: pytest.LogCaptureFixture) -> None:
    """An exception in a view is logged and does not reach the source."""

    class Broken(View):
        def on_change(self) -> None:
            raise ValueError("broken view")

    source, view = Source(), Broken()
    observe(source, view, "on_change", ["number"])
    with caplog.at_level(logging.ERROR):
        source.number = 1
    assert "broken view" in caplog.text


def test_the_refresher_ends_with_its_last_view(until: Until) -> None:
    """All views share one thread, which ends when there is nothing to draw."""
    refresher, views = Refresher(interval=0.005), [View(), View()]
    for view in views:
        refresher.add(view)
    assert refresher.is_running
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "qingbo-views")
    until(lambda: not refresher.is_running)
    assert [view.calls for view in views] == [3, 3]


def test_the_refresher_keeps_no_view_alive(until: Until) -> None:
    """A view without other references is no longer refreshed."""
    refresher, view = Refresher(interval=0.005), View(rounds=10**9)
    refresher.add(view)
    until(lambda: view.calls > 2)  # noqa: F821 - deleted only on the next line
    del view
    until(lambda: gc.collect() is not None and not refresher.is_running)


def test_the_refresher_survives_a_view_that_raises(until: Until, caplog: pytest.LogCaptureFixture) -> None:
    """A view that raises stops neither the thread nor the other views."""

    class Broken(View):
        def refresh(self) -> bool:
            raise ValueError("broken view")

    refresher, broken, view = Refresher(interval=0.005), Broken(), View()
    refresher.add(broken)
    refresher.add(view)
    until(lambda: view.calls == 3 and not refresher.is_running)
    assert caplog.text.count("could not be drawn") == 1


def test_a_change_while_a_view_is_drawn_draws_it_again(until: Until) -> None:
    """A view that changes after its last state was read, and before it is dropped, is drawn once more."""

    class Changing(View):
        def refresh(self) -> bool:
            self.calls += 1
            if self.calls == 1:
                refresher.add(self)  # as another thread would, for a message that arrives now
            return False

    refresher, view = Refresher(interval=0.005), Changing()
    refresher.add(view)
    until(lambda: not refresher.is_running)
    assert view.calls == 2


def test_an_alarm_does_not_wait_for_the_interval(until: Until) -> None:
    """An alarm fires before the next refresh of the views is due."""
    refresher, view, called = Refresher(interval=1000), View(), []
    refresher.add(view)
    refresher.later(0.01, lambda: called.append(1))
    until(lambda: called)
    refresher.later(0.0, lambda: called.append(2))
    until(lambda: called == [1, 2])
    assert view.calls == 0


def test_an_alarm_keeps_nothing_alive_afterwards(until: Until) -> None:
    """The thread holds no reference to a function it has called, even while it waits for other views."""
    refresher, view, waiting = Refresher(interval=1000), View(), View()
    refresher.add(waiting)
    refresher.later(0.0, view.on_change)
    until(lambda: view.calls)  # noqa: F821 - deleted only on the next line
    gone = weakref.ref(view)
    del view
    until(lambda: gc.collect() is not None and gone() is None)


def test_later_calls_once(until: Until) -> None:
    """An alarm runs once, and needs no view."""
    refresher, called = Refresher(interval=0.005), []
    refresher.later(0.01, lambda: called.append(1))
    until(lambda: called and not refresher.is_running)
    assert called == [1]
