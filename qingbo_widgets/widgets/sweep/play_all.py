"""The button that plays all videos on the current page of a sweep in step."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from traitlets import Dict

from ...i18n import N_, tr
from ..base.scripts import one_module

__all__ = ["make_play_all"]

_SCRIPT = Path(__file__).with_name("play_all.js")
_TEXTS = {
    "play": N_("Play all in step"),
    "playHelp": N_("Plays the videos below from the start at the same time, without sound."),
    "pause": N_("Pause all"),
}


def make_play_all() -> Any:
    """Return the button for the grid that contains it; a click needs no kernel."""
    return _button()(texts={name: tr(text) for name, text in _TEXTS.items()})


@cache
def _button() -> Any:
    import anywidget  # slow to import, and most sweeps are shown before they have videos

    class PlayAll(anywidget.AnyWidget):
        """The button in the page."""

        _esm = one_module(_SCRIPT)  # given a path, anywidget keeps every instance alive
        texts = Dict(help="The texts of the button.").tag(sync=True)

    return PlayAll
