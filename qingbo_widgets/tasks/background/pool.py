"""A thread pool that never delays the exit of the interpreter."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from itertools import count
from math import inf
from queue import Empty, PriorityQueue
from typing import Any, ParamSpec, TypeVar

from ...exceptions import QingboError
from ...system.interrupts import uninterrupted
from ...system.threads import start_thread

P = ParamSpec("P")
T = TypeVar("T")

Job = tuple[Future[Any], Callable[[], Any]]


class DaemonPool(Executor):
    """Pool that runs blocking calls on at most ``workers`` daemon threads, the most urgent call first.

    The standard pool joins its threads at exit, so a kernel could not exit before its slowest request had
    completed. A request that is cut off here loses nothing, because the task is in the journal.

    Args:
        workers: maximum number of threads.
        name: name of the threads in a debugger.
        grows: never let a call wait for another one: if all threads are busy, start an extra thread, which
            ends when no call is waiting.
    """

    #: The class of the calls' results.
    future_class: type[Future[Any]] = Future

    def __init__(self, workers: int, name: str, *, grows: bool = False) -> None:
        self._limit = workers
        self._grows = grows
        self._name = name
        # The number keeps calls of equal urgency in order of submission.
        self._jobs: PriorityQueue[tuple[float, int, Job | None]] = PriorityQueue()
        self._numbers = count()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``fn`` on a thread of the pool."""
        return self.submit_by(0.0, fn, *args, **kwargs)

    def submit_by(self, due: float, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``fn`` on a thread of the pool, before all calls that are due later and have not begun.

        Raises:
            RuntimeError: the pool is closed.
            QingboError: the pool has no thread, and none can be started. The call is forgotten.
        """
        future: Future[T] = self.future_class()
        with uninterrupted(), self._lock:
            if self._closed:
                raise RuntimeError("this pool is closed")
            self._jobs.put((due, next(self._numbers), (future, lambda: fn(*args, **kwargs))))
            if not self._idle.acquire(blocking=False):
                try:
                    if len(self._threads) < self._limit:
                        self._start(self._work)
                    elif self._grows:
                        self._start(self._work_until_idle)
                except QingboError:  # the existing threads run it, if there are any
                    if not self._threads:
                        self._jobs.get_nowait()  # this call: where there is no thread, no other is waiting
                        raise
        return future

    def add_worker(self, limit: int) -> None:
        """Start an extra thread for the waiting calls, which ends when no call is waiting.

        Args:
            limit: maximum number of threads, including the regular ones.
        """
        with uninterrupted(), self._lock:
            if not self._closed and len(self._threads) < limit and not self._jobs.empty():
                with suppress(QingboError):  # the regular threads run them later
                    self._start(self._work_until_idle)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more calls. Threads end after the accepted ones; ``wait`` means ``join(0.5)``."""
        with uninterrupted(), self._lock:
            self._closed = True
            while cancel_futures and not self._jobs.empty():
                *_, job = self._jobs.get()
                if job is not None:
                    job[0].cancel()
            for _ in self._threads:
                self._jobs.put((inf, next(self._numbers), None))
        if wait:
            self.join(0.5)

    def join(self, timeout: float) -> None:
        """Wait until the threads have ended, for ``timeout`` seconds in total."""
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(deadline - time.monotonic(), 0.0))

    def _start(self, work: Callable[[], None]) -> None:
        self._threads.append(start_thread(self._name, work))

    def _work(self) -> None:
        while (job := self._jobs.get()[2]) is not None:
            _execute(*job)
            # A reference to the last job would keep its task alive while the thread is idle.
            del job
            self._idle.release()

    def _work_until_idle(self) -> None:
        while True:
            with self._lock:
                try:
                    job = self._jobs.get_nowait()[2]
                except Empty:
                    self._idle.acquire(blocking=False)  # no longer idle: this thread ends
                    self._threads.remove(threading.current_thread())
                    return
            if job is None:
                return
            _execute(*job)
            del job
            self._idle.release()


def _execute(future: Future[Any], call: Callable[[], Any]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)
