"""The lock for all writes to widgets, weak observers, and the thread that refreshes views.

ipywidgets is not thread-safe: two threads in ``hold_sync`` lose values or raise. Every write of this
package to a widget must therefore be inside ``with update(widget): …``, and this is the only module of
``widgets`` that imports ``threading``. Observers hold neither the view nor the task alive.
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

from ...exceptions import QingboError
from ...system.threads import start_thread

__all__ = [
    "Echo",
    "Refreshable",
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
    """Hold the lock, and send the changes of each widget as one message at the end."""
    with _lock, ExitStack() as stack:
        for widget in widgets:
            stack.enter_context(widget.hold_sync())
        yield


class lazy:  # noqa: N801  # a decorator that reads like ``property``
    """A child widget created on first access, because creating one costs several messages to the page."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, widget: Any, owner: type | None = None) -> Any:
        if widget is None:
            return self
        with _lock:
            parts = _lazy_parts_of(widget)
            if self._name not in parts:
                parts[self._name] = self._make(widget)
            return parts[self._name]


def _lazy_parts_of(widget: object) -> dict[str, Any]:
    parts: dict[str, Any] = vars(widget).setdefault("_lazy_parts", {})
    return parts


class Echo:
    """A guard that distinguishes a widget's own changes to a control from the user's.

    Use ``with echo:`` around writes, and ``if echo: return`` in the control's observer.
    """

    def __init__(self) -> None:
        self._writers: list[int] = []  # thread ids, one for each entry

    def __enter__(self) -> None:
        self._writers.append(threading.get_ident())

    def __exit__(self, *_: object) -> None:
        self._writers.remove(threading.get_ident())

    def __bool__(self) -> bool:
        """Return True while this thread is writing to the control."""
        return threading.get_ident() in self._writers


#: The users of each widget that several widgets share: a layout, a style, the style sheet.
_users: weakref.WeakKeyDictionary[Any, weakref.WeakSet[Any]] = weakref.WeakKeyDictionary()


def share(part: ipywidgets.Widget, user: ipywidgets.Widget) -> None:
    """Record that ``user`` shares ``part``: ``close_parts`` closes the part with its last user."""
    with _lock:
        _users.setdefault(part, weakref.WeakSet()).add(user)


def close_parts(widget: ipywidgets.Widget) -> None:
    """Close everything inside a widget: children, layouts and styles, none of which ``close()`` closes.

    Lazily created parts are closed too, on the page or not; shared parts only with their last user.
    """
    with _lock:
        for child in (*getattr(widget, "children", ()), *_lazy_parts_of(widget).values()):
            if not _is_shared(child, widget):
                close_whole(child)
        for name in ("layout", "style"):
            part = getattr(widget, name, None)
            if isinstance(part, ipywidgets.Widget) and not _is_shared(part, widget):
                part.close()


def close_whole(widget: ipywidgets.Widget) -> None:
    """Close a widget and everything inside it."""
    with _lock:
        close_parts(widget)
        widget.close()


def _is_shared(part: ipywidgets.Widget, user: ipywidgets.Widget) -> bool:
    """Remove ``user`` from the users of ``part``; return True if other users remain."""
    users = _users.get(part)
    if users is None:
        return False
    users.discard(user)
    return len(users) > 0


def observe(source: HasTraits, view: object, method: str, names: Iterable[str]) -> Callable[[], None]:
    """Call ``view.method()`` when a trait of ``source`` changes, until ``view`` is garbage-collected.

    Traits that change together, in one ``hold_trait_notifications``, cause one call.

    Args:
        source: the task or widget to observe.
        view: held by a weak reference only.
        method: the name of a method without arguments; its exceptions are logged and never propagate.
        names: the names of the traits.

    Returns:
        A function that stops observing.
    """
    reference, names = weakref.ref(view), list(names)
    seen: list[Any] = []

    def handler(_: Any) -> None:
        alive = reference()
        if alive is None:
            stop()
            return
        # There is one notification for each trait, and all traits have changed before the first.
        now = [getattr(source, name) for name in names]
        if len(seen) != len(now) or any(one is not other for one, other in zip(seen, now, strict=True)):
            seen[:] = now
            safely(getattr(alive, method))

    def stop() -> None:
        with suppress(ValueError):  # already stopped
            source.unobserve(handler, names)

    source.observe(handler, names)
    return stop


def weakly(view: object, method: str) -> Callable[..., None]:
    """Return a function that calls ``view.method()`` until ``view`` is garbage-collected.

    The function ignores its arguments, and logs exceptions of the method.
    """
    reference = weakref.ref(view)

    def call(*_: object) -> None:
        alive = reference()
        if alive is not None:
            safely(getattr(alive, method))

    return call


def safely(call: Callable[[], object]) -> None:
    """Call a function and log its exceptions, because no caller could handle them."""
    try:
        call()
    except Exception:
        logger.exception("A view could not be brought up to date")


class Refreshable(Protocol):
    """A view that the refresher keeps up to date."""

    def refresh(self) -> bool:
        """Draw the changes; return True to be called again."""
        ...


class Refresher:
    """One daemon thread that refreshes all views. It starts with the first view and ends with the last.

    Views are held by weak references, so that drawing stops when the last reference elsewhere is gone.

    Args:
        interval: seconds between two refreshes of a view. A card sends two messages each time.
    """

    def __init__(self, interval: float = 1.0) -> None:
        self.interval = interval
        self._views: weakref.WeakSet[Refreshable] = weakref.WeakSet()
        self._alarms: list[tuple[float, Callable[[], object]]] = []
        self._guard = threading.Condition(_lock)  # the same lock, because two locks could deadlock
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """True while there are views to draw or functions to call."""
        return self._thread is not None

    def add(self, view: Refreshable) -> None:
        """Call ``view.refresh()`` at every interval until it returns False."""
        with _lock:
            self._views.add(view)
            self._start()

    def discard(self, view: object) -> None:
        """Stop refreshing this view."""
        with _lock:
            self._views.discard(view)  # type: ignore[arg-type]  # an object of another type is not in the set

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Call a function once, after this number of seconds."""
        with _lock:
            self._alarms.append((time.monotonic() + seconds, call))
            self._start()
            self._guard.notify()

    def _start(self) -> None:
        if self._thread is None:
            try:
                self._thread = start_thread("qingbo-views", self._run)
            except QingboError as error:
                # Changes are drawn by the thread that makes them; the next view tries again.
                logger.warning("Clocks and progress bars stand still: %s", error)

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
                views: list[Refreshable] = []
                if now >= drawn + self.interval:
                    drawn, views = now, list(self._views)
                    if not views and not due and not self._alarms:
                        self._thread = None
                        return
            # Both lists are emptied, so that they keep no view alive until the next round.
            while due:
                safely(due.pop(0))
            while views:
                self._draw(views.pop())

    def _draw(self, view: Refreshable) -> None:
        self.discard(view)  # before it is drawn, so that a change made meanwhile adds it again
        try:
            if view.refresh():
                self.add(view)
        except Exception:
            logger.exception("A view could not be drawn")


#: The refresher of all views in this process.
refresher = Refresher()
