"""Looking at images without blocking anybody, and at none of them twice."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...service.contract.urls import is_elsewhere, is_loopback, is_private_host
from ...service.http.image_probe import ImageReport, look_at
from .pool import DaemonPool

if TYPE_CHECKING:
    from ...sandbox import Sandbox

__all__ = ["Pictures", "pictures"]

logger = logging.getLogger("qingbo_widgets")

#: Bytes up to which an image that only this machine can fetch is kept, to be shown from memory.
KEPT = 1_000_000
#: Seconds after which a server that could not be reached may be asked again.
_ASK_AGAIN = 20.0
_MOST_REPORTS = 200


class Pictures:
    """What is known of the images that a form names. One for all forms of the process.

    Args:
        look: looks at one image; blocks.
        clock: seconds.
    """

    def __init__(
        self, look: Callable[..., ImageReport] = look_at, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look, self._clock = look, clock
        self._lock = threading.Lock()
        self._reports: OrderedDict[tuple[str, bool], tuple[ImageReport, float]] = OrderedDict()
        self._waiting: dict[tuple[str, bool], list[Callable[[], object]]] = {}
        self._files: dict[str, str] = {}
        self._pool = DaemonPool(2, "qingbo-picture")

    def known(self, url: str, base_url: str) -> ImageReport | None:
        """What the last look has told, ``None`` while there is nothing to tell.

        Args:
            url: the image.
            base_url: the service's address, which decides whether an image on this machine will do.
        """
        with self._lock:
            found = self._reports.get((url, is_loopback(base_url)))
        if found is None or (found[0].is_passing and self._clock() - found[1] > _ASK_AGAIN):
            return None
        return found[0]

    def ask(self, url: str, base_url: str, call: Callable[[], object]) -> None:
        """Look at an image unless it is known, and call when it is: at once, or later on another thread."""
        if self.known(url, base_url) is not None:
            call()
            return
        key = (url, is_loopback(base_url))
        with self._lock:
            if key in self._waiting:
                if call not in self._waiting[key]:
                    self._waiting[key].append(call)
                return
            self._waiting[key] = [call]
        self._pool.submit(self._work, key, base_url)

    def publish(self, path: str, sandbox: Sandbox) -> str | None:
        """The URL by which the sandbox serves a file of this machine; ``None`` where it cannot."""
        if is_elsewhere(path):
            return None
        try:
            file = Path(path).expanduser()
            if not file.is_file():
                return None
            url = sandbox.publish(file)
        except (OSError, ValueError, RuntimeError):
            return None
        with self._lock:
            self._files[url] = path
        return url

    def path_of(self, url: str) -> str:
        """The file that ``publish`` was given for this URL; the URL itself where it comes from elsewhere."""
        return self._files.get(url, url)

    def _work(self, key: tuple[str, bool], base_url: str) -> None:
        url = key[0]
        try:
            report = self._look(url, base_url, keep=KEPT if is_private_host(url) else 0)
            with self._lock:
                self._reports[key] = (report, self._clock())
                while len(self._reports) > _MOST_REPORTS:
                    self._reports.popitem(last=False)
        finally:
            with self._lock:
                calls = self._waiting.pop(key)
        for call in calls:
            try:
                call()
            except Exception:
                logger.exception("A view of the image could not be brought up to date")


#: The one for all forms of this process.
pictures = Pictures()
