"""Keys pressed in our controls, which JupyterLab takes for commands to the notebook: "d d" deletes the cell.

``page_keys.js`` decides which keys are whose, for all outputs and widgets of a page at once. A page without
it (no kernel, no anywidget) still keeps single keys by inline handlers: outputs have one of their own, if the
notebook is trusted, and every widget has an invisible image that installs a listener.
"""

from __future__ import annotations

import re

from .html import Markup, run_in_page, tag

__all__ = ["keep_in_widgets", "kept_in"]

_HANDLER = (
    "document.documentElement.dataset.qingboKeys||event.target.toggleAttribute('data-lm-suppress-shortcuts',"
    "!(event.ctrlKey||event.metaKey||event.altKey||event.shiftKey&&event.key=='Enter'))"
)
#: For all widgets of a page: their HTML is inside boxes that have no attributes of ours.
_LISTENER = (
    "window.qingboKept||(window.qingboKept=true,window.addEventListener('keydown',"
    f"event=>{{event.target.closest?.('[class*=qingbo]')&&({_HANDLER})}},true))"
)
_FOCUSABLE = re.compile(r"<(?:video|a|summary)\b")


def kept_in(html: Markup) -> Markup:
    """Return the HTML of an output, from whose players and links single keys do not reach the notebook."""
    return tag("div", html, onkeydown=_HANDLER) if _FOCUSABLE.search(html) else html


def keep_in_widgets() -> Markup:
    """Return invisible HTML by which the widgets of a page keep single keys until the script runs."""
    return run_in_page(_LISTENER)
