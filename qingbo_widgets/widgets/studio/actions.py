"""``Actions``: the row of a studio with Generate, its price, and the reason why it is not possible now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ..base import html as markup
from ..base.announcement import announcement
from ..base.build import button, create_widget, set_busy
from ..base.composite import CompositeMixin
from ..base.html import Markup
from ..base.ipw import HBox
from ..base.sync import close_whole, update
from ..form.request_form import RequestForm
from .price_line import PriceLine
from .variations import generate_label, variations_control

__all__ = ["Actions"]

_GENERATE_HELP = N_(
    "Submits the request. In the prompt, Ctrl+Enter does so too. Several tasks can run at once."
)
_USE_CONTRACT = N_("Use contract {contract}")
_USE_CONTRACT_HELP = N_(
    "This server uses contract {contract}. Reconnects in it with the same key, address and library. Nothing "
    "is submitted, and the form stays as it is."
)


class Actions(CompositeMixin, HBox):
    """Generate, the number of variations, the price, why Generate is disabled, and an offered contract.

    Args:
        form: the form whose request is submitted.
        generate: called for a click on Generate.
        changed: called after another number of variations was chosen.
        priced: called, on any thread, after the price of the request was found.

    Attributes:
        generate_button: submits the form's request.
        variations: how often it is submitted.
        price_line: the price of all of them together.
    """

    def __init__(
        self,
        form: RequestForm,
        generate: Callable[[], object],
        changed: Callable[[], object],
        priced: Callable[[], object],
    ) -> None:
        self.generate_button = button(
            generate_label(1),
            tr(_GENERATE_HELP),
            generate,
            button_style="primary",
            layout={"width": "auto", "min_width": "124px"},
        )
        self.variations = variations_control()
        self.variations.observe(lambda _: changed(), "value")
        self.price_line = PriceLine(form, lambda: int(self.variations.value), priced)
        self._reason = ipywidgets.HTML()
        self._texts = create_widget(
            ipywidgets.VBox,
            "",
            "qingbo-beside-generate",
            children=[self.price_line.html, self._reason],
            layout={"flex": "1 1 160px", "margin": "0 0 0 10px", "overflow": "visible"},
        )
        self._offered_contract: str | None = None
        self._contract_button: Any = None
        super().__init__(
            [self.generate_button, self.variations, self._texts],
            # With the height of two lines, so that Generate does not move when the reason goes.
            layout={
                "flex_flow": "row wrap",
                "align_items": "flex-start",
                "margin": "8px 0 4px",
                "min_height": "40px",
            },
        )

    def show(self, sender: str, obstacle: str, problem: str, *, would_repeat: bool) -> None:
        """Enable or disable Generate, and show the reason.

        Args:
            sender: the sender of announcements.
            obstacle: why the form's request cannot be submitted; empty if it can.
            problem: the error of the last click, which is shown before it.
            would_repeat: whether a click would be ignored for a moment, as the second of a double click.
        """
        with update(self.generate_button, self._reason):
            self.generate_button.description = generate_label(self.variations.value)
            self.generate_button.disabled = bool(obstacle)
            set_busy(self.generate_button, would_repeat)
            reason = markup.note(problem, "alarm") if problem else Markup()
            reason += markup.note(obstacle) if obstacle else Markup()
            # An obstacle is not announced: it changes with every letter that is typed.
            self._reason.value = reason + announcement(sender, problem, is_urgent=True)
        self.price_line.refresh()

    def offer_contract(self, contract: str | None, use: Callable[[str], object]) -> None:
        """Offer a connection in another contract; ``None`` takes the offer back.

        Args:
            contract: the date of the contract.
            use: called with it for a click.
        """
        with update(self):
            if self.comm is None or contract == self._offered_contract:
                return
            old, self._contract_button = self._contract_button, None
            self._offered_contract = contract
            if contract is not None:
                self._contract_button = button(
                    tr(_USE_CONTRACT).format(contract=contract),
                    tr(_USE_CONTRACT_HELP).format(contract=contract),
                    lambda: use(contract),
                )
            offer = [] if self._contract_button is None else [self._contract_button]
            self.children = [self.generate_button, self.variations, self._texts, *offer]
        if old is not None:
            close_whole(old)
