"""The text about money in the head of a studio: what is left, whether that is enough, what was refused.

What is left is little if it does not pay for the request in the form, at the price that is shown beside
Generate, or if it is nothing; no other amount would be right for every model. Amounts that running tasks have
reserved are not subtracted: the service counts them as used already, or it does not say.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal, localcontext
from typing import TYPE_CHECKING

from ...exceptions import InsufficientBalance, RateLimited
from ...i18n import N_, tr
from ...service.contract.pricing.numbers import EXACT
from ...service.contract.quota import dollars
from ...service.contract.terms import DASHBOARD, KEYS_PAGE
from ...system.times import local_time
from ..base import html as markup
from ..base.html import Markup

if TYPE_CHECKING:
    from ...exceptions import ServiceError
    from ...service.contract.pricing.answers import Balance
    from ...service.contract.pricing.price import Price
    from ...tasks.balances import Balances

__all__ = ["money_line"]

_PLAY_MONEY = N_("{left} (play money)")
_AS_OF = N_("{left} at {when}.")
_USED = N_("{left} at {when}; {used} of {granted} used.")
_CENT = Decimal("0.01")
_TOO_LITTLE = N_("Less than this video costs.")
_TOO_LITTLE_FOR_ALL = N_("Less than these videos cost.")
_MAY_BE_TOO_LITTLE = N_("This may cost more than is left.")
_NOTHING = N_("Nothing is left.")
_REFUSED = N_("The last task was refused: not enough money.")
_REFUSED_WITH_MONEY = N_(
    "The last task was refused for lack of money: the key may have used up its own quota."
)
_WINDOW = N_("The spending limit is reached until {when}.")
_OPEN_WINDOW = N_("The spending limit is reached.")
_FORBIDDEN = N_("The last task was refused to this key: it may have used up its own quota.")
_TOP_UP, _KEYS, _DASHBOARD = N_("Top up"), N_("Keys"), N_("Dashboard")


def money_line(
    balances: Balances, price: Price | None, count: int, *, is_sandbox: bool, now: datetime | None = None
) -> Markup:
    """Return what is left, and a hint if that is not enough; empty if nothing is known.

    Args:
        balances: the balance of the studio's manager.
        price: the price of the request in the form, if it is known.
        count: how often Generate submits the request.
        is_sandbox: whether the money is that of the sandbox.
        now: the present time, by default.
    """
    balance, refusal = balances.latest, balances.refusal
    parts = [] if balance is None else [_amount(balance, balances.as_of, is_sandbox=is_sandbox)]
    text, label, page = _refused(refusal, balance, price, now or datetime.now(UTC))
    if not text and balance is not None:
        text, label, page = _too_little(balance, price, count), _TOP_UP, DASHBOARD
    if text:
        hint = [markup.text(text)]
        if not is_sandbox:
            hint += [Markup(" "), _link(tr(label), page)]
        parts.append(markup.tag("span", *hint, class_="qingbo-low"))
    return markup.join(parts, " ")


def _amount(balance: Balance, as_of: datetime, *, is_sandbox: bool) -> Markup:
    """Return the amount in whole cents, rounded down, with the exact one in the tooltip."""
    with localcontext(EXACT):
        cents = balance.available.quantize(_CENT, rounding=ROUND_FLOOR)
    left = str(replace(balance, available=cents))
    text = tr(_PLAY_MONEY).format(left=left) if is_sandbox else left
    title = _details(balance, as_of)
    return markup.tag("span", markup.text(text), class_="qingbo-balance", title=title)


def _details(balance: Balance, as_of: datetime) -> str:
    when = local_time(as_of)
    if balance.used is None or balance.granted is None:
        return tr(_AS_OF).format(left=balance, when=when)
    used, granted = dollars(balance.used), dollars(balance.granted)
    return tr(_USED).format(left=balance, when=when, used=used, granted=granted)


def _refused(
    refusal: ServiceError | None, balance: Balance | None, price: Price | None, now: datetime
) -> tuple[str, str, str]:
    """Return the text about a refused submission, the label of a link and its page; else empty texts."""
    if refusal is None:
        return "", "", ""
    if isinstance(refusal, RateLimited):
        if refusal.reset_at is None:
            return tr(_OPEN_WINDOW), _DASHBOARD, DASHBOARD
        if refusal.reset_at <= now:
            return "", "", ""
        return tr(_WINDOW).format(when=local_time(refusal.reset_at)), _DASHBOARD, DASHBOARD
    if not isinstance(refusal, InsufficientBalance):
        return tr(_FORBIDDEN), _KEYS, KEYS_PAGE
    if balance is None or _is_too_little(balance, price):
        return tr(_REFUSED), _TOP_UP, DASHBOARD
    return tr(_REFUSED_WITH_MONEY), _KEYS, KEYS_PAGE


def _too_little(balance: Balance, price: Price | None, count: int) -> str:
    """Return the hint that not enough is left; empty if it is enough, or the price is not known."""
    if balance.available <= 0:
        return tr(_NOTHING)
    price = None if price is None else price.times(count)
    if price is None or not _is_too_little(balance, price):
        return ""
    if not price.is_exact:
        return tr(_MAY_BE_TOO_LITTLE)
    return tr(_TOO_LITTLE if count == 1 else _TOO_LITTLE_FOR_ALL)


def _is_too_little(balance: Balance, price: Price | None) -> bool:
    is_less = price is not None and price.usd is not None and balance.available < price.usd
    return balance.available <= 0 or is_less


def _link(label: str, page: str) -> Markup:
    return markup.tag("a", markup.text(label), href=page, target="_blank", rel="noopener noreferrer")
