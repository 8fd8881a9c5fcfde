"""Single keys, which no widget of ipywidgets tells of, for a widget in whose DOM the focus is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets
from traitlets import Bool, Dict, List, Unicode

__all__ = ["KEYS_CLASS", "PLAY", "make_keys"]

#: The class of the widget whose keys are told.
KEYS_CLASS = "qingbo-keys"
#: The class of the output whose videos a key plays.
PLAY = "qingbo-played"
_SCRIPT = Path(__file__).with_name("keys.js")


def make_keys(
    keys: Iterable[str],
    pressed: Callable[[str], object],
    *,
    here: Mapping[str, str] | None = None,
    grab: bool = False,
) -> list[Any]:
    """What listens for these keys in the nearest widget around it with the class ``KEYS_CLASS``.

    In a field that is written in they are letters; Escape leaves the field.

    Args:
        keys: as the page calls them: ``3``, ``ArrowRight``.
        pressed: called with each.
        here: further keys, which the page answers by itself: each with the class of the widget whose field
            gets the focus, or whose videos play and pause.
        grab: take the focus as soon as it is shown.

    Returns:
        One invisible widget.
    """
    listener = _listener()(wanted=list(keys), here=dict(here or {}), grab=grab)

    def hear(_: Any, message: Any, __: Any) -> None:
        key = message.get("key") if isinstance(message, dict) else None
        if isinstance(key, str) and key in listener.wanted:
            pressed(key)

    listener.on_msg(hear)
    # In a box of its own: where the page cannot load it, the box hides what it says about that.
    return [ipywidgets.Box([listener], layout={"display": "none"})]


@cache
def _listener() -> Any:
    import anywidget  # takes long, and a studio needs none of its keys at first

    class Keys(anywidget.AnyWidget):
        """Listens in the page."""

        _esm = _SCRIPT.read_text(encoding="utf-8")  # of a path anywidget keeps every widget that was made
        wanted = List(Unicode(), help="The keys that are told, as the page calls them.").tag(sync=True)
        here = Dict(help="By key, the class of what the page plays or writes in at once.").tag(sync=True)
        grab = Bool(False, help="Whether to take the focus when it is shown.").tag(sync=True)

    return Keys
