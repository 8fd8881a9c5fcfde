"""``Spending``: what the tasks of a library have cost, by day, model, sweep or tag."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from html import escape
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

from ..exceptions import InvalidRequest
from ..i18n import N_, tr
from ..service.contract.pricing.numbers import EXACT
from ..service.contract.problem import Problem
from ..service.contract.quota import dollars
from .dataframe import import_pandas
from .journal.rows import text_of
from .journal.tables import cells, tags, tasks
from .ledger import Ledger
from .length_column import fill_lengths
from .worth import A_SECOND, average
from .worth_columns import IS_KEPT, IS_VIDEO, TIMED_COST, TIMED_SECONDS

if TYPE_CHECKING:
    import pandas

    from .journal.journal import Journal

__all__ = ["By", "Expense", "Spending", "spending_of"]

By = Literal["day", "model", "sweep", "tag"]
_HEADS: Mapping[By, str] = {
    "day": N_("Day"),
    "model": N_("Model"),
    "sweep": N_("Sweep"),
    "tag": N_("Tag"),
}
_NO_GROUP = N_('by: it must be one of {choices}; try "day".')
_NONE = N_("(none)")
_A_KEPT_VIDEO = N_("{amount} a kept video")
_NOTHING = N_("No task of this library has a known cost.")
#: Characters of the bar of the highest amount in a terminal.
_BAR = 24
#: The smallest amount that is shown.
_UNIT = Decimal("0.000001")


@dataclass(frozen=True)
class Expense:
    """The amounts of the tasks of one day, model, sweep or tag, in US dollars.

    Attributes:
        group: the day, the model, the sweep or the tag; empty for tasks without one.
        tasks: the number of tasks.
        spent: the settled amounts; a refunded task counts as nothing.
        frozen: the amounts reserved for tasks that have not ended.
        videos: the number of finished videos; deleted ones do not count.
        seconds: the length of the videos whose cost and length are known.
        kept: the number of videos that are rated 4 or 5.
        per_second: the cost of a second of those videos; ``None`` if there are none.
        per_kept: what is spent for each kept video; ``None`` if none is kept, or nothing is spent.
    """

    group: str
    tasks: int
    spent: Decimal
    frozen: Decimal
    videos: int = 0
    seconds: float = 0.0
    kept: int = 0
    per_second: Decimal | None = None
    per_kept: Decimal | None = None


class Spending(Sequence[Expense]):
    """The expenses of a library, as rows.

    A task with several tags is in the row of each of them.

    Args:
        by: what the rows stand for.
        rows: the rows.

    Attributes:
        by: what the rows stand for.
    """

    def __init__(self, by: By, rows: Sequence[Expense]) -> None:
        self.by, self._rows = by, tuple(rows)

    @overload
    def __getitem__(self, index: int) -> Expense: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Expense]: ...
    def __getitem__(self, index: int | slice) -> Expense | Sequence[Expense]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Expense]:
        return iter(self._rows)

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the rows as a DataFrame; its amounts are floats.

        Raises:
            ImportError: pandas is not installed; the message has the command that installs it.
        """
        columns: dict[str, list[Any]] = {
            self.by: [row.group for row in self],
            "tasks": [row.tasks for row in self],
            "spent": [float(row.spent) for row in self],
            "frozen": [float(row.frozen) for row in self],
            "videos": [row.videos for row in self],
            "seconds": [row.seconds for row in self],
            "kept": [row.kept for row in self],
            "per_second": [_float(row.per_second) for row in self],
            "per_kept": [_float(row.per_kept) for row in self],
        }
        frame: pandas.DataFrame = import_pandas().DataFrame(columns)
        return frame

    def __repr__(self) -> str:
        if not self._rows:
            return tr(_NOTHING)
        most = max(row.spent + row.frozen for row in self) or Decimal(1)
        groups = [row.group or tr(_NONE) for row in self]
        amounts = [dollars(row.spent) for row in self]
        widths = max(map(len, groups)), max(map(len, amounts))
        return "\n".join(
            f"{group:{widths[0]}}  {spent:>{widths[1]}}  {_bar(row, most):{_BAR}}  {_worth_of(row)}".rstrip()
            for group, spent, row in zip(groups, amounts, self, strict=True)
        )

    def _repr_html_(self) -> str:
        """Return a table with a bar for each amount."""
        if not self._rows:
            return f"<p>{escape(tr(_NOTHING))}</p>"
        most = max(row.spent + row.frozen for row in self) or Decimal(1)
        heads = (
            tr(_HEADS[self.by]), tr("Tasks"), tr("Spent"), tr("Reserved"), tr("A second"), tr("A kept video"),
            "",
        )  # fmt: skip
        head = "".join(f'<th style="text-align: left">{escape(text)}</th>' for text in heads)
        rows = "".join(_row_html(row, most) for row in self)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def spending_of(journal: Journal, service: str, by: By) -> Spending:
    """Return what the tasks of a library at one service have cost.

    Args:
        journal: the journal of the library.
        service: the service, as in its task rows.
        by: ``"day"`` for local days, newest first; ``"model"``, ``"sweep"`` or ``"tag"``, highest amount
            first.

    Raises:
        InvalidRequest: ``by`` is none of these.
    """
    if by not in _HEADS:
        choices = ", ".join(f'"{choice}"' for choice in get_args(By))
        raise InvalidRequest((Problem("by", tr(_NO_GROUP).format(choices=choices)),))
    if not journal.exists:
        return Spending(by, ())
    fill_lengths(journal)
    sums: dict[str, list[Any]] = defaultdict(lambda: [0, Decimal(0), Decimal(0), Decimal(0), 0, 0.0, 0])
    groups = {"day": tasks.c.submitted_at, "model": tasks.c.model, "sweep": cells.c.sweep, "tag": tags.c.tag}
    amounts = Ledger(journal, service).amounts(
        groups[by],
        _day if by == "day" else text_of,
        {"sweep": cells, "tag": tags}.get(by),
        costs=(TIMED_COST,),
        of_tasks=(IS_VIDEO, TIMED_SECONDS, IS_KEPT),
    )
    with localcontext(EXACT):
        for group, *of_group in amounts:
            sums[group] = [a + b for a, b in zip(sums[group], of_group, strict=True)]
        rows = [_expense(group, *row) for group, row in sums.items()]
    rows.sort(key=lambda row: row.group, reverse=True)
    if by != "day":
        rows.sort(key=lambda row: row.spent + row.frozen, reverse=True)
    return Spending(by, rows)


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d}"


def _expense(
    group: str,
    tasks: int,
    spent: Decimal,
    frozen: Decimal,
    paid: Decimal,
    videos: int,
    seconds: float,
    kept: int,
) -> Expense:
    per_second = (paid / Decimal(seconds)).quantize(_UNIT) if seconds else None
    per_kept = (spent / kept).quantize(_UNIT) if spent and kept else None
    return Expense(group, tasks, spent, frozen, videos, seconds, kept, per_second, per_kept)


def _worth_of(row: Expense) -> str:
    """Return the cost of a second and of a kept video as text; empty if neither is known."""
    texts = (
        ("" if row.per_second is None else tr(A_SECOND).format(amount=average(row.per_second))),
        ("" if row.per_kept is None else tr(_A_KEPT_VIDEO).format(amount=average(row.per_kept))),
    )
    return " · ".join(filter(None, texts))


def _average(usd: Decimal | None) -> str:
    return "" if usd is None else average(usd)


def _float(usd: Decimal | None) -> float:
    return math.nan if usd is None else float(usd)


def _bar(row: Expense, most: Decimal) -> str:
    """Return a bar for a terminal: full for what is spent, light for what is reserved."""
    spent, whole = (round(_BAR * amount / most) for amount in (row.spent, row.spent + row.frozen))
    return "█" * spent + "░" * (whole - spent)


def _row_html(row: Expense, most: Decimal) -> str:
    amounts = ((row.spent, 1), (row.frozen, 0.4))
    bars = "".join(
        f'<span style="display: inline-block; height: 0.8em; opacity: {opacity}; background: #1976d2; '
        f'width: {100 * amount / most:.1f}px"></span>'
        for amount, opacity in amounts
    )
    texts = (
        row.group or tr(_NONE), str(row.tasks), dollars(row.spent), dollars(row.frozen),
        _average(row.per_second), _average(row.per_kept),
    )  # fmt: skip
    cells_of_row = "".join(f'<td style="text-align: left">{escape(text)}</td>' for text in texts)
    return f'<tr>{cells_of_row}<td style="text-align: left; white-space: nowrap">{bars}</td></tr>'
