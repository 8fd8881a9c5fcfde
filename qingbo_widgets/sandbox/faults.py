"""Simulated faults of the service, for tests, and for lessons on the errors that a client must handle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ..i18n import tr


@dataclass(frozen=True)
class Faults:
    """The faults of a sandbox; none by default.

    ``Sandbox(faults=Faults(rate_limit_every=3))`` from the start, or
    ``sandbox.faults = Faults(no_balance=True)`` in the middle of a lesson. Requests for video files are never
    affected.

    Attributes:
        fail: tasks end ``failed`` with this error code, for example ``upstream_unavailable``; empty for none.
        fail_prompt: only tasks whose prompt contains this text fail; empty for all of them.
        no_balance: submitting is answered with 402: the account is empty.
        rate_limit_every: every n-th request is answered with 429; 0 for none.
        retry_after: seconds in the ``Retry-After`` of a 429; 0 for none, as contract 2026-11 documents it.
        server_error_every: every n-th request is answered with 500, and is not carried out; 0 for none.
        html_every: every n-th request *is* carried out, but a gateway answers with 502 and an HTML page: the
            case in which a client must not submit again by itself; 0 for none.
        latency: seconds by which every answer is delayed.
        quota_window: seconds, from now, until the spending window ends; until then submitting is answered
            with 429 and ``quota_window_exceeded``, which contract 2026-11 documents; 0 for none.
        price_missing: submitting is answered with 500 and ``price_not_configured``, which contract 2026-11
            documents: no model has a price. Quotes and estimates are refused likewise.
        settles_at: the share of the frozen amount that a completed task costs, 0 to 1; the balance gets the
            rest back. It applies to the tasks that are submitted from then on.
    """

    fail: str = ""
    fail_prompt: str = ""
    no_balance: bool = False
    rate_limit_every: int = 0
    retry_after: int = 1
    server_error_every: int = 0
    html_every: int = 0
    latency: float = 0.0
    quota_window: float = 0.0
    price_missing: bool = False
    settles_at: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.settles_at <= 1:
            raise ValueError(tr("settles_at must be a number from 0 to 1"))

    def settled(self, frozen: int) -> int:
        """Return the charge for a completed task that has frozen this quota, truncated."""
        return int(frozen * Decimal(str(self.settles_at)))

    def fails(self, prompts: Iterable[str]) -> bool:
        """Return whether a task with these prompts should fail."""
        return bool(self.fail) and any(self.fail_prompt in prompt for prompt in prompts)


def falls_on(every: int, count: int) -> bool:
    """Return whether ``count``, the number of a request from 1, is a multiple of ``every``."""
    return every > 0 and count % every == 0
