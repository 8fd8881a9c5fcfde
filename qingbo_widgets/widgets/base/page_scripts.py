"""The scripts of a page: keys, focus, and what screen readers are given, for all widgets and outputs at once.

Each is the script of a widget without a view. They are sent soon after the first composite widget. A page
without them (no kernel, no anywidget) works, only less well.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from ...system.host import in_notebook
from ...system.notebook import SESSION
from .sync import refresher, update

__all__ = ["SCRIPTS", "has_scripts", "install", "install_soon", "runs_scripts"]

#: Seconds after which the page gets the scripts, for which no form and no card should wait.
INSTALL_AFTER = 0.3
SCRIPTS = ("page_keys.js", "page_aria.js", "page_focus.js")

_installed: list[Any] = []


def runs_scripts() -> bool:
    """Return whether the page of Jupyter's server shows the widgets, so that a script reaches all of it.

    The server names the session of a notebook for its kernel; executors such as nbclient do not, and other
    hosts show an output in a frame of its own, which has no title and gets no key of the notebook.
    """
    return in_notebook() and SESSION in os.environ


def has_scripts() -> bool:
    """Return whether the scripts were sent to the page, and the user has not closed all widgets since."""
    return bool(_installed) and all(script.comm is not None for script in _installed)


def install_soon() -> None:
    """Send the scripts to the page, unless they are there or there is no page."""
    if not has_scripts() and runs_scripts():
        refresher.later(INSTALL_AFTER, install)


def install() -> None:
    """Create the widgets that carry the scripts, unless they are there."""
    kinds = [_script_class(name) for name in SCRIPTS]  # imported before the lock is taken
    with update():
        if not has_scripts():
            _installed[:] = [kind() for kind in kinds]


@cache
def _script_class(name: str) -> type[Any]:
    import anywidget  # slow to import

    class PageScript(anywidget.AnyWidget):
        """A script for the whole page."""

        # Given a path, anywidget keeps every instance alive.
        _esm = Path(__file__).with_name(name).read_text(encoding="utf-8")

    return PageScript
