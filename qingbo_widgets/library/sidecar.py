"""A sidecar beside each video: what it was made of, in a JSON file that goes wherever the video goes.

Files and sidecars are enough to make a library again, without the journal.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..service.contract.snapshot import TaskStatus
from ..service.contract.v2026_04 import Contract202604
from ..system.folder import is_file_inside, open_inside, read_inside, write_whole
from .library import Entry, Library
from .untrusted import LARGEST, tidied

if TYPE_CHECKING:
    from ..tasks.task import Task
    from .judgements import Judgement

__all__ = [
    "amend_sidecar",
    "carry_judgement",
    "import_folder",
    "read_sidecar",
    "sidecar_path",
    "write_sidecar",
]

logger = logging.getLogger("qingbo_widgets")

#: Of the file's own layout; raised when a reader of the old one would misread the new one.
FORMAT = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _END_YEAR = 1971, 3000
_MOMENTS = ("submitted_at", "created_at", "completed_at")
_TEXTS = ("key", "service", "task_id", "model")
#: Characters of such a text; PostgreSQL has no index of long ones.
_LONGEST = 500


def sidecar_path(video: Path) -> Path:
    """Where the sidecar of a video is, or would be."""
    return video.with_suffix(".json")


def write_sidecar(task: Task, video: Path) -> None:
    """Write down what a saved video was made of, whole or not at all.

    Raises:
        OSError: the video cannot be read, or the folder not be written.
    """
    from .judgements import Judgements

    package = import_module(__name__.partition(".")[0])
    judgement = Judgements(task.manager.library).of(task.key)  # one may rate what is saved for a second time
    moments = {name: moment.isoformat() for name in _MOMENTS if (moment := getattr(task, name)) is not None}
    content = {
        "format": FORMAT,
        "key": task.key,
        "task_id": task.task_id,
        "model": task.model,
        "service": task.manager.service,
        "contract": Contract202604.name,
        "request": task.request.as_dict() if task.request else None,
        **moments,
        "video": {"file": video.name, "bytes": video.stat().st_size, "sha256": _digest(video)},
        **_judged(judgement),
        "versions": {package.__name__: package.__version__, "python": platform.python_version()},
    }
    _write(sidecar_path(video), content)


def amend_sidecar(video: Path, **content: Any) -> None:
    """Add to the sidecar of a video, a rating say; one that is missing is begun, one of others is let alone.

    Raises:
        OSError: the folder cannot be written.
    """
    known = read_sidecar(video)
    if known is None and os.path.lexists(sidecar_path(video)):
        logger.warning("%s is not a sidecar of this package, so nothing was added", sidecar_path(video).name)
        return
    _write(sidecar_path(video), {**(known or {"format": FORMAT}), **content})


def read_sidecar(video: Path) -> dict[str, Any] | None:
    """The sidecar of a video, ``None`` where there is none that can be read."""
    try:
        found = tidied(json.loads(read_inside(sidecar_path(video), LARGEST)))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("format") == FORMAT else None


def import_folder(library: Library) -> int:
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
        _judge(library, entry.key, sidecar)
    return len(videos)


def carry_judgement(library: Library, key: str, judgement: Judgement) -> None:
    """Put a judgement into the sidecar of its video too; a folder that cannot be written stops nobody."""
    entry = library.get(key)
    video = None if entry is None else library.video_of(entry)
    if video is not None and is_file_inside(video):
        try:
            amend_sidecar(video, **_judged(judgement))
        except OSError:
            logger.warning("The sidecar of %s was not written", video.name, exc_info=True)


def _judged(judgement: Judgement) -> dict[str, Any]:
    return {"rating": judgement.rating, "tags": list(judgement.tags), "note": judgement.note}


def _judge(library: Library, key: str, sidecar: Mapping[str, Any]) -> None:
    from .judgements import Judgements

    judgements, rating, tags, note = Judgements(library), *map(sidecar.get, ("rating", "tags", "note"))
    if type(rating) is int and rating in range(6):
        judgements.rate(key, rating)
    if isinstance(tags, list) and tags and all(isinstance(tag, str) for tag in tags):
        judgements.tag(key, tags)
    if isinstance(note, str) and note:
        judgements.note(key, note)


def _entry(video: Path, sidecar: Mapping[str, Any]) -> Entry:
    """A row for a video. A sidecar may come from anywhere, so nothing in it is believed blindly."""
    texts = {name: sidecar[name] for name in _TEXTS if _is_short_text(sidecar.get(name))}
    moments = {name: moment for name in _MOMENTS if (moment := _moment(sidecar.get(name))) is not None}
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


def _digest(video: Path) -> str:
    with open_inside(video) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(target: Path, content: Mapping[str, Any]) -> None:
    write_whole(target, json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n")
