"""The error codes of the service: their meaning, the next step, and whether another try helps.

From the documentation of contract 2026-11, sections "Errors" of submit, status and cancel. Its list of a
task's codes is open; an unknown code is shown with the service's own message only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ...i18n import N_, tr

__all__ = [
    "ERROR_CODES",
    "WINDOW_EXCEEDED",
    "ErrorCode",
    "explanation",
    "has_advice",
    "is_about_the_key",
    "is_refusal",
]

#: A 429 that lasts until the moment in ``reset_at``: the account's spending limit for a period is used up.
WINDOW_EXCEEDED = "quota_window_exceeded"


@dataclass(frozen=True)
class ErrorCode:
    """An error code.

    Attributes:
        meaning: one sentence.
        advice: the next step, as a sentence; empty if it follows from the kind of error.
        may_pass: True if the same request may succeed later, False if it fails again, ``None`` if the
            documentation does not say.
        is_refusal: True if it says that a submission made no task, also where the HTTP status is that of a
            fault or of a success.
    """

    meaning: str
    advice: str = ""
    may_pass: bool | None = False
    is_refusal: bool = False


ERROR_CODES: Mapping[str, ErrorCode] = MappingProxyType(
    {
        # Answers to a request.
        "capability_violation": ErrorCode(
            N_("The model does not accept this parameter, or not this value."),
            is_refusal=True,
        ),
        "model_not_found": ErrorCode(
            N_(
                "The service does not offer this model: it was renamed or switched off, or the name is wrong."
            ),
            is_refusal=True,
        ),
        "task_not_cancellable": ErrorCode(N_("The service is already making this video.")),
        "input_video_duration_unknown": ErrorCode(
            N_("The service cannot read the length of the input video, which it needs for the price."),
            N_("Use the URL of another file, such as an MP4 with its index at the start ('fast start')."),
            is_refusal=True,
        ),
        "price_not_configured": ErrorCode(
            N_("The service has no price for this model, so it created no task."),
            N_("Choose another model, or ask the service for a price."),
            is_refusal=True,
        ),
        WINDOW_EXCEEDED: ErrorCode(
            N_("The account, or its key, has reached its spending limit."), may_pass=True
        ),
        # Reasons for which a task failed.
        "upstream_unavailable": ErrorCode(
            N_("The model's provider was not available."),
            N_("A retry may succeed."),
            may_pass=True,
        ),
        "upstream_rate_limited": ErrorCode(
            N_("The model's provider had too many requests."),
            N_("A retry may succeed in a few minutes."),
            may_pass=True,
        ),
        "upstream_bad_request": ErrorCode(
            N_("The model's provider refused the request."),
            N_("The same request would fail again: change the prompt, the media or the settings."),
        ),
        "task_failed": ErrorCode(
            N_("The model did not generate this video."),
            N_("A retry may succeed, but not if the prompt or the media are the cause."),
            may_pass=None,
        ),
    }
)
"""Every code with a meaning, by its name."""


#: Codes of a refused key in an envelope with the status 200, where the service itself answers 401: those of
#: Kling (its documentation, "Error codes"), and those of common gateways.
_OF_THE_KEY = frozenset(
    {
        *("401", "1000", "1001", "1002", "1003", "1004"),
        *("authentication_error", "invalid_api_key", "invalid_token", "token_expired", "unauthorized"),
    }
)


def is_refusal(code: str | None) -> bool:
    """Return whether a documented code says that a submission made no task."""
    known = ERROR_CODES.get(code or "")
    return known is not None and known.is_refusal


def is_about_the_key(code: str | None) -> bool:
    """Return whether a code in an answer with the status 200 says that the key is refused."""
    return (code or "").lower() in _OF_THE_KEY


def explanation(code: str | None) -> tuple[str, ...]:
    """Return the sentences about a code in the current language; none for an unknown code."""
    known = ERROR_CODES.get(code or "")
    return () if known is None else tuple(tr(text) for text in (known.meaning, known.advice) if text)


def has_advice(code: str | None) -> bool:
    """Return whether a code has a next step of its own, which takes the place of a general one."""
    known = ERROR_CODES.get(code or "")
    return known is not None and bool(known.advice)
