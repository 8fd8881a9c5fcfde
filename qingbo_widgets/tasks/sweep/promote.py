"""``promote``: the best rated videos of a sweep once more, with some fields changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...exceptions import InvalidRequest, QingboError
from ...i18n import N_, tr
from ...library.ranking import rank
from ...service.contract.frames import IMAGE
from ...service.contract.misspelt import check_names
from ...service.contract.problem import Problem
from ...service.contract.request import VideoRequest
from ...system.console import write_line
from .cell import Cell, CellState
from .make import sweep

if TYPE_CHECKING:
    from .sweep import Sweep

__all__ = ["best", "promote"]

#: Characters of a value that a name shows; a longer one is named by its field.
_LONGEST = 24
_NONE_RATED = N_(
    "No finished video of the sweep {name!r} is rated. Rate some in its grid first, then promote the best."
)
_FEWER = N_("Different rated videos: {count}, fewer than top={top}. All of them are promoted.")
_NO_TOP = N_("top={value!r} is not a positive whole number")


def promote(drafts: Sweep, top: int, name: str | None, changes: Mapping[str, Any]) -> Sweep:
    """Return a planned sweep of the best rated videos; see ``Sweep.promote``."""
    manager = drafts.manager
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise ValueError(tr(_NO_TOP).format(value=top))
    manager.monitor.check_open()
    check_names("promote()", changes, lambda: manager.client.contract.models, ("top", "name", IMAGE))
    changes = manager.inputs.saved_fields(changes)
    chosen: dict[VideoRequest, Cell] = {}
    for cell in best(drafts):
        if len(chosen) < top:
            chosen.setdefault(cell.request.replace(**changes), cell)
    if not chosen:
        raise QingboError(tr(_NONE_RATED).format(name=drafts.name))
    contract = manager.client.contract.name
    problems = {
        request: found for request in chosen if (found := manager.inputs.checked(request, contract).problems)
    }
    if problems:
        raise InvalidRequest(_labelled(problems, chosen))
    if len(chosen) < top:
        write_line(tr(_FEWER).format(count=len(chosen), top=top))
    # In the order of the drafts, so that a later rating of the same videos makes the same sweep.
    ordered = sorted(chosen, key=lambda request: chosen[request].number)
    return sweep(
        [_row(request, drafts.axes) for request in ordered],
        name=name or _name(drafts.name, changes),
        ask_above=0,
        manager=manager,
    )


def best(drafts: Sweep) -> list[Cell]:
    """Return the rated finished cells of a sweep, best first; those that are not rated are left out."""
    finished = {cell.key: cell for cell in drafts.cells if cell.state == CellState.finished and cell.key}
    judgements = drafts.manager.library.judgements
    judged = judgements.of_all(list(finished))
    rated = {key: rating for key in finished if (rating := judged[key].rating) is not None}
    strengths = _strengths(list(rated), judgements.preferences(rated))

    def order(key: str) -> tuple[float, ...]:
        cell = finished[key]
        cost = cell.task.cost if cell.task else None
        return -rated[key], -strengths.get(key, 0.0), float("inf") if cost is None else cost, cell.number

    return [finished[key] for key in sorted(rated, key=order)]


def _row(request: VideoRequest, axes: Iterable[str]) -> dict[str, Any]:
    """Return the fields of a request, those that the drafts vary first, in whose order the new axes are."""
    fields = request.chosen()
    return {name: fields[name] for name in (*axes, *fields) if name in fields}


def _strengths(keys: Sequence[str], preferences: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Return the strength of each task in the pairwise comparisons; nothing without these or choix."""
    if not preferences:
        return {}
    try:
        return {ranked.key: ranked.strength for ranked in rank(keys, preferences)}
    except ImportError:
        return {}


def _labelled(
    problems: Mapping[VideoRequest, Sequence[Problem]], chosen: Mapping[VideoRequest, Cell]
) -> list[Problem]:
    """Return each problem once, with the first video that has it."""
    found: dict[tuple[str, str], Problem] = {}
    for request, of_request in problems.items():
        label = chosen[request].label
        for problem in of_request:
            text = f"{problem.message} [{label}]" if label else problem.message
            found.setdefault((problem.field, problem.message), Problem(problem.field, text))
    return list(found.values())


def _name(name: str, changes: Mapping[str, Any]) -> str:
    """Return the name of a promoted sweep: ``koi-promoted-1080p``."""
    texts = [str(value) if isinstance(value, str | int | float) else "" for value in changes.values()]
    parts = [
        text if 0 < len(text) <= _LONGEST and not isinstance(changes[field], bool) else field
        for field, text in zip(changes, texts, strict=True)
    ]
    return "-".join([name, "promoted", *(re.sub(r"[^\w.-]+", "_", part) for part in parts)])
