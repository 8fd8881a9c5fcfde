"""``PriceLine``: the price of a form's request, beside the button that submits it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import N_, sentences, tr
from ...service.contract.pricing.price import Price, PriceSource
from ...service.contract.quota import charged_text
from ...service.contract.request import VideoRequest
from ...system.times import local_time
from ...tasks.prices import wordless
from ..base import html as markup
from ..base.announcement import announcement
from ..base.build import create_widget
from ..base.html import Markup
from ..base.sync import refresher, update, weakly
from ..form.request_form import RequestForm

if TYPE_CHECKING:
    from ...tasks.task import Owner

__all__ = ["PAUSE", "PriceLine"]

#: Seconds without a change after which the price is requested: each click in a form may be one of several.
PAUSE = 0.3
#: The fields whose texts do not change a price, so that their problems do not hide it.
_TEXTS = frozenset({"prompt", "negative_prompt", "shots", "multi_prompt"})

_ASKING = N_("Price: …")
_UNKNOWN = N_("Price not known")
_SEVERAL = N_("{price} for {count}")
_EACH = N_("({amount} each)")
_CHANGED = N_("Price: {price}")
_SOURCES = {
    PriceSource.quote: N_("Quoted by the service, {time}."),
    PriceSource.estimate: N_("Estimated by the service, {time}."),
    PriceSource.price_list: N_("Computed from the price list of the service, {time}."),
    PriceSource.earlier_task: N_("The cost of the latest task with these settings, {time}."),
}


class PriceLine:
    """The price of the request in a form, requested in the background. Thread-safe.

    It is empty for a request that the service would refuse; a prompt that is still missing does not matter.

    Args:
        form: the form.
        count: returns how often the request will be submitted.
        found: called, on any thread, after a price was found.

    Attributes:
        html: the widget with the text, which the owner of the line closes.
    """

    def __init__(
        self,
        form: RequestForm,
        count: Callable[[], int] = lambda: 1,
        found: Callable[[], object] = lambda: None,
    ) -> None:
        self._form, self._count, self._found = form, count, found
        self.html: Any = create_widget(ipywidgets.HTML, "", "qingbo-price")
        self._on_answer, self._ask = weakly(self, "_show_answer"), weakly(self, "_ask_now")
        #: The kind of request whose price is to be requested after the pause; empty if none is.
        self._awaited = ""
        self._awaited_since = 0.0
        self._announced = Markup()
        form.observe(self._on_change)
        self.refresh()

    def refresh(self) -> None:
        """Show the price as far as it is known, and request it after a pause if it is due."""
        with update(self.html):
            if self.html.comm is None:  # closed meanwhile
                return
            manager, request = self._form.manager, self._request()
            if manager is None or request is None:
                self._awaited = ""
                self._show(Markup(), "")
                return
            kind = manager.prices.kind(request)
            price = manager.prices.latest_of(kind)
            if manager.prices.is_due(kind):
                self._await(kind)
            if price is None:
                self._show(markup.span(tr(_ASKING), "qingbo-dim qingbo-each"), None)
            else:
                self._show(*_shown(price, self._count(), manager))

    def _on_change(self, change: Any) -> None:
        """Handle a change of a trait of the form."""
        if change["name"] == "problems" or change["name"] in self._form.field_names:
            self.refresh()

    def _request(self) -> VideoRequest | None:
        """Return the request to be priced, without its texts; ``None`` if the service would refuse it."""
        form = self._form
        manager = form.manager
        if manager is None or manager.is_closed or any(one.field not in _TEXTS for one in form.problems):
            return None
        request = wordless(form.request)
        if form.problems and manager.inputs.other_problems(request, form.contract.name):
            return None
        return request

    def _await(self, kind: str) -> None:
        """Request the price of this kind of request after a pause, unless that is about to happen."""
        if kind != self._awaited:
            self._awaited, self._awaited_since = kind, time.monotonic()
            refresher.later(PAUSE, self._ask)

    def _ask_now(self) -> None:
        """Request the price, if the form has not changed meanwhile. Called on the refresher's thread."""
        with update():
            is_over = time.monotonic() - self._awaited_since >= PAUSE
            if self.html.comm is None or not self._awaited or not is_over:
                return  # closed, nothing to ask, or another call follows
            self._awaited = ""
            manager, request = self._form.manager, self._request()
        if manager is not None and request is not None:
            manager.prices.ask(request, self._on_answer)

    def _show_answer(self) -> None:
        self.refresh()
        self._found()

    def _show(self, html: Markup, text: str | None) -> None:
        """Show a price, and announce its text; ``None`` announces nothing yet."""
        if text is not None:
            self._announced = announcement(f"qingbo-price-{self.html.model_id}", text)
        self.html.value = html + self._announced


def _shown(price: Price, count: int, manager: Owner) -> tuple[Markup, str]:
    """Return a price as HTML, and the text that is announced."""
    if not price.is_known:
        summary = markup.tag("summary", markup.text(tr(_UNKNOWN)), title=price.reason)
        html = markup.tag("details", summary, markup.text(price.reason), class_="qingbo-dim qingbo-details")
        return html, tr(_UNKNOWN)
    text = str(price.times(count))
    if count > 1:
        text = tr(_SEVERAL).format(price=text, count=count)
    text = charged_text(text, is_sandbox=manager.is_sandbox and bool(price.quota))
    each = tr(_EACH).format(amount=price.amount) if count > 1 else ""
    html = markup.tag("span", markup.text(text), title=sentences(_origin(price), each))
    if each:
        html += " " + markup.span(each, "qingbo-dim qingbo-each")
    return html, tr(_CHANGED).format(price=text)


def _origin(price: Price) -> str:
    """Return the source and the date of a price, as a sentence."""
    source = _SOURCES.get(price.source)
    if source is None or price.as_of is None:
        return ""
    return tr(source).format(time=local_time(price.as_of))
