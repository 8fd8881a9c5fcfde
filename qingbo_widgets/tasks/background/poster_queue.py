"""The queue of posters to be made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ...exceptions import QingboError
from ...media.posters import make_poster
from .pool import DaemonPool

__all__ = ["PosterQueue", "posters"]


class PosterQueue:
    """Queue that makes posters one by one on a separate thread."""

    def __init__(self) -> None:
        self._pool = DaemonPool(1, "qingbo-poster")
        self._lock = threading.Lock()
        self._requested: set[Path] = set()

    def add(self, video: Path, callback: Callable[[], object]) -> None:
        """Make a poster on another thread and call back there when it exists; each video is queued once."""
        with self._lock:
            if video in self._requested:
                return
            self._requested.add(video)
        try:
            self._pool.submit(partial(self._work, video, callback))
        except QingboError:  # without a thread there is no poster, until a gallery asks again
            self._requested.discard(video)

    def _work(self, video: Path, callback: Callable[[], object]) -> None:
        if make_poster(video) is not None:
            callback()


#: The shared instance for all galleries of this process.
posters = PosterQueue()
