"""``TaskSnapshot``: what the service said of a task at one moment. Frozen; the next one replaces it whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

__all__ = ["ServiceFailure", "TaskSnapshot", "TaskStatus", "Video"]

_LONGEST_WORD = 64


class TaskStatus(StrEnum):
    """Where a task stands. ``submitting`` and ``unconfirmed`` are ours, the others are the service's words.

    A word that the service invents later becomes a status of its own, which is shown and not an end.
    """

    submitting = "submitting"
    unconfirmed = "unconfirmed"
    queued = "queued"
    processing = "processing"
    completed = "completed"
    failed = "failed"
    cancelled = "cancelled"

    @classmethod
    def _missing_(cls, value: object) -> TaskStatus | None:
        if not isinstance(value, str):
            return None
        word = "".join(character for character in value if character.isprintable()).strip()[:_LONGEST_WORD]
        known = cls.__members__.get(word.lower())
        if known is not None or not word:
            return known
        unknown = str.__new__(cls, word)
        unknown._name_ = unknown._value_ = word
        return unknown

    @property
    def is_ended(self) -> bool:
        """Whether the service will do nothing more: completed, failed or cancelled."""
        return self in _ENDED


_ENDED = frozenset({TaskStatus.completed, TaskStatus.failed, TaskStatus.cancelled})


@dataclass(frozen=True)
class Video:
    """A finished video at the service.

    Attributes:
        url: an http(s) link.
        expires_at: when the link ends (aware, UTC); the documentation promises 24 hours.
    """

    url: str
    expires_at: datetime | None = None


@dataclass(frozen=True)
class ServiceFailure:
    """Why the service ended a task without a video.

    Attributes:
        message: the service's own words.
        code: its word for the reason, ``None`` where it gave none.
    """

    message: str
    code: str | None = None


@dataclass(frozen=True)
class TaskSnapshot:
    """One answer of the service about a task.

    Attributes:
        task_id: the task's id at the service.
        model: the model that renders it; empty where the answer does not say (as that of a cancel).
        action: the kind of operation; empty where the answer does not say.
        status: where it stands.
        progress: percent, 0 to 100.
        created_at: when it was submitted (aware, UTC).
        started_at: when rendering began (aware, UTC).
        completed_at: when it ended (aware, UTC).
        videos: what it made.
        error: why it failed.
        cost: what it cost, in the service's quota units, where the answer says so.
        raw: the service's answer as it came.
    """

    task_id: str
    model: str = ""
    action: str = ""
    status: TaskStatus = TaskStatus.queued
    progress: int = 0
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    videos: tuple[Video, ...] = ()
    error: ServiceFailure | None = None
    cost: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
