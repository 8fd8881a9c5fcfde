"""The queue of posters to be made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ...media.posters import make_poster
from .pool import DaemonPool

__all__ = ["Posters", "posters"]


class Posters:
    """Makes posters one by one on a thread of its own."""

    def __init__(self) -> None:
        self._pool = DaemonPool(1, "qingbo-poster")
        self._lock = threading.Lock()
        self._asked: set[Path] = set()

    def ask(self, video: Path, call: Callable[[], object]) -> None:
        """Make a poster and call when it is there, on another thread. Asked for at most once."""
        with self._lock:
            if video in self._asked:
                return
            self._asked.add(video)
        self._pool.submit(partial(self._work, video, call))

    def _work(self, video: Path, call: Callable[[], object]) -> None:
        if make_poster(video) is not None:
            call()


#: The one for all galleries of this process.
posters = Posters()
