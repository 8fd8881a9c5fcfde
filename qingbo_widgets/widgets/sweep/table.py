"""A sweep in rows and columns, and as HTML. Pure functions of the sweep; nothing here keeps anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...i18n import N_, tr
from ...service.contract.callbacks import callback_note
from ...tasks.sweep.cell import CellState
from ..base import html as markup
from ..base.html import Markup
from ..base.player import video_html
from ..card import text as task_text

if TYPE_CHECKING:
    from ...tasks.sweep.cell import Cell
    from ...tasks.sweep.sweep import Sweep

__all__ = ["Table", "arrange", "headline", "label", "notes", "table_html", "waiting"]

#: Columns beyond this many would be too narrow for a video.
MOST_COLUMNS = 6
#: Videos of which a page looks at the first frame; more would be a burst of requests.
MOST_PREVIEWS = 24

_STATE = {
    "planned": N_("Not sent yet"),
    "running": N_("Under way"),
    "paused": N_("Paused"),
    "ended": N_("Finished"),
}
_CELL = {
    CellState.waiting: N_("Waits for its turn"),
    CellState.cancelled: N_("Cancelled before it was sent"),
}
_COUNTED = {
    CellState.waiting: N_("{count} waiting"),
    CellState.running: N_("{count} running"),
    CellState.finished: N_("{count} finished"),
    CellState.unsaved: N_("{count} not saved"),
    CellState.unfollowed: N_("{count} not followed"),
    CellState.failed: N_("{count} failed"),
    CellState.unconfirmed: N_("{count} unconfirmed"),
    CellState.cancelled: N_("{count} cancelled"),
}

CSS = markup.read_css(__file__, "table.css")


@dataclass(frozen=True)
class Table:
    """The cells of a sweep as a person compares them.

    Attributes:
        columns: a heading for each column; one without text where nothing varies across.
        rows: a heading for each row, and its cells, ``None`` where a combination was left out.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]


def arrange(sweep: Sweep) -> Table:
    """What varies last goes across, where that are few values; everything else goes down."""
    axes: Mapping[str, Sequence[Any]] = sweep.axes
    names = [name for name, values in axes.items() if len(values) > 1]
    across = names[-1] if len(names) > 1 and len(axes[names[-1]]) <= MOST_COLUMNS else None
    # A value that stands twice among those given is one column, its cells one below the other.
    heads = {_key([value]): label({across: value}) for value in axes[across]} if across else {_key([]): ""}
    rows: dict[str, tuple[str, dict[str, Cell]]] = {}
    for cell in sweep.cells:
        others = {name: value for name, value in cell.values.items() if name != across}
        key = _key(others.values())
        column = _key([cell.values.get(across)] if across else [])
        # Rows of a table may be alike; then each keeps a row of its own.
        while column in rows.setdefault(key, (label(_telling(others, names)), {}))[1]:
            key += "'"
        rows[key][1][column] = cell
    down = ((text, tuple(map(cells.get, heads))) for text, cells in rows.values())
    return Table(tuple(heads.values()), tuple(down))


def label(values: Mapping[str, Any]) -> str:
    """What varies, as a line of text: a prompt speaks for itself, anything else has its name before it."""
    told = []
    for name, value in values.items():
        text = tr("default") if value is None else markup.shorten(str(value), 120)
        told.append(text if name in ("prompt", "model") and value is not None else f"{name} {text}")
    return " · ".join(told)


def headline(sweep: Sweep) -> Markup:
    """Return where the sweep stands, as HTML: state, how many are in which state, time left."""
    facts = [
        markup.span(tr(_STATE[sweep.state]), "qingbo-status"),
        markup.span(f"{sweep.progress:.0%}".replace("%", " %")),
    ]
    counts = [tr(_COUNTED[state]).format(count=count) for state, count in sweep.counts.items() if count]
    facts.append(markup.span(", ".join(counts), "qingbo-dim"))
    left = sweep.time_left if sweep.state == "running" else None
    if left is not None and left >= 1:
        facts.append(markup.span(tr("about {left} left").format(left=task_text.clock(left)), "qingbo-dim"))
    return markup.tag("div", *facts, class_="qingbo-head")


def notes(sweep: Sweep) -> Markup:
    """Return what is fixed in all cells, what was left out, and why it is paused, as HTML."""
    lines = [markup.note(sweep.reason, "hint")] if sweep.reason else []
    lines.append(markup.tag("div", markup.chips(*_common(sweep))))
    sent_on = callback_note(*(cell.request for cell in sweep.cells))
    if sent_on and sent_on not in sweep.reason:
        lines.append(markup.note(sent_on, "hint"))
    for one in sweep.skipped[:5]:
        reason = "; ".join(problem.message for problem in one.problems)
        told = tr("Left out: {values}. {reason}").format(values=label(one.values), reason=reason)
        lines.append(markup.note(told))
    if len(sweep.skipped) > 5:
        lines.append(markup.note(tr("Left out as well: {count} more.").format(count=len(sweep.skipped) - 5)))
    return markup.join(lines)


def waiting(cell: Cell) -> str:
    """What is said of a cell that has no task."""
    said = _CELL.get(cell.state)
    return "" if said is None else tr(said)


def table_html(sweep: Sweep, video: Callable[[Path], Markup] | None = None) -> Markup:
    """Return all cells as a table that needs no kernel.

    Args:
        sweep: the sweep.
        video: makes the player of a saved video; one by relative path when left out.
    """
    preload = "metadata" if sweep.counts[CellState.finished] <= MOST_PREVIEWS else "none"
    play = video or (lambda path: video_html(path, preload=preload))
    table = arrange(sweep)
    head = markup.tag("tr", markup.tag("th"), *(_th(text, "col") for text in table.columns))
    body = [
        markup.tag("tr", _th(text, "row"), *(markup.tag("td", _cell(cell, play)) for cell in cells))
        for text, cells in table.rows
    ]
    inner = markup.tag("table", *([head] if any(table.columns) else []), *body, class_="qingbo-sweep")
    return markup.style(CSS) + markup.tag("div", inner, class_="qingbo-html", style="overflow-x: auto")


def _cell(cell: Cell | None, play: Callable[[Path], Markup]) -> Markup:
    if cell is None:
        return markup.span(tr("left out"), "qingbo-dim")
    task = cell.task
    if task is None:
        return markup.span(waiting(cell), "qingbo-dim")
    if task.video_path is not None:
        return task_text.headline(task) + play(task.video_path)
    return task_text.headline(task) + task_text.advice(task)


def _th(text: str, scope: str) -> Markup:
    return markup.tag("th", markup.escape(text), scope=scope)


def _telling(values: Mapping[str, Any], names: Iterable[str]) -> Mapping[str, Any]:
    """Only what differs, or all of it where nothing does."""
    differing = {name: value for name, value in values.items() if name in names}
    return differing or values


def _common(sweep: Sweep) -> list[str]:
    first = sweep.cells[0].request
    names = set(sweep.axes)
    facts = {"model": first.model, "mode": first.mode, "aspect_ratio": first.aspect_ratio}
    told = [str(value) for name, value in facts.items() if name not in names]
    if not {"duration", "shots"} & names:
        told.append(tr("{seconds} s").format(seconds=first.seconds))
    return [*told, tr("at most {count} at once").format(count=sweep.max_running)]


def _key(values: Iterable[Any]) -> str:
    """Values as something to look up by; a list has no hash."""
    return repr(list(values))
