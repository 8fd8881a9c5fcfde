"""Closing of widgets that earlier runs of a cell displayed and that no code can reach any more.

ipywidgets keeps every widget alive until it is closed, and nothing closes the widgets of a replaced output.
Running a cell with a form a hundred times would leave thousands of widgets in the kernel and in the page.
"""

from __future__ import annotations

import weakref
from typing import Any, Protocol

import ipywidgets

from ...system import host

__all__ = ["DisplayedWidget", "record_display"]


class DisplayedWidget(Protocol):
    """A widget displayed in the output of cells."""

    @property
    def widget(self) -> ipywidgets.Widget:
        """The widget itself."""
        ...

    @property
    def is_part(self) -> bool:
        """True while another widget that is not closed contains it."""
        ...


class _CellDisplays:
    """The widgets that each cell displays, by the run of the cell that displayed them."""

    def __init__(self) -> None:
        self._runs: dict[str, str] = {}
        self._current: dict[str, weakref.WeakSet[DisplayedWidget]] = {}
        self._earlier: dict[str, weakref.WeakSet[DisplayedWidget]] = {}

    def record_display(self, view: DisplayedWidget, cell: str, run: str) -> None:
        """Record that the cell displays the widget in this run."""
        if self._runs.get(cell) != run:
            self._runs[cell] = run
            self._earlier[cell] = self._current.pop(cell, weakref.WeakSet())
        self._current.setdefault(cell, weakref.WeakSet()).add(view)

    def close_stale(self, namespace: dict[str, Any]) -> None:
        """Close widgets from earlier runs that no variable and no parent widget references."""
        earlier, self._earlier = list(self._earlier.values()), {}
        for view in {view for cell in earlier for view in cell}:
            used = view.is_part or any(view in cell for cell in self._current.values())
            if not used and view.widget.comm is not None and not _is_referenced(namespace, view.widget):
                view.widget.close()


_cells = _CellDisplays()


def record_display(view: DisplayedWidget) -> None:
    """Record that the running cell displays a widget; do nothing if the front end sends no cell id."""
    cell, run = host.running_cell()
    if not cell or not run:
        return
    _cells.record_display(view, cell, run)
    # After the cell has run, because a later line may display a widget of the last run again.
    host.after_each_cell(_close_stale)


def _close_stale(*_: object) -> None:
    _cells.close_stale(host.shell().user_ns)


def _is_referenced(namespace: dict[str, Any], widget: ipywidgets.Widget) -> bool:
    """Return True if a user's variable is the widget, or a list, tuple or dictionary that contains it."""
    for name, value in namespace.items():
        if name.startswith("_") or name == "Out":
            continue
        parts = (
            value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
        )
        if value is widget or any(part is widget for part in parts):
            return True
    return False
