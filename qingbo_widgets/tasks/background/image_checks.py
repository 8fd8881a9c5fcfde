"""Checks of images in the background, each image once."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from ...service.contract.urls import is_loopback, is_private_host
from ...service.http.image_probe import ImageReport, probe_image
from ...system.forks import renew_in_children
from .pool import DaemonPool

__all__ = ["ImageReports", "image_reports"]

logger = logging.getLogger("qingbo_widgets")

#: Maximum bytes of an image that is kept in memory to be shown, because only this machine can fetch it.
MAX_KEPT = 1_000_000
#: Seconds after which the check of an unreachable server may be repeated.
_RETRY_AFTER = 20.0
_MAX_REPORTS = 200


class ImageReports:
    """Cache of reports on the images that forms refer to; one instance for all forms of the process.

    Args:
        probe: a blocking function that checks one image.
        clock: a clock in seconds.
    """

    def __init__(
        self, probe: Callable[..., ImageReport] = probe_image, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._probe, self._clock = probe, clock
        self._reports: OrderedDict[tuple[str, bool], tuple[ImageReport, float]] = OrderedDict()
        self._begin()
        renew_in_children(self)

    def renew_in_child(self) -> None:
        """Check anew in a forked process: the threads, and what waits for them, are the parent's."""
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, bool], list[Callable[[], object]]] = {}
        self._pool = DaemonPool(2, "qingbo-picture")

    def get(self, url: str, base_url: str) -> ImageReport | None:
        """Return the report of the last check, or ``None`` if there is none yet.

        Args:
            url: the URL of the image.
            base_url: the service's URL, which decides if a local image is acceptable.
        """
        with self._lock:
            entry = self._reports.get((url, is_loopback(base_url)))
        return None if entry is None else entry[0]

    def is_due(self, url: str, base_url: str) -> bool:
        """Return True if ``check`` would fetch the image: for the first time, or long after a failure."""
        with self._lock:
            entry = self._reports.get((url, is_loopback(base_url)))
        return entry is None or (entry[0].is_transient and self._clock() - entry[1] > _RETRY_AFTER)

    def check(self, url: str, base_url: str, callback: Callable[[], object]) -> None:
        """Check an image unless its report is known, then call back: at once, or later on another thread."""
        if not self.is_due(url, base_url):
            callback()
            return
        key = (url, is_loopback(base_url))
        with self._lock:
            if key in self._waiting:
                if callback not in self._waiting[key]:
                    self._waiting[key].append(callback)
                return
            self._waiting[key] = [callback]
        self._pool.submit(self._work, key, base_url)

    def _work(self, key: tuple[str, bool], base_url: str) -> None:
        url = key[0]
        try:
            report = self._probe(url, base_url, keep=MAX_KEPT if is_private_host(url) else 0)
            with self._lock:
                self._reports[key] = (report, self._clock())
                while len(self._reports) > _MAX_REPORTS:
                    self._reports.popitem(last=False)
        finally:
            with self._lock:
                callbacks = self._waiting.pop(key)
        for callback in callbacks:
            try:
                callback()
            except Exception:
                logger.exception("A view of the image could not be updated")


#: The shared instance for all forms of this process.
image_reports = ImageReports()
