"""One wish is done once, however often it is clicked and however late the kernel gets to it.

The rule, for every button that spends money or acts, and for Ctrl+Enter: a click repeats the one before it if
both have the same wish, and if it was made no later than ``DOUBLE_CLICK`` after the page could show what the
first one did. So a double click is one, a key that is held down is one, and so are the clicks of a user who
sees nothing happen while a cell keeps the kernel busy. A click made later, with the answer on the page, is
another wish.

What counts is when a click was made, and only the page knows that: the front end writes its time into the
header of each message. The clocks of page and kernel differ by an amount that is not known, but no message
arrives before it was sent; so the smallest difference seen lately is the best guess. Where no time comes
along, the time of handling counts, from the end of handling one click to the beginning of the next: those
that have waited for the kernel follow at once.
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

__all__ = ["DOUBLE_CLICK", "Clicks", "Dated", "DatedButton", "message_of"]

#: Seconds after the answer to a click in which another one cannot mean something new.
DOUBLE_CLICK = 1.0
#: Seconds for which a difference of the clocks is believed: one may be set, and no button must stay dead.
BELIEVED = 300.0


@dataclass(frozen=True)
class _Sent:
    """A message of the page: who sent it, and when by its own clock, in seconds."""

    session: str
    moment: float


_sent: ContextVar[_Sent | None] = ContextVar("qingbo_sent", default=None)
#: By session, the smallest difference between sending and handling seen lately, and when that was.
_delays: dict[str, tuple[float, float]] = {}


class Dated:
    """A widget that knows when the page sent the message being handled. For a first base class."""

    def _handle_msg(self, message: dict[str, Any]) -> None:
        sent = _sent_by(message)
        token = _sent.set(sent)
        if sent is not None:
            _note_delay(sent)
        try:
            super()._handle_msg(message)  # type: ignore[misc]  # ipywidgets' method, beside this class
        finally:
            _sent.reset(token)


class DatedButton(Dated, Button):
    """A button whose clicks have the page's time. On the page it is a button like any other."""


class Clicks:
    """The clicks on what stands together: a form and its buttons, a card, a grid."""

    def __init__(self) -> None:
        self._wish: object = self  # equal to no wish
        self._sent: _Sent | None = None
        self._answered: float | None = None

    @property
    def is_answered_just_now(self) -> bool:
        """Tell whether a click of this moment would still be part of the last one."""
        with update():
            if self._wish is self:
                return False
            return self._answered is None or time.monotonic() - self._answered < DOUBLE_CLICK

    @contextmanager
    def once(self, wish: object) -> Iterator[bool]:
        """Handle a click: yield whether it is a new wish, to be done within the context.

        A wish that raises is forgotten, so that it can be had at once.

        Args:
            wish: what the click asks for, equal to that of another click for the same.
        """
        sent = _sent.get()
        with update():
            is_new = not (self._wish == wish and self._is_repeat(sent))
            if is_new:
                self._wish, self._answered = wish, None
            self._sent = sent
        try:
            yield is_new
        except Exception:
            self.forget()
            raise
        finally:
            with update():
                if is_new or (sent is None and self._answered is not None):
                    self._answered = time.monotonic()

    def attempt(self, act: Callable[[], object]) -> str:
        """Do what a new click asks for; return what went wrong, empty if nothing did.

        A wish that fails is forgotten. A print would be lost: the caller shows the text.
        """
        try:
            act()
        except Exception as error:
            self.forget()
            return message_of(error)
        return ""

    def run(self, wish: object, act: Callable[[], object], show: Callable[[str], object]) -> None:
        """Do what a click asks for, once, and show what went wrong, if something did.

        Args:
            wish: as in ``once``.
            act: does it.
            show: called with the message, for a print would be lost.
        """
        with self.once(wish) as is_new:
            if is_new and (message := self.attempt(act)):
                show(message)

    def forget(self) -> None:
        """Take the last click as not made: nothing came of it."""
        with update():
            self._wish = self

    def _is_repeat(self, sent: _Sent | None) -> bool:
        if self._answered is None:  # it is being done, on another thread
            return True
        last = self._sent
        if sent is None or last is None or sent.session != last.session or sent.moment < last.moment:
            if sent is not None:
                _delays.pop(sent.session, None)  # its clock may have been set back
            return time.monotonic() - self._answered < DOUBLE_CLICK
        delay = _note_delay(sent)
        shown = max(self._answered - delay, last.moment)
        return sent.moment < shown + DOUBLE_CLICK


def message_of(error: Exception) -> str:
    """Return what to show for an error: its text, or its type where it has none."""
    return str(error) or type(error).__name__


def _note_delay(sent: _Sent) -> float:
    """Return the best guess of the difference between the clocks, in which this message counts too."""
    now = time.monotonic()
    with update():
        smallest = (now - sent.moment, now)
        known = _delays.get(sent.session)
        if known is not None and now - known[1] < BELIEVED:
            smallest = min(known, smallest)
        _delays[sent.session] = smallest
    return smallest[0]


def _sent_by(message: dict[str, Any]) -> _Sent | None:
    """Return the page's time of a message; ``None`` where a host does not say."""
    header = message.get("header") or {}
    moment = header.get("date")
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return None
    if not isinstance(moment, datetime):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return _Sent(str(header.get("session", "")), moment.timestamp())
