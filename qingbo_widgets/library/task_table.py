"""The table of all tasks of a library, as a pandas DataFrame."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..system.folder import Folder
from .dataframe import dataframe, request_columns
from .entry import Entry
from .journal.journal import Journal
from .judgements import Judgement
from .requests import readable_part_of
from .search import select

if TYPE_CHECKING:
    import pandas

__all__ = ["to_dataframe"]


def to_dataframe(journal: Journal, folder: Path) -> pandas.DataFrame:
    """Return one row per task: the request's fields, the outcome, and the user's judgement.

    Raises:
        ImportError: pandas is not installed; the message has the command that installs it.
    """
    empty = _row(folder, Entry(key="", service=""), Judgement())
    return dataframe([_row(folder, *row) for row in select(journal)[1]], empty)


def _row(folder: Path, entry: Entry, judgement: Judgement) -> dict[str, Any]:
    return {
        "task_id": entry.task_id,
        **request_columns(readable_part_of(entry), entry.contract),
        "model": entry.model,
        "prompt": entry.prompt,
        "status": entry.status,
        "submitted_at": entry.submitted_at,
        "created_at": entry.created_at,
        "completed_at": entry.completed_at,
        "cost": entry.cost,
        "frozen": entry.frozen,
        "billing_status": entry.billing_status or None,
        **asdict(judgement),
        "video": Folder(folder).place(entry.file) if entry.file else None,
        "error": (entry.error or {}).get("message"),
        "request": dict(entry.request or {}),
        "key": entry.key,
    }
