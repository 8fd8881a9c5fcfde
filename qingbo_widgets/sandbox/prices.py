"""The prices of a sandbox, which can change while it runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..i18n import tr
from .contracts.contract import Contract, Json


def prices_of(contract: Contract, changed: Mapping[str, Mapping[str, Any]]) -> dict[str, Json]:
    """Return the ``price_config`` of each model: the changed ones, and the documented ones of the others.

    Args:
        contract: the contract with the documented prices.
        changed: JSON values, by the name of the model; the result is a copy.

    Raises:
        ValueError: there is no such model, or the contract documents no prices.
    """
    documented = contract.prices
    for name in changed:
        if name not in documented:
            message = tr("contract {date} has no model {name} with a price")
            raise ValueError(message.format(date=contract.date, name=repr(name)))
    prices: dict[str, Json] = json.loads(json.dumps({**documented, **changed}, allow_nan=False))
    return prices
