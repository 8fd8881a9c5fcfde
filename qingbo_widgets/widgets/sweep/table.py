"""The table of a sweep, and its texts as HTML. Pure functions of the sweep, without state."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...i18n import N_, tr
from ...service.contract.callbacks import callback_note
from ...service.contract.labels import choice_label
from ...service.contract.models import declared
from ...service.contract.problem import listed
from ...service.contract.text import shorten
from ...system.host import is_marimo
from ...tasks.sweep.cell import CellState
from ...tasks.sweep.grid import summary
from ...tasks.sweep.labels import value_text, values_text
from ...tasks.sweep.plain import common_prompt, prompts_of
from ..base import html as markup
from ..base.embedding import held_by
from ..base.html import Markup
from ..base.player import saved_html, video_html
from ..base.settings import settings_of
from ..card import head, remedies, states, times
from ..form.labels import fact

if TYPE_CHECKING:
    from ...tasks.sweep.cell import Cell
    from ...tasks.sweep.sweep import Sweep

__all__ = [
    "Table",
    "arrange",
    "facts",
    "headline",
    "notes",
    "pages",
    "saved_headline",
    "table_html",
    "waiting",
]

#: The maximum of columns; more would be too narrow for a video.
MOST_COLUMNS = 6

_STATE = {
    "planned": N_("Not sent yet"),
    "running": N_("Generating"),
    "paused": N_("Paused"),
    "ended": N_("Finished"),
}
_CELL = {
    CellState.waiting: N_("Waiting, not sent yet"),
    CellState.cancelled: N_("Cancelled before it was sent"),
}
_COUNTED = {
    CellState.waiting: N_("{count} waiting"),
    CellState.running: N_("{count} generating"),
    CellState.finished: N_("{count} finished"),
    CellState.unsaved: N_("{count} not saved"),
    CellState.unfollowed: N_("{count} not followed"),
    CellState.failed: N_("{count} failed"),
    CellState.unconfirmed: N_("{count} not confirmed"),
    CellState.cancelled: N_("{count} cancelled"),
}

CSS = markup.read_css(__file__, "table.css")


@dataclass(frozen=True)
class Table:
    """The cells of a sweep in rows and columns.

    Attributes:
        columns: the heading of each column; a single empty one if no axis goes across.
        rows: the heading and the cells of each row; ``None`` for a combination that was left out.
        groups: the varying values of each row, by which rows belong together.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    groups: tuple[tuple[str, ...], ...]


def arrange(sweep: Sweep) -> Table:
    """Arrange the cells: the last axis goes across if it has few values, the others go down."""
    axes: Mapping[str, Sequence[Any]] = sweep.axes
    names = [name for name, values in axes.items() if len(values) > 1]
    across = names[-1] if len(names) > 1 and len(axes[names[-1]]) <= MOST_COLUMNS else None
    # A duplicate value shares a column; its cells are placed one below the other.
    heads = {_key([value]): value_text(across, value) for value in axes[across]} if across else {_key([]): ""}
    rows: dict[str, tuple[str, dict[str, Cell]]] = {}
    groups = []
    for cell in sweep.cells:
        others = {name: value for name, value in cell.values.items() if name != across}
        key = _key(others.values())
        column = _key([cell.values.get(across)] if across else [])
        # Identical rows of the input table each get a row of their own.
        while key in rows and column in rows[key][1]:
            key += "'"
        if key not in rows:
            rows[key] = values_text(_varying(others, names)), {}
            groups.append(tuple(_key([cell.values.get(name)]) for name in names if name != across))
        rows[key][1][column] = cell
    down = ((text, tuple(map(cells.get, heads))) for text, cells in rows.values())
    return Table(tuple(heads.values()), tuple(down), tuple(groups))


def pages(groups: Sequence[tuple[str, ...]], most: int) -> list[range]:
    """Return the rows of each page. Rows that share their first value stay together, if a page holds them.

    Of those that no page holds, those stay together that share the first two values, and so on.

    Args:
        groups: the values of each row.
        most: the maximum of rows on a page.
    """
    found = [range(0)]
    for block in _blocks(groups, range(len(groups)), most, 1):
        if found[-1] and block.stop - found[-1].start > most:
            found.append(range(block.start, block.start))
        found[-1] = range(found[-1].start, block.stop)
    return found


def _blocks(groups: Sequence[tuple[str, ...]], rows: range, most: int, depth: int) -> Iterator[range]:
    """Yield consecutive rows that should stay together, each as many as a page holds at most."""
    for _, same in itertools.groupby(rows, lambda row: groups[row][:depth]):
        numbers = list(same)
        block = range(numbers[0], numbers[-1] + 1)
        if len(block) <= most:
            yield block
        elif depth < len(groups[block.start]):
            yield from _blocks(groups, block, most, depth + 1)
        else:
            yield from (range(row, row + 1) for row in block)


def saved_headline(sweep: Sweep) -> Markup:
    """Return the state of the sweep for a page that outlives the kernel, without progress and time left."""
    state, _, counts = facts(sweep)
    spans = [markup.span(state, "qingbo-status"), markup.span(counts, "qingbo-dim")]
    return markup.tag("div", markup.join(spans, " "), class_="qingbo-head")


def headline(sweep: Sweep) -> Markup:
    """Return the state of the sweep as HTML, with the number of cells in each state and the time left."""
    state, _, counts = facts(sweep)
    shown = int(100 * sweep.progress)
    bar = head.progress(shown, tr("{label}: {value}").format(label=state, value=sweep.name))
    spans = [markup.span(state, "qingbo-status"), bar, markup.span(counts, "qingbo-dim")]
    left = sweep.time_left if sweep.state == "running" else None
    if left is not None:
        spans.append(markup.span(times.left_text(left, shown), "qingbo-dim"))
    return markup.tag("div", markup.join(spans, " "), class_="qingbo-head")


def facts(sweep: Sweep) -> tuple[str, str, str]:
    """Return the state of the sweep, its progress, and the number of cells in each state, as text."""
    counts = [tr(_COUNTED[state]).format(count=count) for state, count in sweep.counts.items() if count]
    return tr(_STATE[sweep.state]), f"{sweep.progress:.0%}".replace("%", " %"), listed(counts)


def notes(sweep: Sweep) -> Markup:
    """Return why the sweep waits, the values shared by all cells, and the cells left out, as HTML."""
    reason = sweep.reason or sweep.message
    lines = [markup.note(reason, "hint")] if reason else []
    if sweep.state == "planned":
        lines.append(markup.tag("div", markup.text(summary(sweep.axes, sweep.cells, len(sweep.skipped)))))
        lines += [markup.user_text(text, class_="qingbo-prompt") for text in prompts_of(sweep.cells)]
    elif prompt := common_prompt(sweep.cells):
        lines.append(markup.user_text(shorten(prompt, 240), class_="qingbo-prompt"))
    lines.append(markup.tag("div", markup.chips(*_common(sweep))))
    callback = callback_note(*(cell.request for cell in sweep.cells))
    if callback and callback not in sweep.reason:
        lines.append(markup.note(callback, "hint"))
    for skipped in sweep.skipped[:5]:
        reason = "; ".join(problem.message for problem in skipped.problems)
        text = tr("Skipped: {values}. {reason}").format(values=values_text(skipped.values), reason=reason)
        lines.append(markup.note(text))
    if len(sweep.skipped) > 5:
        lines.append(markup.note(tr("Skipped as well: {count} more.").format(count=len(sweep.skipped) - 5)))
    return markup.join(lines)


def waiting(cell: Cell) -> str:
    """Return the text of a cell that has no task."""
    text = _CELL.get(cell.state)
    return "" if text is None else tr(text)


def table_html(sweep: Sweep, video: Callable[[Path], Markup] | None = None) -> Markup:
    """Return all cells as a table that needs no kernel.

    Args:
        sweep: the sweep.
        video: returns the player of a saved video; by default one with the relative path while the sweep
            runs, because the table is sent again and again, and later that of its manager.
    """
    play = video or _player_of(sweep)
    table = arrange(sweep)
    # The corner is no header, which would have no text.
    corner = markup.tag("td", style="min-width: 0")
    first_row = markup.tag("tr", corner, *(_th(text, "col") for text in table.columns))
    body = [
        markup.tag("tr", _th(text, "row"), *(markup.tag("td", _cell(cell, play)) for cell in cells))
        for text, cells in table.rows
    ]
    inner = markup.tag("table", *([first_row] if any(table.columns) else []), *body, class_="qingbo-sweep")
    return markup.style(CSS) + markup.block(inner, style="overflow-x: auto")


def _player_of(sweep: Sweep) -> Callable[[Path], Markup]:
    if not (sweep.is_done or is_marimo()):  # whose page gets each output once
        return video_html
    embedding = held_by(sweep, sweep.manager.embed, is_copy=True)
    return lambda video: saved_html(video, embedding)


def _cell(cell: Cell | None, play: Callable[[Path], Markup]) -> Markup:
    if cell is None:
        return markup.span(tr("skipped"), "qingbo-dim")
    task = cell.task
    if task is None:
        return markup.span(waiting(cell), "qingbo-dim")
    if task.video_path is not None:
        return head.headline(task) + play(task.video_path)
    if not states.is_over(task):
        return markup.span(head.saved_status(task), "qingbo-status")
    return head.headline(task) + remedies.advice(task)


def _th(text: str, scope: str) -> Markup:
    return markup.user_text(text, "th", scope=scope)


def _varying(values: Mapping[str, Any], names: Iterable[str]) -> Mapping[str, Any]:
    """Return only the values that vary, or all of them if none does."""
    varying = {name: value for name, value in values.items() if name in names}
    return varying or values


def _common(sweep: Sweep) -> list[str]:
    first = sweep.cells[0].request
    names = set(sweep.axes)
    sent = settings_of(first, sweep.manager.client.contract.name)
    facts = {"model": first.model, "mode": sent.resolution, "aspect_ratio": sent.shape}
    if "resolution" in names:
        del facts["mode"]
    if not {"duration", "shots", "multi_prompt"} & names:
        facts["duration"] = sent.length
    texts = [
        choice_label(declared()[name], value) for name, value in facts.items() if value and name not in names
    ]
    texts += [fact(other) for other in sent.others if names.isdisjoint(other.sources)]
    return [*texts, tr("at most {count} at once").format(count=sweep.max_running)]


def _key(values: Iterable[Any]) -> str:
    """Return values as a dictionary key, because a list has no hash."""
    return repr(list(values))
