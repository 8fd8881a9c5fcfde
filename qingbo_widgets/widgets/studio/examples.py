"""Example prompts for an empty studio."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from ...i18n import N_, tr
from ..base import html as markup
from ..base.build import button, create_shared
from ..base.composite import CompositeMixin
from ..base.ipw import VBox

__all__ = ["EXAMPLES", "Examples"]

#: Prompts that say what a video model needs: subject, motion, camera, light.
EXAMPLES = (
    N_("A red fox trots through fresh snow, the camera tracks beside it at eye level, low golden light"),
    N_("Rain runs down a café window at night, slow push-in, neon signs blur and glow behind the glass"),
    N_("A paper boat drifts across a still lake at dusk, slow aerial pull-back, mist over the water"),
)
_EMPTY = N_("Your videos appear here.")
_TRY = N_("Try one of these prompts:")
_HELP = N_("Puts this text into the prompt. Nothing is submitted.")


class Examples(CompositeMixin, VBox):
    """The place of the coming videos: a line that says so, and prompts that a click copies into the form.

    Args:
        chosen: called with the text of the clicked prompt.
    """

    def __init__(self, chosen: Callable[[str], object]) -> None:
        note = markup.tag("div", markup.text(tr(_EMPTY))) + markup.tag(
            "div", markup.text(tr(_TRY)), class_="qingbo-try"
        )
        self._note = create_shared(ipywidgets.HTML, value=note)
        self.buttons = tuple(self._button(tr(text), chosen) for text in EXAMPLES)
        super().__init__([self._note, *self.buttons], layout={"overflow": "visible"})
        self.add_class("qingbo-empty")

    def _button(self, text: str, chosen: Callable[[str], object]) -> ipywidgets.Button:
        made: ipywidgets.Button = button(
            text, tr(_HELP), lambda: chosen(text), "qingbo-example", shares_style=True
        )
        return made
