"""The sidecar of a video: a JSON file beside it that describes how it was made and travels with it.

Videos and sidecars are enough to rebuild a library without the journal.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..system.companions import companion_stem
from ..system.folder import Folder, open_inside, read_inside, write_whole
from ..version import __version__
from .untrusted import LARGEST, sanitised

if TYPE_CHECKING:
    from .entry import Entry
    from .judgements import Judgement

__all__ = [
    "MOMENTS",
    "amend_sidecar",
    "describes_another",
    "has_foreign_sidecar",
    "is_saved_video",
    "judgement_fields",
    "read_sidecar",
    "sidecar_path",
    "write_sidecar",
]

logger = logging.getLogger("qingbo_widgets")

#: Version of the file's layout; raised when a reader of the old layout would misread the new one.
FORMAT = 1
#: The name of this package in a sidecar.
_PACKAGE = __name__.partition(".")[0]
#: The times of a task in a sidecar.
MOMENTS = ("submitted_at", "created_at", "completed_at")


def sidecar_path(video: Path) -> Path:
    """Return the path of a video's sidecar, whether or not it exists."""
    return video.with_name(f"{companion_stem(video)}.json")


def write_sidecar(entry: Entry, video: Path, judgement: Judgement) -> None:
    """Write the sidecar of a saved video, completely or not at all.

    Args:
        entry: the task.
        video: the saved file.
        judgement: the user's; a video that is saved for a second time may already be rated.

    Raises:
        OSError: the video cannot be read, or the folder cannot be written.
    """
    times = {name: moment.isoformat() for name in MOMENTS if (moment := getattr(entry, name)) is not None}
    content = {
        "format": FORMAT,
        "key": entry.key,
        "task_id": entry.task_id,
        "model": entry.model,
        "service": entry.service,
        "contract": entry.contract,
        "request": None if entry.request is None else dict(entry.request),
        **times,
        **({} if entry.cost is None else {"cost": entry.cost}),
        "video": {"file": video.name, "bytes": video.stat().st_size, "sha256": _digest(video)},
        **judgement_fields(judgement),
        "versions": {_PACKAGE: __version__, "python": platform.python_version()},
    }
    _write(sidecar_path(video), content)


def amend_sidecar(video: Path, **content: Any) -> None:
    """Add content to the sidecar of a video, such as a rating.

    A missing sidecar is created; a file that is not a sidecar of this package is left alone.

    Raises:
        OSError: the folder cannot be written.
    """
    existing = read_sidecar(video)
    if existing is None and os.path.lexists(sidecar_path(video)):
        logger.warning("%s is not a sidecar of this package, so nothing was added", sidecar_path(video).name)
        return
    _write(sidecar_path(video), {**(existing or {"format": FORMAT}), **content})


def read_sidecar(video: Path) -> dict[str, Any] | None:
    """Return the sidecar of a video; ``None`` if there is none that can be read."""
    content = _read(sidecar_path(video))
    if content is None and _was_renamed(video):
        content = _read(video.with_suffix(".json"))
    return content


def has_foreign_sidecar(video: Path) -> bool:
    """Return whether the file in place of the sidecar is of another program, or damaged."""
    return os.path.lexists(sidecar_path(video)) and _read(sidecar_path(video)) is None


def describes_another(video: Path) -> bool:
    """Return whether a sidecar is that of another video in the folder, of which this one is no copy."""
    described = (read_sidecar(video) or {}).get("video")
    if not isinstance(described, dict):
        return False
    name = described.get("file")
    if not isinstance(name, str) or name in ("", video.name) or Path(name).name != name:
        return False
    if not Folder(video.parent).has_file(name) or described.get("bytes") == video.stat().st_size:
        return False
    # On some systems both names may be those of one file.
    return not video.samefile(video.with_name(name))


def is_saved_video(video: Path) -> bool:
    """Return whether a file is a video as this package has saved it: its sidecar has its name and length."""
    described = (read_sidecar(video) or {}).get("video")
    if not isinstance(described, dict) or described.get("file") != video.name:
        return False
    try:
        return bool(described.get("bytes") == video.stat().st_size)
    except OSError:
        return False


def _was_renamed(video: Path) -> bool:
    """Return whether ``koi.json`` may be the sidecar of ``koi.MP4``: there is no koi.mp4."""
    usual = video.with_suffix(".mp4")
    return companion_stem(video) != video.stem and not os.path.lexists(usual)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = sanitised(json.loads(read_inside(path, LARGEST)))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None


def judgement_fields(judgement: Judgement) -> dict[str, Any]:
    """Return the fields of a judgement in a sidecar."""
    return {"rating": judgement.rating, "tags": list(judgement.tags), "note": judgement.note}


def _digest(video: Path) -> str:
    with open_inside(video) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(target: Path, content: Mapping[str, Any]) -> None:
    write_whole(target, json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n")
