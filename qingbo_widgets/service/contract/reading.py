"""``read_snapshot``: the state of a task in a response, in every form that services and gateways use.

Requests are written strictly, one contract at a time. Responses are read leniently: the documentation shows
several forms of the same field (links as text or as a list, times in seconds or in milliseconds, the progress
as a number or as ``"45%"``), and a gateway may answer in the form of the service behind it. The documented
place of a field comes first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...i18n import tr
from .envelope import find_task, first_of, layers_of, status_word
from .reasons import described_failure, reported_failure
from .results import Results, results_in, without_data
from .snapshot import ServiceFailure, TaskSnapshot, TaskStatus
from .statuses import status_of
from .text import plain_line
from .times import read_number, read_time
from .urls import without_queries

__all__ = ["read_snapshot"]

#: A message with a code in front: ``[task_failed] upstream refused``.
_PREFIXED = re.compile(r"\[(?P<code>[a-z][a-z0-9_]{1,63})\]\s*(?P<rest>.*)")
_LONGEST_TEXT = 1000
#: The limit of a database integer.
_LARGEST_QUOTA = 2**63


def read_snapshot(body: object, asked: str = "") -> TaskSnapshot:
    """Return the snapshot in the response to a submit, status or cancel.

    Args:
        body: the response.
        asked: the id of the task that the request was about; a response without an id is about that task if
            it has the status of one.

    Raises:
        ValueError: the response cannot be about a task, because it has no usable id.
    """
    if not isinstance(body, Mapping):
        raise ValueError(tr("the response is not a JSON object"))
    if (found := find_task(body, asked)) is None:
        raise ValueError(tr("the response has no usable task_id"))
    task_id, task = found
    layers = layers_of(task)
    progress = _percent(first_of(layers, "progress"))
    completed_at = read_time(first_of(layers, "completed_at", "finish_time", "finished_at"))
    results, error = _results(task, body, task_id), _failure(reported_failure(*layers))
    word = status_word(layers)
    status = status_of(
        word,
        is_dated=completed_at is not None,
        is_full=progress == 100,
        has_videos=bool(results.videos),
        has_error=error is not None,
    )
    if status is TaskStatus.failed and error is None:
        error = _failure(described_failure(*layers))
    refunded = first_of(layers, "refunded")
    return TaskSnapshot(
        task_id=task_id,
        model=_text(first_of(layers, "model")),
        action=_text(first_of(layers, "action")),
        status=status,
        progress=(100 if status is TaskStatus.completed else 0) if progress is None else progress,
        created_at=read_time(first_of(layers, "created_at", "submit_time")),
        started_at=read_time(first_of(layers, "start_time", "started_at")),
        completed_at=completed_at,
        videos=results.videos,
        video_count=results.number,
        error=error,
        cost=_quota(first_of(layers, "cost")),
        frozen=_quota(first_of(layers, "pre_consumed_cost")),
        billing_status=_text(first_of(layers, "billing_status")),
        refunded=refunded if isinstance(refunded, bool) else None,
        word=_text(word),
        unusable_link=results.unusable,
        raw=without_data(body) if any(video.content for video in results.videos) else body,
    )


def _results(task: Mapping[str, Any], body: Mapping[str, Any], task_id: str) -> Results:
    """Return the results in the object of the task, or else in the response around it."""
    own = results_in(task, task_id)
    around = results_in(body, task_id, task) if not own.videos and body is not task else Results()
    return own if own.videos else around._replace(unusable=own.unusable or around.unusable)


def _text(value: object) -> str:
    return plain_line(value[:_LONGEST_TEXT]) if isinstance(value, str) else ""


def _percent(value: object) -> int | None:
    number = read_number(value)
    return None if number is None else int(min(100, max(0, number)))


def _quota(value: object) -> int | None:
    number = read_number(value)
    is_quota = number is not None and 0 <= number < _LARGEST_QUOTA and number.is_integer()
    return int(number) if number is not None and is_quota else None  # a fraction is an amount of money


def _failure(fields: Mapping[str, Any] | None) -> ServiceFailure | None:
    if fields is None:
        return None
    message, code = without_queries(_text(fields.get("message"))), fields.get("code")
    code = _text(str(code)) if isinstance(code, (str, int)) else ""
    # The service may repeat the code in front of the message, or give it only there.
    if (prefixed := _PREFIXED.fullmatch(message)) is not None and code in ("", prefixed["code"]):
        code, message = prefixed["code"], prefixed["rest"]
    return ServiceFailure(message or code, code or None) if message or code else None
