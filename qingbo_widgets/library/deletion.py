"""Deletion of tasks from a library, with an undo that survives the kernel.

The order makes every step safe to interrupt: the rows are written to the trash, then removed from the journal
in one transaction, then the files are moved. A kernel that dies before the transaction has deleted nothing;
one that dies after it leaves files for ``finish_moves`` to move. Only one kernel at a time changes the trash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..service.contract.snapshot import TaskStatus
from ..service.contract.status_names import status_name
from ..system.files import reason_of
from ..system.video_files import VIDEO_SUFFIXES
from .deletion_files import files_of, of_no_other, wait_for_others
from .deletion_list import batches, keys_in, list_of, moment_of, rows_in
from .deletion_moves import finish_moves, unmoved
from .deletion_target import DeletionTarget
from .entry import ENDED, Entry
from .journal.rows import SELECT, read_row
from .journal.tables import cells, judgements, preferences, tags, tasks
from .ledger import keep_amounts
from .trash import TRASH, Trash

__all__ = ["Deletion", "delete", "deletions", "empty_trash", "unreadable_deletions"]

_RUNNING = N_(
    "Nothing was deleted: “{task}” has not ended ({status}) and may still be charged. Wait for its "
    "end, or cancel it."
)
_FOLLOWED = N_("Nothing was deleted: a kernel still follows “{task}”. Try again in half a minute.")
_NONE = N_("Nothing was deleted: the library has none of these tasks.")
_NOT_WRITTEN = N_(
    "Nothing was deleted: the trash in {folder} cannot be written ({reason}). Make the folder "
    "writable, then try again."
)
_NOT_ERASED = N_(
    "A file in the trash could not be removed ({reason}). Close it in other programs, then try again."
)
#: Statuses of tasks that may be deleted. One that was never confirmed has no other way to go.
_DELETABLE = (*ENDED, TaskStatus.unconfirmed.value)
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Deletion:
    """Tasks that were deleted together, and can be restored.

    Attributes:
        name: the name of its folder in ``trash``.
        deleted_at: when they were deleted, UTC.
        keys: the keys of the tasks.
        size: the bytes that their files occupy.
        unconfirmed: how many of them may exist at the service, and may be charged.
    """

    name: str
    deleted_at: datetime
    keys: tuple[str, ...]
    size: int
    unconfirmed: int = 0


def delete(library: DeletionTarget, keys: Iterable[str]) -> Deletion:
    """Move tasks with their videos to the trash; see ``Library.delete``."""
    if (reason := library.read_only) is not None:
        raise QingboError(reason)
    trash, wanted = Trash(library.folder), list(dict.fromkeys(keys))
    finish_moves(library)
    name = ""
    try:
        with library.journal.begin() as connection:
            wait_for_others(connection)
            rows = [row for batch in batches(wanted) for row in _locked(connection, batch)]
            entries = [read_row(row) for row in rows]
            _check(entries, rows)
            files = _files(connection, library, entries)
            content = list_of(connection, entries, files, _sizes(library.folder, files))
            name = trash.add(content)
            keep_amounts(connection, entries)
            for batch in batches([entry.key for entry in entries]):
                _remove(connection, batch)
    except OSError as error:
        raise QingboError(
            tr(_NOT_WRITTEN).format(folder=library.folder, reason=reason_of(error, library.folder))
        ) from None
    except BaseException:
        # An interrupt may come after the end of the transaction: then only this list can undo the deletion.
        if name and any(library.get(key) is not None for key in keys_in(content)):
            trash.discard(name)
        raise
    with suppress(QingboError):  # the tasks are deleted; the next deletion moves their files
        finish_moves(library)
    return _deletion(trash, name, content)


def deletions(library: DeletionTarget) -> tuple[Deletion, ...]:
    """Return what the trash contains, newest first; see ``Library.deletions``."""
    trash = Trash(library.folder)
    read = ((name, trash.read(name) or {}) for name in trash.names)
    return tuple(_deletion(trash, name, content) for name, content in read if keys_in(content))


def unreadable_deletions(library: DeletionTarget) -> tuple[Path, ...]:
    """Return the folders whose list cannot be read; see ``Library.unreadable_deletions``."""
    trash, readable = Trash(library.folder), {deletion.name for deletion in deletions(library)}
    return tuple(
        library.folder / TRASH / name for name in trash.names if name not in readable and trash.size(name)
    )


def empty_trash(library: DeletionTarget, chosen: Iterable[Deletion] | None = None) -> int:
    """Remove deletions in the trash from the disk; see ``Library.empty_trash``."""
    trash, freed = Trash(library.folder), 0
    if not trash.names:
        return 0
    with library.journal.begin() as connection:
        wait_for_others(connection)  # a list whose deletion is still going on must stay
        pending = unmoved(library, connection)
        wanted = {deletion.name for deletion in (deletions(library) if chosen is None else chosen)}
        names = [name for name in trash.names if name in wanted and name not in pending]
    try:
        for name in names:
            size = trash.size(name)
            trash.erase(name)
            freed += size
    except OSError as error:
        reason = reason_of(error, library.folder)
        raise QingboError(tr(_NOT_ERASED).format(reason=reason)) from None
    return freed


# ---------------------------------------------------------------------- deleting


def _locked(connection: sa.Connection, keys: Sequence[str]) -> Sequence[sa.Row[Any]]:
    """Return the rows of these keys, which no other kernel can take before the transaction ends."""
    of_keys = tasks.c.key.in_(keys)
    connection.execute(tasks.update().where(of_keys).values(key=tasks.c.key))
    return connection.execute(SELECT.add_columns(tasks.c.holder, tasks.c.held_until).where(of_keys)).all()


def _check(entries: Sequence[Entry], rows: Sequence[sa.Row[Any]]) -> None:
    """Refuse tasks that can still change.

    Args:
        entries: the tasks.
        rows: their rows, with the kernel that holds each.

    Raises:
        QingboError: a task is running, or a kernel follows it, or there is no task.
    """
    if not entries:
        raise QingboError(tr(_NONE))
    now = datetime.now(UTC)
    for entry, row in zip(entries, rows, strict=True):
        name = " ".join((entry.prompt or entry.task_id or entry.key).split())[:_LONGEST_NAME]
        if entry.status not in _DELETABLE:
            text = tr(_RUNNING).format(task=name, status=status_name(entry.status))
            raise QingboError(text)
        if row.holder is not None and (row.held_until is None or row.held_until >= now):
            raise QingboError(tr(_FOLLOWED).format(task=name))


def _remove(connection: sa.Connection, keys: Sequence[str]) -> None:
    for table in (judgements, tags, tasks):
        connection.execute(table.delete().where(table.c.key.in_(keys)))
    for column in (preferences.c.better, preferences.c.worse):
        connection.execute(preferences.delete().where(column.in_(keys)))
    # A cell of a sweep without its task would be submitted again, and charged.
    connection.execute(cells.update().where(cells.c.key.in_(keys)).values(is_dropped=True))


def _files(connection: sa.Connection, library: DeletionTarget, entries: list[Entry]) -> list[str]:
    """Return the names of the tasks' files, without those that another task has too."""
    found = (
        file
        for entry in entries
        for file in files_of(entry, library.video_of(entry), library.video_path(entry.prompt, entry.key))
    )
    return of_no_other(connection, library.folder, {entry.key for entry in entries}, dict.fromkeys(found))


def _sizes(folder: Path, files: Iterable[str]) -> dict[str, int]:
    """Return the sizes of the videos, by which they are recognised if they are moved back by hand."""
    sizes = {}
    for file in files:
        with suppress(OSError):  # removed by another program
            if Path(file).suffix.lower() in VIDEO_SUFFIXES:
                sizes[file] = (folder / file).lstat().st_size
    return sizes


def _deletion(trash: Trash, name: str, content: Mapping[str, Any]) -> Deletion:
    statuses = [row.get("status") for row in rows_in(content, "tasks")]
    return Deletion(
        name,
        moment_of(content.get("deleted_at")) or datetime.now(UTC),
        keys_in(content),
        trash.size(name),
        statuses.count(TaskStatus.unconfirmed.value),
    )
