"""``price``, ``balance`` and ``spending``: money on the default manager of a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ..service.contract.frames import IMAGE
from ..service.contract.misspelt import check_names
from ..service.contract.offered import offers_fields
from ..service.contract.request import VideoRequest
from .connection import current

if TYPE_CHECKING:
    from ..library.spending import By, Spending
    from ..service.contract.fields import FieldsAndModel
    from ..service.contract.pricing.answers import Balance
    from ..service.contract.pricing.price import Price

__all__ = ["balance", "price", "price_of", "spending"]


@offers_fields()
def price(prompt: str = "", **fields: Unpack[FieldsAndModel]) -> Price:
    """Return the price of a video before it is made. Free; it may take a request to the service.

    Args:
        prompt: the prompt, which does not change the price.
        **fields: as in ``VideoRequest``.

    Returns:
        The price; if it is not known, ``reason`` says why. It is never a guess.

    Raises:
        InvalidRequest: the service would refuse the request.
        MissingApiKey: there is no connection and no key.
    """
    check_names("price()", fields, own=(IMAGE,))
    # No price depends on the words, and a form has none at first.
    return current().price(prompt=prompt or "…", **fields)


def spending(by: By = "day") -> Spending:
    """Return what the tasks of the library have cost, by day, model, sweep or tag.

    A notebook shows it as a table with bars. Nothing is asked of the service.

    Args:
        by: ``"day"``, ``"model"``, ``"sweep"`` or ``"tag"``.

    Raises:
        InvalidRequest: ``by`` is none of these.
        MissingApiKey: there is no connection and no key.
    """
    from ..library.spending import spending_of  # imports SQLAlchemy, which takes long

    manager = current()
    return spending_of(manager.library.journal, manager.service, by)


def price_of(request: VideoRequest) -> Price:
    """Return the price of a request on the default manager; see ``VideoRequest.price``."""
    return current().price(request)


def balance() -> Balance:
    """Return the money of the account.

    Raises:
        QingboError: the contract documents no balance.
        MissingApiKey: there is no connection and no key.
        ConnectionFailed: no response arrived.
        ServiceError: the service answered with an error.
    """
    return current().balance()
