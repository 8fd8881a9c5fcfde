"""``ModelPrices``: the price a second of each model that a form offers, from the service's price list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ...service.contract.limits import EXAMPLE_URL
from ...service.contract.pricing.numbers import EXACT
from ...service.contract.quota import dollars
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Model
from ..base.sync import refresher, update, weakly

if TYPE_CHECKING:
    from ...service.client import Client
    from ...tasks.prices import Prices
    from ...tasks.task import Owner

__all__ = ["ModelPrices"]

#: Seconds after which a new form requests the list, for which it does not wait.
LOAD_AFTER = 0.3
#: The seconds of the input video that is assumed for a model whose result is as long as its input.
_INPUT = (5, 10)
_A_SECOND, _A_VIDEO, _FOR = N_("{amount}/s"), N_("{amount} a video"), N_("{amount} for {seconds} s")


class ModelPrices:
    """The prices of the models of a form as texts, requested once for each connection.

    Args:
        changed: called on another thread once they are known.
    """

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        self._manager: Owner | None = None
        self._client: Client | None = None
        #: The prices by the names of the models; without those that are not known.
        self.texts: Mapping[str, str] = {}

    def follow(self, manager: Owner | None) -> None:
        """Show the prices of this manager: those that are known now, and all of them once it has its list."""
        client = None if manager is None else manager.client
        if client is self._client:
            return
        self._manager, self._client, self.texts = manager, client, {}
        if manager is not None and manager.client.contract.terms.quota_per_dollar:
            self.texts = dict(_texts(manager))
            if not self.texts:
                refresher.later(LOAD_AFTER, weakly(self, "_load"))

    def _load(self) -> None:
        manager = self._manager
        if manager is not None and not manager.is_closed:
            manager.prices.load_list(weakly(self, "_on_list"))

    def _on_list(self) -> None:
        """Take over the list of prices. Called on any thread."""
        with update():
            manager = self._manager
            if manager is None or manager.client is not self._client or self.texts:
                return
            self.texts = dict(_texts(manager))
        if self.texts:
            self._changed()


def _texts(manager: Owner) -> Iterator[tuple[str, str]]:
    for model in manager.client.contract.models.values():
        with localcontext(EXACT):
            text = _text(model, manager.prices)
        if text:
            yield model.name, text


def _text(model: Model, prices: Prices) -> str:
    """Return the price of a model with its defaults, as a text; empty if it is not known.

    Two lengths tell whether the price is for a second or for a video.
    """
    duration = model.parameters.get("duration")
    lengths = () if duration is None else tuple(seconds for seconds in duration.choices if seconds)
    first, last = _INPUT if not lengths else (model.default("duration") or lengths[0], lengths[-1])
    last = lengths[0] if first == last else last
    usd, most = (_usd(model, prices, seconds, is_of_input=not lengths) for seconds in (first, last))
    if usd is None:
        return ""
    if first != last and most is not None and usd * last == most * first:
        return tr(_A_SECOND).format(amount=dollars(usd / first))
    if first != last and most == usd:
        return tr(_A_VIDEO).format(amount=dollars(usd))
    return tr(_FOR).format(amount=dollars(usd), seconds=first)


def _usd(model: Model, prices: Prices, seconds: int, *, is_of_input: bool) -> Decimal | None:
    """Return the listed price of a video of this length, maybe that of its input; ``None`` if not known."""
    if is_of_input:
        request = VideoRequest(model.name, "…", video_urls=(f"{EXAMPLE_URL}video.mp4",))
        price = prices.listed(request, [float(seconds)])
    else:
        price = prices.listed(VideoRequest(model.name, "…", duration=seconds))
    return None if price is None else price.usd
