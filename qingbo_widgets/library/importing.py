"""Importing a folder of videos and sidecars into a journal that does not know them."""

from __future__ import annotations

import logging
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..service.contract.snapshot import TaskStatus
from ..system.folder import is_file_inside
from .entry import Entry
from .sidecar import MOMENTS, read_sidecar

if TYPE_CHECKING:
    from .judgements import Judgements

__all__ = ["Importing", "import_folder"]

logger = logging.getLogger("qingbo_widgets")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _END_YEAR = 1971, 3000
_TEXTS = ("key", "service", "task_id", "model", "contract")
#: Characters of such a text; PostgreSQL has no index of long ones.
_LONGEST = 500


class Importing(Protocol):
    """The library that videos are imported into."""

    folder: Path

    @property
    def judgements(self) -> Judgements:
        """Ratings, tags and notes."""

    def entries(self) -> list[Entry]:
        """Return the tasks that it knows."""

    def video_of(self, entry: Entry) -> Path | None:
        """Return the path of a task's video."""

    def add(self, entry: Entry) -> None:
        """Write a new row."""

    def update(self, key: str, *, reopen: bool = False, **columns: Any) -> None:
        """Change columns of a row."""


def import_folder(library: Importing) -> int:
    """Enter into the journal every video of the folder that it does not know, with its judgement.

    A video without a sidecar is entered too, with nothing but its name and time.

    Returns:
        How many were entered.
    """
    entries = library.entries()
    found = {video.name: video for video in sorted(library.folder.glob("*.mp4")) if _is_film(video)}
    files = {entry.file for entry in entries if entry.file}
    # On Windows and macOS a file may be listed under another spelling than it was saved under: letters in
    # another case, or accents as characters of their own.
    respelt = {_folded(file) for file in files - found.keys() if (library.folder / file).is_file()}
    # Also those whose file somebody has given another name, with its sidecar.
    unsaved = {entry.key for entry in entries if not ((file := library.video_of(entry)) and file.is_file())}
    taken = {entry.key for entry in entries}
    videos = [video for name, video in found.items() if name not in files and _folded(name) not in respelt]
    for video in videos:
        sidecar = read_sidecar(video) or {}
        entry = _entry(video, sidecar)
        if entry.key in unsaved:
            done = {"status": entry.status, "progress": 100, "error": None}
            library.update(entry.key, reopen=True, file=video.name, **done)
            unsaved.discard(entry.key)
            continue
        if entry.key in taken:  # a copy of a video that is there under another name
            entry = replace(entry, key=uuid.uuid4().hex)
        taken.add(entry.key)
        library.add(entry)
        _judge(library.judgements, entry.key, sidecar)
    return len(videos)


def _judge(judgements: Judgements, key: str, sidecar: Mapping[str, Any]) -> None:
    rating, tags, note = map(sidecar.get, ("rating", "tags", "note"))
    if type(rating) is int and rating in range(6):
        judgements.rate(key, rating)
    if isinstance(tags, list) and tags and all(isinstance(tag, str) for tag in tags):
        judgements.tag(key, tags)
    if isinstance(note, str) and note:
        judgements.note(key, note)


def _entry(video: Path, sidecar: Mapping[str, Any]) -> Entry:
    """A row for a video. A sidecar may come from anywhere, so nothing in it is believed blindly."""
    texts = {name: sidecar[name] for name in _TEXTS if _is_short_text(sidecar.get(name))}
    moments = {name: moment for name in MOMENTS if (moment := _moment(sidecar.get(name))) is not None}
    # Not fromtimestamp, which refuses a date before 1970 on Windows; some copies of a file have one.
    try:
        saved = _EPOCH + timedelta(seconds=video.stat().st_mtime)
    except OverflowError:  # some file systems can have any date
        saved = datetime.now(UTC)
    request = sidecar.get("request")
    defaults = {"key": uuid.uuid4().hex, "service": "unknown", "submitted_at": saved}
    return Entry(
        **{**defaults, **texts, **moments},
        request=request if isinstance(request, dict) else None,
        status=TaskStatus.completed.value,
        progress=100,
        file=video.name,  # where it is, whatever the sidecar says
    )


def _is_film(video: Path) -> bool:
    """Return whether a video is entered: none that leads out, or whose name no journal can keep."""
    try:
        video.name.encode()
    except UnicodeEncodeError:
        is_kept = False
    else:
        is_kept = is_file_inside(video)
    if not is_kept and not video.is_dir():
        logger.warning("%r is left out: it leads out of the folder, or its name is not text", video.name)
    return is_kept


def _is_short_text(found: object) -> bool:
    return isinstance(found, str) and 0 < len(found) <= _LONGEST


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    # A moment of another age could not be shown: Windows knows no local time for it.
    return moment if moment.tzinfo and _FIRST_YEAR <= moment.year < _END_YEAR else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
