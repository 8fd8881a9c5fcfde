"""``TaskSnapshot``: the state of a task in one response. Frozen; the next snapshot replaces it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

__all__ = ["ServiceFailure", "TaskSnapshot", "TaskStatus", "Video"]

_LONGEST_NAME = 64
_LONGEST_ERROR = 120


class TaskStatus(StrEnum):
    """The status of a task. ``submitting`` and ``unconfirmed`` are ours, the others are the service's.

    A status that the service adds later becomes a value of its own, which is shown and is not an end.
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
        name = "".join(character for character in value if character.isprintable()).strip()[:_LONGEST_NAME]
        known = cls.__members__.get(name.lower())
        if known is not None or not name:
            return known
        unknown = str.__new__(cls, name)
        unknown._name_ = unknown._value_ = name
        return unknown

    @property
    def is_ended(self) -> bool:
        """True if the service will do nothing more: completed, failed or cancelled."""
        return self in _ENDED


_ENDED = frozenset({TaskStatus.completed, TaskStatus.failed, TaskStatus.cancelled})


@dataclass(frozen=True)
class Video:
    """A finished video at the service.

    Attributes:
        url: an http(s) link; empty if the response has the video itself.
        expires_at: the time at which the link expires (aware, UTC).
        content: the video, if the response has it in place of a link.
        number: the number of the video among the different ones of the response, from 0; links with the same
            number lead to the same video.
    """

    url: str
    expires_at: datetime | None = None
    content: bytes = field(default=b"", repr=False)
    number: int = field(default=0, repr=False, compare=False)


@dataclass(frozen=True)
class ServiceFailure:
    """The reason why the service ended a task without a video.

    Attributes:
        message: the service's own error message.
        code: the service's error code, ``None`` if it sent none.
    """

    message: str
    code: str | None = None

    @property
    def text(self) -> str:
        """The message, with the code behind it."""
        return f"{self.message} ({self.code})" if self.code not in (None, self.message) else self.message


@dataclass(frozen=True)
class TaskSnapshot:
    """The state of a task in one response of the service.

    Attributes:
        task_id: the task's id at the service.
        model: the model that renders it; empty if the response lacks it (as the response to a cancel does).
        action: the kind of operation; empty if the response lacks it.
        status: its status.
        progress: percent, 0 to 100.
        created_at: the time of submission (aware, UTC).
        started_at: the time at which rendering began (aware, UTC).
        completed_at: the time at which it ended (aware, UTC).
        videos: the finished videos; several may be links to the same one.
        video_count: the number of different videos among them.
        error: the reason why it failed.
        cost: its cost in the service's quota units, once it is settled, if the response contains it.
        frozen: the quota reserved for it at submission, if the response contains it.
        billing_status: the state of its billing, such as ``settled``; empty if the response lacks it.
        refunded: whether its cost was refunded, if the response contains it.
        word: the status as the response has it, such as ``SUCCESS``; empty if it has none.
        unusable_link: text in the place of a link that is none, shortened; empty if there is none.
        raw: the response as received, without the content of videos.
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
    video_count: int = field(default=0, repr=False, compare=False)
    error: ServiceFailure | None = None
    cost: int | None = None
    frozen: int | None = None
    billing_status: str = ""
    refunded: bool | None = field(default=None, repr=False)
    word: str = field(default="", repr=False, compare=False)
    unusable_link: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __repr__(self) -> str:
        error = f": {self.error.text[:_LONGEST_ERROR]!r}" if self.error else ""
        return f"<TaskSnapshot {self.task_id} {self.status} {self.progress} %{error}>"
