"""Plain representations of a sweep: JSON for the journal, table rows, and a line to print."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...i18n import N_, sentences, tr
from ...library.dataframe import request_columns
from ...library.judgements import Judgement
from ...library.worth import worth_of
from ...service.contract.callbacks import callback_note
from ...service.contract.problem import Problem
from ...service.secrets.known_keys import hide
from .cell import Cell, duration_of
from .grid import Combination, Grid, Skipped
from .table import short_line
from .worth import video_of

if TYPE_CHECKING:
    from ...library.library import Library

__all__ = [
    "announcement",
    "as_json",
    "common_prompt",
    "prompts_of",
    "rows_of",
    "skipped_as_json",
    "skipped_from_json",
]

_FIRST = N_("First prompt: “{prompt}”.")
_PROMPT = N_("Prompt: “{prompt}”.")
_NEGATIVE = N_("Negative prompt: “{prompt}”.")


def announcement(grid: Grid, name: str, max_running: int, instruction: str, price: str = "") -> str:
    """Return the line that announces the number of tasks and their price before any is sent.

    Args:
        grid: the combinations of the sweep.
        name: the name of the sweep.
        max_running: maximum number of unfinished tasks at a time.
        instruction: how to submit them, if nothing is sent yet.
        price: their price, as a sentence.
    """
    line = tr("Sweep {name}: {summary}; at most {places} at once.")
    line = line.format(name=name, summary=grid.summary(), places=max_running)
    callbacks = callback_note(*(item.request for item in grid.combinations))
    line = sentences(line, *prompts_of(grid.combinations), callbacks, price)
    return (
        tr("{text} Nothing has been sent yet: {ask}").format(text=line, ask=instruction)
        if instruction
        else line
    )


def prompts_of(items: Sequence[Combination | Cell]) -> list[str]:
    """Return sentences with the prompts, which the user should see before anything is paid for.

    Of prompts that vary it is the first one, so that garbled text is seen.
    """
    prompts = items[0].request.prompts if items else ()
    if common := common_prompt(items):
        texts = [(_PROMPT, common)]
    else:
        texts = [(_FIRST, prompts[0])] if prompts else []
    negative = {str(item.request.negative_prompt or "") for item in items}
    if len(negative) == 1:
        texts.append((_NEGATIVE, negative.pop()))
    return [tr(text).format(prompt=hide(short_line(prompt))) for text, prompt in texts if prompt.strip()]


def common_prompt(items: Sequence[Combination | Cell]) -> str:
    """Return the prompt of all cells, that of several shots on one line; empty if it varies."""
    prompts = {item.request.prompts for item in items}
    return hide(" / ".join(prompts.pop())) if len(prompts) == 1 else ""


def rows_of(cells: Sequence[Cell], library: Library, contract: str) -> list[dict[str, Any]]:
    """Return one row per cell, with its judgement.

    Args:
        cells: the cells.
        library: the library of their tasks.
        contract: the date of the contract under which a cell without a task would be submitted.
    """
    judged = library.judgements.of_all([cell.key for cell in cells if cell.key])
    return [_row(cell, judged.get(cell.key or "", Judgement()), contract) for cell in cells]


def as_json(value: Any) -> Any:
    """Return a value in JSON types."""
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value.as_dict() if hasattr(value, "as_dict") else value


def skipped_as_json(skipped: Sequence[Skipped]) -> list[dict[str, Any]]:
    """Return the skipped combinations in the journal's format."""
    return [{"values": as_json(item.values), "problems": list(map(str, item.problems))} for item in skipped]


def skipped_from_json(items: Sequence[Mapping[str, Any]]) -> list[Skipped]:
    """Return the skipped combinations from the journal's format."""
    return [
        Skipped(item["values"], tuple(Problem("", message) for message in item["problems"])) for item in items
    ]


def _cost_per_second(cell: Cell) -> int | None:
    """Return the cost of a second of a finished video, in the service's units."""
    video = video_of(cell)
    return worth_of([video], "").per_second if video is not None else None


def _row(cell: Cell, judgement: Judgement, contract: str) -> dict[str, Any]:
    task = cell.task
    path: Path | None = task.video_path if task else None
    return {
        **request_columns(cell.request, task.contract if task else contract),
        **cell.values,
        "state": str(cell.state),
        "task_id": task.task_id if task else "",
        "seconds": duration_of(task) if task else None,
        "cost": task.cost if task else None,
        "cost_per_second": _cost_per_second(cell),
        "video": str(path) if path else None,
        "error": str(task.error) if task and task.error else None,
        **dataclasses.asdict(judgement),
        "key": cell.key,
    }
