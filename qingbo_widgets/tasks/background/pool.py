"""A thread pool that never holds up the end of the interpreter."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from itertools import count
from math import inf
from queue import Empty, PriorityQueue
from typing import Any, ParamSpec, TypeVar

from ...system.interrupts import uninterrupted

P = ParamSpec("P")
T = TypeVar("T")

Job = tuple[Future[Any], Callable[[], Any]]


class DaemonPool(Executor):
    """Runs blocking calls on at most ``workers`` daemon threads, the most urgent call first.

    The standard pool joins its threads at exit, so a kernel could not end before the slowest request
    of all had its answer. A request that is cut off here loses nothing: the journal knows the task.

    Args:
        workers: how many threads at most.
        name: what the threads are called in a debugger.
        grows: never let a call wait for another one: where all threads are busy it gets a further one, which
            ends when there is nothing left to do.
    """

    def __init__(self, workers: int, name: str, *, grows: bool = False) -> None:
        self._limit = workers
        self._grows = grows
        self._name = name
        # The number keeps calls of one urgency in the order in which they came.
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
        """Run ``fn`` on a thread of the pool, before all that is due later and has not begun yet."""
        future: Future[T] = Future()
        with uninterrupted(), self._lock:
            if self._closed:
                raise RuntimeError("this pool is closed")
            self._jobs.put((due, next(self._numbers), (future, lambda: fn(*args, **kwargs))))
            if not self._idle.acquire(blocking=False):
                try:
                    if len(self._threads) < self._limit:
                        self._start(self._work)
                    elif self._grows:
                        self._start(self._help)
                except RuntimeError:  # the system has no thread left: those that there are do it
                    if not self._threads:
                        future.cancel()
                        raise
        return future

    def add_worker(self, most: int) -> None:
        """Start one more thread for the calls that wait. It ends as soon as none waits any more.

        Args:
            most: how many threads there are at most then, the usual ones included.
        """
        with uninterrupted(), self._lock:
            if not self._closed and len(self._threads) < most and not self._jobs.empty():
                self._start(self._help)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls. Threads end after those that were taken; ``wait`` is for ``join(0.5)``."""
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
        """Wait until the threads have ended, for so many seconds in all."""
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(deadline - time.monotonic(), 0.0))

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=self._name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self) -> None:
        while (job := self._jobs.get()[2]) is not None:
            _do(*job)
            # A thread that still named the last job here would keep its task alive while idle.
            del job
            self._idle.release()

    def _help(self) -> None:
        while True:
            with self._lock:
                try:
                    job = self._jobs.get_nowait()[2]
                except Empty:
                    self._idle.acquire(blocking=False)  # idle no more: it ends
                    self._threads.remove(threading.current_thread())
                    return
            if job is None:
                return
            _do(*job)
            del job
            self._idle.release()


def _do(future: Future[Any], call: Callable[[], Any]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)
