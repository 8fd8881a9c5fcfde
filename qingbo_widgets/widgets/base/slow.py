"""Actions of buttons that take a while: the button says at once what is being done, and a thread does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ...tasks.background.pool import DaemonPool
from .build import is_busy, set_busy
from .clicks import Clicks
from .sync import safely, update

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["Slow", "start"]

T = TypeVar("T")

#: A second click does not wait for the work of the first, which may decode a long video.
_pool = DaemonPool(2, "qingbo-click", grows=True)


@dataclass(frozen=True)
class Slow(Generic[T]):
    """The slow part of an action, which the function for a click returns instead of doing it.

    Attributes:
        text: the label of the button meanwhile.
        work: does it, on another thread; must not touch a widget.
        then: called with the result, in the thread of the event loop.
    """

    text: str
    work: Callable[[], T]
    then: Callable[[T], object]


def start(clicks: Clicks, pressed: Any, act: Callable[[], object], end: Callable[[str], object]) -> None:
    """Run the action of a click, and the slow part that it returns on another thread.

    Without an event loop, there is no page to be kept alive, and all is done at once.

    Args:
        clicks: the clicks on this button; a failed one is forgotten.
        pressed: the button, whose clicks are ignored until the end.
        act: the action.
        end: called after a slow part, with the error message or an empty text.

    Raises:
        Exception: what the action raises; a slow part that fails on another thread calls ``end``.
    """
    if is_busy(pressed):
        return
    slow = act()
    if not isinstance(slow, Slow):
        return
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        slow.then(slow.work())
        return
    label = pressed.description

    def finish(future: Future[Any]) -> None:
        message = clicks.attempt(lambda: slow.then(_result_of(future)))
        with update(pressed):
            if pressed.comm is None:  # closed meanwhile, with all that could show the end
                return
            pressed.description = label
            set_busy(pressed, False)
        end(message)

    # With the time of the click, which decides where the focus goes.
    context = copy_context()
    result = _pool.submit(context.run, slow.work)
    with update(pressed):
        pressed.description = slow.text
        set_busy(pressed, True)
    result.add_done_callback(
        lambda future: loop.call_soon_threadsafe(context.run, safely, partial(finish, future))
    )


def _result_of(future: Future[T]) -> T:
    """Return the result of a slow part; raise its error, of any kind, as one that a button can show."""
    error = future.exception()
    if error is None or isinstance(error, Exception):
        return future.result()
    raise RuntimeError(str(error) or type(error).__name__) from error
