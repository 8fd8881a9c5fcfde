"""Mouse and keys on the tiles of a gallery: selection, movement, and videos that play under the mouse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from traitlets import Bool, List, Unicode

__all__ = ["make_tile_input"]

_SCRIPT = Path(__file__).with_name("tile_input.js")


def make_tile_input(
    picked: Callable[[list[str], list[str]], object],
    actions: Mapping[str, Callable[[str], object]],
) -> Any:
    """Return the listener for the tiles of the gallery that contains it, see ``tile_input.js``.

    Args:
        picked: called with the keys of the tasks that the user selects, and of those no longer selected.
        actions: called with a task's key, by the name of the action: ``delete``, ``preview`` (an empty key
            ends it), ``escape`` (with an empty key); ``close`` has the name of a part instead.
    """
    listener = _listener()()

    def on_message(_: Any, message: Any, __: Any) -> None:
        if not isinstance(message, dict):
            return
        if "on" in message:
            picked(_texts(message["on"]), _texts(message.get("off")))
        for name, act in actions.items():
            if name in message:
                act(message[name] if isinstance(message[name], str) else "")

    listener.on_msg(on_message)
    return listener


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


@cache
def _listener() -> Any:
    import anywidget  # slow to import, and a library is used without a gallery

    class TileInput(anywidget.AnyWidget):
        """The listener in the page."""

        _esm = _SCRIPT.read_text(encoding="utf-8")  # given a path, anywidget keeps every instance alive
        picked = List(Unicode(), help="The keys of the selected tasks.").tag(sync=True)
        plays = Bool(True, help="Whether videos may play in tiles.").tag(sync=True)

        def focus_tile(self, key: str) -> None:
            """Give the tile of a task the focus, unless the user is elsewhere in the page."""
            self.send({"focus": key})

        def focus_panel(self, mark: str) -> None:
            """Give the focus to a panel, by a CSS class of its own, unless the user is elsewhere."""
            self.send({"panel": mark})

    return TileInput
