"""``StudioHead``: the line of a studio with the service, the folder, the balance and two buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from .money import money_line
from .private_html import private_html_class

if TYPE_CHECKING:
    from ...tasks.task import Owner
    from ..form.request_form import RequestForm

__all__ = ["StudioHead"]

_IN_CONTRACT = N_("contract {contract}")
_VIDEOS = N_("videos are saved in {folder}")


class StudioHead(CompositeMixin, HBox):
    """The service of a studio, the balance of its account, *Change key*, and *Notify me*.

    The balance is private: it is in no static copy of the studio, and in no saved state of its widgets.

    Args:
        change_button: the button that changes the key.
        form: the form, whose request should not cost more than is left.
        variations: the control for how often it is submitted.

    Attributes:
        bell: the place of *Notify me*, which is empty at first.
        money: the widget with the balance; ``None`` before ``show_balance``.
    """

    def __init__(
        self, change_button: ipywidgets.Widget, form: RequestForm, variations: ipywidgets.Widget
    ) -> None:
        self._form, self._variations = form, variations
        self._manager: Owner | None = None
        self.money: Any = None
        # The text wraps before the buttons go below it.
        self._text = ipywidgets.HTML(layout={"flex": "1 1 240px", "min_width": "0"})
        self.bell = create_shared(ipywidgets.Box, "", "qingbo-bell-place")
        #: A box of its own hides the error message of a page that cannot load the widget.
        self._money_place = create_shared(ipywidgets.Box, "", "qingbo-money-place")
        super().__init__(
            [self._text, self._money_place, change_button, self.bell],
            # With the height of the buttons, so that the form does not move when they come.
            layout={
                "flex_flow": "row wrap",
                "align_items": "center",
                "overflow": "visible",
                "min_height": "28px",
            },
        )

    def show(self, styles: Markup, manager: Owner | None) -> None:
        """Show the service and the folder of a manager.

        Args:
            styles: the style sheets of the studio, which are in this part.
            manager: the manager; ``None`` before there is one.
        """
        with update(self._text):
            self._text.value = styles + (Markup() if manager is None else _status(manager))

    def show_balance(self, manager: Owner) -> None:
        """Show what money is left in the account of a manager from now on, as soon as it is known."""
        kind = private_html_class()  # imported before the lock is taken
        with update():
            if self.comm is None:
                return
            if self.money is None:
                self.money = kind()
                self._money_place.children = [self.money]
            former, self._manager = self._manager, manager
        if former is not None and former is not manager:
            former.balances.unwatch(self.update_balance)
        manager.balances.watch(self.update_balance)
        self.update_balance()

    def update_balance(self) -> None:
        """Show the latest balance, and whether it pays for the request in the form. Ask nothing."""
        with update():
            manager = self._manager
            if self.comm is None or self.money is None or manager is None:
                return
            balances = manager.balances
            is_needed = balances.latest is not None and self._form.manager is manager
            price = manager.prices.latest(self._form.request) if is_needed else None
            count = self._variations.value
            line = money_line(balances, price, count, is_sandbox=manager.is_sandbox)
            self.money.show(Markup() if manager.is_closed else line)

    def _stop(self) -> None:
        if self._manager is not None:
            self._manager.balances.unwatch(self.update_balance)

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
