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

__all__ = [
    "Echo",
    "Refreshed",
    "close_parts",
    "close_whole",
    "lazy",
    "observe",
    "refresher",
    "safely",
    "share",
    "update",
    "weakly",
]

logger = logging.getLogger("qingbo_widgets")

_lock = threading.RLock()


@contextmanager
def update(*widgets: ipywidgets.Widget) -> Iterator[None]:
    """Hold the lock, and send what changes in each of the widgets as one message at the end."""
    with _lock, ExitStack() as stack:
        for widget in widgets:
            stack.enter_context(widget.hold_sync())
        yield


class lazy:  # noqa: N801  # read where it is used, as ``property`` is
    """A part of a widget that is made when it is first asked for: each is several messages to the page."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, widget: Any, owner: type | None = None) -> Any:
        if widget is None:
            return self
        with _lock:
            made = _made_by(widget)
            if self._name not in made:
                made[self._name] = self._make(widget)
            return made[self._name]


def _made_by(widget: object) -> dict[str, Any]:
    made: dict[str, Any] = vars(widget).setdefault("_made_lazily", {})
    return made


class Echo:
    """Keeps a widget from taking its own changes of a control for the user's.

    ``with echo:`` around what it writes, and ``if echo: return`` where it hears of a change.
    """

    def __init__(self) -> None:
        self._writers: list[int] = []  # threads, each once for every time it is in here

    def __enter__(self) -> None:
        self._writers.append(threading.get_ident())

    def __exit__(self, *_: object) -> None:
        self._writers.remove(threading.get_ident())

    def __bool__(self) -> bool:
        """Whether the widget is writing just now, on this very thread."""
        return threading.get_ident() in self._writers


#: Who uses what several widgets share: layouts, styles, a style sheet.
_users: weakref.WeakKeyDictionary[Any, weakref.WeakSet[Any]] = weakref.WeakKeyDictionary()


def share(part: ipywidgets.Widget, user: ipywidgets.Widget) -> None:
    """This part of ``user`` is one of other widgets too: ``close_parts`` closes it with the last of them."""
    with _lock:
        _users.setdefault(part, weakref.WeakSet()).add(user)


def close_parts(widget: ipywidgets.Widget) -> None:
    """Close everything inside a widget: children, layouts and styles, all of which ``close()`` leaves.

    What it made lazily is closed too, on the page or not; what it shares, when nobody else uses it.
    """
    with _lock:
        for child in (*getattr(widget, "children", ()), *_made_by(widget).values()):
            if not _is_shared(child, widget):
                close_whole(child)
        for name in ("layout", "style"):
            part = getattr(widget, name, None)
            if isinstance(part, ipywidgets.Widget) and not _is_shared(part, widget):
                part.close()


def close_whole(widget: ipywidgets.Widget) -> None:
    """Close a widget with everything inside it."""
    with _lock:
        close_parts(widget)
        widget.close()


def _is_shared(part: ipywidgets.Widget, user: ipywidgets.Widget) -> bool:
    """Whether others go on using it when ``user`` does no more."""
    users = _users.get(part)
    if users is None:
        return False
    users.discard(user)
    return len(users) > 0


def observe(source: HasTraits, view: object, method: str, names: Iterable[str]) -> Callable[[], None]:
    """Call ``view.method()`` when a trait of ``source`` changes, for as long as somebody else holds ``view``.

    Traits that change together, in one ``hold_trait_notifications``, are one call.

    Args:
        source: the task or widget that is observed.
        view: held by a weak reference only.
        method: the name of a method without arguments; what it raises is logged, never passed on.
        names: the traits.

    Returns:
        A function that ends it.
    """
    reference, names = weakref.ref(view), list(names)
    seen: list[Any] = []

    def handler(_: Any) -> None:
        alive = reference()
        if alive is None:
            stop()
            return
        # Each of them is told of by itself, when all are changed already.
        now = [getattr(source, name) for name in names]
        if len(seen) != len(now) or any(one is not other for one, other in zip(seen, now, strict=True)):
            seen[:] = now
            safely(getattr(alive, method))

    def stop() -> None:
        with suppress(ValueError):  # it has been ended before
            source.unobserve(handler, names)

    source.observe(handler, names)
    return stop


def weakly(view: object, method: str) -> Callable[..., None]:
    """What calls ``view.method()``, whatever it is called with, for as long as somebody else holds ``view``.

    What the method raises is logged.
    """
    reference = weakref.ref(view)

    def call(*_: object) -> None:
        alive = reference()
        if alive is not None:
            safely(getattr(alive, method))

    return call


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
        interval: seconds between two drawings of a view. A card is two messages each time.
    """

    def __init__(self, interval: float = 1.0) -> None:
        self.interval = interval
        self._views: weakref.WeakSet[Refreshed] = weakref.WeakSet()
        self._alarms: list[tuple[float, Callable[[], object]]] = []
        self._guard = threading.Condition(_lock)  # not one of its own: two could wait for each other
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether there is anything to draw or to call."""
        return self._thread is not None

    def add(self, view: Refreshed) -> None:
        """Call ``view.refresh()`` at every interval until it returns False."""
        with _lock:
            self._views.add(view)
            self._start()

    def discard(self, view: object) -> None:
        """Draw this view no more."""
        with _lock:
            self._views.discard(view)  # type: ignore[arg-type]  # of any other there is nothing to discard

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Call once, when so many seconds are over."""
        with _lock:
            self._alarms.append((time.monotonic() + seconds, call))
            self._start()
            self._guard.notify()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="qingbo-views", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        drawn = time.monotonic()
        while True:
            with self._guard:
                beat = drawn + self.interval
                nearest = min([beat, *(when for when, _ in self._alarms)])
                self._guard.wait(max(nearest - time.monotonic(), 0.0))
                now = time.monotonic()
                due = [call for when, call in self._alarms if when <= now]
                self._alarms = [(when, call) for when, call in self._alarms if when > now]
                views: list[Refreshed] = []
                if now >= drawn + self.interval:
                    drawn, views = now, list(self._views)
                    if not views and not due and not self._alarms:
                        self._thread = None
                        return
            # Both are emptied, so that nothing of this round keeps a view alive until the next.
            while due:
                safely(due.pop(0))
            while views:
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
