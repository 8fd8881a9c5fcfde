"""Guards for forked processes, such as those of ``multiprocessing``.

A forked child has its parent's locks, but not its threads. The parent's manager, its leases in the journal,
its connections and its sandbox belong to the parent. Using them in the child raises at once, because the
child lacks the threads that would respond; ``connect`` creates new ones there.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..exceptions import QingboError
from ..i18n import tr

__all__ = ["Process", "no_fork", "renew_in_children", "run_in_children", "skip_in_child"]


#: The longest time, in seconds, that a fork waits for a transaction to end.
FORK_PATIENCE = 5.0
#: Seconds between two checks whether the other side is done.
_POLL_SECONDS = 0.001


class Process:
    """The process that created an object."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_this(self) -> bool:
        """True if the caller is in that process, not in a forked child."""
        return os.getpid() == self._pid

    def check(self) -> None:
        """Raise an error in a forked child.

        Raises:
            QingboError: the caller is in a forked child.
        """
        if not self.is_this:
            raise QingboError(
                tr(
                    "A forked process cannot use the manager of its parent. Nothing was sent. Call "
                    "qw.connect() here with the same arguments."
                )
            )


def skip_in_child(call: Callable[..., object]) -> Callable[..., None]:
    """Return a wrapper for finalizers: call the function in this process, do nothing in a forked child."""
    process = Process()

    def guarded(*args: Any, **kwargs: Any) -> None:
        if process.is_this:
            call(*args, **kwargs)

    return guarded


class _Gate:
    """Sections in which the process is not forked: a fork waits for them and delays new ones.

    There is no lock, because an interrupt could leave it locked: each side first announces itself and then
    checks for the other one. Both wait so rarely and so briefly that they poll.
    """

    def __init__(self) -> None:
        self._inside: set[int] = set()  # ids of threads
        self._is_shut = False

    def enter(self) -> None:
        thread, end = threading.get_ident(), time.monotonic() + FORK_PATIENCE
        self._inside.add(thread)
        while self._is_shut and time.monotonic() < end:
            self._inside.discard(thread)
            time.sleep(_POLL_SECONDS)
            self._inside.add(thread)

    def leave(self) -> None:
        self._inside.discard(threading.get_ident())

    def shut(self) -> None:
        self._is_shut = True
        end = time.monotonic() + FORK_PATIENCE
        while self._inside - {threading.get_ident()} and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)

    def reopen(self) -> None:
        self._is_shut = False


_gate = _Gate()


@contextmanager
def no_fork() -> Iterator[None]:
    """Prevent forks within the block, for example during a transaction.

    SQLite tracks its locks per process, so for a child forked in a transaction the database would be locked
    forever. A fork waits only briefly, because the transaction may in turn be waiting for the forking thread.
    """
    gate = _gate
    gate.enter()
    try:
        yield
    finally:
        gate.leave()


_renewed: weakref.WeakSet[Any] = weakref.WeakSet()


def renew_in_children(owner: Any) -> None:
    """Call ``owner.renew_in_child()`` in every forked child, where no thread releases the locks held."""
    _renewed.add(owner)


def _renew() -> None:
    global _gate
    _gate = _Gate()
    for owner in tuple(_renewed):
        owner.renew_in_child()


def run_in_children(call: Callable[[], object]) -> None:
    """Call a function in every forked child before the child continues."""
    if hasattr(os, "register_at_fork"):  # absent on Windows, which has no fork
        os.register_at_fork(after_in_child=call)


run_in_children(_renew)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=lambda: _gate.shut(), after_in_parent=lambda: _gate.reopen())
