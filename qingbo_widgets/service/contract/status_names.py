"""The names of the statuses of a task, for the user."""

from __future__ import annotations

from collections.abc import Mapping

from ...i18n import N_, tr
from .snapshot import TaskStatus

__all__ = ["status_name"]

_NAMES: Mapping[str, str] = {
    TaskStatus.submitting: N_("submitting"),
    TaskStatus.unconfirmed: N_("unconfirmed"),
    TaskStatus.queued: N_("queued"),
    TaskStatus.processing: N_("processing"),
    TaskStatus.completed: N_("completed"),
    TaskStatus.failed: N_("failed"),
    TaskStatus.cancelled: N_("cancelled"),
}


def status_name(status: str) -> str:
    """Return the translated name of a status; a status unknown to this version is returned unchanged."""
    name = _NAMES.get(status)
    return str(status) if name is None else tr(name)
