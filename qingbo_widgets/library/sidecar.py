"""A sidecar beside each video: what it was made of, in a JSON file that goes wherever the video goes.

Files and sidecars are enough to make a library again, without the journal.
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
from .untrusted import LARGEST, tidied

if TYPE_CHECKING:
    from .entry import Entry
    from .judgements import Judgement

__all__ = ["MOMENTS", "amend_sidecar", "judged", "read_sidecar", "sidecar_path", "write_sidecar"]

logger = logging.getLogger("qingbo_widgets")

#: Of the file's own layout; raised when a reader of the old one would misread the new one.
FORMAT = 1
#: By which a sidecar calls this package.
_PACKAGE = __name__.partition(".")[0]
#: The times of a task that a sidecar has.
MOMENTS = ("submitted_at", "created_at", "completed_at")


def sidecar_path(video: Path) -> Path:
    """Return the path of a video's sidecar, whether or not it exists."""
    return video.with_suffix(".json")


def write_sidecar(entry: Entry, video: Path, judgement: Judgement) -> None:
    """Write down what a saved video was made of, whole or not at all.

    Args:
        entry: the task.
        video: the saved file.
        judgement: the user's, who may have rated what is saved for a second time.

    Raises:
        OSError: the video cannot be read, or the folder not be written.
    """
    moments = {name: moment.isoformat() for name in MOMENTS if (moment := getattr(entry, name)) is not None}
    content = {
        "format": FORMAT,
        "key": entry.key,
        "task_id": entry.task_id,
        "model": entry.model,
        "service": entry.service,
        "contract": entry.contract,
        "request": None if entry.request is None else dict(entry.request),
        **moments,
        "video": {"file": video.name, "bytes": video.stat().st_size, "sha256": _digest(video)},
        **judged(judgement),
        "versions": {_PACKAGE: __version__, "python": platform.python_version()},
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
    """Return the sidecar of a video; ``None`` where there is none that can be read."""
    try:
        found = tidied(json.loads(read_inside(sidecar_path(video), LARGEST)))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("format") == FORMAT else None


def judged(judgement: Judgement) -> dict[str, Any]:
    """Return a judgement as a sidecar has it."""
    return {"rating": judgement.rating, "tags": list(judgement.tags), "note": judgement.note}


def _digest(video: Path) -> str:
    with open_inside(video) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(target: Path, content: Mapping[str, Any]) -> None:
    write_whole(target, json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n")
