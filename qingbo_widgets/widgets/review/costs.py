"""Texts on what videos have cost, and what they were worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...i18n import N_, tr
from ...library.lengths import seconds_of
from ...library.worth import A_SECOND, Video, Worth, settled, worth_of
from ...service.contract.snapshot import TaskStatus
from ...tasks.sweep.labels import SEPARATOR
from ..base.settings import cost_text

if TYPE_CHECKING:
    from ...library.entry import Entry

__all__ = ["KEPT_HELP", "cost_texts", "second_text", "video_of", "worth_text"]

KEPT_HELP = N_("Kept: rated 4 or 5.")
_VIDEOS = N_("{number:,} videos")
_KEPT = N_("{number:,} kept: {amount} each")
_FREE = N_("not charged")


def cost_texts(entry: Entry) -> tuple[str, ...]:
    """Return what a task has cost, and the cost of a second of its video, as far as these are known."""
    if entry.cost is None:
        return ()
    cost = cost_text(entry.cost, entry.contract, entry.service)
    second = second_text(worth_of([video_of(entry)], entry.contract))
    return (cost, second) if second else (cost,)


def second_text(worth: Worth) -> str:
    """Return the cost of a second; empty if it is not known."""
    if worth.per_second is None:
        return ""
    return tr(A_SECOND).format(amount=worth.average_text(worth.per_second))


def video_of(entry: Entry, rating: int | None = None) -> Video:
    """Return what is known of a task's cost, length and rating."""
    is_completed = entry.status == TaskStatus.completed.value
    cost = settled(entry.cost, entry.status, entry.billing_status)
    return Video(cost, seconds_of(entry) if is_completed and cost else None, rating if is_completed else None)


def worth_text(worths: Sequence[tuple[Worth, bool]]) -> str:
    """Return sums of ``worths`` in one line; empty without any."""
    return "; ".join(_worth_text(worth, is_play) for worth, is_play in worths)


def _worth_text(worth: Worth, is_play: bool) -> str:
    parts = [tr(_VIDEOS).format(number=worth.tasks), worth.text(worth.quota), second_text(worth)]
    if worth.per_kept is not None:
        amount = worth.average_text(worth.per_kept)
        parts.append(tr(_KEPT).format(number=worth.kept, amount=amount))
    return SEPARATOR.join(filter(None, [*parts, tr(_FREE) if is_play else ""]))
