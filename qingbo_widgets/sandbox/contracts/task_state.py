"""``TaskState``: a task at one moment, from which a contract makes its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TaskState:
    """A task at one moment. Times are Unix seconds.

    Attributes:
        task_id: the service's id of the task.
        body: the submit body.
        status: one of the service's five statuses.
        percent: the progress, 0 to 100; below 100 unless the task is completed.
        frozen: the price in quota, as frozen by the submit.
        charged: the quota that it has frozen or, once it has ended, has cost.
        now: the moment.
        created: the time of the submit.
        started: the time at which the task left the queue, or ``None`` if it has not.
        ended: the time at which the task ended, or ``None`` if it has not.
        expires: the time at which the video's link expires.
        video_url: the URL of the video; empty unless the task is completed.
        url: the URL of the task.
        error_code: the code of the failure; empty unless the task has failed.
        error_message: its message.
    """

    task_id: str
    body: Mapping[str, Any]
    status: str
    percent: int
    frozen: int
    charged: int
    now: float
    created: float
    started: float | None
    ended: float | None
    expires: float
    video_url: str
    url: str
    error_code: str = ""
    error_message: str = ""
