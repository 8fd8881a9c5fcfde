"""Parts: the partial files beside a video, a separate one for each download, so that no two write to one.

A part is ``<name>.<8 hexadecimal digits>.part``, locked while its download runs. A later download takes over
an unlocked part. The part's note has the same name with ``.etag`` in place of ``.part``, and identifies the
part's video. A long file name is replaced by its digest.
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

from ...system.files import remove, retry_while_open
from ...system.folder import read_inside
from ...system.locks import lock, unlock

__all__ = [
    "create",
    "discard",
    "parts_of",
    "read_note",
    "release",
    "take_over",
    "tidy",
    "tidy_notes",
    "tidy_up",
    "write_note",
]

#: Bytes of a note. A later entry overwrites the first one, which needs no room on a full disk.
_NOTE_SIZE = 1024
#: Bytes of the longest note that is read, because links may be long.
_LONGEST_NOTE = 100_000
#: Bytes of a name. File systems allow 255, and digits and a suffix are appended.
_LONGEST_STEM = 230


def parts_of(path: Path) -> list[Path]:
    """Return the parts of a file's earlier and running downloads, newest first."""
    states = {part: state for part in _siblings(path, "part") if (state := _state(part)) is not None}
    return sorted(states, key=lambda part: states[part].st_mtime_ns, reverse=True)


def create(path: Path) -> tuple[Path, FileIO]:
    """Create an empty part for a download of a file, and lock it.

    Raises:
        OSError, ValueError: the part cannot be created.
    """
    part = path.with_name(f"{_stem(path)}.{uuid.uuid4().hex[:8]}.part")
    file = retry_while_open(lambda: FileIO(part, "x+"))
    lock(file.fileno())  # without lock support, no other download takes the part over
    return part, file


def take_over(part: Path, *, unlockable: bool = False) -> FileIO | None:
    """Open and lock a part, unless another download is writing it.

    Args:
        part: a result of ``parts_of``.
        unlockable: whether to open the part even if the file system does not support locks.
    """
    if _state(part) is None:
        return None
    try:
        file = FileIO(part, "r+", opener=_open_no_follow)
    except OSError:  # removed meanwhile, or open elsewhere
        return None
    is_ours = lock(file.fileno())
    with suppress(OSError):
        # Before we had the lock, the part may have been renamed to the video: then it is no part any more.
        is_same = os.path.samestat(os.fstat(file.fileno()), part.stat())
        if is_same and (is_ours or (is_ours is None and unlockable)):
            return file
    release(file)
    return None


def release(file: FileIO) -> None:
    """Close a part, so that any download can take it over.

    Raises:
        OSError: the last bytes could not be written.
    """
    if not file.closed:
        unlock(file.fileno())
    file.close()


def discard(part: Path) -> None:
    """Remove a part and its note, if the system allows it."""
    for path in (part, _note_of(part)):
        with suppress(OSError, ValueError):
            remove(path)


def tidy(part: Path, digest: str, *, unlockable: bool = True) -> bool:
    """Remove a part that no download is writing, unless it is complete and a different video.

    Args:
        part: a result of ``parts_of``.
        digest: the digest of the video that is being saved.
        unlockable: as in ``take_over``.

    Returns:
        Whether the part was removed.
    """
    if read_note(part).get("digest", digest) != digest:
        return False
    if (file := take_over(part, unlockable=unlockable)) is None:
        return False
    release(file)
    discard(part)
    return True


def tidy_up(path: Path, digest: str) -> None:
    """Remove the parts and notes of a saved file that no download needs any more.

    Args:
        path: the file.
        digest: the digest of its content.
    """
    for part in parts_of(path):
        tidy(part, digest)
    tidy_notes(path)


def tidy_notes(path: Path) -> None:
    """Remove the notes of a saved file whose parts are gone, for example because a kernel was killed."""
    for note in _siblings(path, "etag"):
        part = note.with_suffix(".part")
        if not os.path.lexists(part):
            discard(part)


def read_note(part: Path) -> Mapping[str, Any]:
    """Return the content of a part's note; empty if there is no note, or it is not ours."""
    path = _note_of(part)
    with suppress(OSError, ValueError, RecursionError):
        note = json.loads(read_inside(path, _LONGEST_NOTE)) if _state(path) is not None else None
        if isinstance(note, dict):
            return note
    return {}


def write_note(part: Path, **content: object) -> None:
    """Write the note of a part, overwriting an earlier one.

    Raises:
        OSError: the note cannot be written.
    """
    text = json.dumps(content)
    with open(_note_of(part), "r+b", opener=_open_or_create) as note:
        note.write(text.ljust(_NOTE_SIZE).encode("ascii"))
        note.truncate()


def _siblings(path: Path, suffix: str) -> list[Path]:
    """Return the parts or notes of a file; names without digits come from earlier versions of the package."""
    pattern = re.compile(rf"{re.escape(_stem(path))}(\.[0-9a-f]{{8}})?\.{suffix}")
    with suppress(OSError):
        return [other for other in path.parent.iterdir() if pattern.fullmatch(other.name)]
    return []


def _stem(path: Path) -> str:
    """Return the stem of the names of a file's parts: its own name, or a digest if that is too long."""
    name = path.name.encode("utf-8", "replace")
    return path.name if len(name) <= _LONGEST_STEM else hashlib.blake2b(name, digest_size=16).hexdigest()


def _note_of(part: Path) -> Path:
    return part.with_suffix(".etag")


def _state(path: Path) -> os.stat_result | None:
    """Return the state of a regular file; ``None`` for a link, which may lead to a file of the user."""
    with suppress(OSError, ValueError):
        state = path.lstat()
        if stat.S_ISREG(state.st_mode) and state.st_nlink <= 1:
            return state
    return None


def _open_no_follow(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _open_or_create(path: str, flags: int) -> int:
    return _open_no_follow(path, flags | os.O_CREAT)
