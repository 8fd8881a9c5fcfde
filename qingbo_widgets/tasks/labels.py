"""The name and the status of a task in messages to the user."""

from __future__ import annotations

from typing import Protocol

from ..service.contract.snapshot import TaskStatus
from ..service.contract.status_names import status_name

__all__ = ["Labelled", "labels_of"]


class Labelled(Protocol):
    """A task that messages can name."""

    @property
    def key(self) -> str:
        """The idempotency key."""

    task_id: str
    status: TaskStatus


def labels_of(task: Labelled) -> dict[str, str]:
    """Return the fields ``task`` and ``status`` of a message: the id, or else the start of the key."""
    return {"task": task.task_id or task.key[:8], "status": status_name(task.status)}
