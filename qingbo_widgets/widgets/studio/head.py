"""``StudioHead``: the line of a studio that names the service and the folder, with two buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets

from ...i18n import N_, tr
from ..base import html as markup
from ..base.build import create_shared
from ..base.composite import CompositeMixin
from ..base.html import Markup
from ..base.ipw import HBox
from ..base.notify import bell
from ..base.sync import update
from ..card.connection_view import state_text

if TYPE_CHECKING:
    from ...tasks.task import Owner

__all__ = ["StudioHead"]

_IN_CONTRACT = N_("contract {contract}")
_VIDEOS = N_("videos are saved in {folder}")


class StudioHead(CompositeMixin, HBox):
    """The service of a studio, *Change key*, and *Notify me*.

    Args:
        change_button: the button that changes the key.

    Attributes:
        bell: the place of *Notify me*, which is empty at first.
    """

    def __init__(self, change_button: ipywidgets.Widget) -> None:
        # The text wraps before the buttons go below it.
        self._text = ipywidgets.HTML(layout={"flex": "1 1 240px", "min_width": "0"})
        self.bell = create_shared(ipywidgets.Box, "", "qingbo-bell-place")
        super().__init__(
            [self._text, change_button, self.bell],
            layout={"flex_flow": "row wrap", "align_items": "center", "overflow": "visible"},
        )

    def show(self, styles: Markup, manager: Owner | None) -> None:
        """Show the service and the folder of a manager.

        Args:
            styles: the style sheets of the studio, which are in this part.
            manager: the manager; ``None`` before there is one.
        """
        with update(self._text):
            self._text.value = styles + (Markup() if manager is None else _status(manager))

    def show_bell(self) -> None:
        """Show *Notify me*, if the page can notify."""
        self.bell.children = bell(self.bell)


def _status(manager: Owner) -> Markup:
    is_marked = manager.is_sandbox or manager.is_closed
    service = markup.span(state_text(manager), "qingbo-status" if is_marked else None)
    in_contract = tr(_IN_CONTRACT).format(contract=manager.client.contract.name)
    folder = tr(_VIDEOS).format(folder=manager.library.folder.name)
    return markup.tag(
        "div",
        service,
        markup.span(in_contract, "qingbo-dim"),
        markup.span(folder, "qingbo-dim"),
        class_="qingbo-head",
    )
