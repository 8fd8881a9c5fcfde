"""The library: a folder with the finished videos and a journal of every task.

The journal is what makes a task outlive its kernel. A task's row is written before its request leaves, so
that whatever happens next, the next kernel finds it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ..service.request import VideoRequest
from ..service.snapshot import TaskStatus
from .journal import JOURNAL, in_words, open_journal
from .journal import tasks as _tasks

if TYPE_CHECKING:
    import pandas

__all__ = ["Entry", "Library"]

ENDED = tuple(status.value for status in TaskStatus if status.is_ended)


@dataclass(frozen=True)
class Entry:
    """One row of the journal: one task.

    Attributes:
        key: the task's idempotency key, made here, unique in the library.
        service: the base URL the task was submitted to; ``sandbox`` for the sandbox.
        task_id: the service's id, empty while it is not known.
        model: the model's name.
        request: the request's fields that differ from the defaults, ``None`` where it is not known.
        status: a ``TaskStatus``, or the service's own word where it is a new one.
        progress: 0..100.
        submitted_at: when Generate was pressed, UTC.
        created_at: when the service made the task, UTC.
        completed_at: when the task ended, UTC.
        file: the saved video's name in the folder, ``None`` until it is there.
        error: ``{"type", "message"}`` of the error it ended with.
        cost: what the service says it cost, in quota.
    """

    key: str
    service: str
    task_id: str = ""
    model: str = ""
    request: Mapping[str, Any] | None = field(default=None, hash=False)
    status: str = TaskStatus.submitting.value
    progress: int = 0
    submitted_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    created_at: datetime | None = None
    completed_at: datetime | None = None
    file: str | None = None
    error: Mapping[str, str] | None = field(default=None, hash=False)
    cost: int | None = None

    @property
    def prompt(self) -> str:
        """The prompt; in multi-shot mode the shots' prompts, one a line."""
        request = self.request or {}
        shots = request.get("shots", ())
        return str(request.get("prompt", "")) or "\n".join(str(shot["prompt"]) for shot in shots)


_COLUMNS = tuple(item.name for item in fields(Entry))
_SELECT = sa.select(*(_tasks.c[name] for name in _COLUMNS))


class Library:
    """Tasks and videos of one folder. Safe to use from many threads, and from several kernels at once.

    Args:
        folder: where the videos and the journal are, relative to the notebook. Created on first use.
        database: an SQLAlchemy URL to keep the journal elsewhere than in the folder.
    """

    def __init__(self, folder: str | Path = "qingbo_videos", *, database: str | None = None) -> None:
        self.folder = Path(folder).expanduser().resolve()
        self._database = database
        self._engine: sa.Engine | None = None

    def __repr__(self) -> str:
        return f"Library({str(self.folder)!r})"

    def add(self, entry: Entry, *, holder: str | None = None, seconds: float = 0.0) -> None:
        """Write a new row, held by ``holder`` as in ``hold``. It is on disk when this returns.

        Raises:
            OSError, sqlalchemy.exc.SQLAlchemyError: the folder or the journal cannot be written.
        """
        row = {name: getattr(entry, name) for name in _COLUMNS}
        with self._begin() as connection:
            connection.execute(_tasks.insert().values(**row, holder=holder, held_until=_after(seconds)))

    def update(self, key: str, *, reopen: bool = False, **columns: Any) -> None:
        """Change columns of one row. An ended row takes no status that is not an end, unless ``reopen``.

        Another kernel may follow the same task and know less; its late word must not undo an end.
        """
        change = _tasks.update().where(_tasks.c.key == key).values(**columns)
        if not reopen and columns.get("status", ENDED[0]) not in ENDED:
            change = change.where(_tasks.c.status.not_in(ENDED))
        with self._begin() as connection:
            connection.execute(change)

    def hold(self, key: str, holder: str, seconds: float) -> bool:
        """Become the one kernel that follows a task, for so many seconds; ``False`` if another one does.

        Two kernels on one folder would otherwise submit, ask and save twice. A kernel that dies holds its
        tasks until the time is over; one that ends properly releases them.
        """
        free = sa.or_(_tasks.c.holder.is_(None), _tasks.c.holder == holder, _tasks.c.held_until < _after(0.0))
        change = _tasks.update().where(_tasks.c.key == key, free)
        with self._begin() as connection:
            return connection.execute(change.values(holder=holder, held_until=_after(seconds))).rowcount == 1

    def renew(self, holder: str, seconds: float) -> None:
        """Go on holding everything that ``holder`` holds."""
        with self._begin() as connection:
            change = _tasks.update().where(_tasks.c.holder == holder)
            connection.execute(change.values(held_until=_after(seconds)))

    def release(self, holder: str, key: str | None = None, *, patience: float | None = None) -> None:
        """Let others follow one task, or all that ``holder`` holds.

        Args:
            holder: as in ``hold``.
            key: of one task.
            patience: seconds to wait at most while another kernel writes; the hold runs out by itself.
        """
        if not self._exists():
            return
        change = _tasks.update().where(_tasks.c.holder == holder)
        if key is not None:
            change = change.where(_tasks.c.key == key)
        with self._begin() as connection:
            if patience is not None and connection.dialect.name == "sqlite":
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * patience:.0f}")
            connection.execute(change.values(holder=None, held_until=None))

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
            service: only tasks of this base URL.
            status: only tasks with this status.
            unfinished: only tasks that have not ended, or whose video is not saved yet.
            limit: at most so many.
            offset: leave out so many of the newest.
        """
        if not self._exists():
            return []
        query = _SELECT.order_by(_tasks.c.submitted_at.desc(), _tasks.c.key)
        if service is not None:
            query = query.where(_tasks.c.service == service)
        if status is not None:
            query = query.where(_tasks.c.status == status)
        if unfinished:
            unsaved = sa.and_(_tasks.c.status == TaskStatus.completed.value, _tasks.c.file.is_(None))
            query = query.where(sa.or_(_tasks.c.status.not_in(ENDED), unsaved))
        with self._begin() as connection:
            rows = connection.execute(query.limit(limit).offset(offset))
            return [Entry(**row) for row in rows.mappings()]

    def durations(self, request: VideoRequest, *, service: str, limit: int = 20) -> tuple[float, ...]:
        """How many seconds the latest completed tasks of the same model, mode and length took.

        Args:
            request: tells the kind.
            service: only tasks of this base URL.
            limit: at most so many.
        """
        if not self._exists():
            return ()
        of_model = (_tasks.c.service == service, _tasks.c.model == request.model)
        ended = (_tasks.c.status == TaskStatus.completed.value, _tasks.c.completed_at > _tasks.c.created_at)
        query = sa.select(_tasks.c.request, _tasks.c.created_at, _tasks.c.completed_at)
        query = query.where(*of_model, *ended, _tasks.c.request.is_not(None))
        # The kind is told apart here: what a database can ask of JSON differs from one to the other.
        query = query.order_by(_tasks.c.submitted_at.desc()).limit(10 * limit)
        with self._begin() as connection:
            rows = connection.execute(query).all()
        kind = _kind(request.as_dict())
        alike = [done - made for fields, made, done in rows if _kind(fields) == kind]
        return tuple(duration.total_seconds() for duration in alike[:limit])

    @classmethod
    def import_(cls, folder: str | Path) -> Library:
        """A library made of a folder's videos and their sidecars alone; rows that are there are kept.

        For a folder that came without its journal, from a colleague or a backup.

        Raises:
            OSError, sqlalchemy.exc.SQLAlchemyError: the folder or the journal cannot be written.
        """
        from .provenance import import_folder

        library = cls(folder)
        import_folder(library)
        return library

    def to_dataframe(self) -> pandas.DataFrame:
        """One row a task, newest first: request, course, rating, tags and note.

        Raises:
            ImportError: pandas is not installed; the message says how.
        """
        from .selection import to_dataframe

        return to_dataframe(self)

    def find(self, task_id: str, *, service: str) -> Entry | None:
        """The entry of a task by the service's id, ``None`` where the library does not know it."""
        return self._first(_tasks.c.task_id == task_id, _tasks.c.service == service)

    def get(self, key: str) -> Entry | None:
        """The entry of a task by its key, ``None`` where the library does not know it."""
        return self._first(_tasks.c.key == key)

    def video_path(self, prompt: str, key: str) -> Path:
        """Where the video of a task belongs: a name one can read, and enough of the key to be its own."""
        return self.folder / f"{readable_name(prompt)}-{key[:8]}.mp4"

    def video_of(self, entry: Entry) -> Path | None:
        """Where the journal says that the video is. Always in the folder, wherever the journal came from."""
        return self.folder / Path(entry.file).name if entry.file else None

    def close(self) -> None:
        """Let go of the journal. The library opens it again when it is used."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _first(self, *conditions: sa.ColumnElement[bool]) -> Entry | None:
        if not self._exists():
            return None
        with self._begin() as connection:
            row = connection.execute(_SELECT.where(*conditions)).mappings().first()
        return None if row is None else Entry(**row)

    def _exists(self) -> bool:
        """Whether there is a journal; looking must not make one."""
        return self._database is not None or (self.folder / JOURNAL).exists()

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        if self._engine is None or not self._exists():  # the folder may have been removed under us
            self._engine = open_journal(self.folder, self._database)
        with in_words(self.folder / JOURNAL), self._engine.begin() as connection:
            yield connection


def _kind(fields: Mapping[str, Any] | None) -> tuple[object, ...]:
    """What of a request decides how long it takes: the mode and the length in seconds."""
    fields = fields or {}
    shots = fields.get("shots")
    seconds = sum(shot["duration"] for shot in shots) if shots else fields.get("duration")
    return fields.get("mode"), seconds


def readable_name(text: str, limit: int = 32) -> str:
    """A file name out of a prompt: letters and digits of every script, the rest a single dash.

    Nothing is left that a path, a shell or any file system could take for something else; the limit keeps
    a name of Chinese characters (three bytes each) far below the 255 bytes that file systems allow.
    """
    words = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", text)).strip("-")
    return words[:limit].strip("-") or "video"


def _after(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
