"""The cost of the videos of a sweep as a table and as text, with the ratings of the library."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ...library.worth import A_SECOND
from ...tasks.sweep.worth import Group, groups_of
from ..base import html as markup
from ..base.html import Markup

if TYPE_CHECKING:
    from ...tasks.sweep.sweep import Sweep

__all__ = ["worth_html", "worth_lines"]

_TITLE = N_("What it cost")
_HEADS = (
    N_("Videos"),
    N_("Cost"),
    N_("Cost a second"),
    N_("Kept (rated 4 or 5)"),
    N_("Cost a kept video"),
)
_LINE, _ONE = N_("{label}: {count} videos, {cost}"), N_("{label}: {count} video, {cost}")
_KEPT = N_("{amount} a kept video ({count} rated 4 or 5)")

CSS = markup.read_css(__file__, "worth.css")


def worth_html(sweep: Sweep) -> Markup:
    """Return what the videos have cost as a table, with a row for each value of what varies; or nothing."""
    groups = _groups(sweep)
    if not groups:
        return Markup("")
    heads = [markup.tag("th", markup.text(tr(text)), scope="col") for text in _HEADS]
    # The corner is no header, which would have no text.
    first = markup.tag("thead", markup.tag("tr", markup.tag("td"), *heads))
    bodies = [
        markup.tag("tbody", *map(_row, of_axis), class_="" if axis else "qingbo-sweep-worth-all")
        for axis, of_axis in groupby(groups, key=lambda group: group.axis)
    ]
    caption = markup.tag("caption", markup.text(tr(_TITLE)))
    inner = markup.tag("table", caption, first, *bodies, class_="qingbo-sweep-worth")
    return markup.style(CSS) + markup.block(inner, style="overflow-x: auto")


def worth_lines(sweep: Sweep) -> list[str]:
    """Return what the videos have cost as lines of text; none if no cost is settled."""
    groups = _groups(sweep)
    return [tr(_TITLE), *map(_line, groups)] if groups else []


def _groups(sweep: Sweep) -> list[Group]:
    keys = [cell.task.key for cell in sweep.cells if cell.task is not None and cell.task.cost is not None]
    if not keys:
        return []
    judged = sweep.manager.library.judgements.of_all(keys)
    return groups_of(sweep.cells, sweep.axes, {key: judged[key].rating for key in keys})


def _amounts(group: Group) -> tuple[str, str, str, str, str]:
    worth = group.worth
    averages = map(worth.average_text, (worth.per_second, worth.per_kept))
    amounts = (worth.text(worth.quota), *averages)
    cost, second, kept = (amount or "–" for amount in amounts)
    return str(group.videos), cost, second, str(worth.kept), kept


def _row(group: Group) -> Markup:
    amounts = (markup.tag("td", markup.text(text)) for text in _amounts(group))
    return markup.tag("tr", markup.user_text(group.label, "th", scope="row"), *amounts)


def _line(group: Group) -> str:
    worth, amounts = group.worth, _amounts(group)
    line = tr(_ONE if group.videos == 1 else _LINE)
    parts = [line.format(label=markup.plain_line(group.label), count=group.videos, cost=amounts[1])]
    if worth.per_second is not None:
        parts.append(tr(A_SECOND).format(amount=amounts[2]))
    if worth.per_kept is not None:
        parts.append(tr(_KEPT).format(amount=amounts[4], count=worth.kept))
    return " · ".join(parts)
