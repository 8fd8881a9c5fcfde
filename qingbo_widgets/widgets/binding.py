"""The one lock, the one way to write widgets, and what ties a view to a task without keeping either alive.

ipywidgets is not thread-safe: two threads in ``hold_sync`` lose values or raise. Every write of this
package to a widget therefore stands in ``with update(widget): …``, and this is the only module of the room
that imports ``threading``.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Protocol

import ipywidgets
from traitlets import HasTraits

__all__ = ["Refreshed", "close_parts", "observe", "refresher", "safely", "update"]

logger = logging.getLogger("qingbo_widgets")

_lock = threading.RLock()


@contextmanager
def update(*widgets: ipywidgets.Widget) -> Iterator[None]:
    """Hold the lock, and send what changes in each of the widgets as one message at the end."""
    with _lock, ExitStack() as stack:
        for widget in widgets:
            stack.enter_context(widget.hold_sync())
        yield


def close_parts(widget: ipywidgets.Widget) -> None:
    """Close everything inside a widget: children, layouts and styles, all of which ``close()`` leaves."""
    with _lock:
        for child in getattr(widget, "children", ()):
            close_parts(child)
            child.close()
        for name in ("layout", "style"):
            part = getattr(widget, name, None)
            if isinstance(part, ipywidgets.Widget):
                part.close()


def observe(source: HasTraits, view: object, method: str, names: Iterable[str]) -> Callable[[], None]:
    """Call ``view.method()`` when a trait of ``source`` changes, for as long as somebody else holds ``view``.

    Args:
        source: the task or widget that is observed.
        view: held by a weak reference only.
        method: the name of a method without arguments; what it raises is logged, never passed on.
        names: the traits.

    Returns:
        A function that ends it.
    """
    reference = weakref.ref(view)

    def handler(_: Any) -> None:
        alive = reference()
        if alive is None:
            stop()
        else:
            safely(getattr(alive, method))

    def stop() -> None:
        with suppress(ValueError):  # it has been ended before
            source.unobserve(handler, list(names))

    source.observe(handler, list(names))
    return stop


def safely(call: Callable[[], object]) -> None:
    """Call it; an exception is logged, for there is nobody above who could do better."""
    try:
        call()
    except Exception:
        logger.exception("A view could not be brought up to date")


class Refreshed(Protocol):
    """What the refresher keeps up to date."""

    def refresh(self) -> bool:
        """Draw what has changed; returns whether to come again."""
        ...


class Refresher:
    """One daemon thread for the clocks of all views. It starts with the first view and ends with the last.

    Views are held by weak references, so that one nobody needs any more is simply no longer drawn.

    Args:
        interval: seconds between two drawings of a view.
    """

    def __init__(self, interval: float = 0.5) -> None:
        self.interval = interval
        self._views: weakref.WeakSet[Refreshed] = weakref.WeakSet()
        self._alarms: list[tuple[float, Callable[[], object]]] = []
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, view: Refreshed) -> None:
        """Call ``view.refresh()`` at every interval until it returns False."""
        with self._guard:
            self._views.add(view)
            self._start()

    def discard(self, view: Refreshed) -> None:
        """Draw this view no more."""
        with self._guard:
            self._views.discard(view)

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Call once, when so many seconds are over."""
        with self._guard:
            self._alarms.append((time.monotonic() + seconds, call))
            self._start()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="qingbo-views", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            self._ended.wait(self.interval)
            with self._guard:
                now = time.monotonic()
                due = [call for when, call in self._alarms if when <= now]
                self._alarms = [(when, call) for when, call in self._alarms if when > now]
                views = list(self._views)
                if not views and not due and not self._alarms:
                    self._thread = None
                    return
            for call in due:
                safely(call)
            while views:  # emptied, so that nothing of this round keeps a view alive until the next
                self._draw(views.pop())

    def _draw(self, view: Refreshed) -> None:
        try:
            again = view.refresh()
        except Exception:
            logger.exception("A view could not be drawn")
            again = False
        if not again:
            self.discard(view)


#: The one for all views of this process.
refresher = Refresher()
