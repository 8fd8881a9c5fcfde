"""A widget in a cell's output: its visibility, and the static copy that remains when the kernel is gone.

A widget's view dies with its kernel, and HTML in the same output is not shown in its place. So the static
copy, in HTML, is a separate output. While the widget is alive, a style inside it hides the copy.

A widget that the user cannot see is not drawn. Outside a kernel there is no page to burden, and every widget
counts as seen. In a kernel the page reports how many views it shows of a widget that was created with
``_view_count=0``, and that number decides. Until the first report, and on front ends that never report
(nbclient, some hosts), a widget counts as seen once it is displayed by itself or as a part of another widget.
A page that is reloaded counts its views again without subtracting the old ones: a widget without a view may
count as seen, never the reverse.

Without a page, as with nbclient and papermill, only what the running cell sends is kept, and what background
threads have written to earlier cells is lost; Colab's page does not draw what they send. So a cell that waits
for a task sends the changes of all displays once a second and when the wait ends. Every cell does so at its
end, because a loop of the user's may have waited.
"""

from __future__ import annotations

import logging
import time
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import ipywidgets
from IPython.core.getipython import get_ipython
from IPython.display import display, update_display

from ...i18n import N_, tr
from ...system.host import after_each_cell, in_notebook, is_colab, running_cell
from . import html as markup
from .html import Markup
from .page_keys import keep_in_widgets, kept_in
from .reruns import record_display
from .sync import safely, update, weakly

__all__ = ["CellOutput", "bundle", "display_html", "redraw_displays", "send_displays", "text_of"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds between two updates of the displays while a cell waits.
SEND_EVERY = 1.0
#: The share of a wait in which displays are drawn: the loop of the tasks that are awaited has to run, too.
_MOST_OF_A_WAIT = 0.2

#: The text of a view without a static copy, where the page shows no widgets.
_RUN = N_(
    "{name}: run this cell in a notebook to show it. A console shows no widgets; there: "
    'qw.generate("…").wait()'
)

#: The outputs of a cell: Jupyter's and nbconvert's, and those of Sphinx with MyST-NB.
_AREAS = ".jp-OutputArea, .cell_output"

#: Hides what a page shows in place of the view before a static copy if the kernel is gone: JupyterLab's
#: "Error displaying widget: model not found", and its like in the classic Notebook. Only such a text has the
#: class without an element inside.
_NO_ERROR = (
    ".jp-OutputArea-child:has(+ .jp-OutputArea-child .{copy}):has(> .jupyter-widgets)"
    ":not(:has(> .jupyter-widgets > *)), "
    ".output_area:has(+ .output_area .{copy}):has(> .jupyter-widgets-view)"
    ":not(:has(> .jupyter-widgets-view > *)) {{ display: none; }}"
)

#: The outputs of cells that no page has run (or one that sends no cell ids, such as Colab's).
_without_page: weakref.WeakSet[CellOutput] = weakref.WeakSet()
#: What was written to displays of these outputs since a cell last waited, by display id.
_written: dict[str, tuple[Markup, str]] = {}
#: A digest of the state of each widget in these outputs as a waiting cell has sent it.
_sent_states: weakref.WeakKeyDictionary[ipywidgets.Widget, int] = weakref.WeakKeyDictionary()
#: The time of the next update while a cell waits.
_next_update = 0.0


class CellOutput:
    """The displays of one widget: a view and a static copy in each cell where it was shown.

    Args:
        widget: the widget; its markup must contain ``style``.
        draw: the name of its method to call when the widget becomes visible.
    """

    def __init__(self, widget: ipywidgets.Widget, draw: str = "") -> None:
        self.widget = widget
        self._draw: Callable[..., None] = weakly(widget, draw) if draw else _do_nothing
        #: The number of static copies of each display, by its id.
        self._displays: dict[str, int] = {}
        #: What the copies show, by display id, so that an unchanged one is not sent again.
        self._copies: dict[str, Markup] = {}
        self._parts: weakref.WeakSet[CellOutput] = weakref.WeakSet()
        self._parents: weakref.WeakSet[CellOutput] = weakref.WeakSet()
        self._is_displayed = self._has_page_count = self._is_written_again = False
        self.copy_class = f"qingbo-static-copy-{uuid.uuid4().hex[:12]}"
        widget.observe(self._on_view_count, "_view_count")

    @property
    def is_seen(self) -> bool:
        """True if the user may see the widget now."""
        if not in_notebook():
            return True
        return self.widget._view_count > 0 if self._has_page_count else self._is_displayed

    @property
    def is_on_page(self) -> bool:
        """True if a page reports that it shows the widget."""
        return bool(self._has_page_count and self.widget._view_count)

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
    def style(self) -> Markup:
        """The markup that hides the static copies as long as the widget that contains it is alive.

        It keeps single keys in the widget, too.

        After a restart of the kernel the dead view stays until the page is reloaded: its fields can still be
        filled in, and its bar stands still. Only a class of ipywidgets marks it: then the copy is shown in
        its place, with what to run. So are the views of a published page, which never had a kernel.
        """
        copy, mark = f".{self.copy_class}", f"{self.copy_class}-live"
        dead = f":has(.jupyter-widgets-disconnected .{mark})"
        area = f":is({_AREAS}){dead}"
        return markup.style(
            f"{copy}:not({area} *), .jp-OutputArea-child:has({copy}):not({area} > *), "
            f"{area}:has({copy}) .jp-OutputArea-child{dead}:not(:has({copy})), "
            f".cell_output:has({copy}) > {dead} {{ display: none; }}"
        ) + markup.join([markup.tag("i", class_=mark, hidden=""), keep_in_widgets()])

    def show(self, copy: Markup, text: str = "", *older: Markup) -> None:
        """Show the widget with its static copy in the running cell.

        Args:
            copy: the static copy, as HTML.
            text: the same as plain text, for exports to LaTeX, consoles and other hosts without HTML.
            *older: further parts of the copy, below it, in outputs of their own, which ``set_copy`` can
                replace one by one; empty until they are needed. Without a page, they are one output.
        """
        name = uuid.uuid4().hex
        is_in_page = bool(running_cell()[0])
        if in_notebook() and not is_in_page:
            self._is_written_again = True
            _without_page.add(self)
            after_each_cell(_after_cell)
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        data = {
            "application/vnd.jupyter.widget-view+json": view,
            "text/plain": "" if text else text_of(self.widget),
        }
        display(data, raw=True, display_id=name)  # type: ignore[no-untyped-call]
        self._displays[name] = 1 + len(older) if is_in_page else 1
        for copy_id, html, plain in self._parts_of(name, (copy, *older), text):
            self._copies[copy_id] = html
            display(bundle(html, plain), raw=True, display_id=copy_id)  # type: ignore[no-untyped-call]
        record_display(self)
        self.mark_displayed()

    def set_copy(self, copy: Markup, text: str = "", *older: Markup) -> None:
        """Replace the parts of the static copy that differ from what is shown. May be called on any thread.

        Args:
            copy: the static copy, as HTML.
            text: the same as plain text.
            *older: its further parts, as many as were shown.
        """
        for name in list(self._displays):
            for copy_id, html, plain in self._parts_of(name, (copy, *older), text):
                if self._copies.get(copy_id) != html:
                    self._copies[copy_id] = html
                    self._write(copy_id, html, plain)

    def replace(self, html: Markup, text: str = "") -> None:
        """Replace view and static copy by HTML permanently. May be called on any thread."""
        displays, self._displays, self._copies = self._displays, {}, {}
        for name, count in displays.items():
            self._write(name, html, text)
            for number in range(count):
                self._write(_copy_id(name, number), Markup())
        _without_page.discard(self)

    def redraw(self) -> None:
        """Draw the widget, and send its state again while a cell shows it."""
        if self.widget.comm is not None:
            getattr(self.widget, "redraw_now", _do_nothing)()
            self.send()

    def send(self) -> None:
        """Send the state of the widget again while a cell shows it, as far as it has changed."""
        if self._displays and self.widget.comm is not None:
            _send_states(self.widget, set())

    def _parts_of(self, name: str, parts: Sequence[Markup], text: str) -> Iterator[tuple[str, Markup, str]]:
        """Yield display id, HTML and plain text of each part of the static copy of a display."""
        if self._displays[name] == 1:
            parts = (markup.join(parts),)
        for number, html in enumerate(parts):
            if number == 0 and html:
                html = markup.style(_NO_ERROR.format(copy=self.copy_class)) + html
            yield _copy_id(name, number), markup.lazy(html), "" if number else text

    def _write(self, name: str, html: Markup, text: str = "") -> None:
        with update():  # a cell that waits may be sending what was written
            if self._is_written_again:
                _written[name] = html, text
            _update(name, html, text)

    def _on_view_count(self, change: Any) -> None:
        """Handle the page's count of views."""
        if change["old"] is not None:  # the initial 0, which requests the count, comes from the kernel
            self._has_page_count = True
            if not change["old"]:
                self._draw()
            elif change["new"] > change["old"]:
                self._forget_copies()

    def _forget_copies(self) -> None:
        """Send every part of the static copies anew next time.

        A page that is loaded again has the outputs of the saved notebook, which may be older.
        """
        self._copies.clear()
        for parent in list(self._parents):
            parent._forget_copies()


def redraw_displays() -> None:
    """Draw what cells show once more, from the running cell, if no page has run them. Never raise."""
    if not _without_page and not _written:
        return
    with update():  # so that no other thread writes something older afterwards
        earlier = dict(_written)
        for output in list(_without_page):
            _drawn(output, output.redraw)
        for name, shown in earlier.items():
            if _written.get(name) is shown:  # otherwise it has been written above
                safely(partial(_update, name, *shown))
        _written.clear()


def send_displays() -> None:
    """Send what threads have drawn since the last call, from the running cell, at most once a second.

    Does nothing where a page shows the displays, except in Colab, which draws only what a cell sends. Where
    there are many displays, it is called less often, because the wait has more to do than drawing. Never
    raises.
    """
    global _next_update
    if not (_without_page or _written) or (began := time.monotonic()) < _next_update:
        return
    with update():
        for output in list(_without_page):
            if is_colab() or not output.is_on_page:
                _drawn(output, output.send)
        for name, shown in list(_written.items()):
            safely(partial(_update, name, *shown))
        _written.clear()
    now = time.monotonic()
    _next_update = now + max(SEND_EVERY, (now - began) / _MOST_OF_A_WAIT)


def _drawn(output: CellOutput, draw: Callable[[], None]) -> None:
    """Draw an output; after an error, which is logged, no more: a paid task must not fail with it."""
    try:
        draw()
    except Exception:
        _without_page.discard(output)
        logger.exception("A view could not be drawn")


def _after_cell(*_: object) -> None:
    redraw_displays()


def _send_states(widget: ipywidgets.Widget, seen: set[ipywidgets.Widget]) -> None:
    """Send the state of a widget and of all widgets that it refers to, as far as it has changed.

    Args:
        widget: the widget.
        seen: the widgets that were looked at.
    """
    if widget in seen or widget.comm is None:
        return
    seen.add(widget)
    state = widget.get_state()
    # First its parts, down to the layouts: one that a thread has created is missing without a page, and the
    # page of nbconvert shows no view with a part that is missing.
    for name in state:
        for part in _widgets_in(getattr(widget, name)):
            _send_states(part, seen)
    digest = _digest(state)
    if _sent_states.get(widget) != digest:
        _sent_states[widget] = digest
        widget.send_state(state.keys() - {"msg_id"})  # at which nbclient raises, for an unused Output


def _widgets_in(value: object) -> Iterator[ipywidgets.Widget]:
    """Yield the widgets in the value of a trait."""
    if isinstance(value, ipywidgets.Widget):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _widgets_in(item)


def _digest(value: object) -> int:
    """Return a digest of the state of a widget; cheap for a long text that has not changed."""
    if isinstance(value, Mapping):
        return hash(tuple((key, _digest(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return hash(tuple(map(_digest, value)))
    if isinstance(value, str | bytes):
        return hash(value)  # which the object keeps
    return hash(bytes(value) if isinstance(value, memoryview | bytearray) else repr(value))


def display_html(html: Markup, text: str) -> None:
    """Show HTML in the running cell, or plain text where the host shows no HTML."""
    display(bundle(html, text), raw=True)  # type: ignore[no-untyped-call]


def bundle(html: Markup, text: str = "") -> dict[str, Any]:
    """Return a representation in several formats: HTML with its styles, and plain text."""
    return {"text/html": str(markup.output_style(html) + kept_in(html)) if html else "", "text/plain": text}


def _update(name: str, html: Markup, text: str = "") -> None:
    if get_ipython() is not None:  # without IPython nothing was displayed
        update_display(bundle(html, text), raw=True, display_id=name)  # type: ignore[no-untyped-call]


def text_of(widget: ipywidgets.Widget) -> str:
    """Return the text for a widget where a page shows no widgets."""
    return tr(_RUN).format(name=type(widget).__name__) if in_notebook() else repr(widget)


def _do_nothing(*_: object) -> None:
    """Do nothing: the widget has no method to draw it."""


def _copy_id(name: str, number: int = 0) -> str:
    return f"{name}-copy-{number}" if number else f"{name}-copy"
