"""``Worth``: the amount that videos have cost for a second, and for each one that is worth keeping."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ..i18n import N_
from ..service.contract.quota import PENDING, REFUNDED, dollars, quota_text
from ..service.contract.snapshot import TaskStatus
from ..service.contract.terms import terms_of

__all__ = ["A_SECOND", "KEPT", "Video", "Worth", "average", "settled", "worth_of", "worth_of_sums"]

#: The lowest rating, of 0 to 5, of a video that is worth keeping.
KEPT = 4
A_SECOND = N_("{amount} a second")
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Video:
    """One task, as far as it matters for what it was worth.

    Attributes:
        quota: what it has cost, in the service's units; ``None`` if that is not known.
        seconds: the length of its video; ``None`` if there is no video, or its length is not known.
        rating: its rating, 0 to 5; ``None`` if it is not rated.
    """

    quota: int | None
    seconds: float | None
    rating: int | None = None


@dataclass(frozen=True)
class Worth:
    """The cost of some tasks of one contract, compared with what came out.

    Attributes:
        contract: the date of their contract, whose units the amounts are in.
        tasks: the number of tasks.
        quota: what they have cost together; ``None`` if none has a known cost.
        kept: the number of videos that are rated 4 or 5.
        per_second: the cost of a second of the videos with a known length and a cost above 0; or ``None``.
        per_kept: the cost of all tasks for each kept video; ``None`` if none is kept.
    """

    contract: str
    tasks: int
    quota: int | None
    kept: int
    per_second: int | None
    per_kept: int | None

    def text(self, quota: int | None) -> str:
        """Return one of the amounts as text; empty if it is not known."""
        return "" if quota is None else quota_text(quota, self.contract)

    def average_text(self, quota: int | None) -> str:
        """Return the cost of a second or of a kept video as text, rounded as by ``average``."""
        rate = terms_of(self.contract).quota_per_dollar
        return average(Decimal(quota) / rate) if quota is not None and rate else self.text(quota)


def settled(cost: int | None, status: str, billing: str) -> int | None:
    """Return what a task has cost so far, as ``ledger.SETTLED`` counts it; ``None`` if that is not known.

    Args:
        cost: the cost that the service reports, in its units.
        status: the status of the task.
        billing: the state of its billing.
    """
    state, is_without_video = billing.lower(), status in (TaskStatus.failed, TaskStatus.cancelled)
    if state == REFUNDED:
        return 0
    if is_without_video and not state:
        return cost or 0  # refunded, if no cost is reported
    return None if is_without_video and state in PENDING else cost


def worth_of(videos: Iterable[Video], contract: str) -> Worth:
    """Return what tasks have cost, compared with what came out.

    Args:
        videos: the tasks.
        contract: the date of their contract.
    """
    every = list(videos)
    costs = [video.quota for video in every if video.quota is not None]
    timed = [(video.quota, video.seconds) for video in every if video.quota and video.seconds]
    kept = sum(video.rating is not None and video.rating >= KEPT for video in every)
    paid, seconds = sum(cost for cost, _ in timed), sum(length for _, length in timed)
    return worth_of_sums(contract, len(every), sum(costs) if costs else None, kept, paid, seconds)


def worth_of_sums(
    contract: str, tasks: int, quota: int | None, kept: int, paid: int, seconds: float
) -> Worth:
    """Return what tasks have cost, compared with what came out.

    Args:
        contract: the date of their contract.
        tasks: the number of tasks.
        quota: what they have cost together; ``None`` if that is not known.
        kept: the number of videos that are rated 4 or 5.
        paid: the cost of the videos whose cost and length are known.
        seconds: the length of those videos.
    """
    per_second = round(paid / seconds) if seconds else None
    return Worth(contract, tasks, quota, kept, per_second, round(quota / kept) if quota and kept else None)


def average(usd: Decimal) -> str:
    """Return an average amount in US dollars as text: cents, or three digits of a smaller one."""
    return dollars(usd.quantize(_CENT) if usd >= 1 else Decimal(f"{usd:.3g}"))
