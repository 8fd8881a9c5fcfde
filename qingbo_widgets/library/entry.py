"""``Entry``: one row of the journal, one task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..exceptions import QingboError
from ..service.contract.models import DEFAULT_CONTRACT
from ..service.contract.snapshot import TaskStatus
from .untrusted import fields_of_request

__all__ = ["ENDED", "Entry", "IdTaken", "prompt_in"]

#: The statuses of an ended task, as the journal stores them.
ENDED = tuple(status.value for status in TaskStatus if status.is_ended)


@dataclass(frozen=True)
class Entry:
    """One row of the journal: one task.

    Attributes:
        key: the task's idempotency key, generated locally and unique in the library.
        service: the base URL the task was submitted to; ``sandbox`` for the sandbox.
        task_id: the service's id; empty until it is known.
        model: the model's name.
        request: the request's fields that differ from the defaults; ``None`` if unknown.
        status: a ``TaskStatus``, or the service's own status if this version does not know it.
        progress: percent, 0..100.
        submitted_at: when Generate was pressed, UTC.
        created_at: when the service created the task, UTC.
        completed_at: when the task ended, UTC.
        file: the file name of the saved video in the folder; ``None`` until it is saved.
        error: ``{"type", "message", "facts"}`` of the error that the task ended with.
        cost: the settled cost that the service reports, in quota.
        contract: the date of the service's contract that the task was submitted under.
        frozen: the quota that the service reserved for the task, if it reports that.
        billing_status: the state of its billing at the service; empty if the service does not report it.
        first_submitted_at: when it was first submitted, UTC, if it was submitted again before the service
            confirmed it.
    """

    key: str
    service: str
    task_id: str = ""
    model: str = ""
    request: Mapping[str, Any] | None = field(default=None, hash=False)
    status: str = TaskStatus.submitting.value
    progress: int = 0
    submitted_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    created_at: datetime | None = None
    completed_at: datetime | None = None
    file: str | None = None
    error: Mapping[str, Any] | None = field(default=None, hash=False)
    cost: int | None = None
    contract: str = DEFAULT_CONTRACT
    frozen: int | None = None
    billing_status: str = ""
    first_submitted_at: datetime | None = None

    def __post_init__(self) -> None:
        # A journal may come from anywhere, and one malformed request must not hide all tasks.
        if self.request is not None:
            object.__setattr__(self, "request", fields_of_request(self.request))

    @property
    def prompt(self) -> str:
        """The prompt; in multi-shot mode the shots' prompts, one per line."""
        return prompt_in(self.request)


def prompt_in(request: Mapping[str, Any] | None) -> str:
    """Return the prompt in a request's fields; in multi-shot mode the shots' prompts, one per line."""
    fields = request or {}
    return str(fields.get("prompt", "")) or "\n".join(shot["prompt"] for shot in fields.get("shots", ()))


class IdTaken(QingboError):
    """The error for a service id that already belongs to another task of the library."""
