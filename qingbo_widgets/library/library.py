"""The library: a folder with the finished videos and a journal of every task.

The journal is what makes a task outlive its kernel. A task's row is written before its request leaves, so
that whatever happens next, the next kernel finds it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import QingboError
from ..i18n import tr
from ..service.contract.request import VideoRequest
from ..service.contract.service_names import normalised
from ..system.folder import Folder, is_file_inside
from .durations import durations_of
from .entry import ENDED, Entry
from .file_names import readable_name
from .journal.damage import unusable
from .journal.journal import Journal

if TYPE_CHECKING:
    import pandas

    from .journal.rows import Rows
    from .judgements import Judgement, Judgements

__all__ = ["Library"]

logger = logging.getLogger("qingbo_widgets")

_UNFINISHED = (
    "SELECT DISTINCT service FROM tasks WHERE "
    f"status NOT IN ({', '.join('?' * len(ENDED))}) OR status = 'completed' AND file IS NULL"
)


class Library:
    """Tasks and videos of one folder. Safe to use from many threads, and from several kernels at once.

    Args:
        folder: where the videos and the journal are, relative to the notebook. Created on first use.
        database: an SQLAlchemy URL to keep the journal elsewhere than in the folder.
    """

    def __init__(self, folder: str | Path = "qingbo_videos", *, database: str | None = None) -> None:
        self.folder = Path(folder).expanduser().resolve()
        self.journal = Journal(self.folder, database)

    def __repr__(self) -> str:
        return f"Library({str(self.folder)!r})"

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
        """Write all that is known of a task; what its row says beyond that, or further along, stays.

        A row that is not there, because the folder was moved or put back from a backup, is written anew.

        Args:
            entry: the task.
            holder: holds a new row, as in ``hold``.
            seconds: for so long.
            patience: seconds to wait at most while another kernel writes.

        Raises:
            IdTaken: the id was not known of it before, and is that of another submission.
            QingboError: the folder or the journal cannot be written.
        """
        with self._rows() as rows:
            if patience is not None:
                rows.be_patient(patience)
            rows.put(entry, holder, _after(seconds))

    def claim(self, entry: Entry, holder: str, seconds: float) -> bool:
        """Make sure that a task that is about to be submitted has its row in the journal that is there now.

        The row is held by ``holder`` as in ``hold``, and written anew where it is gone.

        Returns:
            ``False`` if another kernel holds the task, or the service has taken it already.

        Raises:
            QingboError: the folder or the journal cannot be written.
        """
        with self._rows() as rows:
            if rows.claim(entry, holder, _after(seconds)):
                return True
            row, holding = rows.get(entry.key), rows.holding(entry.key)
        if row is None or (not row.task_id and (holding is None or holding[0] == holder)):
            raise unusable(self.journal.place, tr("it does not keep what is written"))
        return False

    def update(self, key: str, *, reopen: bool = False, **columns: Any) -> None:
        """Change columns of one row. An ended row takes no status that is not an end, unless ``reopen``.

        Another kernel may follow the same task and know less; its late word must not undo an end.

        Raises:
            QingboError: there is no such row.
        """
        even_ended = reopen or columns.get("status", ENDED[0]) in ENDED
        with self._rows() as rows:
            if not rows.update(key, columns, even_ended=even_ended):
                text = tr("The journal {path} has no row of the task {key} any more.")
                raise QingboError(text.format(path=self.journal.place, key=key))

    def hold(self, key: str, holder: str, seconds: float) -> bool:
        """Become the one kernel that follows a task, for so many seconds; ``False`` if another one does.

        Two kernels on one folder would otherwise submit, ask and save twice. A kernel that dies holds its
        tasks until the time is over; one that ends properly releases them.
        """
        with self._rows() as rows:
            return rows.hold(key, holder, _after(seconds))

    def holding(self, key: str) -> tuple[str, datetime | None] | None:
        """Who holds a task and until when (UTC), ``None`` where nobody does."""
        if not self.journal.exists:
            return None
        with self._rows() as rows:
            return rows.holding(key)

    def renew(self, holder: str, seconds: float) -> None:
        """Go on holding everything that ``holder`` holds."""
        with self._rows() as rows:
            rows.renew(holder, _after(seconds))

    def release(self, holder: str, key: str | None = None, *, patience: float | None = None) -> None:
        """Let others follow one task, or all that ``holder`` holds.

        Args:
            holder: as in ``hold``.
            key: of one task.
            patience: seconds to wait at most while another kernel writes; the hold runs out by itself.
        """
        if not self.journal.exists:
            return
        with self._rows() as rows:
            if patience is not None:
                rows.be_patient(patience)
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
        """The tasks, newest first.

        Args:
            service: only tasks of this base URL, in whatever spelling.
            status: only tasks with this status.
            unfinished: only tasks that have not ended, or whose video is not saved yet.
            limit: at most so many.
            offset: leave out so many of the newest.
        """
        if not self.journal.exists:
            return []
        with self._rows() as rows:
            return rows.entries(service, status, unfinished, limit, offset)

    def has_unfinished(self, *, service: str) -> bool:
        """Whether ``entries(unfinished=True)`` has any of this service.

        Asks SQLite itself where that will do, which is there long before SQLAlchemy is imported.
        """
        if not self.journal.exists:
            return False
        rows = self.journal.glance(_UNFINISHED, ENDED)
        if rows is not None:
            return any(normalised(str(name)) == normalised(service) for (name,) in rows)
        return bool(self.entries(service=service, unfinished=True, limit=1))

    def durations(self, request: VideoRequest, *, service: str, limit: int = 20) -> tuple[float, ...]:
        """Return the seconds that the latest completed tasks of the same model, mode and length took.

        Args:
            request: has the model, mode and length.
            service: only tasks of this base URL, in whatever spelling.
            limit: at most so many.
        """
        if not self.journal.exists:
            return ()
        with self._rows() as rows:
            return durations_of(rows, request, service, limit)

    @classmethod
    def import_(cls, folder: str | Path) -> Library:
        """A library made of a folder's videos and their sidecars alone; rows that are there are kept.

        For a folder that came without its journal, from a colleague or a backup.

        Raises:
            OSError, sqlalchemy.exc.SQLAlchemyError: the folder or the journal cannot be written.
        """
        from .importing import import_folder

        library = cls(folder)
        import_folder(library)
        return library

    def to_dataframe(self) -> pandas.DataFrame:
        """One row a task, newest first: request, course, rating, tags and note.

        Raises:
            ImportError: pandas is not installed; the message says how.
        """
        from .search import to_dataframe

        return to_dataframe(self.journal, self.folder)

    @property
    def judgements(self) -> Judgements:
        """Ratings, tags and notes of its videos, and which of two is better."""
        from .judgements import Judgements

        return Judgements(self.journal, self._amend_sidecar)

    def find(self, task_id: str, *, service: str) -> Entry | None:
        """The entry of a task by the service's id, ``None`` where the library does not know it."""
        if not self.journal.exists:
            return None
        with self._rows() as rows:
            return rows.find(task_id, service)

    def rival(self, task_id: str, *, service: str, key: str) -> Entry | None:
        """Return the entry of another submission that has the service's id, if there is one.

        A task that is known by its id only, because ``resume`` was asked for it, may be the same one.
        """
        if not self.journal.exists:
            return None
        with self._rows() as rows:
            return rows.rival(task_id, service, key)

    def get(self, key: str) -> Entry | None:
        """The entry of a task by its key, ``None`` where the library does not know it."""
        if not self.journal.exists:
            return None
        with self._rows() as rows:
            return rows.get(key)

    def video_path(self, prompt: str, key: str) -> Path:
        """Where the video of a task belongs: a name one can read, and enough of the key to be its own."""
        # A key out of a stranger's journal may be any text, a path too.
        return self.folder / f"{readable_name(str(prompt))}-{readable_name(key[:8])}.mp4"

    def video_of(self, entry: Entry) -> Path | None:
        """Return the path of the video that the journal names, always in the folder, whatever it says.

        ``None`` too where a link of that name leads out of the folder.
        """
        return Folder(self.folder).place(entry.file) if entry.file else None

    def close(self) -> None:
        """Let go of the journal. The library opens it again when it is used."""
        self.journal.close()

    def _amend_sidecar(self, key: str, judgement: Judgement) -> None:
        """Put a judgement into the sidecar of its video too; one that cannot be written is no failure."""
        from .sidecar import amend_sidecar, judged

        entry = self.get(key)
        video = None if entry is None else self.video_of(entry)
        if video is not None and is_file_inside(video):
            try:
                amend_sidecar(video, **judged(judgement))
            except OSError:
                logger.warning("The sidecar of %s was not written", video.name, exc_info=True)

    @contextmanager
    def _rows(self) -> Iterator[Rows]:
        from .journal.rows import Rows

        with self.journal.begin() as connection:
            yield Rows(connection)


def _after(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
