"""The one background thread. All tasks are followed on it, each by a coroutine of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ...exceptions import QingboError
from ...i18n import N_, tr
from ...system.forks import Process
from ...system.interrupts import has_ended, uninterrupted
from .pool import DaemonPool
from .rate import Pace
from .writer import USUAL, Scribe

if TYPE_CHECKING:
    from ...library.journal.journal import Journal

T = TypeVar("T")

logger = logging.getLogger("qingbo_widgets")

REQUEST_WORKERS = 16
DOWNLOAD_WORKERS = 3
#: Where servers are slow, so many more threads for the downloads that wait.
MORE_WORKERS = 29
#: Seconds that a download waits before it is worth one more thread, and the next one before another.
PATIENCE = 2.0
#: Seconds before its link dies in which it does not wait at all.
URGENT = 60.0
#: Threads that stay for callbacks; while each of them is busy, a callback has a further one to itself.
CALLBACK_WORKERS = 4
POSTER_WORKERS = 4

_CLOSED = N_("This task manager is closed. qw.connect() gives a new one.")


class TaskMonitor:
    """An asyncio loop in a daemon thread, and the pools on which it makes blocking calls.

    Requests, downloads and the journal have pools of their own, so that a large video delays no status
    and rows are written in the order in which things happened. Nothing is started before the first use, or
    ``warm_up``.

    Args:
        journal: what the calls of ``journal`` read and write.
    """

    def __init__(self, journal: Journal) -> None:
        self.process = Process()
        self._lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._is_closing = self._closed = False
        #: Where each request has its turn first, so that none has to wait for a worker.
        self.pace = Pace(REQUEST_WORKERS)
        self._requests = DaemonPool(REQUEST_WORKERS, "qingbo-request")
        self._downloads = DaemonPool(DOWNLOAD_WORKERS, "qingbo-download")
        self._hastened = 0.0
        self._journal = Scribe(journal)
        self._callbacks = DaemonPool(CALLBACK_WORKERS, "qingbo-callback", grows=True)
        self._posters = DaemonPool(POSTER_WORKERS, "qingbo-poster")
        self._promises: set[Future[None]] = set()

    def start(self, story: Callable[..., Coroutine[Any, Any, T]], /, *args: Any) -> Future[T]:
        """Run the coroutine ``story(*args)`` on the thread; returns at once.

        Raises:
            QingboError: the monitor is closed, or another process's.
        """
        self.process.check()
        with uninterrupted(), self._lock:  # before ``close`` takes the lock it is handed over, then refused
            loop = self._running_loop()
            return asyncio.run_coroutine_threadsafe(story(*args), loop)

    def warm_up(self) -> None:
        """Start the thread before it is needed, so that the first task does not wait for that."""
        with suppress(QingboError):  # closed, or a child's parent's: it will not be needed
            self.process.check()
            with uninterrupted(), self._lock:
                self._running_loop()

    def promise(self) -> Future[None]:
        """Return a future that ``keep_promises`` waits for. The caller must set its result.

        Raises:
            QingboError: the monitor is closed or about to be, or another process's.
        """
        promise: Future[None] = Future()
        self.process.check()
        with self._lock:
            self._check_admits()
            self._promises.add(promise)
        promise.add_done_callback(self._promises.discard)
        return promise

    def keep_promises(self, seconds: float) -> int:
        """Wait for all promises, for so long at most. No further promise is made from then on.

        Returns:
            How many are still open.
        """
        if not self.process.is_this:
            return 0
        with self._lock:
            self._is_closing = True
            promises = tuple(self._promises)
        if self._closed or self.is_current_thread:
            return 0
        deadline = time.monotonic() + seconds
        return sum(not has_ended(promise, deadline - time.monotonic()) for promise in promises)

    def check_open(self) -> None:
        """Refuse to begin anything where it could no longer be done.

        Raises:
            QingboError: the monitor is closed or about to be, or another process's.
        """
        self.process.check()
        self._check_admits()

    @property
    def is_closing(self) -> bool:
        """Tell whether it is closed or about to be, so that nothing more begins."""
        return self._is_closing

    @property
    def is_cut_off(self) -> bool:
        """Tell whether ``close`` was called, so that what runs is about to be cancelled."""
        return self._closed

    @property
    def was_used(self) -> bool:
        """Whether anything has been started."""
        return self._loop is not None

    @property
    def is_current_thread(self) -> bool:
        """Whether the caller is on the monitor's own thread, where nothing may block."""
        return threading.current_thread() is self._thread

    def request(self, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> asyncio.Future[T]:
        """A blocking request to the service, to be awaited."""
        return asyncio.wrap_future(self.call(call, *args, **kwargs))

    def call(self, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """A blocking request to the service, to be waited for on the monitor's thread.

        Raises:
            asyncio.CancelledError: the monitor is closed, and about to cancel the caller. Nothing was sent.
        """
        try:
            return self._requests.submit(call, *args, **kwargs)
        except RuntimeError:
            raise asyncio.CancelledError from None

    async def download(self, due: float, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Await a blocking download. Of those that wait, the one that is due first begins first.

        A few at a time are the quickest way to the first video. But where all of them crawl, those that wait
        get threads of their own, one after the other; and at once before a link dies.

        ``due`` is when its link dies, in seconds since 1970.
        """
        job = self._downloads.submit_by(due, call, *args, **kwargs)
        result, least = asyncio.wrap_future(job), 0.05
        try:
            while not (job.running() or job.done()):
                left = due - URGENT - time.time()
                await asyncio.wait({result}, timeout=max(min(left, PATIENCE), least))
                if not (job.running() or job.done()):
                    self._hasten(due)
                least = 1.0
            return await result
        finally:
            result.cancel()

    async def journal(
        self, call: Callable[..., T], /, *args: Any, due: float | None = None, **kwargs: Any
    ) -> T:
        """Await a call to the journal; calls run one by one, the urgent ones first, in the order made.

        Args:
            call: the call.
            *args: for the call.
            due: ``scribe.URGENT`` for what a submission waits for.
            **kwargs: for the call.
        """
        due = USUAL if due is None else due
        return await asyncio.wrap_future(self._journal.submit_by(due, call, *args, **kwargs))

    def call_back(self, callback: Callable[..., object], /, *args: Any) -> None:
        """Run a user's callback on a thread where it may block as long as it likes."""
        with suppress(RuntimeError):  # closed: there is no thread left to call it
            self._callbacks.submit(callback, *args)

    def make_aside(self, call: Callable[..., object], /, *args: Any) -> None:
        """Run something that takes long, and that nothing waits for: the poster of a video."""
        with suppress(RuntimeError):  # closed
            self._posters.submit(call, *args)

    def call_soon(self, callback: Callable[..., object], /, *args: Any) -> None:
        """Run something short on the monitor's thread."""
        self.process.check()
        with self._lock:
            self._running_loop().call_soon_threadsafe(callback, *args)

    def close(self, patience: float = 0.5) -> None:
        """Cancel every coroutine and end the threads; what is still to be written down is written.

        Args:
            patience: seconds to wait for that; requests under way are left to their daemon threads.
        """
        if not self.process.is_this:
            return  # the threads, and what they write, are the parent's
        deadline = time.monotonic() + patience
        with self._lock:
            if self._closed:
                return  # a second stop would cut off the followers in their last words
            self._is_closing = self._closed = True
            loop, thread = self._loop, self._thread
        for pool in (self._requests, self._downloads, self._callbacks, self._posters):
            pool.shutdown(wait=False, cancel_futures=True)
        if loop is not None and thread is not None:
            with suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(loop.stop)
            if not self.is_current_thread:
                thread.join(patience)
        self._journal.shutdown(wait=False)
        if not self.is_current_thread:
            self._journal.join(max(deadline - time.monotonic(), 0.0))

    def join(self, timeout: float = 0.5) -> None:
        """Wait for the threads of a closed monitor, whose connections have been cut."""
        deadline = time.monotonic() + timeout
        for pool in (self._requests, self._downloads):
            pool.join(max(deadline - time.monotonic(), 0.0))

    def _hasten(self, due: float) -> None:
        """Give the downloads that wait one more thread, if it is time for that."""
        now = time.monotonic()
        if now - self._hastened >= PATIENCE or due - time.time() <= URGENT:
            self._hastened = now
            self._downloads.add_worker(DOWNLOAD_WORKERS + MORE_WORKERS)

    def _check_admits(self) -> None:
        if self._is_closing:
            raise QingboError(tr(_CLOSED))

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop, started if need be. The caller holds the lock."""
        if self._closed:
            raise QingboError(tr(_CLOSED))
        if self._loop is None:
            loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=self._run, args=(loop,), name="qingbo-monitor", daemon=True
            )
            self._thread.start()
            self._loop = loop
        return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            _bear(loop.run_forever)
            while not self._closed:
                _bear(loop.run_forever)
            # Each has its first step, in which it finds that nothing more begins, before all are cancelled.
            _complete(loop, loop.create_task(asyncio.sleep(0)))
            while running := asyncio.all_tasks(loop):  # the last words of one may begin another
                for task in running:
                    task.cancel()
                _complete(loop, asyncio.gather(*running, return_exceptions=True))
        finally:
            loop.close()


def _complete(loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]) -> None:
    while not future.done():
        _bear(loop.run_until_complete, future)


def _bear(run: Callable[..., object], *args: Any) -> None:
    """Run the loop. A ``sys.exit()`` in what one task calls must not end the thread of all of them."""
    try:
        run(*args)
    except BaseException:
        logger.exception("The thread that follows all tasks goes on after an error in one of them")
