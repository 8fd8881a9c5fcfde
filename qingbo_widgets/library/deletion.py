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
from typing import Any, Protocol

import sqlalchemy as sa

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..service.contract.snapshot import TaskStatus
from ..service.contract.status_names import status_name
from ..system.files import reason_of
from ..system.folder import is_file_inside
from ..system.video_files import VIDEO_SUFFIXES
from .deletion_files import files_of, of_no_other, wait_for_others
from .deletion_list import batches, keys_in, list_of, moment_of, restore_rows, rows_in
from .entry import ENDED, Entry
from .journal.journal import Journal
from .journal.rows import SELECT, read_row
from .journal.tables import cells, judgements, preferences, tags, tasks
from .trash import TRASH, Trash

__all__ = [
    "Deletion",
    "DeletionTarget",
    "delete",
    "deletions",
    "empty_trash",
    "finish_moves",
    "is_deleted",
    "restore",
]

_RUNNING = N_(
    "Nothing was deleted: “{task}” has not ended ({status}). The service goes on with it and may charge it. "
    "Wait for its end, or cancel it."
)
_FOLLOWED = N_(
    "Nothing was deleted: a kernel still follows “{task}”, and may be saving its video. Try again in half a "
    "minute."
)
_NONE = N_("Nothing was deleted: the library has none of these tasks.")
_NOT_WRITTEN = N_("Nothing was deleted: the trash in {folder} cannot be written ({reason}).")
_NOTHING_DELETED = N_("The trash has nothing to restore.")
_UNREADABLE = N_(
    "The list of deleted tasks in {folder} cannot be read. The videos are there: move them back into the "
    "library's folder, then Library.import_."
)
_NOT_RESTORED = N_(
    "Nothing was restored: {file} cannot be moved back into {folder} ({reason}). Close it in other "
    "programs, or rename the file there; then try again."
)
_OCCUPIED = N_("another file has its name")
_NOT_ERASED = N_("A file in the trash could not be removed ({reason}). Try again.")
#: Statuses of tasks that may be deleted. One that was never confirmed has no other way to go.
_DELETABLE = (*ENDED, TaskStatus.unconfirmed.value)
_LONGEST_NAME = 60


class DeletionTarget(Protocol):
    """The library that tasks are deleted from."""

    folder: Path
    journal: Journal

    @property
    def read_only(self) -> str | None:
        """The reason why nothing can be written."""

    def get(self, key: str) -> Entry | None:
        """Return the entry with a task's key."""

    def video_path(self, prompt: str, key: str) -> Path:
        """Return the planned path of a task's video."""

    def video_of(self, entry: Entry) -> Path | None:
        """Return the path of a task's video."""


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
            content = list_of(connection, entries, _files(connection, library, entries))
            name = trash.add(content)
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


def restore(library: DeletionTarget, deletion: Deletion | None = None) -> tuple[str, ...]:
    """Bring deleted tasks back; see ``Library.restore``."""
    if (reason := library.read_only) is not None:
        raise QingboError(reason)
    trash = Trash(library.folder)
    if deletion is not None:
        name = deletion.name
    else:
        name = next((name for name in trash.names if trash.read(name) is not None), "")
    if name not in trash.names:
        raise QingboError(tr(_NOTHING_DELETED))
    unreadable = tr(_UNREADABLE).format(folder=library.folder / TRASH / name)
    if (content := trash.read(name)) is None:
        raise QingboError(unreadable)
    try:
        with library.journal.begin() as connection:
            wait_for_others(connection)
            restore_rows(connection, content)
            _give_back(trash, name, library.folder)
    except BaseException as error:
        finish_moves(library)
        if isinstance(error, QingboError) or not isinstance(error, Exception):
            raise
        raise QingboError(unreadable) from None
    keys = keys_in(content)
    with library.journal.begin() as connection:
        wait_for_others(connection)
        # Another kernel may have deleted the tasks again, and put their files here.
        if not keys or _have_rows(connection, keys):
            trash.discard(name)
    return keys


def deletions(library: DeletionTarget) -> tuple[Deletion, ...]:
    """Return what the trash contains, newest first; see ``Library.deletions``."""
    trash = Trash(library.folder)
    read = ((name, trash.read(name)) for name in trash.names)
    return tuple(_deletion(trash, name, content) for name, content in read if content is not None)


def empty_trash(library: DeletionTarget) -> int:
    """Remove everything in the trash from the disk; see ``Library.empty_trash``."""
    trash, freed = Trash(library.folder), 0
    if not trash.names:
        return 0
    with library.journal.begin() as connection:
        wait_for_others(connection)  # a list whose deletion is still going on must stay
        pending = {name for name, _ in _unmoved(library, connection)}
        names = [name for name in trash.names if name not in pending]
    try:
        for name in names:
            size = trash.size(name)
            trash.erase(name)
            freed += size
    except OSError as error:
        reason = reason_of(error, library.folder)
        raise QingboError(tr(_NOT_ERASED).format(reason=reason)) from None
    return freed


def finish_moves(library: DeletionTarget) -> set[str]:
    """Move the files of deleted tasks that are still in the library, because a kernel died or had them open.

    Returns:
        The names of the files that still cannot be moved.
    """
    trash = Trash(library.folder)
    if not any(_left_in(library, trash.read(name) or {}) for name in trash.names):
        return set()
    with library.journal.begin() as connection:
        wait_for_others(connection)
        return {Path(file).name for _, files in _unmoved(library, connection) for file in files}


def is_deleted(folder: Path, key: str) -> bool:
    """Return whether a task is in the trash of a library's folder."""
    trash = Trash(folder)
    lists = (trash.read(name) for name in trash.names)
    return any(key in keys_in(content) for content in lists if content is not None)


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


def _give_back(trash: Trash, name: str, folder: Path) -> None:
    """Move the files of a deletion back.

    Raises:
        QingboError: a video stays in the trash, so its task must stay there too.
    """
    for file, error in trash.give_back(name).items():
        if Path(file).suffix.lower() in VIDEO_SUFFIXES:
            is_taken = isinstance(error, FileExistsError)
            reason = tr(_OCCUPIED) if is_taken else reason_of(error, folder)
            raise QingboError(tr(_NOT_RESTORED).format(file=file, folder=folder, reason=reason))


def _unmoved(library: DeletionTarget, connection: sa.Connection) -> list[tuple[str, list[str]]]:
    """Move files of deleted tasks; return the deletions whose files cannot be moved, with those files."""
    trash, left = Trash(library.folder), []
    for name in trash.names:
        content = trash.read(name) or {}
        keys = keys_in(content)
        # A task with a row was not deleted: a kernel died before.
        if (there := _left_in(library, content)) and not _have_rows(connection, keys):
            left.append((name, trash.take(name, of_no_other(connection, library.folder, keys, there))))
    return [(name, files) for name, files in left if files]


def _left_in(library: DeletionTarget, content: Mapping[str, Any]) -> list[str]:
    """Return the files in the list of a deletion that are still in the library."""
    names = content.get("files")
    files = [file for file in names if isinstance(file, str)] if isinstance(names, list) else []
    return [file for file in files if is_file_inside(library.folder / file)]


def _have_rows(connection: sa.Connection, keys: Sequence[str]) -> bool:
    query = sa.select(tasks.c.key)
    return any(
        connection.execute(query.where(tasks.c.key.in_(batch))).first() is not None for batch in batches(keys)
    )


def _deletion(trash: Trash, name: str, content: Mapping[str, Any]) -> Deletion:
    statuses = [row.get("status") for row in rows_in(content, "tasks")]
    return Deletion(
        name,
        moment_of(content.get("deleted_at")) or datetime.now(UTC),
        keys_in(content),
        trash.size(name),
        statuses.count(TaskStatus.unconfirmed.value),
    )
