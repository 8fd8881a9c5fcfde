"""The table of all tasks of a library, as a pandas DataFrame."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..system.folder import Folder
from .dataframe import dataframe, request_columns
from .entry import Entry
from .journal.journal import Journal
from .journal.rows import SELECT, read_row
from .journal.tables import tasks
from .judgements import Judgement, Judgements
from .request_templates import RequestColumns
from .requests import readable_part_of

if TYPE_CHECKING:
    import pandas

__all__ = ["to_dataframe"]


def to_dataframe(journal: Journal, folder: Path) -> pandas.DataFrame:
    """Return one row per task: the request's fields, the outcome, and the user's judgement.

    Raises:
        ImportError: pandas is not installed; the message has the command that installs it.
    """
    columns, videos = RequestColumns(_request_columns), _Videos(folder)
    empty = _row(columns, videos, Entry(key="", service=""), Judgement())
    with _no_collection():
        entries = _entries(journal)
        judged = Judgements(journal).of_all([entry.key for entry in entries])
        return dataframe([_row(columns, videos, entry, judged[entry.key]) for entry in entries], empty)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the garbage collector, which would look at millions of new values again and again."""
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            gc.enable()


def _entries(journal: Journal) -> list[Entry]:
    """Return all tasks, newest first."""
    if not journal.exists:
        return []
    with journal.begin() as connection:
        rows = connection.execute(SELECT.order_by(tasks.c.submitted_at.desc(), tasks.c.key))
        return [read_row(row) for row in rows]


def _request_columns(entry: Entry) -> dict[str, Any]:
    return request_columns(readable_part_of(entry), entry.contract)


class _Videos:
    """The paths of the videos of a folder, which is read once instead of once for each video."""

    def __init__(self, folder: Path) -> None:
        self._folder = Folder(folder)
        self._files: set[str] = set()
        with suppress(OSError), os.scandir(folder) as found:
            self._files = {item.name for item in found if item.is_file(follow_symlinks=False)}

    def place(self, name: str) -> Path | None:
        """Return the path of a video as ``Folder.place`` does."""
        return self._folder.path / name if name in self._files else self._folder.place(name)


def _row(columns: RequestColumns, videos: _Videos, entry: Entry, judgement: Judgement) -> dict[str, Any]:
    return {
        "task_id": entry.task_id,
        **columns.of(entry),
        "model": entry.model,
        "prompt": entry.prompt,
        "status": entry.status,
        "submitted_at": entry.submitted_at,
        "created_at": entry.created_at,
        "completed_at": entry.completed_at,
        "cost": entry.cost,
        "frozen": entry.frozen,
        "billing_status": entry.billing_status or None,
        "rating": judgement.rating,
        "tags": judgement.tags,
        "note": judgement.note,
        "video": videos.place(entry.file) if entry.file else None,
        "error": (entry.error or {}).get("message"),
        "request": dict(entry.request or {}),
        "key": entry.key,
    }
