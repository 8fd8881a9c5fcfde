"""Detection of repeated clicks, so that an action runs once however late the kernel handles the clicks.

The rule, for every button that spends money or acts, and for Ctrl+Enter: a click repeats the one before it if
both request the same action, and if it was made no later than ``DOUBLE_CLICK`` after the page could show the
result of the first. So a double click is one action, a key that is held down is one, and so are the clicks of
a user who sees nothing happen while a cell keeps the kernel busy. A click made later, with the result on the
page, is a new action.

The time of the click decides, and only the page has it: the front end writes its time into the header of each
message. The offset between the clocks of page and kernel is unknown, but no message arrives before it was
sent; so the smallest recent difference is the best estimate. For messages without a time, the time of
handling decides, from the end of handling one click to the start of the next: clicks that were queued while
the kernel was busy follow immediately.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .ipw import Button
from .sync import update

__all__ = ["DOUBLE_CLICK", "Clicks", "Timestamped", "TimestampedButton", "clicked_at", "message_of"]

#: Seconds after the result of a click in which another click for the same action is a repetition.
DOUBLE_CLICK = 1.0
#: Seconds for which a clock offset is trusted: a clock may be set, and no button may stay dead because of it.
OFFSET_LIFETIME = 300.0


@dataclass(frozen=True)
class _Origin:
    """The origin of a message: the page's session, and the time of sending by its clock, in seconds."""

    session: str
    sent_at: float


_origin: ContextVar[_Origin | None] = ContextVar("qingbo_sent", default=None)
#: By session, the smallest recent difference between sending and handling in seconds, and when it was seen.
_offsets: dict[str, tuple[float, float]] = {}


class Timestamped:
    """A mixin that records when the page sent the message being handled. Must be the first base class."""

    def _handle_msg(self, message: dict[str, Any]) -> None:
        origin = _origin_of(message)
        token = _origin.set(origin)
        if origin is not None:
            _update_offset(origin)
        try:
            super()._handle_msg(message)  # type: ignore[misc]  # ipywidgets' method, beside this class
        finally:
            _origin.reset(token)


class TimestampedButton(Timestamped, Button):
    """A button whose clicks carry the page's time. On the page it is an ordinary button."""


class Clicks:
    """The clicks on one group of controls: a form and its buttons, a card, a grid."""

    def __init__(self) -> None:
        self._action: object = self  # equal to no action
        self._origin: _Origin | None = None
        self._answered_at: float | None = None

    @property
    def would_repeat(self) -> bool:
        """True if a click at this moment would still count as a repetition of the last one."""
        with update():
            if self._action is self:
                return False
            return self._answered_at is None or time.monotonic() - self._answered_at < DOUBLE_CLICK

    @contextmanager
    def once(self, action: object) -> Iterator[bool]:
        """Handle a click: yield True if it requests a new action, which must run within the context.

        An action that raises is forgotten, so that the user can retry immediately.

        Args:
            action: a value that identifies the action; equal values mean the same action.
        """
        origin = _origin.get()
        with update():
            is_new = not (self._action == action and self._is_repeat(origin))
            if is_new:
                self._action, self._answered_at = action, None
            self._origin = origin
        try:
            yield is_new
        except Exception:
            self.forget()
            raise
        finally:
            with update():
                if is_new or (origin is None and self._answered_at is not None):
                    self._answered_at = time.monotonic()

    def attempt(self, act: Callable[[], object]) -> str:
        """Run the action of a new click; return the error message, empty if there was no error.

        A failed action is forgotten. The caller must show the message, because a print would be lost.
        """
        try:
            act()
        except (Exception, SystemExit) as error:  # of a function of the user's, maybe a command's main()
            self.forget()
            return message_of(error)
        return ""

    def run(self, action: object, act: Callable[[], object], show: Callable[[str], object]) -> None:
        """Run the action of a click once, and show the error message if it fails.

        Args:
            action: as in ``once``.
            act: runs the action.
            show: called with the error message, because a print would be lost.
        """
        with self.once(action) as is_new:
            if is_new and (message := self.attempt(act)):
                show(message)

    def forget(self) -> None:
        """Discard the last click, because it had no effect."""
        with update():
            self._action = self

    def _is_repeat(self, origin: _Origin | None) -> bool:
        if self._answered_at is None:  # another thread is running the action
            return True
        last = self._origin
        if origin is None or last is None or origin.session != last.session or origin.sent_at < last.sent_at:
            if origin is not None:
                _offsets.pop(origin.session, None)  # the page's clock may have been set back
            return time.monotonic() - self._answered_at < DOUBLE_CLICK
        offset = _update_offset(origin)
        shown = max(self._answered_at - offset, last.sent_at)
        return origin.sent_at < shown + DOUBLE_CLICK


def clicked_at() -> float | None:
    """Return the time of the message being handled, in seconds by the page's clock, if known."""
    origin = _origin.get()
    return None if origin is None else origin.sent_at


def message_of(error: BaseException) -> str:
    """Return the text of an error, or the name of its type if it has none."""
    return str(error) or type(error).__name__


def _update_offset(origin: _Origin) -> float:
    """Return the best estimate of the clock offset in seconds, after taking this message into account."""
    now = time.monotonic()
    with update():
        smallest = (now - origin.sent_at, now)
        known = _offsets.get(origin.session)
        if known is not None and now - known[1] < OFFSET_LIFETIME:
            smallest = min(known, smallest)
        _offsets[origin.session] = smallest
    return smallest[0]


def _origin_of(message: dict[str, Any]) -> _Origin | None:
    """Return the origin of a message; ``None`` if the host sends no time."""
    header = message.get("header") or {}
    sent_at = header.get("date")
    if isinstance(sent_at, str):
        try:
            sent_at = datetime.fromisoformat(sent_at)
        except ValueError:
            return None
    if not isinstance(sent_at, datetime):
        return None
    if sent_at.tzinfo is None:
        sent_at = sent_at.replace(tzinfo=UTC)
    return _Origin(str(header.get("session", "")), sent_at.timestamp())
