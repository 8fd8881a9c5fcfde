"""A cell that is run again: what its last run showed is closed, where nobody can reach it any more.

ipywidgets keeps every widget alive until somebody closes it, and nobody closes what stood in an output that
is gone. A hundred runs of a cell with a form would leave thousands of widgets in the kernel and in the page.
"""

from __future__ import annotations

import weakref
from typing import Any, Protocol

import ipywidgets
from IPython.core.getipython import get_ipython

__all__ = ["Shown", "note"]


class Shown(Protocol):
    """What stands in the output of cells."""

    @property
    def widget(self) -> ipywidgets.Widget:
        """The widget that is shown."""
        ...

    @property
    def is_part(self) -> bool:
        """Whether another widget, which is not closed, has it inside."""
        ...


class _Cells:
    """Which cell shows what, and since which of its runs."""

    def __init__(self) -> None:
        self._runs: dict[str, str] = {}
        self._now: dict[str, weakref.WeakSet[Shown]] = {}
        self._before: dict[str, weakref.WeakSet[Shown]] = {}

    def note(self, shown: Shown, cell: str, run: str) -> None:
        """Keep in mind that the cell shows this in this run."""
        if self._runs.get(cell) != run:
            self._runs[cell] = run
            self._before[cell] = self._now.pop(cell, weakref.WeakSet())
        self._now.setdefault(cell, weakref.WeakSet()).add(shown)

    def tidy(self, namespace: dict[str, Any]) -> None:
        """Close what only earlier runs showed, and neither a variable holds nor a widget it is a part of."""
        before, self._before = list(self._before.values()), {}
        for shown in {shown for cell in before for shown in cell}:
            used = shown.is_part or any(shown in cell for cell in self._now.values())
            if not used and shown.widget.comm is not None and not _holds(namespace, shown.widget):
                shown.widget.close()


_cells = _Cells()
_tidied: weakref.WeakSet[Any] = weakref.WeakSet()


def note(shown: Shown) -> None:
    """Something is shown by the cell that runs; where the page does not say which cell, nothing is done."""
    shell: Any = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell, run = parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")
    if not cell or not run:
        return
    _cells.note(shown, str(cell), str(run))
    if shell not in _tidied:
        _tidied.add(shell)
        # Not at once: what the cell has shown before it may show again, a line further on.
        shell.events.register("post_run_cell", lambda *_: _cells.tidy(shell.user_ns))


def _holds(namespace: dict[str, Any], widget: ipywidgets.Widget) -> bool:
    """Whether a variable is the widget, or a list or dictionary with it; IPython's own are not counted."""
    for name, value in namespace.items():
        if name.startswith("_") or name == "Out":
            continue
        parts = (
            value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
        )
        if value is widget or any(part is widget for part in parts):
            return True
    return False
