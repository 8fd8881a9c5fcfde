"""Backups of a journal's file, made by SQLite: complete even while another kernel writes."""

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

__all__ = ["Backup", "copy_database", "save_backup"]


class Backup(NamedTuple):
    """A backup, and whether it was created just now."""

    path: Path
    is_new: bool


def save_backup(path: Path, revision: str) -> Backup:
    """Save a backup of a journal beside it, as ``library-0.1.0.sqlite``.

    An existing backup is never overwritten. One with the same content is reused, as after an interrupted
    migration. The caller holds the journal's lock.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    part = path.with_name(f"{path.stem}-{revision}.part")
    try:
        remove(part)  # left by a killed kernel
        copy_database(path, part)
        shutil.copymode(path, part)  # a journal that only its owner may read stays private
        names = (path.with_name(f"{path.stem}-{revision}{suffix}{path.suffix}") for suffix in _suffixes())
        for target in names:
            if not os.path.lexists(target):
                replace(part, target)
                return Backup(target, is_new=True)
            if _is_same(target, part):
                return Backup(target, is_new=False)
        raise AssertionError("endless")
    finally:
        with suppress(OSError):
            remove(part)


def copy_database(path: Path, target: Path) -> None:
    """Copy an SQLite database. The copy is on disk when this returns.

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


def _is_same(backup: Path, part: Path) -> bool:
    size = part.stat().st_size
    try:
        return read_inside(backup, size) == part.read_bytes()
    except OSError:  # larger, or a link that leads out of the folder
        return False


def _suffixes() -> Iterator[str]:
    yield ""
    yield from (f"-{number}" for number in count(2))
