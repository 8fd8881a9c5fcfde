"""``read_snapshot``: the state of a task in a response, in every form that the service documents.

Requests are written strictly, one contract at a time. Responses are read leniently, because the documentation
shows several forms of the same field: links as text or as a list, times in seconds or in milliseconds, the
progress as a number or as ``"45%"``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ...i18n import tr
from .snapshot import ServiceFailure, TaskSnapshot, TaskStatus, Video
from .statuses import status_of
from .text import plain_line
from .urls import web_link

__all__ = ["read_snapshot", "read_time"]

#: The largest time in seconds (the year 5138); a larger number is in milliseconds (from March 1973).
_LATEST_SECOND = 1e11
_FIRST_YEAR, _END_YEAR = 1971, 3000
_PICTURES = (".gif", ".jpeg", ".jpg", ".png", ".webp")
#: A message with a code in front: ``[task_failed] upstream refused``.
_PREFIXED = re.compile(r"\[(?P<code>[a-z][a-z0-9_]{1,63})\]\s*(?P<rest>.*)")
_LONGEST_ID = 256
_LONGEST_TEXT = 1000
#: The limit of a database integer.
_LARGEST_QUOTA = 2**63


def read_snapshot(body: object) -> TaskSnapshot:
    """Return the snapshot in the response to a submit, status or cancel.

    Raises:
        ValueError: the response cannot be about a task, because it has no usable ``task_id``.
    """
    if not isinstance(body, Mapping):
        raise ValueError(tr("the answer is not a JSON object"))
    task_id = body.get("task_id")
    if not isinstance(task_id, str) or not task_id.isprintable() or not 0 < len(task_id) <= _LONGEST_ID:
        raise ValueError(tr("the answer has no usable task_id"))
    progress, completed_at = _percent(body.get("progress")), read_time(body.get("completed_at"))
    videos, error = _videos(body.get("result")), _failure(body.get("error"))
    status = status_of(
        body.get("status"),
        is_dated=completed_at is not None,
        is_full=progress == 100,
        has_videos=bool(videos),
        has_error=error is not None,
    )
    return TaskSnapshot(
        task_id=task_id,
        model=_text(body.get("model")),
        action=_text(body.get("action")),
        status=status,
        progress=(100 if status is TaskStatus.completed else 0) if progress is None else progress,
        created_at=read_time(body.get("created_at")),
        started_at=read_time(body.get("start_time")),
        completed_at=completed_at,
        videos=videos,
        error=error,
        cost=_quota(body.get("cost")),
        frozen=_quota(body.get("pre_consumed_cost")),
        billing_status=_text(body.get("billing_status")),
        raw=body,
    )


def _text(value: object) -> str:
    return plain_line(value[:_LONGEST_TEXT]) if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    """Return a finite number, also from text such as ``"45%"``; ``None`` for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value.strip().removesuffix("%") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _percent(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(min(100, max(0, number)))


def _quota(value: object) -> int | None:
    number = _number(value)
    return None if number is None or not 0 <= number < _LARGEST_QUOTA else int(number)


def read_time(value: object) -> datetime | None:
    """Return a time given in seconds, in milliseconds or as ISO 8601 text; ``None`` for anything else."""
    number = _number(value)
    try:
        if number is not None:
            seconds = number / 1000 if number > _LATEST_SECOND else number
            return _plausible(datetime.fromtimestamp(seconds, UTC))
        if isinstance(value, str):
            time = datetime.fromisoformat(value.strip())
            return _plausible(time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC))
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _plausible(time: datetime) -> datetime | None:
    """Return the time; ``None`` if no task can have it: Go writes a missing time as year 1.

    Such a time could not be shown either: outside these years, Windows cannot convert to local time.
    """
    return time if _FIRST_YEAR <= time.year < _END_YEAR else None


def _videos(result: object) -> tuple[Video, ...]:
    entries = result.get("videos") if isinstance(result, Mapping) else None
    videos = []
    for entry in entries if isinstance(entries, list) else []:
        fields = entry if isinstance(entry, Mapping) else {"url": entry}
        url = fields.get("url")
        # Drop everything except web links here, so that later code never handles a script or a path.
        videos += [
            Video(link, read_time(fields.get("expires_at")))
            for text in (url if isinstance(url, list) else [url])
            if (link := web_link(text)) is not None
        ]
    # Pictures beside the video are no videos: the last frame, or a GIF, both on request. The name of the only
    # link says less: what is behind it was paid for.
    return tuple(video for video in videos if not _is_picture(video.url)) or tuple(videos)


def _is_picture(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(_PICTURES)


def _failure(error: object) -> ServiceFailure | None:
    if isinstance(error, str):
        error = {"message": error}
    if not isinstance(error, Mapping):
        return None
    message, code = _text(error.get("message")), error.get("code")
    code = _text(str(code)) if isinstance(code, (str, int)) else ""
    # The service may repeat the code in front of the message, or give it only there.
    if (prefixed := _PREFIXED.fullmatch(message)) is not None and code in ("", prefixed["code"]):
        code, message = prefixed["code"], prefixed["rest"]
    return ServiceFailure(message or code, code or None) if message or code else None
