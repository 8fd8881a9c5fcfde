"""``Reports``: the latest results of checks that run in the background, and the views that wait for them."""

from __future__ import annotations

import logging
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from ...exceptions import QingboError
from ...system.forks import renew_in_children, skip_in_child
from .pool import DaemonPool

__all__ = ["Reports"]

logger = logging.getLogger("qingbo_widgets")

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")

_MOST = 200


class Reports(Generic[K, R]):
    """A cache of reports, each made once however many views ask for it. Thread-safe.

    Args:
        subject: what the reports are on, for the log: ``image``.
    """

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._reports: OrderedDict[K, R] = OrderedDict()
        self._begin()
        renew_in_children(self)

    def renew_in_child(self) -> None:
        """Report anew in a forked process: the threads, and what waits for them, are the parent's."""
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[K, list[Callable[[], object]]] = {}
        self._pool = pool = DaemonPool(2, f"qingbo-{self._subject}")
        # Its threads wait for calls, and do not end by themselves.
        weakref.finalize(self, skip_in_child(pool.shutdown), wait=False).atexit = False

    def get(self, key: K) -> R | None:
        """Return the last report; ``None`` if there is none yet."""
        with self._lock:
            return self._reports.get(key)

    def put(self, key: K, report: R) -> None:
        """Keep a report. The oldest ones are dropped."""
        with self._lock:
            self._reports[key] = report
            while len(self._reports) > _MOST:
                self._reports.popitem(last=False)

    def make(self, key: K, work: Callable[[], R], callback: Callable[[], object]) -> None:
        """Make a report on another thread, unless that is under way, and call back there.

        Args:
            key: the key of the report.
            work: makes it.
            callback: called afterwards, once however often it was passed.
        """
        with self._lock:
            if key in self._waiting:
                if callback not in self._waiting[key]:
                    self._waiting[key].append(callback)
                return
            self._waiting[key] = [callback]
        try:
            self._pool.submit(self._work, key, work)
        except QingboError as error:  # without a thread there is no report, until a view asks again
            logger.warning("No report on the %s: %s", self._subject, error)
            with self._lock:
                del self._waiting[key]

    def _work(self, key: K, work: Callable[[], R]) -> None:
        try:
            self.put(key, work())
        finally:
            with self._lock:
                callbacks = self._waiting.pop(key)
        for callback in callbacks:
            try:
                callback()
            except Exception:
                logger.exception("A view of the %s could not be updated", self._subject)
