"""A sweep in plain values: as JSON for the journal, as rows for a table, as a line to print."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...i18n import tr
from ...library.dataframe import request_columns
from ...library.judgements import Judgement
from ...service.contract.callbacks import callback_note
from ...service.contract.problem import Problem
from .cell import Cell, took
from .grid import Grid, Skipped

if TYPE_CHECKING:
    from ...library.library import Library

__all__ = ["announced", "as_json", "kept_skipped", "rows_of", "skipped_as_json"]


def announced(grid: Grid, name: str, max_running: int, asks: str) -> str:
    """Return the line that says how many tasks a sweep is, before any is sent.

    Args:
        grid: its combinations.
        name: of the sweep.
        max_running: how many tasks may be unfinished at once.
        asks: how to submit them, where nothing is sent yet.
    """
    line = tr("Sweep {name}: {summary}; at most {places} at once.")
    line = line.format(name=name, summary=grid.summary(), places=max_running)
    line = " ".join(filter(None, (line, callback_note(*(one.request for one in grid.combinations)))))
    return tr("{told} Nothing is sent yet: {ask}").format(told=line, ask=asks) if asks else line


def rows_of(cells: Sequence[Cell], library: Library) -> list[dict[str, Any]]:
    """Return a row for each cell, with its judgement."""
    judged = library.judgements.of_all([cell.key for cell in cells if cell.key])
    return [_row(cell, judged.get(cell.key or "", Judgement())) for cell in cells]


def as_json(value: Any) -> Any:
    """Return a value as JSON keeps it."""
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value.as_dict() if hasattr(value, "as_dict") else value


def skipped_as_json(skipped: Sequence[Skipped]) -> list[dict[str, Any]]:
    """Return the combinations that were left out, as the journal keeps them."""
    return [{"values": as_json(one.values), "problems": list(map(str, one.problems))} for one in skipped]


def kept_skipped(kept: Sequence[Mapping[str, Any]]) -> list[Skipped]:
    """Return the combinations that the journal says were left out."""
    return [
        Skipped(one["values"], tuple(Problem("", message) for message in one["problems"])) for one in kept
    ]


def _row(cell: Cell, judgement: Judgement) -> dict[str, Any]:
    task = cell.task
    path: Path | None = task.video_path if task else None
    return {
        **request_columns(cell.request),
        **cell.values,
        "state": str(cell.state),
        "task_id": task.task_id if task else "",
        "seconds": took(task) if task else None,
        "video": str(path) if path else None,
        "error": str(task.error) if task and task.error else None,
        **dataclasses.asdict(judgement),
        "key": cell.key,
    }
