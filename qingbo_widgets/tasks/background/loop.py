"""The single background thread on which each task is followed by its own coroutine."""

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
from ...system.threads import start_thread
from .pool import DaemonPool
from .rate import RateLimiter
from .writer import USUAL, JournalWriter

if TYPE_CHECKING:
    from ...library.journal.journal import Journal

T = TypeVar("T")

logger = logging.getLogger("qingbo_widgets")

REQUEST_WORKERS = 16
DOWNLOAD_WORKERS = 3
#: Uploads at a time: they share the line of this machine.
UPLOAD_WORKERS = 3
#: Maximum number of extra threads for waiting downloads when servers are slow.
EXTRA_WORKERS = 29
#: Seconds that a download waits before it gets an extra thread, and seconds between two extra threads.
PATIENCE = 2.0
#: Seconds before its URL expires in which a download gets an extra thread at once.
URGENT = 60.0
#: Permanent threads for callbacks; while all are busy, each further callback gets an extra one.
CALLBACK_WORKERS = 4
#: Seconds after which a callback is tried again for which no thread could be started.
CALLBACK_AGAIN = 1.0
POSTER_WORKERS = 4

_CLOSED = N_("This task manager is closed. qw.connect() creates a new one.")


class TaskMonitor:
    """An asyncio loop in a daemon thread, with the pools that run its blocking calls.

    Requests, downloads and the journal have separate pools, so that a large video delays no status and rows
    are written in chronological order. Nothing starts before the first use or ``warm_up``.

    Args:
        journal: the journal that the calls of ``journal`` read and write.
    """

    def __init__(self, journal: Journal) -> None:
        self.process = Process()
        self._lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._is_closing = self._closed = False
        #: Gives each request its turn, so that none has to wait for a worker.
        self.pace = RateLimiter(REQUEST_WORKERS)
        self._requests = DaemonPool(REQUEST_WORKERS, "qingbo-request")
        self._downloads = DaemonPool(DOWNLOAD_WORKERS, "qingbo-download")
        self._uploads = DaemonPool(UPLOAD_WORKERS, "qingbo-upload")
        self._worker_added = 0.0
        self._journal = JournalWriter(journal)
        self._callbacks = DaemonPool(CALLBACK_WORKERS, "qingbo-callback", grows=True)
        self._posters = DaemonPool(POSTER_WORKERS, "qingbo-poster")
        self._pending: set[Future[None]] = set()

    def start(self, coroutine: Callable[..., Coroutine[Any, Any, T]], /, *args: Any) -> Future[T]:
        """Run the coroutine ``coroutine(*args)`` on the thread; return at once.

        Raises:
            QingboError: the monitor is closed, or belongs to another process, or its thread cannot start.
        """
        self.process.check()
        with uninterrupted(), self._lock:  # accepted before ``close`` takes the lock, refused afterwards
            loop = self._running_loop()
            return asyncio.run_coroutine_threadsafe(coroutine(*args), loop)

    def warm_up(self) -> None:
        """Start the thread early, so that the first task does not wait for it."""
        with suppress(QingboError):  # closed, of a parent process, or without a thread: the first task tells
            self.process.check()
            with uninterrupted(), self._lock:
                self._running_loop()

    def add_pending(self) -> Future[None]:
        """Return a future that ``drain`` waits for. The caller must set its result.

        Raises:
            QingboError: the monitor is closed or closing, or belongs to another process.
        """
        pending: Future[None] = Future()
        self.process.check()
        with self._lock:
            self._check_not_closing()
            self._pending.add(pending)
        pending.add_done_callback(self._pending.discard)
        return pending

    def drain(self, seconds: float) -> int:
        """Refuse new pending work and wait for the existing futures, for ``seconds`` at most.

        Returns:
            The number of futures that are still pending.
        """
        if not self.process.is_this:
            return 0
        with self._lock:
            self._is_closing = True
            pending = tuple(self._pending)
        if self._closed or self.is_current_thread:
            return 0
        deadline = time.monotonic() + seconds
        return sum(not has_ended(future, deadline - time.monotonic()) for future in pending)

    def check_open(self) -> None:
        """Raise an error if new work could no longer complete.

        Raises:
            QingboError: the monitor is closed or closing, or belongs to another process.
        """
        self.process.check()
        self._check_not_closing()

    @property
    def is_closing(self) -> bool:
        """True once the monitor is closing or closed, so that no new work begins."""
        return self._is_closing

    @property
    def is_closed(self) -> bool:
        """True once ``close`` was called, so that running coroutines are about to be cancelled."""
        return self._closed

    @property
    def was_used(self) -> bool:
        """True once anything was started."""
        return self._loop is not None

    @property
    def is_current_thread(self) -> bool:
        """True if the caller runs on the monitor's thread, where nothing may block."""
        return threading.current_thread() is self._thread

    def request(self, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> asyncio.Future[T]:
        """Run a blocking request to the service and return its awaitable."""
        return asyncio.wrap_future(self.call(call, *args, **kwargs))

    def call(self, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run a blocking request to the service and return its future, for use on the monitor's thread.

        Raises:
            asyncio.CancelledError: the monitor is closed and about to cancel the caller. Nothing was sent.
            QingboError: no thread can be started to run it. Nothing was sent.
        """
        try:
            return self._requests.submit(call, *args, **kwargs)
        except RuntimeError:
            raise asyncio.CancelledError from None

    async def download(self, due: float, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Await a blocking download. Of the waiting ones, the one that is due first begins first.

        A few parallel downloads give the first video soonest. But if all of them are slow, the waiting ones
        get extra threads, one at a time, or at once if a URL is about to expire.

        ``due`` is the time at which its URL expires, in seconds since 1970.
        """
        job = self._downloads.submit_by(due, call, *args, **kwargs)
        result, least = asyncio.wrap_future(job), 0.05
        try:
            while not (job.running() or job.done()):
                left = due - URGENT - time.time()
                await asyncio.wait({result}, timeout=max(min(left, PATIENCE), least))
                if not (job.running() or job.done()):
                    self._add_download_worker(due)
                least = 1.0
            return await result
        finally:
            result.cancel()

    def upload(self, call: Callable[..., T], /, *args: Any) -> asyncio.Future[T]:
        """Run a blocking upload and return its awaitable, for use on the monitor's thread.

        Raises:
            asyncio.CancelledError: the monitor is closed and about to cancel the caller.
        """
        try:
            return asyncio.wrap_future(self._uploads.submit(call, *args))
        except RuntimeError:
            raise asyncio.CancelledError from None

    async def journal(
        self, call: Callable[..., T], /, *args: Any, due: float | None = None, **kwargs: Any
    ) -> T:
        """Await a call to the journal; calls run one by one, urgent ones first, else in order of submission.

        The call runs even if its caller is cancelled meanwhile.

        Args:
            call: the function.
            *args: its arguments.
            due: the priority; ``writer.URGENT`` for a call that a submission waits for.
            **kwargs: its keyword arguments.
        """
        due = USUAL if due is None else due
        return await asyncio.wrap_future(self._journal.submit_by(due, call, *args, **kwargs))

    def run_callback(self, callback: Callable[..., object], /, *args: Any) -> None:
        """Run a user's callback on a thread where it may block without limit.

        Where no thread can be started, it is tried again until one can.
        """
        try:
            self._callbacks.submit(callback, *args)
        except QingboError as error:
            logger.warning("A callback has to wait: %s", error)
            with suppress(QingboError), self._lock:  # the monitor has no thread either, or is closed
                loop = self._running_loop()
                loop.call_soon_threadsafe(loop.call_later, CALLBACK_AGAIN, self.run_callback, callback, *args)
        except RuntimeError:
            return  # closed: no thread can run it

    async def in_background(self, call: Callable[..., object], /, *args: Any, patience: float = 0.0) -> None:
        """Run a call that is not important, such as making the poster of a video, and wait a little for it.

        Args:
            call: the function; it may be slow.
            *args: its arguments.
            patience: seconds after which it goes on without being waited for.
        """
        with suppress(RuntimeError, QingboError):  # closed, or no thread can be started
            future = self._posters.submit(call, *args)
            if patience:
                await asyncio.wait({asyncio.wrap_future(future)}, timeout=patience)

    def call_soon(self, callback: Callable[..., object], /, *args: Any) -> None:
        """Run a short callback on the monitor's thread."""
        self.process.check()
        with self._lock:
            self._running_loop().call_soon_threadsafe(callback, *args)

    def close(self, patience: float = 0.5) -> None:
        """Cancel every coroutine and end the threads; pending rows are still written.

        Args:
            patience: seconds to wait; running requests are left to their daemon threads.
        """
        if not self.process.is_this:
            return  # the threads and their writes belong to the parent
        deadline = time.monotonic() + patience
        with self._lock:
            if self._closed:
                return  # a second stop would interrupt the followers' cleanup
            self._is_closing = self._closed = True
            loop, thread = self._loop, self._thread
        for pool in (self._requests, self._downloads, self._uploads, self._callbacks, self._posters):
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
        """Wait for the threads of a closed monitor, whose connections are already closed."""
        deadline = time.monotonic() + timeout
        for pool in (self._requests, self._downloads):
            pool.join(max(deadline - time.monotonic(), 0.0))

    def _add_download_worker(self, due: float) -> None:
        """Add a thread for waiting downloads if the last addition is long ago or a URL is about to expire."""
        now = time.monotonic()
        if now - self._worker_added >= PATIENCE or due - time.time() <= URGENT:
            self._worker_added = now
            self._downloads.add_worker(DOWNLOAD_WORKERS + EXTRA_WORKERS)

    def _check_not_closing(self) -> None:
        if self._is_closing:
            raise QingboError(tr(_CLOSED))

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop, starting it if necessary. The caller holds the lock."""
        if self._closed:
            raise QingboError(tr(_CLOSED))
        if self._loop is None:
            loop = asyncio.new_event_loop()
            try:
                self._thread = start_thread("qingbo-monitor", self._run, loop)
            except QingboError:
                loop.close()
                raise
            self._loop = loop
        return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            _run_guarded(loop.run_forever)
            while not self._closed:
                _run_guarded(loop.run_forever)
            # Before all are cancelled, each coroutine runs its first step, in which it finds it closing.
            _run_until_done(loop, loop.create_task(asyncio.sleep(0)))
            while running := asyncio.all_tasks(loop):  # the cleanup of one may start another
                for task in running:
                    task.cancel()
                _run_until_done(loop, asyncio.gather(*running, return_exceptions=True))
        finally:
            loop.close()


def _run_until_done(loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]) -> None:
    while not future.done():
        _run_guarded(loop.run_until_complete, future)


def _run_guarded(run: Callable[..., object], *args: Any) -> None:
    """Run the loop. A ``sys.exit()`` in the code that one task calls must not end the thread of all tasks."""
    try:
        run(*args)
    except BaseException:
        logger.exception("The thread that follows all tasks continues after an error in one of them")
