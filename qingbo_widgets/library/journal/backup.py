"""Copies of a journal's file, made by SQLite: whole, whatever another kernel is writing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from ...system.files import flush_to_disk, remove, replace
from ...system.folder import read_inside

__all__ = ["Copy", "copy_database", "keep_copy"]


class Copy(NamedTuple):
    """A copy that is kept, and whether it was not there before."""

    path: Path
    is_new: bool


def keep_copy(path: Path, revision: str) -> Copy:
    """Keep a copy of a journal beside it, as ``library-0.1.0.sqlite``.

    A copy that is there already is never written over; one with the same content serves again, as after a
    migration that was cut off. The caller holds the journal's lock.

    Raises:
        OSError: the folder cannot be written or has no room.
    """
    part = path.with_name(f"{path.stem}-{revision}.part")
    try:
        remove(part)  # of a kernel that was killed
        copy_database(path, part)
        shutil.copymode(path, part)  # what only its owner may read stays so
        names = (path.with_name(f"{path.stem}-{revision}{end}{path.suffix}") for end in _endings())
        for kept in names:
            if not os.path.lexists(kept):
                replace(part, kept)
                return Copy(kept, is_new=True)
            if _is_same(kept, part):
                return Copy(kept, is_new=False)
        raise AssertionError("endless")
    finally:
        with suppress(OSError):
            remove(part)


def copy_database(path: Path, target: Path) -> None:
    """Copy an SQLite database. It is on the disk when this returns.

    Raises:
        OSError: the target cannot be written.
    """
    try:
        with (
            closing(sqlite3.connect(path)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
    except sqlite3.Error as error:
        raise OSError(str(error)) from error
    with target.open("rb+") as file:
        flush_to_disk(file.fileno())


def _is_same(kept: Path, part: Path) -> bool:
    size = part.stat().st_size
    try:
        return read_inside(kept, size) == part.read_bytes()
    except OSError:  # larger, or a link to elsewhere
        return False


def _endings() -> Iterator[str]:
    yield ""
    yield from (f"-{number}" for number in count(2))
