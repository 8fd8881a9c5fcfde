"""The library: a folder with the finished videos and a journal of every task.

The journal lets a task outlive its kernel. A task's row is written before its request is sent, so the next
kernel finds it whatever happens.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..service.contract.request import VideoRequest
from ..service.contract.service_names import normalised
from ..system.console import write_line
from ..system.folder import Folder, is_file_inside, why_unwritable
from ..system.notebook import beside_notebook
from .budget import Budget
from .durations import durations_of
from .entry import ENDED, Entry
from .file_names import fitting_path, readable_name
from .journal.damage import unusable
from .journal.journal import Journal
from .journal.settings import UNFINISHED
from .other_videos import keys_in

if TYPE_CHECKING:
    import pandas

    from .deleted_keys import DeletedKeys
    from .deletion import Deletion
    from .importing import Import
    from .journal.rows import Rows
    from .judgements import Judgement, Judgements

__all__ = ["Library"]

logger = logging.getLogger("qingbo_widgets")

_READ_ONLY = N_(
    "Nothing can be saved in the folder {folder} ({reason}), so no task is submitted. Make it "
    'writable, or use another folder: connect(library="…").'
)
_UNFINISHED = f"SELECT DISTINCT service FROM tasks WHERE {UNFINISHED}"


class Library:
    """The tasks and videos of one folder. Safe to use from several threads and kernels at once.

    Args:
        folder: the folder of the videos and the journal, relative to the notebook, whatever the working
            directory; without a notebook, relative to that. Created on first use.
        database: an SQLAlchemy URL, to keep the journal outside the folder.

    Attributes:
        imported: the report of ``import_``; ``None`` for a library that was opened without it.
    """

    def __init__(self, folder: str | Path = "qingbo_videos", *, database: str | None = None) -> None:
        self.folder = beside_notebook(folder)
        self.journal = Journal(self.folder, database)
        self.imported: Import | None = None
        self._deleted: DeletedKeys | None = None

    def __repr__(self) -> str:
        return f"Library({str(self.folder)!r})"

    @property
    def budget(self) -> Budget | None:
        """The limit on what the tasks of this folder may cost, for every kernel that uses it.

        Set it to an amount in US dollars or a ``Budget``, such as ``Budget(5, per="day")``; ``None`` removes
        it. It is stored in the journal.
        """
        if not self.has_budget:
            return None
        from .ledger import read_budget

        return read_budget(self.journal)

    @budget.setter
    def budget(self, budget: Budget | float | Decimal | str | None) -> None:
        from .ledger import write_budget

        write_budget(self.journal, Budget.of(budget))

    @property
    def has_budget(self) -> bool:
        """True if the folder has a budget. Most have none, so SQLite is queried directly."""
        if not self.journal.exists:
            return False
        rows = self.journal.query_sqlite("SELECT id FROM budgets")
        if rows is None:
            from .ledger import read_budget

            return read_budget(self.journal) is not None
        return bool(rows)

    @property
    def read_only(self) -> str | None:
        """The message with the reason why nothing can be saved, as far as it is known without writing."""
        if (reason := self.journal.read_only) is not None:
            return reason
        reason = why_unwritable(self.folder)
        return None if reason is None else tr(_READ_ONLY).format(folder=self.folder, reason=reason)

    def add(self, entry: Entry, *, holder: str | None = None, seconds: float = 0.0) -> None:
        """Write a new row, held by ``holder`` as in ``hold``. It is on disk when this returns.

        Raises:
            OSError, sqlalchemy.exc.SQLAlchemyError: the folder or the journal cannot be written.
        """
        with self._rows() as rows:
            rows.add(entry, holder, _after(seconds))

    def put(
        self,
        entry: Entry,
        *,
        holder: str | None = None,
        seconds: float = 0.0,
        patience: float | None = None,
    ) -> None:
        """Merge a task into its row; anything that only the row has, or that is further along, stays.

        A missing row, because the folder was moved or restored from a backup, is written again.

        Args:
            entry: the task.
            holder: the kernel that holds a new row, as in ``hold``.
            seconds: the duration of that hold.
            patience: maximum seconds to wait while another kernel writes.

        Raises:
            IdTaken: the id is new to this row and already belongs to another submission.
            QingboError: the folder or the journal cannot be written.
        """
        with self._rows() as rows:
            if patience is not None:
                rows.set_lock_timeout(patience)
            if rows.get(entry.key) is None and self._is_deleted(entry.key):
                return  # a kernel that slept while the user deleted the task must not bring it back
            rows.put(entry, holder, _after(seconds))

    def claim(self, entry: Entry, holder: str, seconds: float) -> bool:
        """Ensure that a task about to be submitted has a row in the current journal.

        The row is held by ``holder`` as in ``hold``, and written again if it is missing.

        Returns:
            ``False`` if another kernel holds the task, or the service has already accepted it.

        Raises:
            QingboError: the folder or the journal cannot be written.
        """
        with self._rows() as rows:
            if rows.claim(entry, holder, _after(seconds)):
                return True
            row, holding = rows.get(entry.key), rows.current_hold(entry.key)
        if row is None or (not row.task_id and (holding is None or holding[0] == holder)):
            raise unusable(self.journal.place, tr("it does not store written rows"))
        return False

    def update(self, key: str, *, reopen: bool = False, **columns: Any) -> None:
        """Change columns of one row. An ended row accepts only the statuses of an end, unless ``reopen``.

        A stale update from another kernel that follows the same task must not reopen a finished task.

        Raises:
            QingboError: the row does not exist.
        """
        even_ended = reopen or columns.get("status", ENDED[0]) in ENDED
        with self._rows() as rows:
            if not rows.update(key, columns, even_ended=even_ended):
                text = tr(
                    "Task {key} is no longer in the journal {path}. Another kernel may have deleted it."
                )
                raise QingboError(text.format(path=self.journal.place, key=key))

    def hold(self, key: str, holder: str, seconds: float) -> bool:
        """Let ``holder`` alone follow a task for some seconds; return ``False`` if another kernel holds it.

        Two kernels on one folder would otherwise submit, poll and save twice. A kernel that dies holds its
        tasks until the time is over; one that ends properly releases them.
        """
        with self._rows() as rows:
            return rows.hold(key, holder, _after(seconds))

    def current_hold(self, key: str) -> tuple[str, datetime | None] | None:
        """Return the holder of a task and when its hold ends (UTC); ``None`` if no kernel holds it."""
        if not self.journal.exists:
            return None
        with self._rows() as rows:
            return rows.current_hold(key)

    def renew(self, holder: str, seconds: float) -> None:
        """Extend the hold on every task that ``holder`` holds."""
        with self._rows() as rows:
            rows.renew(holder, _after(seconds))

    def release(self, holder: str, key: str | None = None, *, patience: float | None = None) -> None:
        """Let other kernels follow one task, or all tasks that ``holder`` holds.

        Args:
            holder: as in ``hold``.
            key: the task; ``None`` for all.
            patience: maximum seconds to wait while another kernel writes; the hold expires by itself.
        """
        if not self.journal.exists:
            return
        with self._rows() as rows:
            if patience is not None:
                rows.set_lock_timeout(patience)
            rows.release(holder, key)

    def entries(
        self,
        *,
        service: str | None = None,
        status: str | None = None,
        unfinished: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Entry]:
        """Return the tasks, newest first.

        Args:
            service: only tasks of this base URL, in any spelling.
            status: only tasks with this status.
            unfinished: only tasks that have not ended, or whose video is not saved yet.
            limit: the maximum number of tasks.
            offset: the number of newest tasks to skip.
        """
        if not self.journal.exists:
            return []
        with self._rows() as rows:
            return rows.entries(service, status, unfinished, limit, offset)

    def has_unfinished(self, *, service: str) -> bool:
        """Return whether ``entries(unfinished=True)`` or ``lacking_others`` may have a task of this service.

        This queries SQLite directly where possible, because SQLAlchemy takes long to import.
        """
        if not self.journal.exists:
            return False
        rows = self.journal.query_sqlite(_UNFINISHED)
        if rows is None:
            has_any = bool(self.entries(service=service, unfinished=True, limit=1))
        else:
            has_any = any(normalised(str(name)) == normalised(service) for (name,) in rows)
        # The last part: other videos of a finished task are not saved yet.
        return has_any or bool(keys_in(self.folder))

    def lacking_others(self, *, service: str) -> list[Entry]:
        """Return the tasks of this service of which other videos than the first are not saved yet."""
        entries = [self.get(key) for key in keys_in(self.folder)]
        mine = normalised(service)
        return [entry for entry in entries if entry is not None and normalised(entry.service) == mine]

    def durations(self, request: VideoRequest, *, service: str, limit: int = 20) -> tuple[float, ...]:
        """Return the seconds that the latest completed tasks of the same model, mode and length took.

        Args:
            request: the request with that model, mode and length.
            service: only tasks of this base URL, in any spelling.
            limit: the maximum number of durations.
        """
        if not self.journal.exists:
            return ()
        with self._rows() as rows:
            return durations_of(rows, request, service, limit)

    @classmethod
    def import_(cls, folder: str | Path) -> Library:
        """Return a library built from a folder's videos and sidecars alone; existing rows are kept.

        Use it for a folder that came without its journal, from a colleague, a backup or a camera. Videos are
        the MP4, M4V, MOV, WebM and MKV files directly in the folder, none of which is changed. A report of
        them, and of the files that are left out, is printed and kept as ``imported``.

        Raises:
            QingboError: there is no such folder, it cannot be read, or the journal cannot be written.
        """
        from .importing import import_folder, no_folder

        try:
            library = cls(folder)
        except (RuntimeError, ValueError):  # a loop of links, the home of an unknown user, a null character
            raise no_folder(folder) from None
        library.imported = import_folder(library)
        write_line(str(library.imported))
        return library

    def to_dataframe(self) -> pandas.DataFrame:
        """Return one row per task, newest first: request, status, times, cost, rating, tags and note.

        Raises:
            ImportError: pandas is not installed; the message has the command that installs it.
        """
        from .task_table import to_dataframe

        return to_dataframe(self.journal, self.folder)

    @property
    def judgements(self) -> Judgements:
        """The ratings, tags and notes of the videos, and the pairwise preferences."""
        from .judgements import Judgements

        return Judgements(self.journal, self._amend_sidecar)

    def find(self, task_id: str, *, service: str) -> Entry | None:
        """Return the entry with the service's task id; ``None`` if the library has none."""
        if not self.journal.exists:
            return None
        with self._rows() as rows:
            return rows.find(task_id, service)

    def other_submission(self, task_id: str, *, service: str, key: str) -> Entry | None:
        """Return the entry of another submission that has the same service id; ``None`` if there is none.

        An entry without a request, which ``resume`` made from the id alone, may be the same task and does not
        count.
        """
        if not self.journal.exists:
            return None
        with self._rows() as rows:
            return rows.other_submission(task_id, service, key)

    def get(self, key: str) -> Entry | None:
        """Return the entry with a task's key; ``None`` if the library has none."""
        if not self.journal.exists:
            return None
        with self._rows() as rows:
            return rows.get(key)

    def video_path(self, prompt: str, key: str) -> Path:
        """Return the path for a task's video: a readable name, and enough of the key to be unique."""
        # A key from an untrusted journal may be any text, even a path.
        return fitting_path(self.folder, readable_name(str(prompt)), f"-{readable_name(key[:8])}.mp4")

    def video_of(self, entry: Entry) -> Path | None:
        """Return the path of the video that the journal names, always inside the folder.

        Also ``None`` if a link of that name leads out of the folder.
        """
        return Folder(self.folder).place(entry.file) if entry.file else None

    def delete(self, keys: Iterable[str]) -> Deletion:
        """Delete tasks: move their videos, sidecars and posters to ``trash`` in the folder, with their rows.

        Ratings, tags, notes and preferences go with them. ``restore`` brings everything back, in any kernel,
        until ``empty_trash``; nothing is removed from the disk before. Deletes all of the tasks, or none.

        Args:
            keys: the keys of the tasks, such as ``entry.key``; those that the library lacks are skipped.

        Raises:
            QingboError: a task is running, a kernel follows it, the library is read-only, or it has none of
                the tasks.
        """
        from .deletion import delete

        return delete(self, [keys] if isinstance(keys, str) else keys)

    def restore(self, deletion: Deletion | None = None) -> tuple[str, ...]:
        """Undo a deletion, by default the latest; return the keys of its tasks.

        Raises:
            QingboError: the trash is empty, its list cannot be read, or the library is read-only.
        """
        from .restoring import restore

        return restore(self, deletion)

    @property
    def deletions(self) -> tuple[Deletion, ...]:
        """The deletions that ``restore`` can undo, newest first."""
        from .deletion import deletions

        return deletions(self)

    @property
    def unreadable_deletions(self) -> tuple[Path, ...]:
        """The folders in the trash that ``restore`` and ``empty_trash`` leave alone.

        Their list is damaged, removed, or of a later version. To keep the videos, move them into the folder
        of the library and call ``import_``; to delete them, remove their folder.
        """
        from .deletion import unreadable_deletions

        return unreadable_deletions(self)

    def empty_trash(self, deletions: Iterable[Deletion] | None = None) -> int:
        """Remove deleted videos from the disk, for good; return the number of bytes that this frees.

        Args:
            deletions: some of ``self.deletions``; by default all of them.

        Raises:
            QingboError: a file could not be removed.
        """
        from .deletion import empty_trash

        return empty_trash(self, deletions)

    def close(self) -> None:
        """Close the journal. The library opens it again on the next use."""
        self.journal.close()

    def _amend_sidecar(self, key: str, judgement: Judgement) -> None:
        """Write a judgement to the sidecar of its video too; a failed write is only logged."""
        from .sidecar import amend_sidecar, judgement_fields

        entry = self.get(key)
        video = None if entry is None else self.video_of(entry)
        if video is not None and is_file_inside(video):
            try:
                amend_sidecar(video, **judgement_fields(judgement))
            except OSError:
                logger.warning("The sidecar of %s was not written", video.name, exc_info=True)

    def _is_deleted(self, key: str) -> bool:
        from .deleted_keys import DeletedKeys

        if self._deleted is None:
            self._deleted = DeletedKeys(self.folder)
        return key in self._deleted

    @contextmanager
    def _rows(self) -> Iterator[Rows]:
        from .journal.rows import Rows

        with self.journal.begin() as connection:
            yield Rows(connection)


def _after(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
