"""Reports on the local pictures and videos that forms refer to, made in the background, each once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ...exceptions import QingboError
from ...i18n import N_, tr
from ...media.previews import picture_preview, video_preview
from ...media.unusable import UnusableMedia
from ...service.contract.media import Medium
from ...service.contract.values import LocalMedia
from ...service.http.image_probe import ImageReport, Size
from ...system.files import reason_of
from ..background.reports import Reports
from .saving import InputSaver, SavedFile

__all__ = ["InputReport", "InputReports"]

_NOT_SHOWN = N_("It cannot be shown here: {reason}")


@dataclass(frozen=True)
class InputReport(ImageReport):
    """The report on a file of this machine.

    Attributes:
        seconds: the length of a video; ``None`` for a picture, or if it is unknown.
    """

    seconds: float | None = None


class InputReports:
    """Cache of reports on files of this machine, by what each file was when it was looked at.

    A report has a small picture, the size of the picture that will be sent, and what is changed in it.

    Args:
        saver: makes the files that will be sent.
    """

    def __init__(self, saver: InputSaver) -> None:
        self._saver = saver
        self._reports: Reports[tuple[Any, ...], InputReport] = Reports("picture")

    def get(self, medium: Medium) -> InputReport | None:
        """Return the report on a file as it is now; ``None`` if there is none yet."""
        return self._reports.get(self._key(medium))

    def check(self, medium: Medium, callback: Callable[[], object]) -> None:
        """Make a report unless it is known, then call back: at once, or later on another thread."""
        key = self._key(medium)
        if self._reports.get(key) is not None:
            callback()
        else:
            self._reports.make(key, partial(self._report, medium), callback)

    def _key(self, medium: Medium) -> tuple[Any, ...]:
        """Return what a report depends on: the file as it is now, its use, and the limits of a video."""
        place, parameter = self._saver.place_of(medium.value), medium.parameter
        use = (parameter.media, parameter.limits.get("seconds"))
        if not isinstance(place, Path):
            return (medium.value, *use)
        try:
            facts = place.stat()
        except OSError:
            return (str(place), *use)
        return (str(place), *use, facts.st_mtime_ns, facts.st_size)

    def _report(self, medium: Medium) -> InputReport:
        report = self._report_on(medium)
        # A file from the page has the name of its saved copy, which now stands for it.
        self._reports.put(self._key(medium), report)
        return report

    def _report_on(self, medium: Medium) -> InputReport:
        value = medium.value
        is_path = isinstance(value, str) and not isinstance(self._saver.place_of(value), LocalMedia)
        name = value if is_path else repr(value)[:80]
        try:
            file = self._saver.file_of(medium)
        except (UnusableMedia, ImportError) as error:
            return InputReport(name, problem=str(error))
        except OSError as error:
            return InputReport(name, problem=reason_of(error, Path(name)))
        return InputReport(name) if file is None else _preview_of(file, name, medium.parameter.media)


def _preview_of(file: SavedFile, name: str, media: str) -> InputReport:
    """Return the report on a saved file. One that cannot be shown can be sent all the same."""
    notes, seconds = list(file.notes), None
    size: Size | None
    try:
        if media == "video":
            size, content, seconds = video_preview(file.path)
        else:
            size, content = picture_preview(file.path)
    except (QingboError, UnusableMedia, ImportError, OSError) as error:
        notes.append(tr(_NOT_SHOWN).format(reason=error))
        size, content = None, b""
    return InputReport(name, size, content=content, doubt=" ".join(notes), seconds=seconds)
