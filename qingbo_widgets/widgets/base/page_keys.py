"""Keys pressed in our controls, which JupyterLab takes for commands to the notebook: "d d" deletes the cell.

``page_keys.js`` decides which keys are whose, for all outputs and widgets of a page at once. It is the script
of one widget without a view, which is created soon after the first composite widget. A page without it (no
kernel, no anywidget) still keeps single keys by inline handlers: outputs have one of their own, if the
notebook is trusted, and every widget has an invisible image that installs a listener.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from ...system.host import in_notebook
from .html import Markup, run_in_page, tag
from .sync import refresher, update

__all__ = ["install", "install_soon", "keep_in_widgets", "kept_in"]

#: Seconds after which the page gets the script, for which no form and no card should wait.
INSTALL_AFTER = 0.3
_SCRIPT = Path(__file__).with_name("page_keys.js")
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

_installed: list[Any] = []


def install_soon() -> None:
    """Send the script to the page, unless it is there or there is no page.

    Jupyter's server names the session of a notebook for its kernel; executors such as nbclient do not, and
    other hosts show an output in a frame of its own, from which no key reaches the notebook.
    """
    if not _is_there() and in_notebook() and "JPY_SESSION_NAME" in os.environ:
        refresher.later(INSTALL_AFTER, install)


def install() -> None:
    """Create the widget that carries the script, unless there is one."""
    kind = _script_class()  # imported before the lock is taken
    with update():
        if not _is_there():
            _installed[:] = [kind()]


def kept_in(html: Markup) -> Markup:
    """Return the HTML of an output, from whose players and links single keys do not reach the notebook."""
    return tag("div", html, onkeydown=_HANDLER) if _FOCUSABLE.search(html) else html


def keep_in_widgets() -> Markup:
    """Return invisible HTML by which the widgets of a page keep single keys until the script runs."""
    return run_in_page(_LISTENER)


def _is_there() -> bool:
    return bool(_installed) and _installed[0].comm is not None  # the user may have closed all widgets


@cache
def _script_class() -> type[Any]:
    import anywidget  # slow to import

    class PageKeys(anywidget.AnyWidget):
        """The key listener of the page."""

        _esm = _SCRIPT.read_text(encoding="utf-8")  # given a path, anywidget keeps every instance alive

    return PageKeys
