"""Checks of images in the background, each image once."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from ...service.contract.urls import is_loopback, is_private_host
from ...service.http.image_probe import ImageReport, probe_image
from .reports import Reports

__all__ = ["ImageReports", "image_reports"]

#: Maximum bytes of an image that is kept in memory to be shown, because only this machine can fetch it.
MAX_KEPT = 1_000_000
#: Seconds after which the check of an unreachable server may be repeated.
_RETRY_AFTER = 20.0


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
        self._reports: Reports[tuple[str, bool], tuple[ImageReport, float]] = Reports("image")

    def get(self, url: str, base_url: str) -> ImageReport | None:
        """Return the report of the last check, or ``None`` if there is none yet.

        Args:
            url: the URL of the image.
            base_url: the service's URL, which decides if a local image is acceptable.
        """
        entry = self._reports.get((url, is_loopback(base_url)))
        return None if entry is None else entry[0]

    def is_due(self, url: str, base_url: str) -> bool:
        """Return True if ``check`` would fetch the image: for the first time, or long after a failure."""
        entry = self._reports.get((url, is_loopback(base_url)))
        return entry is None or (entry[0].is_transient and self._clock() - entry[1] > _RETRY_AFTER)

    def check(self, url: str, base_url: str, callback: Callable[[], object]) -> None:
        """Check an image unless its report is known, then call back: at once, or later on another thread."""
        if not self.is_due(url, base_url):
            callback()
            return
        self._reports.make((url, is_loopback(base_url)), partial(self._checked, url, base_url), callback)

    def _checked(self, url: str, base_url: str) -> tuple[ImageReport, float]:
        report = self._probe(url, base_url, keep=MAX_KEPT if is_private_host(url) else 0)
        return report, self._clock()


#: The shared instance for all forms of this process.
image_reports = ImageReports()
