"""Single key presses, which ipywidgets does not report, for the widget that contains the focus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets
from traitlets import Bool, Dict, List, Unicode

__all__ = ["KEYS_CLASS", "PLAY", "make_keys"]

#: The CSS class of the widget whose keys are reported.
KEYS_CLASS = "qingbo-keys"
#: The CSS class of the output whose videos a key plays.
PLAY = "qingbo-played"
_SCRIPT = Path(__file__).with_name("keys.js")


def make_keys(
    keys: Iterable[str],
    pressed: Callable[[str], object],
    *,
    here: Mapping[str, str] | None = None,
    grab: bool = False,
) -> list[Any]:
    """Return a listener for these keys in the nearest enclosing widget with the class ``KEYS_CLASS``.

    In a text field the keys type letters as usual; Escape leaves the field.

    Args:
        keys: DOM names of the keys, such as ``3`` or ``ArrowRight``.
        pressed: called with the name of each key that is pressed.
        here: further keys, which the page handles by itself: each with the CSS class of the widget whose
            field gets the focus, or whose videos play and pause.
        grab: True to take the focus as soon as the listener is shown.

    Returns:
        A list of one invisible widget.
    """
    listener = _listener()(wanted=list(keys), here=dict(here or {}), grab=grab)

    def on_message(_: Any, message: Any, __: Any) -> None:
        key = message.get("key") if isinstance(message, dict) else None
        if isinstance(key, str) and key in listener.wanted:
            pressed(key)

    listener.on_msg(on_message)
    # A box of its own hides the error message of a page that cannot load the widget.
    return [ipywidgets.Box([listener], layout={"display": "none"})]


@cache
def _listener() -> Any:
    import anywidget  # slow to import, and a studio needs no keys at first

    class Keys(anywidget.AnyWidget):
        """The key listener in the page."""

        _esm = _SCRIPT.read_text(encoding="utf-8")  # given a path, anywidget keeps every instance alive
        wanted = List(Unicode(), help="DOM names of the keys that are reported to the kernel.").tag(sync=True)
        here = Dict(help="By key, the CSS class of the widget that the page plays or focuses.").tag(sync=True)
        grab = Bool(False, help="True to take the focus when the listener is shown.").tag(sync=True)

    return Keys
