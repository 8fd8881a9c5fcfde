"""``Terms``: the facts of a contract besides its models, such as its hosts and the lifetime of its links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from urllib.parse import urlsplit

from .models import DEFAULT_CONTRACT

__all__ = ["DASHBOARD", "KEYS_PAGE", "RATES", "TERMS", "Terms", "contract_at", "terms_of"]

#: The service's web pages for users. The documentation names no page of them for topping up.
DASHBOARD = "https://wave.qingbo.ai"
#: The page on which keys are made, for every contract: an account has one kind of key.
KEYS_PAGE = f"{DASHBOARD}/dashboard/keys"


@dataclass(frozen=True)
class Terms:
    """The facts of one contract besides its models.

    Attributes:
        hosts: the hosts at which the service offers the contract; a base URL with one implies the contract.
        link_lifetime: the time for which a finished video can be downloaded.
        remembers_keys: the time for which an idempotency key returns the task that it created; ``None`` if
            the contract does not document the header.
        longest_wait: the maximum of ``Prefer: wait`` in seconds; 0 if the contract does not document it.
        quota_per_dollar: the units of quota that cost 1 USD; 0 if the contract does not state it.
        refunds_failed: whether the documentation promises a refund of failed tasks. Both contracts promise
            that of cancelled ones.
    """

    hosts: tuple[str, ...]
    link_lifetime: timedelta
    remembers_keys: timedelta | None = None
    longest_wait: int = 0
    quota_per_dollar: int = 0
    refunds_failed: bool = False


TERMS: Mapping[str, Terms] = MappingProxyType(
    {
        # The documentation named both hosts until September 2026.
        "2026-04": Terms(hosts=("qingbo.dev", "www.qingbo.dev"), link_lifetime=timedelta(hours=24)),
        "2026-11": Terms(
            hosts=("api.qingbo.ai",),
            link_lifetime=timedelta(days=7),
            remembers_keys=timedelta(hours=24),
            longest_wait=60,
            quota_per_dollar=500_000,
            refunds_failed=True,
        ),
    }
)
"""The terms of every contract, by its date."""

RATES: Mapping[str, int] = MappingProxyType(
    {name: terms.quota_per_dollar for name, terms in TERMS.items() if terms.quota_per_dollar}
)
"""The units of quota in 1 USD, of each contract that states them."""


def terms_of(contract: str) -> Terms:
    """Return the terms of a contract; those of the first one for a contract unknown to this version."""
    return TERMS.get(contract, TERMS[DEFAULT_CONTRACT])


def contract_at(base_url: str) -> str | None:
    """Return the date of the contract that the service offers at an address; ``None`` if it is not known."""
    try:
        host = (urlsplit(base_url).hostname or "").removesuffix(".")
    except ValueError:
        return None
    return next((name for name, terms in TERMS.items() if host in terms.hosts), None)
