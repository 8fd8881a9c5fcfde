"""``Billing``: how a model is billed beyond the keys of its ``price_config``; see ``billing.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from ..models import FOLDER

__all__ = ["INPUT", "Billing", "billing_of"]

_FILE = "billing.toml"
#: The value of ``length`` and ``zero`` for a result as long as the input video.
INPUT = "input"


@dataclass(frozen=True)
class Billing:
    """The documented facts about the billing of one model and action.

    Attributes:
        one_rate: resolutions at which sound and an input video do not change the rate.
        length: ``input`` if the result always is as long as the input video.
        zero: ``input`` if it is so where the duration 0 is requested.
        result_seconds: the minimum and the maximum length of such a result; empty for no limit.
        ceiling: the maximum length in seconds of a result whose length the model chooses; the amount is
            reserved for it, and settled on the actual result.
        is_settled_on_result: whether the amount is a ceiling in any case.
        most_input: the maximum number of billed input seconds; 0 for no limit.
        least_input: the minimum of the billed input seconds as a share of the output seconds, rounded up.
        unread_input: the input seconds that are reserved while the length of an input video is not known; 0
            if the service refuses such a request.
        has_edit_rate: whether the action has a rate of its own, without which its price is not known.
        ignores_resolution: whether the resolution of the request has no effect.
        is_of_source: whether the seconds, input videos, images and sound are those of the earlier task.
        resolution: the resolution of a request that names none.
    """

    one_rate: tuple[str, ...] = ()
    length: str = ""
    zero: str = ""
    result_seconds: tuple[int, ...] = ()
    ceiling: Decimal | None = None
    is_settled_on_result: bool = False
    most_input: int = 0
    least_input: Decimal = Decimal(0)
    unread_input: int = 0
    has_edit_rate: bool = False
    ignores_resolution: bool = False
    is_of_source: bool = False
    resolution: str = ""

    def follows_input(self, values: Mapping[str, Any]) -> bool:
        """Return whether the result is as long as the input video."""
        is_zero = values.get("duration") == 0
        return bool(values.get("video_urls")) and (self.length == INPUT or (self.zero == INPUT and is_zero))

    def chooses_length(self, values: Mapping[str, Any]) -> bool:
        """Return whether the model chooses the length, up to the ceiling."""
        is_open = not values.get("duration")
        return self.ceiling is not None and is_open and not self.follows_input(values)

    def may_settle_lower(self, values: Mapping[str, Any]) -> bool:
        """Return whether the amount that is reserved may be higher than the cost."""
        return self.is_settled_on_result or self.chooses_length(values)


@cache
def billing_of(contract: str, model: str, action: str) -> Billing:
    """Return the facts about a model and action; where the file has several entries, the later ones win."""
    facts: dict[str, Any] = {}
    for rule in _rules(contract):
        if any(fnmatchcase(model, name) for name in rule["models"]) and action in rule.get(
            "actions", (action,)
        ):
            facts |= {name: value for name, value in rule.items() if name not in ("models", "actions")}
    for name in ("ceiling", "least_input"):
        if name in facts:
            facts[name] = Decimal(str(facts[name]))
    for name in ("one_rate", "result_seconds"):
        if name in facts:
            facts[name] = tuple(facts[name])
    return Billing(**facts)


@cache
def _rules(contract: str) -> tuple[Mapping[str, Any], ...]:
    try:
        text = (FOLDER / contract / _FILE).read_text(encoding="utf-8")
    except OSError:  # a contract that tells no prices
        return ()
    return tuple(tomllib.loads(text)["rules"])
