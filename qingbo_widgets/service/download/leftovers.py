"""The parts that lie beside a video: one file of its own for each download, so that no two write into one.

A part is ``<name>.<8 hexadecimal digits>.part``, locked while its download runs. A later download takes over
one that nothing locks. Its note has the same name with ``.etag`` in place of ``.part``, and says which film
the part is of. Of a file with a long name, a digest of the name stands in its place.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import uuid
from collections.abc import Mapping
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from ...system.files import patiently, remove
from ...system.folder import read_inside
from ...system.locks import lock

__all__ = [
    "create",
    "discard",
    "parts_of",
    "read_note",
    "take_over",
    "tidy",
    "tidy_notes",
    "tidy_up",
    "write_note",
]

#: Bytes of a note. A later entry is written over the first one, which needs no room on a disk that is full.
_NOTE = 1024
#: Bytes of a longer one that is still read: links may be long.
_LONGEST_NOTE = 100_000
#: Bytes of a name; file systems allow 255, and digits and an ending are to follow.
_LONGEST_STEM = 230


def parts_of(path: Path) -> list[Path]:
    """Return the parts that earlier downloads of a file have left, or present ones hold; the newest first."""
    states = {part: state for part in _beside(path, "part") if (state := _state(part)) is not None}
    return sorted(states, key=lambda part: states[part].st_mtime_ns, reverse=True)


def create(path: Path) -> tuple[Path, FileIO]:
    """Make an empty part for a download of a file, and lock it.

    Raises:
        OSError, ValueError: it cannot be made.
    """
    part = path.with_name(f"{_stem(path)}.{uuid.uuid4().hex[:8]}.part")
    file = patiently(lambda: FileIO(part, "x+"))
    lock(file.fileno())  # where there are no locks, no other download takes it over
    return part, file


def take_over(part: Path, *, unlockable: bool = False) -> FileIO | None:
    """Open and lock a part, unless another download is writing it.

    Args:
        part: as found by ``parts_of``.
        unlockable: whether a part is also opened where the file system knows no locks.
    """
    if _state(part) is None:
        return None
    try:
        file = FileIO(part, "r+", opener=_opening)
    except OSError:  # removed meanwhile, or open elsewhere
        return None
    is_ours = lock(file.fileno())
    with suppress(OSError):
        # Before the lock was ours, the part may have been given the name of the video: not a part any more.
        is_same = os.path.samestat(os.fstat(file.fileno()), part.stat())
        if is_same and (is_ours or (is_ours is None and unlockable)):
            return file
    file.close()
    return None


def discard(part: Path) -> None:
    """Remove a part and its note, as far as the system allows it."""
    for path in (part, _note_of(part)):
        with suppress(OSError, ValueError):
            remove(path)


def tidy(part: Path, digest: str, *, unlockable: bool = True) -> bool:
    """Remove a part that no download is writing, unless it is a whole film, and another one than this.

    Args:
        part: as found by ``parts_of``.
        digest: of the film that is being saved.
        unlockable: as in ``take_over``.

    Returns:
        Whether there was something to remove.
    """
    if read_note(part).get("digest", digest) != digest:
        return False
    if (file := take_over(part, unlockable=unlockable)) is None:
        return False
    file.close()
    discard(part)
    return True


def tidy_up(path: Path, digest: str) -> None:
    """Remove what no download of a saved file needs any more.

    Args:
        path: the file.
        digest: of the film in it.
    """
    for part in parts_of(path):
        tidy(part, digest)
    tidy_notes(path)


def tidy_notes(path: Path) -> None:
    """Remove the notes of a saved file whose parts are gone, as of a kernel that was killed right then."""
    for note in _beside(path, "etag"):
        part = note.with_suffix(".part")
        if not os.path.lexists(part):
            discard(part)


def read_note(part: Path) -> Mapping[str, Any]:
    """Return what the note says, which is nothing where there is none, or none of ours."""
    path = _note_of(part)
    with suppress(OSError, ValueError, RecursionError):
        note = json.loads(read_inside(path, _LONGEST_NOTE)) if _state(path) is not None else None
        if isinstance(note, dict):
            return note
    return {}


def write_note(part: Path, **content: object) -> None:
    """Write the note of a part, over an earlier one.

    Raises:
        OSError: it cannot be written.
    """
    text = json.dumps(content)
    with open(_note_of(part), "r+b", opener=_creating) as note:
        note.write(text.ljust(_NOTE).encode("ascii"))
        note.truncate()


def _beside(path: Path, suffix: str) -> list[Path]:
    """Return the parts or the notes of a file; those without digits are of earlier versions."""
    pattern = re.compile(rf"{re.escape(_stem(path))}(\.[0-9a-f]{{8}})?\.{suffix}")
    with suppress(OSError):
        return [other for other in path.parent.iterdir() if pattern.fullmatch(other.name)]
    return []


def _stem(path: Path) -> str:
    """Return how the names of a file's parts begin: as its own, unless that leaves no room for the rest."""
    name = path.name.encode("utf-8", "replace")
    return path.name if len(name) <= _LONGEST_STEM else hashlib.blake2b(name, digest_size=16).hexdigest()


def _note_of(part: Path) -> Path:
    return part.with_suffix(".etag")


def _state(path: Path) -> os.stat_result | None:
    """Return the state of an ordinary file; ``None`` for a link, behind which a file of the user may lie."""
    with suppress(OSError, ValueError):
        state = path.lstat()
        if stat.S_ISREG(state.st_mode) and state.st_nlink <= 1:
            return state
    return None


def _opening(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _creating(path: str, flags: int) -> int:
    return _opening(path, flags | os.O_CREAT)
