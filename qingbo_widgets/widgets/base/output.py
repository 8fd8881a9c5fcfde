"""A widget in a cell's output: its visibility, and the static copy that remains when the kernel is gone.

A widget's view dies with its kernel, and HTML in the same output is not shown in its place. So the static
copy, in HTML, is a separate output. While the widget is alive, a style inside it hides the copy.

A widget that the user cannot see is not drawn. Outside a kernel there is no page to burden, and every widget
counts as seen. In a kernel the page reports how many views it shows of a widget that was created with
``_view_count=0``, and that number decides. Until the first report, and on front ends that never report
(nbclient, some hosts), a widget counts as seen once it is displayed by itself or as a part of another widget.
A page that is reloaded counts its views again without subtracting the old ones: a widget without a view may
count as seen, never the reverse.
"""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Callable
from typing import Any

import ipywidgets
from IPython.core.getipython import get_ipython
from IPython.display import display, update_display

from ...i18n import N_, tr
from ...system.host import in_notebook
from . import html as markup
from .page_keys import kept_in
from .reruns import record_display
from .sync import weakly

__all__ = ["CellOutput", "display_html"]

#: The text shown instead of the widget: without a kernel, in an untrusted copy.
_PLAIN = N_("{name}: a live view, to be seen when this cell is run.")


class CellOutput:
    """The displays of one widget: a view and a static copy in each cell where it was shown.

    Args:
        widget: the widget; its markup must contain ``style``.
        draw: the name of its method to call when the widget becomes visible.
    """

    def __init__(self, widget: ipywidgets.Widget, draw: str = "") -> None:
        self.widget = widget
        self._draw: Callable[..., None] = weakly(widget, draw) if draw else _do_nothing
        self._displays: list[str] = []
        self._parts: weakref.WeakSet[CellOutput] = weakref.WeakSet()
        self._parents: weakref.WeakSet[CellOutput] = weakref.WeakSet()
        self._is_displayed = self._has_page_count = False
        self.copy_class = f"qingbo-static-copy-{uuid.uuid4().hex[:12]}"
        widget.observe(self._on_view_count, "_view_count")

    @property
    def is_seen(self) -> bool:
        """True if the user may see the widget now."""
        if not in_notebook():
            return True
        return self.widget._view_count > 0 if self._has_page_count else self._is_displayed

    @property
    def is_part(self) -> bool:
        """True while another widget that is not closed contains it."""
        return any(parent.widget.comm is not None for parent in self._parents)

    @property
    def has_copy(self) -> bool:
        """True if a cell shows the widget by itself, so that its static copy must be kept up to date."""
        return bool(self._displays)

    def add_part(self, part: CellOutput) -> None:
        """Record that the other widget is a part of this one, and is displayed with it."""
        if part not in self._parts:
            self._parts.add(part)
            part._parents.add(self)
            if self._is_displayed:
                part.mark_displayed()

    def mark_displayed(self) -> None:
        """Record that the widget is displayed, by itself or as a part of another one."""
        # The page's earlier count is stale; its next report comes only when the cell has ended.
        self._is_displayed, self._has_page_count = True, False
        for part in list(self._parts):
            part.mark_displayed()
        self._draw()

    @property
    def style(self) -> markup.Markup:
        """The style element that hides the static copies as long as the widget that contains it is alive."""
        copy = f".{self.copy_class}"
        return markup.style(f"{copy}, .jp-OutputArea-child:has({copy}) {{ display: none; }}")

    def show(self, copy: markup.Markup) -> None:
        """Show the widget with its static copy in the running cell."""
        name = uuid.uuid4().hex
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        data = {
            "application/vnd.jupyter.widget-view+json": view,
            "text/plain": tr(_PLAIN).format(name=type(self.widget).__name__),
        }
        display(data, raw=True, display_id=name)  # type: ignore[no-untyped-call]
        display(_data(markup.lazy(copy)), raw=True, display_id=_copy_id(name))  # type: ignore[no-untyped-call]
        self._displays.append(name)
        record_display(self)
        self.mark_displayed()

    def set_copy(self, copy: markup.Markup) -> None:
        """Replace the static copy. May be called on any thread."""
        for name in self._displays:
            _update(_copy_id(name), markup.lazy(copy))

    def replace(self, html: markup.Markup) -> None:
        """Replace view and static copy by HTML permanently. May be called on any thread."""
        displays, self._displays = self._displays, []
        for name in displays:
            _update(name, html)
            _update(_copy_id(name), markup.Markup())

    def _on_view_count(self, change: Any) -> None:
        """Handle the page's count of views."""
        if change["old"] is not None:  # the initial 0, which requests the count, comes from the kernel
            self._has_page_count = True
            if not change["old"]:
                self._draw()


def display_html(html: markup.Markup) -> None:
    """Show HTML in the running cell."""
    display(_data(html), raw=True)  # type: ignore[no-untyped-call]


def _update(name: str, html: markup.Markup) -> None:
    if get_ipython() is not None:  # without IPython nothing was displayed
        update_display(_data(html), raw=True, display_id=name)  # type: ignore[no-untyped-call]


def _do_nothing() -> None:
    """Do nothing: the widget has no method to draw it."""


def _copy_id(name: str) -> str:
    return f"{name}-copy"


def _data(html: markup.Markup) -> dict[str, Any]:
    return {"text/html": str(markup.output_style(html) + kept_in(html)) if html else "", "text/plain": ""}
