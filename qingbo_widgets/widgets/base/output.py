"""A widget in a cell's output: whether anybody sees it, and what it leaves behind when the kernel is gone.

A widget's view dies with its kernel, and HTML in the same output is not shown in its place. So the HTML, the
static twin, stands in an output of its own. While the widget is alive a style inside it hides the twin.

What nobody sees need not be drawn. Outside a kernel there is no page to burden, and everything counts as
seen. In a kernel the page tells how many views it shows of a widget that was made with ``_view_count=0``, and
then that decides. Until it has told, and where it never does (nbclient, some hosts), a widget is seen from
when it is displayed by itself or as a part of another one. A page that is loaded again counts its views
once more and never takes off the old ones: what has no view any more may count as seen, never the reverse.
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
from .reruns import note
from .sync import weakly

__all__ = ["Lasting", "display_html"]

#: Where widgets are not shown: without a kernel, in an untrusted copy.
_PLAIN = N_("{name}: a live view, to be seen when this cell is run.")


class Lasting:
    """The displays of one widget: a view and a twin in each cell where it was shown.

    Args:
        widget: the widget; its markup must contain ``style``.
        draw: the name of its method that is called when somebody begins to see it.
    """

    def __init__(self, widget: ipywidgets.Widget, draw: str = "") -> None:
        self.widget = widget
        self._draw: Callable[..., None] = weakly(widget, draw) if draw else _ignore
        self._displays: list[str] = []
        self._parts: weakref.WeakSet[Lasting] = weakref.WeakSet()
        self._wholes: weakref.WeakSet[Lasting] = weakref.WeakSet()
        self._is_displayed = self._is_counted = False
        self.twin_class = f"qingbo-twin-{uuid.uuid4().hex[:12]}"
        widget.observe(self._count, "_view_count")

    @property
    def is_seen(self) -> bool:
        """Whether somebody may see the widget now."""
        if not in_notebook():
            return True
        return self.widget._view_count > 0 if self._is_counted else self._is_displayed

    @property
    def is_part(self) -> bool:
        """Whether another widget, which is not closed, has it inside."""
        return any(whole.widget.comm is not None for whole in self._wholes)

    @property
    def is_kept(self) -> bool:
        """Whether it stands in a cell by itself, and has a twin to be kept there."""
        return bool(self._displays)

    def contain(self, part: Lasting) -> None:
        """The other widget is a part of this one, and displayed with it."""
        if part not in self._parts:
            self._parts.add(part)
            part._wholes.add(self)
            if self._is_displayed:
                part.displayed()

    def displayed(self) -> None:
        """The widget is displayed, by itself or as a part of another one."""
        # What the page has counted before is of the past; its next word comes only when the cell has ended.
        self._is_displayed, self._is_counted = True, False
        for part in list(self._parts):
            part.displayed()
        self._draw()

    @property
    def style(self) -> markup.Markup:
        """The style element that hides the twins as long as the widget that contains it is alive."""
        twin = f".{self.twin_class}"
        return markup.style(f"{twin}, .jp-OutputArea-child:has({twin}) {{ display: none; }}")

    def show(self, twin: markup.Markup) -> None:
        """Show the widget in the cell that runs, with its twin."""
        name = uuid.uuid4().hex
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        data = {
            "application/vnd.jupyter.widget-view+json": view,
            "text/plain": tr(_PLAIN).format(name=type(self.widget).__name__),
        }
        display(data, raw=True, display_id=name)  # type: ignore[no-untyped-call]
        display(_data(twin), raw=True, display_id=_twin(name))  # type: ignore[no-untyped-call]
        self._displays.append(name)
        note(self)
        self.displayed()

    def keep(self, twin: markup.Markup) -> None:
        """Put another twin in the place of the old one. May be called on any thread."""
        for name in self._displays:
            _update(_twin(name), twin)

    def replace(self, html: markup.Markup) -> None:
        """Put HTML in the place of view and twin, for good. May be called on any thread."""
        displays, self._displays = self._displays, []
        for name in displays:
            _update(name, html)
            _update(_twin(name), markup.Markup())

    def _count(self, change: Any) -> None:
        """The page tells how many views there are."""
        if change["old"] is not None:  # that it is to count at all is the widget's own word
            self._is_counted = True
            if not change["old"]:
                self._draw()


def display_html(html: markup.Markup) -> None:
    """Show HTML in the cell that runs."""
    display(_data(html), raw=True)  # type: ignore[no-untyped-call]


def _update(name: str, html: markup.Markup) -> None:
    if get_ipython() is not None:  # without IPython nothing was displayed
        update_display(_data(html), raw=True, display_id=name)  # type: ignore[no-untyped-call]


def _ignore() -> None:
    """Nobody draws."""


def _twin(name: str) -> str:
    return f"{name}-twin"


def _data(html: markup.Markup) -> dict[str, Any]:
    return {"text/html": str(markup.output_style(html) + html) if html else "", "text/plain": ""}
