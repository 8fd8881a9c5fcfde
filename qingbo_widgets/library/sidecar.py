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

from ..system.folder import open_inside, read_inside, write_whole
from ..version import __version__
from .untrusted import LARGEST, sanitised

if TYPE_CHECKING:
    from .entry import Entry
    from .judgements import Judgement

__all__ = ["MOMENTS", "amend_sidecar", "judgement_fields", "read_sidecar", "sidecar_path", "write_sidecar"]

logger = logging.getLogger("qingbo_widgets")

#: Version of the file's layout; raised when a reader of the old layout would misread the new one.
FORMAT = 1
#: The name of this package in a sidecar.
_PACKAGE = __name__.partition(".")[0]
#: The times of a task in a sidecar.
MOMENTS = ("submitted_at", "created_at", "completed_at")


def sidecar_path(video: Path) -> Path:
    """Return the path of a video's sidecar, whether or not it exists."""
    return video.with_suffix(".json")


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
    try:
        content = sanitised(json.loads(read_inside(sidecar_path(video), LARGEST)))
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
