"""The static copy of a sweep, which stays in the notebook after its kernel has ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ..base import html as markup
from ..base.html import Markup
from ..card import text as task_text
from . import table

if TYPE_CHECKING:
    from ...tasks.sweep.sweep import Sweep

__all__ = ["static_copy"]

_RESUME = N_("To go on in a new kernel:")


def static_copy(sweep: Sweep, copy_class: str) -> Markup:
    """Return all cells as HTML, with the code that resumes the sweep in a new kernel.

    Args:
        sweep: the sweep.
        copy_class: the CSS class by which the live grid hides the copy.
    """
    parts = [table.headline(sweep), table.notes(sweep)]
    if sweep.state != "ended":
        name = json.dumps(sweep.name, ensure_ascii=False)
        line = f"{task_text.connect_line(sweep.manager)}\nqw.Sweep.load({name})"
        parts += [markup.tag("div", markup.span(tr(_RESUME)))]
        parts += [markup.tag("pre", markup.tag("code", markup.escape(line)))]
    parts.append(table.table_html(sweep))
    return markup.tag("div", *parts, class_=f"qingbo-html qingbo-keep {copy_class}")
