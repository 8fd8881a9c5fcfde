"""A process that was forked, by ``multiprocessing`` say: it has its parent's locks, but not the threads.

The parent's manager, its holds in the journal, its connections and its sandbox stay the parent's. The child
is refused them at once, because a thread that does not exist would never answer; ``connect`` gives it others.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import Any

from ..exceptions import QingboError
from ..i18n import tr

__all__ = ["Process", "in_child", "not_in_child", "renewed_in_child"]


class Process:
    """The process in which something was made."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_this(self) -> bool:
        """Whether the caller is in that process, and in no child of it."""
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


_renewed: weakref.WeakSet[Any] = weakref.WeakSet()


def renewed_in_child(owner: Any) -> None:
    """Call ``owner.renew_in_child()`` in a forked child, where no thread releases the locks that are held."""
    _renewed.add(owner)


def _renew() -> None:
    for owner in tuple(_renewed):
        owner.renew_in_child()


def in_child(call: Callable[[], object]) -> None:
    """Call a function in each forked child, before it goes on."""
    if hasattr(os, "register_at_fork"):  # not on Windows, which forks nothing
        os.register_at_fork(after_in_child=call)


in_child(_renew)
