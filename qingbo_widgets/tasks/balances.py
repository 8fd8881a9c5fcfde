"""``Balances``: the latest balance of a manager's account, and the last refusal for want of money.

All views of a manager share it, so that the service is asked once for all of them: in the background, after
the end of each task, and only while a view watches. Whatever the service answers, nothing waits for it and
nothing is disturbed.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ..exceptions import InsufficientBalance, QingboError, RateLimited, ServiceError
from ..service.contract.error_codes import WINDOW_EXCEEDED
from ..service.contract.snapshot import TaskStatus
from ..service.prices import TIMEOUT
from ..system.forks import renew_in_children
from ..system.threads import start_thread

if TYPE_CHECKING:
    from ..service.client import Client
    from ..service.contract.pricing.answers import Balance
    from .state import TaskState

__all__ = ["Balances"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds in which the ends of several tasks make one request.
TOGETHER = 1.0
#: Seconds after which a service is asked again that has no balance: not every end needs a request for that.
_LATER = 3600.0
#: Seconds after which a service is asked again that was not reached, or had a fault.
_SOON = 60.0
#: Statuses below those of faults after which the same request may succeed.
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


class Balances:
    """The latest balance of a manager. Thread-safe.

    Attributes:
        latest: the balance in the last answer; ``None`` if there is none.
        as_of: the time of that answer.
        refusal: the error of the last submission, if the service refused it because of the account's money,
            a spending limit or what the key may do. A submission that the service accepts ends it, and so
            does another key, or a balance that has risen since.

    Args:
        client: returns the client that the manager uses now.
        is_closed: returns whether the manager is closed.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        client: Callable[[], Client],
        is_closed: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._is_closed, self._clock = client, is_closed, clock
        self.latest: Balance | None = None
        self.as_of = datetime.now(UTC)
        self.refusal: ServiceError | None = None
        #: The amount that was left in the first answer after the refusal.
        self._left_at_refusal: Decimal | None = None
        #: Methods; while there is none, no end of a task makes a request.
        self._views: list[weakref.WeakMethod[Any]] = []
        self._silent_until = float("-inf")
        self.renew_in_child()
        renew_in_children(self)

    def renew_in_child(self) -> None:
        """Ask nothing for the parent in a forked process: its threads are not there."""
        self._lock, self._asking = threading.Lock(), threading.Lock()
        self._is_due = False

    def balance(self) -> Balance:
        """Ask the service, and return the balance, which is the latest one then. Blocking.

        Raises:
            QingboError: the contract documents no balance.
            ConnectionFailed: no response arrived.
            ServiceError: the service answered with an error, or with no balance.
        """
        client = self._client()
        return self._noted(client, client.balance())

    def watch(self, view: Callable[[], object]) -> None:
        """Call a bound method after each change, and request a balance if others have not done so.

        Args:
            view: the method, which any thread may call; its object is held weakly.
        """
        with self._lock:
            views = [known for reference in self._views if (known := reference()) is not None]
            is_up_to_date = bool(views) and self.latest is not None
            self._views = [
                weakref.WeakMethod(known) for known in (*views, *([] if view in views else [view]))
            ]
        if not is_up_to_date:
            self.ask_soon(0.0)

    def unwatch(self, view: Callable[[], object]) -> None:
        """Stop calling a method."""
        with self._lock:
            self._views = [reference for reference in self._views if reference() not in (None, view)]

    def follow(self, task: TaskState) -> None:
        """Request the balance after the end of a task, and keep the error of a submission about money."""
        task.observe(self._on_status, "status")

    def reset(self) -> None:
        """Forget everything, because the key was changed, and request the balance of its account."""
        with self._lock:
            self.latest = self.refusal = self._left_at_refusal = None
            self._silent_until = float("-inf")
        self._redraw()
        self.ask_soon(0.0)

    def ask_soon(self, seconds: float | None = None) -> None:
        """Request the balance on another thread, unless nothing watches or the service has none.

        Args:
            seconds: the time until the request, in which further calls make no other one; by default
                ``TOGETHER``.
        """
        if not self._client().contract.terms.quota_per_dollar or self._is_closed():
            return
        with self._lock:
            is_watched = any(reference() is not None for reference in self._views)
            if self._is_due or not is_watched or self._clock() < self._silent_until:
                return
            self._is_due = True
        try:
            start_thread("qingbo-balance", partial(self._ask, TOGETHER if seconds is None else seconds))
        except QingboError as error:  # without a thread there is no balance, until another task ends
            logger.warning("The balance is not requested: %s", error)
            self._is_due = False

    def _ask(self, seconds: float) -> None:
        time.sleep(seconds)
        with self._asking:  # one after the other, so that no older answer replaces a newer one
            with self._lock:
                self._is_due = False  # an end from now on may be too late for this request
            client = self._client()
            if self._is_closed():
                return
            try:
                own = client.with_timeout(*TIMEOUT)
                try:
                    balance = own.balance()
                finally:
                    own.close()
            except QingboError as error:
                with self._lock:
                    if client is self._client():
                        self._silent_until = self._clock() + (_LATER if _has_none(error) else _SOON)
                logger.info("The balance is not known: %s", error)
                return
            self._noted(client, balance)

    def _noted(self, client: Client, balance: Balance) -> Balance:
        """Keep a balance, unless the key was changed while it was requested; return it."""
        with self._lock:
            if client is not self._client():
                return balance
            self.latest, self._silent_until = balance, float("-inf")
            self.as_of = balance.as_of or datetime.now(UTC)
            if self.refusal is not None:
                if self._left_at_refusal is None:
                    self._left_at_refusal = balance.available
                elif balance.available > self._left_at_refusal:
                    self.refusal = self._left_at_refusal = None
        self._redraw()
        return balance

    def _on_status(self, change: Any) -> None:
        """Handle a new status of a task; all its other traits have changed before."""
        task: TaskState = change["owner"]
        if task.task_id and change["old"] == TaskStatus.submitting:
            self._set_refusal(None)
        if task.status.is_ended:
            if not task.task_id and _is_about_money(task.error):
                self._set_refusal(task.error)
            self.ask_soon()

    def _set_refusal(self, refusal: Any) -> None:
        with self._lock:
            if self.refusal is refusal:
                return
            self.refusal, self._left_at_refusal = refusal, None
        self._redraw()

    def _redraw(self) -> None:
        for reference in tuple(self._views):
            view = reference()
            if view is None:
                continue
            try:
                view()
            except Exception:
                logger.exception("A view of the balance could not be updated")


def _is_about_money(error: QingboError | None) -> bool:
    """Return whether a refusal is about the account's money, a spending limit, or what the key may do."""
    if isinstance(error, RateLimited):
        return error.code == WINDOW_EXCEEDED
    return isinstance(error, InsufficientBalance) or (
        isinstance(error, ServiceError) and error.status == HTTPStatus.FORBIDDEN
    )


def _has_none(error: QingboError) -> bool:
    """Return whether an error says that this service has no balance for this key."""
    if not isinstance(error, ServiceError) or error.status in _PASSING:
        return False
    return error.status < HTTPStatus.INTERNAL_SERVER_ERROR
