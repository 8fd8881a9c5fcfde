"""``TaskState``: the traits of a task."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self

from traitlets import Bool, Float, Instance, Int, Tuple, Unicode

from ..exceptions import QingboError
from ..service.contract.models import DEFAULT_CONTRACT
from ..service.contract.snapshot import TaskStatus
from .observers import ObservedTraits

__all__ = ["NextTry", "TaskState"]


class NextTry(NamedTuple):
    """The wait for the next status request after one that failed.

    Attributes:
        reason: the message, without the time of the next request.
        at: the time of the next request, UTC.
        is_away: whether the service cannot be reached or answers with errors, so that the user may ask for a
            try at once; a service that asks to wait is not hurried.
        since: the monotonic time of the first request that failed; no progress is predicted after it.
    """

    reason: str
    at: datetime
    is_away: bool
    since: float

    @classmethod
    def after(cls, seconds: float, reason: str, *, is_away: bool, since: float | None = None) -> Self:
        """Return the wait that begins now, after a first failure by default."""
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        return cls(reason, at, is_away, time.monotonic() if since is None else since)


class TaskState(ObservedTraits):
    """The state of a task as traits, which only ``set_traits`` changes.

    Attributes:
        contract: the date of the service's contract under which the task was created.
        end_seen_at: when this kernel saw the task end, UTC; ``None`` if it did not.
    """

    contract: str = DEFAULT_CONTRACT
    end_seen_at: datetime | None = None

    task_id = Unicode("", read_only=True, help="The service's id, empty until it has answered.")
    model = Unicode("", read_only=True, help="The model's name.")
    status = Instance(TaskStatus, read_only=True, help="The state of the task.")
    progress = Int(
        0, min=0, max=100, read_only=True, help="Percent as reported by the service; never decreases."
    )
    created_at = Instance(datetime, allow_none=True, read_only=True, help="When the service created it, UTC.")
    completed_at = Instance(datetime, allow_none=True, read_only=True, help="When it ended, UTC.")
    video_urls: tuple[str, ...] = Tuple(  # type: ignore[assignment]  # traitlets cannot type the members
        read_only=True, help="URLs of the finished video; they expire."
    )
    expires_at = Instance(datetime, allow_none=True, read_only=True, help="When the first URL expires, UTC.")
    video_path = Instance(Path, allow_none=True, read_only=True, help="The saved video, once saved.")
    other_video_paths: tuple[Path, ...] = Tuple(  # type: ignore[assignment]
        read_only=True, help="The other videos of a task that has several, once saved beside the first."
    )
    saves_others = Bool(False, read_only=True, help="Whether other videos of a saved task are being saved.")
    download: float | None = Float(  # type: ignore[assignment]  # traitlets types it as an int
        None, allow_none=True, read_only=True, help="0..1 while the video is being saved, else None."
    )
    error = Instance(
        QingboError, allow_none=True, read_only=True, help="The error that wait() raises, if any."
    )
    eta: float | None = Float(  # type: ignore[assignment]  # traitlets types it as an int
        None, allow_none=True, read_only=True, help="Estimated seconds that remain."
    )
    cost: int | None = Int(  # type: ignore[assignment]  # traitlets types it without None
        None, allow_none=True, read_only=True, help="The settled cost in quota, once the service reports it."
    )
    frozen: int | None = Int(  # type: ignore[assignment]
        None,
        allow_none=True,
        read_only=True,
        help="The quota that the service has reserved for it, if known.",
    )
    billing_status = Unicode("", read_only=True, help="The state of its billing at the service, if known.")
    message = Unicode("", read_only=True, help="A note on the current step, often empty.")
    next_try = Instance(
        NextTry, allow_none=True, read_only=True, help="The wait that the message is about, if it is."
    )

    def set_traits(self, **changes: Any) -> None:
        """Set traits together, so that observers see all changes at once. For the task's follower."""
        if "message" in changes:
            changes.setdefault("next_try", None)
        status = changes.get("status")
        if status is not None and self.trait_has_value("status"):  # in the constructor it has none yet
            if not status.is_ended:
                self.end_seen_at = None
            elif not self.status.is_ended:
                self.end_seen_at = datetime.now(UTC)
        with self.hold_trait_notifications():
            for name, value in changes.items():
                self.set_trait(name, value)
