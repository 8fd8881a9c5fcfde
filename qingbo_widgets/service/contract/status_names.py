"""The names of the statuses of a task, for the user: the same ones in cards, sweeps, galleries and errors."""

from __future__ import annotations

from collections.abc import Mapping

from ...i18n import N_, tr
from .snapshot import TaskStatus

__all__ = ["status_label", "status_name"]

_LABELS: Mapping[str, str] = {
    TaskStatus.submitting: N_("Submitting"),
    TaskStatus.unconfirmed: N_("Not confirmed"),
    TaskStatus.queued: N_("Queued"),
    TaskStatus.processing: N_("Generating"),
    TaskStatus.completed: N_("Finished"),
    TaskStatus.failed: N_("Failed"),
    TaskStatus.cancelled: N_("Cancelled"),
}


def status_label(status: str) -> str:
    """Return the translated name of a status; a status unknown to this version is returned unchanged."""
    label = _LABELS.get(status)
    return str(status) if label is None else tr(label)


def status_name(status: str) -> str:
    """Return the name of a status as a part of a sentence."""
    return status_label(status).lower() if status in _LABELS else str(status)
