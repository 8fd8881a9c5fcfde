"""The one background thread. All tasks are followed on it, each by a coroutine of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ..exceptions import QingboError
from ..i18n import tr
from .pace import Pace
from .pool import DaemonPool
from .scribe import USUAL, Scribe

if TYPE_CHECKING:
    from .journal import Journal

T = TypeVar("T")

REQUEST_WORKERS = 16
DOWNLOAD_WORKERS = 3
CALLBACK_WORKERS = 32


class TaskMonitor:
    """An asyncio loop in a daemon thread, and the pools on which it makes blocking calls.

    Requests, downloads and the journal have pools of their own, so that a large video delays no status
    and rows are written in the order in which things happened. Nothing is started before the first use, or
    ``warm_up``.

    Args:
        journal: what the calls of ``journal`` read and write.
    """

    def __init__(self, journal: Journal) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        #: Where each request has its turn first, so that none has to wait for a worker.
        self.pace = Pace(REQUEST_WORKERS)
        self._requests = DaemonPool(REQUEST_WORKERS, "qingbo-request")
        self._downloads = DaemonPool(DOWNLOAD_WORKERS, "qingbo-download")
        self._journal = Scribe(journal)
        self._callbacks = DaemonPool(CALLBACK_WORKERS, "qingbo-callback")
        self._promises: set[Future[None]] = set()

    def start(self, story: Callable[..., Coroutine[Any, Any, T]], /, *args: Any) -> Future[T]:
        """Run the coroutine ``story(*args)`` on the thread; returns at once.

        Raises:
            QingboError: the monitor is closed.
        """
        loop = self._running_loop()
        return asyncio.run_coroutine_threadsafe(story(*args), loop)

    def warm_up(self) -> None:
        """Start the thread before it is needed, so that the first task does not wait for that."""
        with suppress(QingboError):  # closed: it will not be needed
            self._running_loop()

    def promise(self) -> Future[None]:
        """Something that should not be cut off: whoever makes it sets its result."""
        promise: Future[None] = Future()
        self._promises.add(promise)
        promise.add_done_callback(self._promises.discard)
        return promise

    def keep_promises(self, seconds: float) -> int:
        """Wait for all promises, for so long at most; returns how many are still open."""
        if self._closed or self.is_current_thread:
            return 0
        return len(wait(tuple(self._promises), seconds).not_done)

    def check_open(self) -> None:
        """Say that it is closed, if it is.

        Raises:
            QingboError: the monitor is closed.
        """
        if self._closed:
            raise QingboError(tr("This task manager is closed. qw.connect() gives a new one."))

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
        return asyncio.wrap_future(self._requests.submit(call, *args, **kwargs))

    async def download(self, due: float, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Await a blocking download. Of those that wait, the one that is due first begins first."""
        return await asyncio.wrap_future(self._downloads.submit_by(due, call, *args, **kwargs))

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
        with suppress(RuntimeError):  # closed: nobody is left to call
            self._callbacks.submit(callback, *args)

    def call_soon(self, callback: Callable[..., object], /, *args: Any) -> None:
        """Run something short on the monitor's thread."""
        self._running_loop().call_soon_threadsafe(callback, *args)

    def close(self, patience: float = 0.5) -> None:
        """Cancel every coroutine and end the threads; what is still to be written down is written.

        Args:
            patience: seconds to wait for that; requests under way are left to their daemon threads.
        """
        deadline = time.monotonic() + patience
        with self._lock:
            if self._closed:
                return  # a second stop would cut off the followers in their last words
            self._closed = True
            loop, thread = self._loop, self._thread
        for pool in (self._requests, self._downloads, self._callbacks):
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

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            self.check_open()
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_run, args=(self._loop,), name="qingbo-monitor", daemon=True
                )
                self._thread.start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        followers = asyncio.all_tasks(loop)
        for follower in followers:
            follower.cancel()
        loop.run_until_complete(asyncio.gather(*followers, return_exceptions=True))
    finally:
        loop.close()
