"""Factories for widgets that send the page one message each, and share layouts and styles where possible."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import ipywidgets

from ...system.host import why_no_cards
from . import html as markup
from .clicks import TimestampedButton, clicked_at
from .page_scripts import has_scripts
from .sync import refresher, share, update

__all__ = [
    "PAYS",
    "button",
    "create_shared",
    "create_widget",
    "focus",
    "is_busy",
    "newest_first",
    "set_busy",
    "set_class",
    "set_expanded",
    "set_tooltip",
    "style_sheet",
    "tooltip",
]

#: The CSS class of a button that may cost money: the focus never goes there by itself, and where the page
#: would show no card of a task, the button is disabled.
PAYS = "qingbo-pays"
#: Seconds in which the page sees where the focus should go.
_WISHED = 2.0
_NOTHING: Mapping[str, str] = {}
_AUTO: Mapping[str, str] = {"width": "auto"}
#: Shared widgets, by what they were created from. ipywidgets holds the reference to an open widget.
_shared: weakref.WeakValueDictionary[Any, Any] = weakref.WeakValueDictionary()


def create_widget(kind: type[Any], help_text: str = "", *classes: str, **traits: Any) -> Any:
    """Return a widget; the message that creates it on the page includes its tooltip and CSS classes."""
    if classes:
        traits["_dom_classes"] = classes
    return kind(**{**traits, **(tooltip(kind, help_text) if help_text else {})})


def create_shared(
    kind: type[Any],
    help_text: str = "",
    *classes: str,
    layout: Mapping[str, str] = _NOTHING,
    **traits: Any,
) -> Any:
    """Return a widget like ``create_widget`` that shares layout and style, because each is a widget too.

    Widgets of the same kind and layout share them. Do not change them afterwards. They are closed with the
    last widget that uses them.
    """
    keys: dict[str, Any] = {"layout": (ipywidgets.Layout, frozenset(layout.items()))}
    if hasattr(kind, "style"):
        keys["style"] = kind
    fresh: Mapping[str, Mapping[str, str]] = {"layout": layout, "style": _NOTHING}
    with update():
        widget = create_widget(
            kind,
            help_text,
            *classes,
            **traits,
            **{name: _open_shared(key) or fresh[name] for name, key in keys.items()},
        )
        for name, key in keys.items():
            _shared[key] = part = getattr(widget, name)
            share(part, widget)
    return widget


def button(
    description: str,
    help_text: str,
    act: Callable[[], object],
    *classes: str,
    layout: Mapping[str, str] = _AUTO,
    shares_style: bool = False,
    **traits: Any,
) -> Any:
    """Return a button that calls ``act`` for each click; its clicks carry the page's time.

    Args:
        description: the label of the button.
        help_text: its tooltip.
        act: called for each click.
        *classes: its CSS classes.
        layout: its size.
        shares_style: True to share layout and style with other buttons, as in ``create_shared``.
        **traits: further traits.
    """
    if PAYS in classes and (reason := why_no_cards()):
        help_text, traits["disabled"] = reason, True
    create = create_shared if shares_style else create_widget
    widget = create(TimestampedButton, help_text, *classes, description=description, layout=layout, **traits)
    widget.on_click(lambda _: act())
    return widget


def newest_first() -> Any:
    """Return a column whose last child is on top.

    A child that is inserted before others makes ipywidgets draw those again, and a video that is being
    watched starts anew. So children are appended, and only the page shows them the other way round.
    """
    layout = {"flex_flow": "column-reverse", "overflow": "visible"}
    return create_widget(ipywidgets.VBox, "", "qingbo-newest-first", layout=layout)


def style_sheet(user: ipywidgets.Widget) -> Any:
    """Return the shared widget that carries the CSS; ``user`` must have it among its children."""
    with update():
        sheet = _open_shared("sheet")
        if sheet is None:
            sheet = _shared["sheet"] = create_shared(
                ipywidgets.HTML, value=markup.style(), layout={"display": "none"}
            )
        share(sheet, user)
    return sheet


def _open_shared(key: Any) -> Any:
    part = _shared.get(key)
    return None if part is None or part.comm is None else part


def tooltip(kind: type[Any], text: str) -> dict[str, str]:
    """Return the tooltip as a keyword argument; its name depends on the version of ipywidgets."""
    # In ipywidgets 8, reading or setting the older name issues a warning.
    return {"tooltip" if "tooltip" in kind.class_trait_names() else "description_tooltip": text}


def set_tooltip(widget: ipywidgets.Widget, text: str) -> None:
    """Set the tooltip; the name of its trait depends on the version of ipywidgets."""
    for name, value in tooltip(type(widget), text).items():
        setattr(widget, name, value)


def set_class(control: ipywidgets.DOMWidget, name: str, is_set: bool) -> None:
    """Give a widget a CSS class, or take it away."""
    (control.add_class if is_set else control.remove_class)(name)


def set_busy(control: ipywidgets.DOMWidget, is_busy: bool) -> None:
    """Show whether a button ignores clicks for a moment.

    A disabled button would lose the focus.
    """
    set_class(control, "qingbo-busy", is_busy)


def is_busy(control: ipywidgets.DOMWidget) -> bool:
    """Return whether a button ignores clicks for a moment."""
    return "qingbo-busy" in control._dom_classes


def set_expanded(control: ipywidgets.DOMWidget, is_expanded: bool) -> None:
    """Show whether a button with the class ``qingbo-opens-…`` has opened what it opens."""
    set_class(control, "qingbo-expanded", is_expanded)


def focus(control: Any) -> None:
    """Move the focus to a control, unless the user has moved it since the click that is being handled.

    Only the page knows that: ``page_focus.js`` compares the time of the click, which the class of the control
    has for a moment, with that of the user's last move. A page without scripts moves the focus in any case,
    if ipywidgets supports it (8 and newer).
    """
    sent_at = clicked_at()
    if sent_at is None or not has_scripts():
        if hasattr(control, "focus"):
            control.focus()
        return
    wish = f"qingbo-focus-{round(sent_at * 1000)}"
    with update():
        control.add_class(wish)
    refresher.later(_WISHED, partial(_withdraw, control, wish))


def _withdraw(control: Any, wish: str) -> None:
    with update():
        if control.comm is not None:
            control.remove_class(wish)
