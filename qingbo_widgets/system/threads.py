"""The start of daemon threads, which fails where the system has no thread left, or none at all."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from ..exceptions import QingboError
from ..i18n import N_, tr

__all__ = ["check_threads", "start_thread"]

_NONE_LEFT = N_(
    "This Python cannot start another thread: the limit of the system or container is reached. Shut down "
    "other kernels or programs, then run this again."
)

_PYODIDE = N_(
    "qingbo_widgets cannot run in the browser (JupyterLite, Pyodide): this Python has no threads, which "
    "follow the tasks. Use Jupyter on a computer or a server."
)


def check_threads() -> None:
    """Raise an error where no task could be followed, because Python runs in a browser.

    Raises:
        QingboError: it does.
    """
    if reason := _never():
        raise QingboError(reason)


def start_thread(name: str, work: Callable[..., object], *args: object) -> threading.Thread:
    """Run ``work(*args)`` on a new daemon thread, and return the thread once it runs.

    Raises:
        QingboError: no thread can be started; the message says what to do.
    """
    thread = threading.Thread(target=work, args=args, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        raise QingboError(_never() or tr(_NONE_LEFT)) from None
    return thread


def _never() -> str:
    """Return why this Python can never start a thread; an empty text if it can."""
    return tr(_PYODIDE) if sys.platform == "emscripten" else ""
