"""How widgets are made: each in one message to the page, and no more of them than it takes."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets

from . import html as markup
from .clicks import DatedButton
from .sync import share, update

__all__ = ["alike", "button", "made", "set_tooltip", "style_sheet", "tooltip"]

_NOTHING: Mapping[str, str] = {}
_AUTO: Mapping[str, str] = {"width": "auto"}
#: What is shared, by what it was made of. A widget that is open is kept by ipywidgets.
_shared: weakref.WeakValueDictionary[Any, Any] = weakref.WeakValueDictionary()


def made(kind: type[Any], explained: str = "", *classes: str, **given: Any) -> Any:
    """A widget with its tooltip and its CSS classes, all in the one message that makes it on the page."""
    if classes:
        given["_dom_classes"] = classes
    return kind(**{**given, **(tooltip(kind, explained) if explained else {})})


def alike(
    kind: type[Any],
    explained: str = "",
    *classes: str,
    layout: Mapping[str, str] = _NOTHING,
    **given: Any,
) -> Any:
    """As ``made``, with layout and style in common with all that is made alike: each is a widget too.

    They are not to be changed afterwards, and are closed with the last widget that has them.
    """
    keys: dict[str, Any] = {"layout": (ipywidgets.Layout, frozenset(layout.items()))}
    if hasattr(kind, "style"):
        keys["style"] = kind
    own: Mapping[str, Mapping[str, str]] = {"layout": layout, "style": _NOTHING}
    with update():
        widget = made(
            kind,
            explained,
            *classes,
            **given,
            **{name: _open(key) or own[name] for name, key in keys.items()},
        )
        for name, key in keys.items():
            _shared[key] = part = getattr(widget, name)
            share(part, widget)
    return widget


def button(
    description: str,
    explained: str,
    act: Callable[[], object],
    *classes: str,
    layout: Mapping[str, str] = _AUTO,
    is_alike: bool = False,
    **given: Any,
) -> Any:
    """Return a button that acts when it is clicked, whose clicks have the page's time.

    Args:
        description: on the button.
        explained: its tooltip.
        act: called for each click.
        *classes: its CSS classes.
        layout: its size.
        is_alike: whether it shares layout and style with others, as in ``alike``.
        **given: further traits.
    """
    make = alike if is_alike else made
    widget = make(DatedButton, explained, *classes, description=description, layout=layout, **given)
    widget.on_click(lambda _: act())
    return widget


def style_sheet(user: ipywidgets.Widget) -> Any:
    """What brings the CSS to the page, for ``user`` to have among its children; one for all that do."""
    with update():
        sheet = _open("sheet")
        if sheet is None:
            sheet = _shared["sheet"] = alike(
                ipywidgets.HTML, value=markup.style(), layout={"display": "none"}
            )
        share(sheet, user)
    return sheet


def _open(key: Any) -> Any:
    part = _shared.get(key)
    return None if part is None or part.comm is None else part


def tooltip(kind: type[Any], text: str) -> dict[str, str]:
    """The explanation under the pointer as an argument; its name depends on ipywidgets' version."""
    # In ipywidgets 8 reading or setting the older name warns.
    return {"tooltip" if "tooltip" in kind.class_trait_names() else "description_tooltip": text}


def set_tooltip(widget: ipywidgets.Widget, text: str) -> None:
    """The explanation that appears under the pointer; its trait's name depends on ipywidgets' version."""
    for name, value in tooltip(type(widget), text).items():
        setattr(widget, name, value)
