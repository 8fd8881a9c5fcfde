"""Helpers that read widgets as the page shows them, and act as the user does: texts, buttons, keys, tooltips.

Tests use widgets through this module, so that they depend on no private part of a widget. Every user action
arrives as the page's own message, through the comm of the widget; an exception in a callback is raised in the
test.
"""

from __future__ import annotations

import html
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import ipywidgets
from traitlets.log import get_logger

from qingbo_widgets.widgets.studio.private_html import private_html_class
from qingbo_widgets.widgets.studio.shortcut import shortcut_class
from tests.waiting import until

__all__ = [
    "below",
    "box_of",
    "buttons_of",
    "classes_of",
    "click",
    "ctrl_enter",
    "displayed",
    "displayed_html",
    "enter",
    "find",
    "html_of",
    "html_part",
    "is_displayed",
    "outputs_of",
    "parts_of",
    "press",
    "read",
    "send",
    "send_click",
    "text_of",
    "the",
    "the_button",
    "the_field",
    "tooltip_of",
]

Kind = TypeVar("Kind")


# ---------------------------------------------------------------------- parts


def parts_of(widget: Any) -> Iterator[Any]:
    """Yield the widget and everything inside it, in the order of the page, hidden parts too."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from parts_of(child)


def displayed(widget: Any) -> Iterator[Any]:
    """Yield the parts that the page draws: not what has ``display: none``, and nothing inside that."""
    layout = getattr(widget, "layout", None)
    if layout is not None and (layout.display == "none" or layout.visibility == "hidden"):
        return
    yield widget
    for child in getattr(widget, "children", ()):
        yield from displayed(child)


def is_displayed(widget: Any, part: Any) -> bool:
    """Return True if the page draws this part of the widget."""
    return any(shown is part for shown in displayed(widget))


def find(widget: Any, kind: type[Kind]) -> list[Kind]:
    """Return the displayed parts of a kind, in the order of the page."""
    return [part for part in displayed(widget) if isinstance(part, kind)]


def the(widget: Any, kind: type[Kind]) -> Kind:
    """Return the only displayed part of a kind."""
    found = find(widget, kind)
    if len(found) != 1:
        raise AssertionError(
            f"{_name(widget)} shows {len(found)} parts of the kind {kind.__name__}, not one;"
            f" it shows {[_name(part) for part in displayed(widget)]}"
        )
    return found[0]


# ---------------------------------------------------------------------- texts


def outputs_of(widget: Any, kind: str = "text/html") -> list[str]:
    """Return the contents of a widget's output areas, mostly video players.

    Args:
        widget: the widget.
        kind: the MIME type.
    """
    areas = (part for part in parts_of(widget) if isinstance(part, ipywidgets.Output))
    return [str(output["data"][kind]) for area in areas for output in area.outputs]


def html_of(widget: Any) -> str:
    """Return all HTML that the page has of a widget, hidden parts and outputs too, without its styles."""
    return "\n".join(_html_in(part) for part in parts_of(widget) if _has_html(part))


def displayed_html(widget: Any) -> str:
    """Return the HTML of the displayed parts of a widget as it is, with its styles and its escapes."""
    return "".join(part.value for part in displayed(widget) if isinstance(part, ipywidgets.HTML))


def text_of(widget: Any) -> str:
    """Return the text that the user reads in a widget: the text of its displayed HTML, one line per part."""
    lines = (read(_html_in(part)) for part in displayed(widget) if _has_html(part))
    return "\n".join(line for line in lines if line)


def html_part(widget: Any, text: str) -> Any:
    """Return the only displayed part with HTML in which a user reads this text."""
    found = [part for part in displayed(widget) if _has_html(part) and text in read(_html_in(part))]
    if len(found) != 1:
        raise AssertionError(
            f"{len(found)} parts of {_name(widget)} say {text!r}, not one; a user reads:\n{text_of(widget)}"
        )
    return found[0]


def box_of(widget: Any, part: Any) -> Any:
    """Return the displayed box that contains a part, to read only the texts next to it."""
    boxes = [box for box in displayed(widget) if any(child is part for child in getattr(box, "children", ()))]
    if len(boxes) != 1:
        raise AssertionError(f"{_name(part)} stands in {len(boxes)} boxes of {_name(widget)}, not in one")
    return boxes[0]


def below(widget: Any, part: Any) -> Any:
    """Return the part right below another in the same box, such as the note of a field."""
    children = list(box_of(widget, part).children)
    place = next(index for index, child in enumerate(children) if child is part)
    if place + 1 == len(children):
        raise AssertionError(f"nothing stands below {_name(part)} in {_name(widget)}")
    return children[place + 1]


def tooltip_of(part: Any) -> str:
    """Return the tooltip; the name of its trait depends on the version of ipywidgets."""
    name = "tooltip" if part.has_trait("tooltip") else "description_tooltip"
    return getattr(part, name) or ""


def classes_of(part: Any) -> tuple[str, ...]:
    """Return the CSS classes that the page gives a part."""
    return tuple(part.get_state("_dom_classes")["_dom_classes"])


# ---------------------------------------------------------------------- buttons, fields and keys


def buttons_of(widget: Any) -> list[str]:
    """Return the descriptions of the buttons that are displayed."""
    return [found.description for found in find(widget, ipywidgets.Button)]


def the_button(widget: Any, description: str) -> Any:
    """Return the only displayed button with this description."""
    return _described(widget, ipywidgets.Button, "buttons", description)


def click(widget: Any, description: str) -> None:
    """Click on the only displayed button with this description, as a user does."""
    found = the_button(widget, description)
    if found.disabled:
        raise AssertionError(f"the button {description!r} of {_name(widget)} is disabled")
    send_click(found)


def the_field(widget: Any, description: str) -> Any:
    """Return the only displayed field with this description."""
    return _described(widget, ipywidgets.ValueWidget, "fields", description)


def press(widget: Any, key: str) -> None:
    """Press a key while the focus is in the widget."""
    listeners = [part for part in parts_of(widget) if hasattr(part, "wanted")]
    matching = [listener for listener in listeners if key in listener.wanted]
    if len(matching) != 1:
        keys = [wanted for listener in listeners for wanted in listener.wanted]
        raise AssertionError(f"{len(matching)} parts of {_name(widget)} listen for {key!r}; heard are {keys}")
    send(matching[0], {"key": key})


def ctrl_enter(studio: Any, label: str, text: str) -> None:
    """Press Ctrl+Enter in a text field of a studio, once the page listens for it.

    Args:
        studio: the studio.
        label: the description of the text field.
        text: its current text on the page.
    """
    (listener,) = until(lambda: [part for part in parts_of(studio) if is_named(part, shortcut_class())])
    send(listener, {"label": label, "text": text})


def is_named(part: Any, kind: type[Any]) -> bool:
    """Return whether a widget has the class that was made at first use: two threads may have made two."""
    return type(part).__qualname__ == kind.__qualname__


# ---------------------------------------------------------------------- messages of the page


def send_click(part: Any, header: dict[str, Any] | None = None) -> None:
    """Deliver a click on a button as the page's message.

    Args:
        part: the button.
        header: the header of the message, which has the front end's time of the click.
    """
    send(part, {"event": "click"}, header)


def send(
    part: Any, content: dict[str, Any], header: dict[str, Any] | None = None, buffers: tuple[bytes, ...] = ()
) -> None:
    """Deliver a custom message of the page to a widget, with its binary buffers."""
    _deliver(part, {"method": "custom", "content": content}, header, buffers)


def enter(part: Any, value: Any) -> None:
    """Deliver a value that the user typed or chose in a field, as the page's message."""
    _deliver(part, {"method": "update", "state": {"value": value}, "buffer_paths": []}, None)


def _deliver(
    part: Any, data: dict[str, Any], header: dict[str, Any] | None, buffers: tuple[bytes, ...] = ()
) -> None:
    if part.comm is None:
        raise AssertionError(f"{_name(part)} is closed: the page has it no more")
    with _raising():
        views = [memoryview(buffer) for buffer in buffers]
        part.comm.handle_msg({"header": header or {}, "content": {"data": data}, "buffers": views})


@contextmanager
def _raising() -> Iterator[None]:
    """Raise exceptions of callbacks within the context, because ipywidgets only logs them."""
    errors: list[BaseException] = []

    class ExceptionRecorder(logging.Handler):
        """A handler that records the exceptions logged by the thread of the context."""

        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == threading.get_ident() and record.exc_info and record.exc_info[1]:
                errors.append(record.exc_info[1])

    logger, handler = get_logger(), ExceptionRecorder()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
    if errors:
        raise errors[0]


# ---------------------------------------------------------------------- private


def _has_html(part: Any) -> bool:
    return isinstance(part, (ipywidgets.HTML, ipywidgets.Output)) or is_named(part, private_html_class())


def _html_in(part: Any) -> str:
    if is_named(part, private_html_class()):
        return str(part.html)
    written = "\n".join(outputs_of(part)) if isinstance(part, ipywidgets.Output) else str(part.value)
    return re.sub(r"<style\b.*?</style>", "", written, flags=re.DOTALL)


def read(markup: str) -> str:
    """Return markup as plain text: a space for each tag that ends a line, nothing for other tags."""
    broken = re.sub(r"<(br|/?(button|div|p|pre|li|tr|td|th|figcaption|summary|details))\b[^>]*>", " ", markup)
    return re.sub(r"[ \n]+", " ", html.unescape(re.sub(r"<[^>]*>", "", broken))).strip()


def _described(widget: Any, kind: type[Any], plural: str, description: str) -> Any:
    found = [part for part in find(widget, kind) if part.description == description]
    if len(found) != 1:
        there = [part.description for part in find(widget, kind)]
        raise AssertionError(
            f"{_name(widget)} shows {len(found)} {plural} {description!r}, not one; it shows {there}"
        )
    return found[0]


def _name(part: Any) -> str:
    described = getattr(part, "description", "")
    return f"{type(part).__name__} {described!r}" if described else type(part).__name__
