"""The other videos of a task that has several: their names, and a note while some are still to be saved.

The first video is the one in the journal. The others are saved beside it, as ``koi-1a2b3c4d-2.mp4`` for
``koi-1a2b3c4d.mp4``. The note is written before the first video is saved, and removed when the others are
saved, or can never be; so any later kernel that uses the folder continues. The notes have a folder of their
own, so that looking for them costs the same among any number of videos.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ..system.folder import Folder, is_file_inside
from ..system.video_files import VIDEO_SUFFIXES

__all__ = [
    "NOTE",
    "NOTES",
    "OtherVideos",
    "is_noted",
    "key_of",
    "keys_in",
    "note_name",
    "number_in",
    "path_of",
    "read",
    "saved_beside",
    "tidy",
    "write",
]

#: The folder of the notes, in the folder of the videos.
NOTES = ".others"
#: The suffix of a note.
NOTE = ".others"
#: Bytes of the longest note that is read.
_LONGEST = 10_000
#: The maximum of videos of one task, as in an answer.
_MOST = 2000
_NUMBERED = re.compile(r"(.+)-([0-9]{1,4})(\.[^.]+)", re.DOTALL)


@dataclass(frozen=True)
class OtherVideos:
    """The videos of a task of which not all are saved.

    Attributes:
        key: the key of the task.
        count: the number of its videos.
        first: the number of the video that has the name of the task: 0, unless that could not be saved.
    """

    key: str
    count: int
    first: int = 0


def path_of(planned: Path, number: int) -> Path:
    """Return the path of another video.

    Args:
        planned: the planned path of the first video.
        number: the number of the other one in the service's answers, from 0.
    """
    return planned.with_name(f"{planned.stem}-{number + 1}{planned.suffix}")


def key_of(key: str, number: int) -> str:
    """Return the key of another video in its sidecar, so that a rebuilt library has a row for each video.

    Args:
        key: the key of the task.
        number: as in ``path_of``.
    """
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{key}-{number + 1}").hex


def number_in(name: str) -> tuple[str, int] | None:
    """Return the name of the first video and the number, if a name may be that of another video."""
    match = _NUMBERED.fullmatch(name)
    return None if match is None else (match[1] + match[3], int(match[2]) - 1)


def saved_beside(video: Path) -> tuple[Path, ...]:
    """Return the other videos that are saved beside the first one, in the order of the service's answers."""
    found: list[Path] = []
    for number in range(_MOST):
        path = path_of(video, number)
        names = (path.with_suffix(suffix) for suffix in VIDEO_SUFFIXES)
        other = next((name for name in names if is_file_inside(name)), None)
        if other is None and number > 1:
            break  # one of the first two has the name of the task
        found += [] if other is None else [other]
    return tuple(found)


def note_name(planned: Path) -> str:
    """Return the name of a task's note, relative to the folder of the videos."""
    return f"{NOTES}/{planned.stem}{NOTE}"


def is_noted(planned: Path) -> bool:
    """Return whether other videos of a task are still to be saved."""
    return os.path.lexists(planned.parent / note_name(planned))


def read(planned: Path) -> OtherVideos | None:
    """Return the note of a task; ``None`` if there is none that can be read."""
    return _read(Folder(planned.parent), note_name(planned))


def write(planned: Path, others: OtherVideos) -> None:
    """Write the note of a task.

    Raises:
        OSError: the folder cannot be written.
    """
    _gather(planned.parent)
    Folder(planned.parent).write(note_name(planned), json.dumps(asdict(others)) + "\n")


def tidy(planned: Path) -> None:
    """Remove the note of a task, if there is one and the system allows it."""
    with suppress(OSError):
        Folder(planned.parent).remove(note_name(planned))


def keys_in(folder: Path) -> list[str]:
    """Return the keys of the tasks in a folder of which other videos are still to be saved."""
    names = _gather(folder) or Folder(folder).names(NOTES, NOTE)
    return [others.key for name in names if (others := _read(Folder(folder), name)) is not None]


def _gather(folder: Path) -> list[str]:
    """Move the notes beside the videos, where an earlier version left them, into their folder, only once.

    Returns:
        The names of those that cannot be moved, because the folder is read-only.
    """
    if os.path.lexists(folder / NOTES):
        return []
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(NOTE) and entry.name != NOTES]
    except OSError:  # there is no folder yet
        return []
    try:
        (folder / NOTES).mkdir()
        for name in names:
            Folder(folder).move(name, f"{NOTES}/{name}")
    except FileExistsError:  # another kernel is moving them
        return []
    except OSError:
        return names
    return []


def _read(folder: Folder, name: str) -> OtherVideos | None:
    try:
        fields = json.loads(folder.read(name, _LONGEST))
        others = OtherVideos(str(fields["key"]), int(fields["count"]), int(fields["first"]))
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return others if 0 <= others.first < others.count <= _MOST else None
