"""Reports on the local pictures and videos that forms refer to, made in the background, each once."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...media.previews import picture_preview, video_preview
from ...media.unusable import UnusableMedia
from ...service.contract.media import Medium
from ...service.contract.values import LocalMedia
from ...service.http.image_probe import ImageReport
from ...system.files import reason_of
from ...system.forks import renew_in_children
from ..background.pool import DaemonPool
from .saving import InputSaver

__all__ = ["InputReports"]

logger = logging.getLogger("qingbo_widgets")

_MOST_REPORTS = 200


class InputReports:
    """Cache of reports on files of this machine, by what each file was when it was looked at.

    A report has a small picture, the size of the picture that will be sent, and what is changed in it.

    Args:
        saver: makes the files that will be sent.
    """

    def __init__(self, saver: InputSaver) -> None:
        self._saver = saver
        self._reports: OrderedDict[tuple[Any, ...], ImageReport] = OrderedDict()
        self._begin()
        renew_in_children(self)

    def renew_in_child(self) -> None:
        """Report anew in a forked process: the threads, and what waits for them, are the parent's."""
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[tuple[Any, ...], list[Callable[[], object]]] = {}
        self._pool = DaemonPool(2, "qingbo-picture")

    def get(self, medium: Medium) -> ImageReport | None:
        """Return the report on a file as it is now; ``None`` if there is none yet."""
        with self._lock:
            return self._reports.get(self._key(medium))

    def check(self, medium: Medium, callback: Callable[[], object]) -> None:
        """Make a report unless it is known, then call back: at once, or later on another thread."""
        key = self._key(medium)
        with self._lock:
            is_known, waiting = key in self._reports, self._waiting.get(key)
            if not is_known and waiting is None:
                self._waiting[key] = [callback]
            elif waiting is not None and callback not in waiting:
                waiting.append(callback)
        if is_known:
            callback()
        elif waiting is None:
            self._pool.submit(self._work, key, medium)

    def _key(self, medium: Medium) -> tuple[Any, ...]:
        place, media = self._saver.place_of(medium.value), medium.parameter.media
        if not isinstance(place, Path):
            return (medium.value, media)
        try:
            facts = place.stat()
        except OSError:
            return (str(place), media)
        return (str(place), media, facts.st_mtime_ns, facts.st_size)

    def _work(self, key: tuple[Any, ...], medium: Medium) -> None:
        try:
            report = self._report(medium)
            with self._lock:
                self._reports[key] = report
                while len(self._reports) > _MOST_REPORTS:
                    self._reports.popitem(last=False)
        finally:
            with self._lock:
                callbacks = self._waiting.pop(key)
        for callback in callbacks:
            try:
                callback()
            except Exception:
                logger.exception("A view of the picture could not be updated")

    def _report(self, medium: Medium) -> ImageReport:
        name = medium.value if isinstance(medium.value, str) else repr(medium.value)
        if isinstance(self._saver.place_of(medium.value), LocalMedia):
            name = repr(medium.value)[:80]
        try:
            file = self._saver.file_of(medium)
            if file is None:
                return ImageReport(name)
            show = video_preview if medium.parameter.media == "video" else picture_preview
            size, content = show(file.path)
        except (UnusableMedia, ImportError) as error:
            return ImageReport(name, problem=str(error))
        except OSError as error:
            return ImageReport(name, problem=reason_of(error, Path(name)))
        return ImageReport(name, size, content=content, doubt=" ".join(file.notes))
