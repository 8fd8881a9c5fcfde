"""The button that plays all videos on the current page of a sweep in step."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from traitlets import Dict

from ...i18n import N_, tr

__all__ = ["make_play_all"]

_FOLDER = Path(__file__).parent
#: The line by which ``play_all.js`` imports the engine, which takes its place: a page gets one script.
_IMPORT = re.compile(r'^import \{ (\w+) \} from "(.+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:default .*)?", re.MULTILINE)
_TEXTS = {
    "play": N_("Play all in step"),
    "playHelp": N_("Plays the videos below from the start at the same time, without sound."),
    "pause": N_("Pause all"),
}


def make_play_all() -> Any:
    """Return the button for the grid that contains it; a click needs no kernel."""
    return _button()(texts={name: tr(text) for name, text in _TEXTS.items()})


def script() -> str:
    """Return the script of the button, with the engine that it imports."""

    def engine(line: re.Match[str]) -> str:
        code = _EXPORT.sub("", (_FOLDER / line[2]).read_text(encoding="utf-8"))
        return f"const {{ {line[1]} }} = (() => {{\n{code}\nreturn {{ {line[1]} }};\n}})();"

    return _IMPORT.sub(engine, (_FOLDER / "play_all.js").read_text(encoding="utf-8"))


@cache
def _button() -> Any:
    import anywidget  # slow to import, and most sweeps are shown before they have videos

    class PlayAll(anywidget.AnyWidget):
        """The button in the page."""

        _esm = script()  # given a path, anywidget keeps every instance alive
        texts = Dict(help="The texts of the button.").tag(sync=True)

    return PlayAll
