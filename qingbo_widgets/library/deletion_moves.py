"""Moves of deleted tasks' files into the trash, if a killed kernel or another program has cut them short.

The list of a deletion names the files that are still to be moved. A file that was moved is not named there:
if it is in the library again, then because the user has moved it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from ..system.folder import is_file_inside
from .deletion_files import of_no_other, wait_for_others
from .deletion_list import batches, files_in, keys_in
from .deletion_target import DeletionTarget
from .journal.tables import tasks
from .trash import Trash

__all__ = ["finish_moves", "have_rows", "unmoved"]


def finish_moves(library: DeletionTarget) -> set[str]:
    """Move the files of deleted tasks that are still in the library, because a kernel died or had them open.

    Returns:
        The names of the files that still cannot be moved.
    """
    trash = Trash(library.folder)
    if not any(files_in(trash.read(name) or {}) for name in trash.names):
        return set()
    with library.journal.begin() as connection:
        wait_for_others(connection)
        return {Path(file).name for files in unmoved(library, connection).values() for file in files}


def unmoved(library: DeletionTarget, connection: sa.Connection) -> dict[str, list[str]]:
    """Move files of deleted tasks; return the deletions whose files cannot be moved, with those files."""
    trash, left = Trash(library.folder), {}
    for name in trash.names:
        content = trash.read(name) or {}
        keys, files = keys_in(content), files_in(content)
        if not files or have_rows(connection, keys):  # a kernel died before it deleted the rows
            continue
        there = [file for file in files if is_file_inside(library.folder / file)]
        rest = trash.take(name, of_no_other(connection, library.folder, keys, there)) if there else []
        if rest != files:
            trash.amend(name, {**content, "files": rest})
        if rest:
            left[name] = rest
    return left


def have_rows(connection: sa.Connection, keys: Sequence[str]) -> bool:
    """Return whether any of these tasks has a row."""
    query = sa.select(tasks.c.key)
    return any(
        connection.execute(query.where(tasks.c.key.in_(batch))).first() is not None for batch in batches(keys)
    )
