"""Deletion of tasks from a library, with an undo that survives the kernel.

The order makes every step safe to interrupt: the rows are written to the trash, then removed from the journal
in one transaction, then the files are moved. A kernel that dies before the transaction has deleted nothing;
one that dies after it leaves files for ``finish_moves`` to move.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..service.contract.snapshot import TaskStatus
from ..service.contract.status_names import status_name
from ..system.companions import poster_name
from ..system.files import reason_of
from ..system.folder import is_file_inside
from .deletion_list import batches, keys_in, list_of, moment_of, restore_rows, rows_in
from .entry import ENDED, Entry
from .journal.journal import Journal
from .journal.rows import SELECT, read_row
from .journal.tables import cells, judgements, preferences, tags, tasks
from .other_videos import note_name, saved_beside
from .sidecar import read_sidecar, sidecar_path
from .trash import Trash

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
_NOT_ERASED = N_("A file in the trash could not be removed ({reason}). Try again.")
#: Statuses of tasks that may be deleted. One that was never confirmed has no other way to go.
_DELETABLE = (*ENDED, TaskStatus.unconfirmed.value)
_COLUMNS = tuple(item.name for item in fields(Entry))
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
            rows = [row for batch in batches(wanted) for row in _locked(connection, batch)]
            _check(rows)
            entries = [_entry(row) for row in rows]
            content = list_of(connection, entries, _files(connection, library, entries))
            name = trash.add(content)
            for batch in batches([entry.key for entry in entries]):
                _remove(connection, batch)
    except OSError as error:
        raise QingboError(
            tr(_NOT_WRITTEN).format(folder=library.folder, reason=reason_of(error, library.folder))
        ) from None
    except BaseException:
        if name:
            trash.discard(name)
        raise
    trash.take(name, content["files"])
    return _deletion(trash, name, content)


def restore(library: DeletionTarget, deletion: Deletion | None = None) -> tuple[str, ...]:
    """Bring deleted tasks back; see ``Library.restore``."""
    if (reason := library.read_only) is not None:
        raise QingboError(reason)
    trash = Trash(library.folder)
    newest = next((each.name for each in deletions(library)), "")
    name = deletion.name if deletion is not None else newest
    if name not in trash.names:
        raise QingboError(tr(_NOTHING_DELETED))
    if (content := trash.read(name)) is None:
        raise QingboError(tr(_UNREADABLE).format(folder=library.folder / "trash" / name))
    trash.give_back(name)
    with library.journal.begin() as connection:
        restore_rows(connection, content)
    trash.give_back(name)  # another kernel may have moved a file, while the rows were not there yet
    trash.discard(name)
    return keys_in(content)


def deletions(library: DeletionTarget) -> tuple[Deletion, ...]:
    """Return what the trash contains, newest first; see ``Library.deletions``."""
    trash = Trash(library.folder)
    read = ((name, trash.read(name)) for name in trash.names)
    return tuple(_deletion(trash, name, content) for name, content in read if content is not None)


def empty_trash(library: DeletionTarget) -> int:
    """Remove everything in the trash from the disk; see ``Library.empty_trash``."""
    trash, freed = Trash(library.folder), 0
    pending = {name for name, _ in _unmoved(library)}
    try:
        for name in trash.names:
            if name not in pending:
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
    return {Path(file).name for _, files in _unmoved(library) for file in files}


def is_deleted(folder: Path, key: str) -> bool:
    """Return whether a task is in the trash of a library's folder."""
    trash = Trash(folder)
    lists = (trash.read(name) for name in trash.names)
    return any(key in keys_in(content) for content in lists if content is not None)


# ---------------------------------------------------------------------- deleting


def _locked(connection: sa.Connection, keys: Sequence[str]) -> list[sa.RowMapping]:
    """Return the rows of these keys, which no other kernel can take before the transaction ends."""
    of_keys = tasks.c.key.in_(keys)
    connection.execute(tasks.update().where(of_keys).values(key=tasks.c.key))
    query = SELECT.add_columns(tasks.c.holder, tasks.c.held_until).where(of_keys)
    return list(connection.execute(query).mappings())


def _entry(row: sa.RowMapping) -> Entry:
    return read_row([row[name] for name in _COLUMNS])


def _check(rows: list[sa.RowMapping]) -> None:
    """Refuse tasks that can still change.

    Raises:
        QingboError: a task is running, or a kernel follows it, or there is no task.
    """
    if not rows:
        raise QingboError(tr(_NONE))
    now = datetime.now(UTC)
    for row in rows:
        entry = _entry(row)
        name = " ".join((entry.prompt or entry.task_id or entry.key).split())[:_LONGEST_NAME]
        if entry.status not in _DELETABLE:
            text = tr(_RUNNING).format(task=name, status=status_name(entry.status))
            raise QingboError(text)
        if row["holder"] is not None and (row["held_until"] is None or row["held_until"] >= now):
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
    keys = {entry.key for entry in entries}
    named = [entry.file for entry in entries if entry.file]
    query = sa.select(tasks.c.key, tasks.c.file)
    shared = {
        file
        for batch in batches(named)
        for key, file in connection.execute(query.where(tasks.c.file.in_(batch)))
        if key not in keys
    }
    found: list[str] = []
    for entry in entries:
        found.append(note_name(library.video_path(entry.prompt, entry.key)))
        video = library.video_of(entry)
        if video is None or entry.file in shared:
            continue
        for path in (video, *saved_beside(video)):
            if is_file_inside(path):
                found += [path.name, poster_name(path)]
                found += [sidecar_path(path).name] if read_sidecar(path) is not None else []
    return list(dict.fromkeys(found))


def _unmoved(library: DeletionTarget) -> list[tuple[str, list[str]]]:
    """Move files of deleted tasks; return the deletions whose files cannot be moved, with those files."""
    trash, left = Trash(library.folder), []
    for name in trash.names:
        content = trash.read(name)
        # A task with a row was not deleted: a kernel died before, or is about to delete it.
        if content is None or any(library.get(key) is not None for key in keys_in(content)):
            continue
        names = content.get("files")
        files = [file for file in names if isinstance(file, str)] if isinstance(names, list) else []
        if there := [file for file in files if is_file_inside(library.folder / file)]:
            left.append((name, trash.take(name, there)))
    return [(name, files) for name, files in left if files]


def _deletion(trash: Trash, name: str, content: Mapping[str, Any]) -> Deletion:
    statuses = [row.get("status") for row in rows_in(content, "tasks")]
    return Deletion(
        name,
        moment_of(content.get("deleted_at")) or datetime.now(UTC),
        keys_in(content),
        trash.size(name),
        statuses.count(TaskStatus.unconfirmed.value),
    )
