"""The table of all tasks of a library, as a pandas DataFrame."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..system.folder import Folder
from .dataframe import columns_of, dataframe_of, request_columns
from .entry import Entry
from .journal.journal import Journal
from .journal.rows import Rows
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
    like = columns.of(Entry(key="", service=""))
    with _no_collection():
        entries = _entries(journal)
        judged = Judgements(journal).of_all([entry.key for entry in entries])
        requests = columns_of([columns.of(entry) for entry in entries], like)
        judgements = [judged[entry.key] for entry in entries]
        return dataframe_of({**requests, **_columns(entries, judgements, videos)})


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
        return Rows(connection).entries(None, None, unfinished=False, limit=None, offset=0)


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


def _columns(
    entries: Sequence[Entry], judgements: Sequence[Judgement], videos: _Videos
) -> dict[str, list[Any]]:
    """Return the columns besides those of the request fields. Rows as mappings take longer."""
    return {
        "task_id": [entry.task_id for entry in entries],
        "model": [entry.model for entry in entries],
        "prompt": [entry.prompt for entry in entries],
        "status": [entry.status for entry in entries],
        "submitted_at": [entry.submitted_at for entry in entries],
        "created_at": [entry.created_at for entry in entries],
        "completed_at": [entry.completed_at for entry in entries],
        "cost": [entry.cost for entry in entries],
        "frozen": [entry.frozen for entry in entries],
        "billing_status": [entry.billing_status or None for entry in entries],
        "rating": [judgement.rating for judgement in judgements],
        "tags": [judgement.tags for judgement in judgements],
        "note": [judgement.note for judgement in judgements],
        "video": [videos.place(entry.file) if entry.file else None for entry in entries],
        "error": [(entry.error or {}).get("message") for entry in entries],
        "request": [dict(entry.request or {}) for entry in entries],
        "key": [entry.key for entry in entries],
    }
