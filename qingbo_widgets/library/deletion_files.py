"""The files of tasks that are deleted: those of no other task, and of no other program.

A folder may have any names. ``clip-2.mp4`` is the second video of the task of ``clip.mp4``, or a video of its
own. The list of a deletion may come from another program, and name any file of the library.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa

from ..system.companions import poster_name
from ..system.folder import is_file_inside
from ..system.sound_copies import is_sound_copy, sound_copy_path
from ..system.video_files import VIDEO_SUFFIXES
from .deletion_list import batches
from .entry import Entry
from .journal.tables import tasks
from .other_videos import NOTE, key_of, note_name, number_in, saved_beside
from .sidecar import read_sidecar, sidecar_path

__all__ = ["files_of", "of_no_other", "videos_of", "videos_of_others", "wait_for_others"]

#: The endings of the files beside a video that are moved with it.
_COMPANIONS = (".json", ".jpg", NOTE)
_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtext('qingbo_widgets.trash'))")


def wait_for_others(connection: sa.Connection) -> None:
    """Wait until no other kernel changes the trash; none does so before the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    else:  # SQLite allows one writer, and a change of no row makes this the one
        connection.execute(tasks.update().where(sa.false()).values(key=tasks.c.key))


def files_of(entry: Entry, video: Path | None, planned: Path) -> Iterator[str]:
    """Yield the names of a task's files, relative to the folder of the library.

    Args:
        entry: the task.
        video: its video, if the journal names one.
        planned: the planned path of the video.
    """
    yield note_name(planned)
    if video is None:
        return
    # The planned name has a part of the key. Any other may be that of a video that was imported.
    is_planned = video.stem == planned.stem
    others = (path for path in saved_beside(video) if is_planned or _is_other_of(path, {entry.key}))
    for path in (video, *others):
        if is_file_inside(path):
            yield path.name
            yield poster_name(path)
            if is_sound_copy(copy := sound_copy_path(path)):
                yield copy.name
            if read_sidecar(path) is not None:
                yield sidecar_path(path).name


def of_no_other(
    connection: sa.Connection, folder: Path, keys: Collection[str], files: Iterable[str]
) -> list[str]:
    """Return the files that belong to none of the library's tasks, except for those with these keys.

    Args:
        connection: a connection to the journal.
        folder: the folder of the library.
        keys: the keys of the deleted tasks.
        files: names relative to the folder.
    """
    videos = {file: videos_of(file) for file in files}
    taken = videos_of_others(connection, keys, [name for names in videos.values() for name in names])
    return [
        file
        for file, (video, *first) in videos.items()
        if video not in taken and not (taken.intersection(first) and not _is_other_of(folder / video, keys))
    ]


def videos_of(file: str) -> tuple[str, ...]:
    """Return the name of the video that a file belongs to, then that of the first video, if it is another."""
    path = Path(file)
    video = path.name if path.suffix.lower() not in _COMPANIONS else path.stem
    if Path(video).suffix.lower() not in VIDEO_SUFFIXES:
        video += ".mp4"
    numbered = number_in(video)
    return (video,) if numbered is None else (video, numbered[0])


def videos_of_others(
    connection: sa.Connection, keys: Collection[str], names: Sequence[str]
) -> frozenset[str]:
    """Return those of the names that are videos of tasks with other keys than these."""
    query = sa.select(tasks.c.key, tasks.c.file)
    return frozenset(
        str(file)
        for batch in batches(list(dict.fromkeys(names)))
        for key, file in connection.execute(query.where(tasks.c.file.in_(batch)))
        if key not in keys
    )


def _is_other_of(video: Path, keys: Collection[str]) -> bool:
    """Return whether the sidecar of a video says that it is another one of one of the tasks."""
    sidecar, numbered = read_sidecar(video), number_in(video.name)
    if sidecar is None or numbered is None:
        return False
    return sidecar.get("key") in {*keys, *(key_of(key, numbered[1]) for key in keys)}
