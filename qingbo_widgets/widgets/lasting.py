"""A widget in a cell's output that leaves something behind when the kernel is gone.

A widget's view dies with its kernel, and HTML in the same output is not shown in its place. So the HTML, the
static twin, stands in an output of its own. While the widget is alive a style inside it hides the twin.
"""

from __future__ import annotations

import uuid
from typing import Any

import ipywidgets
from IPython.core.getipython import get_ipython
from IPython.display import display, update_display

from . import markup
from .reruns import note

__all__ = ["Lasting", "display_html"]

#: Where widgets are not shown: without a kernel, in an untrusted copy.
_PLAIN = "{name}: a live view, to be seen when this cell is run."


class Lasting:
    """The displays of one widget: a view and a twin in each cell where it was shown.

    Args:
        widget: the widget; its markup must contain ``style``.
    """

    def __init__(self, widget: ipywidgets.Widget) -> None:
        self.widget = widget
        self._displays: list[str] = []
        self.twin_class = f"qingbo-twin-{uuid.uuid4().hex[:12]}"

    @property
    def style(self) -> str:
        """The style element that hides the twins as long as the widget that contains it is alive."""
        twin = f".{self.twin_class}"
        return markup.style(f"{twin}, .jp-OutputArea-child:has({twin}) {{ display: none; }}")

    def show(self, twin: str) -> None:
        """Show the widget in the cell that runs, with its twin."""
        name = uuid.uuid4().hex
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        data = {
            "application/vnd.jupyter.widget-view+json": view,
            "text/plain": _PLAIN.format(name=type(self.widget).__name__),
        }
        display(data, raw=True, display_id=name)  # type: ignore[no-untyped-call]
        display(_data(twin), raw=True, display_id=_twin(name))  # type: ignore[no-untyped-call]
        self._displays.append(name)
        note(self)

    def keep(self, twin: str) -> None:
        """Put another twin in the place of the old one. May be called on any thread."""
        for name in self._displays:
            _update(_twin(name), twin)

    def replace(self, html: str) -> None:
        """Put HTML in the place of view and twin, for good. May be called on any thread."""
        displays, self._displays = self._displays, []
        for name in displays:
            _update(name, html)
            _update(_twin(name), "")


def display_html(html: str) -> None:
    """Show HTML in the cell that runs."""
    display(_data(html), raw=True)  # type: ignore[no-untyped-call]


def _update(name: str, html: str) -> None:
    if get_ipython() is not None:  # without IPython nothing was displayed
        update_display(_data(html), raw=True, display_id=name)  # type: ignore[no-untyped-call]


def _twin(name: str) -> str:
    return f"{name}-twin"


def _data(html: str) -> dict[str, Any]:
    return {"text/html": markup.style(markup.OUTPUT_CSS) + html if html else "", "text/plain": ""}
