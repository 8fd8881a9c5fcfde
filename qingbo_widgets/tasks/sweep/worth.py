"""``Group``: the cost and the worth of the videos of a sweep, for each value of what it varies. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...i18n import tr
from ...library.worth import Video, Worth, settled, worth_of
from ...service.contract.snapshot import TaskStatus
from .labels import value_text

if TYPE_CHECKING:
    from .cell import Cell

__all__ = ["MOST_ROWS", "Group", "groups_of", "video_of"]

#: The maximum of rows of all axes together; another axis that would exceed it is left out.
MOST_ROWS = 12
#: What numbers videos, and does not differ in what they cost.
_NUMBERS = ("repeat", "row")


@dataclass(frozen=True)
class Group:
    """The cells that have one value of an axis in common, or all cells.

    Attributes:
        axis: the name of the axis; empty for all cells.
        value: the value.
        videos: the number of finished videos.
        worth: what they have cost, compared with what came out.
    """

    axis: str
    value: Any
    videos: int
    worth: Worth

    @property
    def label(self) -> str:
        """The value as text."""
        return value_text(self.axis, self.value) if self.axis else tr("All")


def groups_of(
    cells: Sequence[Cell], axes: Mapping[str, Sequence[Any]], ratings: Mapping[str, int | None]
) -> list[Group]:
    """Return the groups of each axis that have a known cost, and at last all cells; nothing without any cost.

    The model comes first, then the axes from the last to the first, as far as they fit. Within an axis, the
    group with the cheapest kept video comes first, or else the one with the cheapest second.

    Args:
        cells: the cells.
        axes: the varied fields with their values, by name.
        ratings: the rating of each task, by key.
    """
    costs = Counter(cell.task.contract for cell in cells if cell.task and cell.task.cost is not None)
    if not costs:
        return []
    contract = costs.most_common(1)[0][0]  # amounts of another contract are in other units
    known = [(cell, video) for cell in cells if (video := video_of(cell, ratings, contract)) is not None]
    groups: list[Group] = []
    for axis in _by_importance(axes):
        by_value: dict[str, list[tuple[Cell, Video]]] = {}
        for cell, video in known:
            by_value.setdefault(repr(cell.values.get(axis)), []).append((cell, video))
        if len(groups) + len(by_value) > MOST_ROWS:
            continue
        rows = [_group(axis, each[0][0].values.get(axis), each, contract) for each in by_value.values()]
        groups += sorted((row for row in rows if row.worth.quota is not None), key=_order)
    return [*groups, _group("", None, known, contract)]


def video_of(
    cell: Cell, ratings: Mapping[str, int | None] | None = None, contract: str | None = None
) -> Video | None:
    """Return the video of a cell as far as it matters for what it was worth; ``None`` without a task.

    Args:
        cell: the cell.
        ratings: the rating of each task, by key.
        contract: the contract in whose units the cost counts; by default that of the task.
    """
    task = cell.task
    if task is None:
        return None
    cost = settled(task.cost, task.status, task.billing_status)
    if contract not in (None, task.contract):
        cost = None
    is_made = task.status == TaskStatus.completed
    seconds = cell.request.seconds if is_made else 0
    return Video(cost, seconds or None, (ratings or {}).get(task.key) if is_made else None)


def _by_importance(axes: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return the axes that may decide about the cost: the model first, then from the last to the first."""
    names = [name for name, values in axes.items() if len(values) > 1 and name not in _NUMBERS]
    last_first = [name for name in reversed(names) if name != "model"]
    return [*(["model"] if "model" in names else []), *last_first]


def _group(axis: str, value: Any, members: Sequence[tuple[Cell, Video]], contract: str) -> Group:
    made = [cell for cell, _ in members if cell.task and cell.task.status == TaskStatus.completed]
    return Group(axis, value, len(made), worth_of((video for _, video in members), contract))


def _order(group: Group) -> tuple[float, float]:
    amounts = group.worth.per_kept, group.worth.per_second
    return tuple(float("inf") if amount is None else amount for amount in amounts)  # type: ignore[return-value]
