"""Import of videos and sidecars that are in a folder but missing from its journal."""

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

__all__ = ["ImportTarget", "import_folder"]

logger = logging.getLogger("qingbo_widgets")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _END_YEAR = 1971, 3000
_TEXTS = ("key", "service", "task_id", "model", "contract")
#: Maximum characters of such a text, because PostgreSQL cannot index long ones.
_LONGEST = 500


class ImportTarget(Protocol):
    """The library that videos are imported into."""

    folder: Path

    @property
    def judgements(self) -> Judgements:
        """The ratings, tags and notes."""

    def entries(self) -> list[Entry]:
        """Return the tasks in the journal."""

    def video_of(self, entry: Entry) -> Path | None:
        """Return the path of a task's video."""

    def add(self, entry: Entry) -> None:
        """Write a new row."""

    def update(self, key: str, *, reopen: bool = False, **columns: Any) -> None:
        """Change columns of a row."""


def import_folder(library: ImportTarget) -> int:
    """Add to the journal every video of the folder that it lacks, with its judgement.

    A video without a sidecar is added too, with only its name and time.

    Returns:
        The number of videos added.
    """
    entries = library.entries()
    by_name = {video.name: video for video in sorted(library.folder.glob("*.mp4")) if _is_film(video)}
    files = {entry.file for entry in entries if entry.file}
    # On Windows and macOS a file may be listed under a different spelling than it was saved under: with
    # letters in another case, or with accents as separate characters.
    respelt = {_folded(file) for file in files - by_name.keys() if (library.folder / file).is_file()}
    # Including tasks whose file the user has renamed together with its sidecar.
    without_file = {
        entry.key for entry in entries if not ((file := library.video_of(entry)) and file.is_file())
    }
    used_keys = {entry.key for entry in entries}
    videos = [video for name, video in by_name.items() if name not in files and _folded(name) not in respelt]
    for video in videos:
        sidecar = read_sidecar(video) or {}
        entry = _entry(video, sidecar)
        if entry.key in without_file:
            done = {"status": entry.status, "progress": 100, "error": None}
            library.update(entry.key, reopen=True, file=video.name, **done)
            without_file.discard(entry.key)
            continue
        if entry.key in used_keys:  # a copy of a video that is present under another name
            entry = replace(entry, key=uuid.uuid4().hex)
        used_keys.add(entry.key)
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
    """Return a row for a video. A sidecar may come from anywhere, so every value is checked."""
    texts = {name: sidecar[name] for name in _TEXTS if _is_short_text(sidecar.get(name))}
    times = {name: moment for name in MOMENTS if (moment := _moment(sidecar.get(name))) is not None}
    # Not fromtimestamp, which rejects dates before 1970 on Windows; some copied files have such a date.
    try:
        modified_at = _EPOCH + timedelta(seconds=video.stat().st_mtime)
    except OverflowError:  # some file systems allow any date
        modified_at = datetime.now(UTC)
    request = sidecar.get("request")
    defaults = {"key": uuid.uuid4().hex, "service": "unknown", "submitted_at": modified_at}
    return Entry(
        **{**defaults, **texts, **times},
        request=request if isinstance(request, dict) else None,
        cost=cost if type(cost := sidecar.get("cost")) is int else None,
        status=TaskStatus.completed.value,
        progress=100,
        file=video.name,  # the actual name, whatever the sidecar says
    )


def _is_film(video: Path) -> bool:
    """Return whether to import a video: it must lie in the folder, and its name must be valid text."""
    try:
        video.name.encode()
    except UnicodeEncodeError:
        is_usable = False
    else:
        is_usable = is_file_inside(video)
    if not is_usable and not video.is_dir():
        logger.warning("Skipped %r: it leads out of the folder, or its name is not valid text", video.name)
    return is_usable


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    # A date far outside this range could not be shown: Windows has no local time for it.
    return moment if moment.tzinfo and _FIRST_YEAR <= moment.year < _END_YEAR else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
