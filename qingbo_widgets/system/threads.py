"""The start of daemon threads, which fails where the system has no thread left, or none at all."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..exceptions import QingboError
from ..i18n import N_, tr
from .host import why_no_threads

__all__ = ["start_thread"]

_NONE_LEFT = N_(
    "This Python cannot start another thread: the limit of the system or container is reached. Shut down "
    "other kernels or programs, then run this again."
)


def start_thread(name: str, work: Callable[..., object], *args: object) -> threading.Thread:
    """Run ``work(*args)`` on a new daemon thread, and return the thread once it runs.

    Raises:
        QingboError: no thread can be started; the message says what to do.
    """
    thread = threading.Thread(target=work, args=args, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        raise QingboError(why_no_threads() or tr(_NONE_LEFT)) from None
    return thread
