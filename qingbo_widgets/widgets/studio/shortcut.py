"""Ctrl+Enter, which no widget of ipywidgets tells of: the one line of script that the studio brings."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets

from ..base.clicks import Dated
from ..base.unlogged import keep_out_of_the_log

__all__ = ["make_shortcut", "shortcut_class"]

_SCRIPT = Path(__file__).with_name("shortcut.js")


@cache
def shortcut_class() -> type[Any]:
    """Return the class of the widget that listens. The first call imports anywidget, which takes long."""
    import anywidget

    class Shortcut(Dated, anywidget.AnyWidget):
        """Listens in the page."""

        _esm = _SCRIPT.read_text(encoding="utf-8")  # of a path anywidget keeps every widget that was made

    return Shortcut


def make_shortcut(pressed: Callable[[str, str], None]) -> list[Any]:
    """What listens for Ctrl+Enter and Cmd+Enter in the texts of the studio that contains it.

    Args:
        pressed: called with the label of the text and with all that is written in it.

    Returns:
        One invisible widget.
    """

    def hear(_: Any, message: Any, __: Any) -> None:
        if isinstance(message, dict):
            pressed(str(message.get("label")), str(message.get("text", "")))

    shortcut = shortcut_class()()
    shortcut.on_msg(hear)
    keep_out_of_the_log(shortcut)  # a key may have been pasted into the prompt
    # In a box of its own: where the page cannot load it, the box hides what it says about that.
    return [ipywidgets.Box([shortcut], layout={"display": "none"})]
