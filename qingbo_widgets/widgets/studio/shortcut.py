"""Ctrl+Enter, an event that no widget of ipywidgets reports: the only script of the studio."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets

from ..base.clicks import Timestamped
from ..base.unlogged import keep_out_of_the_log

__all__ = ["make_shortcut", "shortcut_class"]

_SCRIPT = Path(__file__).with_name("shortcut.js")


@cache
def shortcut_class() -> type[Any]:
    """Return the widget class of the listener. The first call imports anywidget, which is slow."""
    import anywidget

    class Shortcut(Timestamped, anywidget.AnyWidget):
        """The listener in the page."""

        _esm = _SCRIPT.read_text(encoding="utf-8")  # given a path, anywidget would keep every widget alive

    return Shortcut


def make_shortcut(pressed: Callable[[str, str], None]) -> list[Any]:
    """Return a listener for Ctrl+Enter and Cmd+Enter in the text fields of the studio that contains it.

    Args:
        pressed: called with the label and the whole text of the field.

    Returns:
        A list with one invisible widget.
    """

    def on_message(_: Any, message: Any, __: Any) -> None:
        if isinstance(message, dict):
            pressed(str(message.get("label")), str(message.get("text", "")))

    shortcut = shortcut_class()()
    shortcut.on_msg(on_message)
    keep_out_of_the_log(shortcut)  # a key may have been pasted into the prompt
    # In a box of its own, which hides the error message if the page cannot load the script.
    return [ipywidgets.Box([shortcut], layout={"display": "none"})]
