"""Undo of a deletion: by ``Library.restore``, or by a user who moves a video out of the trash by hand."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..system.files import reason_of
from ..system.video_files import VIDEO_SUFFIXES
from .deletion_files import of_no_other, videos_of, videos_of_others, wait_for_others
from .deletion_list import files_in, keys_in, part_of, rest_of, restore_rows, rows_in, sizes_in
from .deletion_moves import have_rows
from .deletion_target import DeletionTarget
from .trash import TRASH, Trash

if TYPE_CHECKING:
    from .deletion import Deletion

__all__ = ["restore", "restore_moved_back"]

logger = logging.getLogger("qingbo_widgets")

_NOTHING_DELETED = N_("The trash has nothing to restore.")
_UNREADABLE = N_(
    "The list of deleted tasks in {folder} cannot be read. Move the videos back into the library's "
    "folder, then run Library.import_."
)
_NOT_RESTORED = N_(
    "Nothing was restored: {file} cannot be moved back into {folder} ({reason}). Close or rename the "
    "file there, then try again."
)
_OCCUPIED = N_("another file has its name")


def restore(library: DeletionTarget, deletion: Deletion | None = None) -> tuple[str, ...]:
    """Bring deleted tasks back; see ``Library.restore``."""
    if (reason := library.read_only) is not None:
        raise QingboError(reason)
    trash = Trash(library.folder)
    if deletion is not None:
        name = deletion.name
    else:
        name = next((name for name in trash.names if keys_in(trash.read(name) or {})), "")
    if name not in trash.names:
        raise QingboError(tr(_NOTHING_DELETED))
    unreadable = tr(_UNREADABLE).format(folder=library.folder / TRASH / name)
    if (content := trash.read(name)) is None:
        raise QingboError(unreadable)
    files = trash.files(name)
    try:
        with library.journal.begin() as connection:
            wait_for_others(connection)
            restore_rows(connection, content)
            _give_back(trash, name, library.folder)
    except BaseException as error:
        _take_again(library, name, content, files)
        if isinstance(error, QingboError) or not isinstance(error, Exception):
            raise
        raise QingboError(unreadable) from None
    keys = keys_in(content)
    with library.journal.begin() as connection:
        wait_for_others(connection)
        # Another kernel may have deleted the tasks again, and put their files here.
        if not keys or have_rows(connection, keys):
            trash.discard(name)
    return keys


def restore_moved_back(library: DeletionTarget, names: Iterable[str]) -> set[str]:
    """Restore the deleted tasks whose videos the user has moved, or copied, from the trash into the library.

    The rest of such a task comes back too: its row, judgement, sidecar, poster and other videos.

    Args:
        library: the library.
        names: the names of the videos in its folder.

    Returns:
        The names of the videos whose tasks were restored.
    """
    trash, there, restored = Trash(library.folder), set(names), set()
    for name in trash.names:
        if not _moved_back(library, trash, name, there):
            continue
        try:
            restored |= _restore_some(library, trash, name, there)
        except QingboError:
            raise
        except Exception:  # another program may have written the list
            logger.warning("The list of %s in the trash cannot be used", name, exc_info=True)
    return restored


# ---------------------------------------------------------------------- restoring a whole deletion


def _give_back(trash: Trash, name: str, folder: Path) -> None:
    """Move the files of a deletion back.

    Raises:
        QingboError: a video stays in the trash, so its task must stay there too.
    """
    for file, error in trash.give_back(name).items():
        if _is_video(file):
            is_taken = isinstance(error, FileExistsError)
            reason = tr(_OCCUPIED) if is_taken else reason_of(error, folder)
            raise QingboError(tr(_NOT_RESTORED).format(file=file, folder=folder, reason=reason))


def _take_again(library: DeletionTarget, name: str, content: Mapping[str, Any], files: Iterable[str]) -> None:
    """Move files back into the trash after a restoration that failed."""
    keys = keys_in(content)
    with library.journal.begin() as connection:
        wait_for_others(connection)
        if not have_rows(connection, keys):
            Trash(library.folder).take(name, of_no_other(connection, library.folder, keys, files))


# ---------------------------------------------------------------------- restoring moved videos


def _moved_back(library: DeletionTarget, trash: Trash, name: str, there: Collection[str]) -> dict[str, str]:
    """Return the videos of a deletion that are in the library again, by the keys of their tasks.

    Another video may have the name by now, so the size has to be the same too; and if the video is in the
    trash as well, its content.
    """
    content = trash.read(name) or {}
    sizes, pending = sizes_in(content), files_in(content)
    files = {
        row["key"]: row.get("file") for row in rows_in(content, "tasks") if isinstance(row.get("key"), str)
    }
    return {
        key: file
        for key, file in files.items()
        if isinstance(file, str)
        and file in there
        and file not in pending
        and file in sizes
        and sizes[file] == _size_of(library.folder / file)
        and trash.has_no_other(name, file)
    }


def _size_of(video: Path) -> int | None:
    try:
        return video.lstat().st_size
    except OSError:  # removed by another program
        return None


def _restore_some(library: DeletionTarget, trash: Trash, name: str, there: Collection[str]) -> set[str]:
    with library.journal.begin() as connection:
        wait_for_others(connection)
        content = trash.read(name) or {}
        back = _moved_back(library, trash, name, there)
        taken = videos_of_others(connection, (), list(back.values()))
        back = {
            key: file for key, file in back.items() if file not in taken and not have_rows(connection, [key])
        }
        restore_rows(connection, part_of(content, back))
        trash.give_back(name, _files_of(content, back, trash.files(name)))
    with library.journal.begin() as connection:
        wait_for_others(connection)
        content = trash.read(name) or {}  # another kernel may have changed it
        rest = rest_of(content, [key for key in back if have_rows(connection, [key])])
        if keys_in(rest) or any(_is_video(file) for file in trash.files(name)):
            trash.amend(name, rest)
        else:
            trash.discard(name)
    return set(back.values())


def _files_of(content: Mapping[str, Any], back: Mapping[str, str], files: Iterable[str]) -> list[str]:
    """Return the files of a deletion that belong to some of its tasks."""
    own = {*back.values()}
    others = {str(row.get("file")) for row in rows_in(content, "tasks")} - own
    found = []
    for file in files:
        video, *first = videos_of(file)
        if video in own or (own.intersection(first) and video not in others):
            found.append(file)
    return found


def _is_video(file: str) -> bool:
    return Path(file).suffix.lower() in VIDEO_SUFFIXES
