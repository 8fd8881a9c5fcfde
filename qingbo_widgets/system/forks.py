"""A process that was forked, by ``multiprocessing`` say: it has its parent's locks, but not the threads.

The parent's manager, its holds in the journal, its connections and its sandbox stay the parent's. The child
is refused them at once, because a thread that does not exist would never answer; ``connect`` gives it others.
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

__all__ = ["Process", "in_child", "not_forked", "not_in_child", "renewed_in_child"]


#: Seconds for which a fork waits for a transaction to end.
FORK_PATIENCE = 5.0
#: Seconds between two looks whether the other side is done.
_MOMENT = 0.001


class Process:
    """The process in which something was made."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_this(self) -> bool:
        """Tell whether the caller is in that process, and in no child of it."""
        return os.getpid() == self._pid

    def check(self) -> None:
        """Refuse a forked child.

        Raises:
            QingboError: the caller is in one.
        """
        if not self.is_this:
            raise QingboError(
                tr(
                    "This process was forked from the one that follows these tasks, and cannot use its "
                    "manager. Nothing was sent. Call qw.connect() in this process, with the same arguments."
                )
            )


def not_in_child(call: Callable[..., object]) -> Callable[..., None]:
    """Return what calls the function in this process, and does nothing in a forked child: for finalizers."""
    process = Process()

    def guarded(*args: Any, **kwargs: Any) -> None:
        if process.is_this:
            call(*args, **kwargs)

    return guarded


class _Gate:
    """Sections in which the process is not forked: a fork waits for them, and lets none begin meanwhile.

    It has no lock, which an interrupt could leave locked: each side shows itself first, and then looks for
    the other one. Both wait so rarely, and so shortly, that they look again and again.
    """

    def __init__(self) -> None:
        self._inside: set[int] = set()  # threads
        self._is_shut = False

    def enter(self) -> None:
        here, end = threading.get_ident(), time.monotonic() + FORK_PATIENCE
        self._inside.add(here)
        while self._is_shut and time.monotonic() < end:
            self._inside.discard(here)
            time.sleep(_MOMENT)
            self._inside.add(here)

    def leave(self) -> None:
        self._inside.discard(threading.get_ident())

    def shut(self) -> None:
        self._is_shut = True
        end = time.monotonic() + FORK_PATIENCE
        while self._inside - {threading.get_ident()} and time.monotonic() < end:
            time.sleep(_MOMENT)

    def reopen(self) -> None:
        self._is_shut = False


_gate = _Gate()


@contextmanager
def not_forked() -> Iterator[None]:
    """Keep the process from being forked within: in a transaction, say.

    SQLite notes its locks for the whole process, so a child forked in a transaction would find the database
    locked for ever. A fork waits, but not for long: what it waits for may wait for the forking thread.
    """
    gate = _gate
    gate.enter()
    try:
        yield
    finally:
        gate.leave()


_renewed: weakref.WeakSet[Any] = weakref.WeakSet()


def renewed_in_child(owner: Any) -> None:
    """Call ``owner.renew_in_child()`` in a forked child, where no thread releases the locks that are held."""
    _renewed.add(owner)


def _renew() -> None:
    global _gate
    _gate = _Gate()
    for owner in tuple(_renewed):
        owner.renew_in_child()


def in_child(call: Callable[[], object]) -> None:
    """Call a function in each forked child, before it goes on."""
    if hasattr(os, "register_at_fork"):  # not on Windows, which forks nothing
        os.register_at_fork(after_in_child=call)


in_child(_renew)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=lambda: _gate.shut(), after_in_parent=lambda: _gate.reopen())
