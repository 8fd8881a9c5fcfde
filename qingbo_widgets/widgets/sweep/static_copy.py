"""The static copy of a sweep, which stays in the notebook after its kernel has ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...i18n import N_, tr
from ...tasks.sweep.labels import values_text
from ..base import html as markup
from ..base.html import Markup
from ..base.output import bundle
from ..card import head, plain, resume_code
from . import table
from .prices import price_text
from .worth import worth_html, worth_lines

if TYPE_CHECKING:
    from ...tasks.sweep.sweep import Sweep

__all__ = ["mimebundle", "plain_text", "static_copy"]

#: The maximum of cells in a plain text.
MOST_LINES = 24

_SANDBOX = N_("The sandbox ends with its kernel, and its tasks with it. Nothing was charged. To continue:")
_RESUME = N_(
    "Submitted tasks continue at the service without this kernel; nothing is lost. To resume the sweep:"
)


def static_copy(sweep: Sweep, copy_class: str = "") -> Markup:
    """Return all cells as HTML, with the code that resumes the sweep in a new kernel.

    Args:
        sweep: the sweep.
        copy_class: the CSS class by which the live grid hides the copy.
    """
    parts = [table.saved_headline(sweep), table.notes(sweep)]
    if price := price_text(sweep):
        parts.append(markup.tag("div", markup.text(price)))
    if sweep.state != "ended":
        parts += [
            markup.tag("div", markup.span(_resume_label(sweep))),
            markup.code_block(_resume_line(sweep)),
        ]
    parts += [table.table_html(sweep), worth_html(sweep)]
    return markup.block(*parts, class_=f"qingbo-keep {copy_class}")


def plain_text(sweep: Sweep) -> str:
    """Return the sweep as plain text: one line for each cell, with the file of its video."""
    lines = [" · ".join([tr("Sweep {name}").format(name=markup.plain_line(sweep.name)), *table.facts(sweep)])]
    lines += filter(None, [sweep.reason or sweep.message, price_text(sweep)])
    for cell in sweep.cells[:MOST_LINES]:
        task = cell.task
        state = table.waiting(cell) if task is None else head.status(task)
        file = plain.file_text(task.video_path) if task is not None and task.video_path else ""
        lines.append(" · ".join(part for part in (values_text(cell.values), state, file) if part))
    if (more := len(sweep.cells) - MOST_LINES) > 0:
        lines.append(tr("and {count} more").format(count=more))
    lines += worth_lines(sweep)
    if sweep.state != "ended":
        lines += [_resume_label(sweep), _resume_line(sweep)]
    return "\n".join(lines)


def mimebundle(sweep: Sweep) -> dict[str, Any]:
    """Return the sweep for hosts without widgets, as HTML and plain text."""
    return bundle(static_copy(sweep), plain_text(sweep))


def _resume_label(sweep: Sweep) -> str:
    return tr(_SANDBOX if sweep.manager.is_sandbox else _RESUME)


def _resume_line(sweep: Sweep) -> str:
    name = json.dumps(sweep.name, ensure_ascii=False)
    return f"{resume_code.connect_line(sweep.manager)}\nqw.Sweep.load({name})"
