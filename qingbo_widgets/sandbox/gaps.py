"""``Gaps``: choices where the documentation of contract 2026-11 is silent or contradicts itself."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args, get_type_hints

from ..i18n import tr


@dataclass(frozen=True)
class Gaps:
    """A choice for each gap in the documentation of contract 2026-11; each default is the likeliest answer.

    ``Sandbox(contract="2026-11", gaps=Gaps(times="milliseconds"))``: a client that works with every choice
    works with the service, whichever it has made. Contract 2026-04 has no such choices.

    Attributes:
        times: unit of ``created_at``, ``completed_at`` and ``expires_at``. The pages of submit and status
            show seconds, an example of the overview milliseconds.
        submit_progress: ``progress`` in the answer to a submit: the integer 0 of the submit page, or the
            string that the status page describes.
        cancelled_progress: ``progress`` of a cancelled task, not documented; the ends ``completed`` and
            ``failed`` have ``"100%"``.
        error_fields: fields of an error beside ``message``. ``by_endpoint``: ``code``, on a submit also
            ``param`` and ``type``, as the pages of those endpoints show. ``code``: only that, everywhere.
            ``all``: ``param`` and ``type`` everywhere.
        unauthorized: body of a 401: an error without ``code`` (the balance page), with one, or the envelope
            ``{"success": false, "message": …}`` that the service's own client also expects.
        balance_code: ``code`` of a 402, not documented; empty for none.
        several_errors: whether a submit that breaks several rules is answered with the first one or with all
            of them in one message.
        model_case: whether the case of letters in ``model`` matters.
        completed_event: the value of ``callback_events`` for a completed task: the word of the newest page
            that describes webhooks, or that of an older one.
        other_body: whether a key that returns with another body answers the first task or 400.
        resubmitted: whether a key that returns answers the task's current state or that of its submit.
        refused_key: whether the key of a refused submit can be used again, or answers the same refusal.
        long_wait: whether ``Prefer: wait=N`` above 60 s waits 60 s or is answered with 400.
        unfinished_status: HTTP status of a submit that has waited for a task which has not ended.
        billing_status: tasks that have the field: completed ones (as the examples show), all that have ended,
            or none.
        expires_at: whether the expiry of a link is fixed (the newest page) or counted from each request (an
            older one).
        reset_at: unit of ``reset_at`` in ``quota_window_exceeded``.
        window_fields: the place of ``window``, ``used``, ``cap`` and ``reset_at``: in ``error`` or beside it.
        unreadable_video: whether an input video whose length cannot be read is answered with 400, or accepted
            and billed at the longest length that the model takes.
        unreachable_video: whether an input video on a host that this machine cannot reach is taken to last
            five seconds, or treated as unreadable. This is a choice of the sandbox, which may be offline.
        quote: access to ``POST /waveapi/quote``. ``public``: without a key, as the newest pages say.
            ``with_key``: with the key alone. ``portal_only``: 401 to every key, as an older note says.
            ``absent``: 404.
        quote_code: ``code`` of a quote. A refusal has the HTTP status of the submit's refusal, or ``"error"``
            where a quote has ``"success"``.
        quote_status: HTTP status of a refused quote: that of a refused submit, or 200.
        estimate_field: the field of ``estimate_cost`` with the price in quota; that in US dollars has the
            suffix ``_usd``. The page names both pairs for the tools in general.
        intelligence_shots: whether ``shot_type: intelligence`` allows ``multi_prompt``.
        elements: whether the limit of seven pictures of ``kling-v3-omni`` counts the entries of
            ``element_list`` or their pictures.
    """

    times: Literal["seconds", "milliseconds"] = "seconds"
    submit_progress: Literal["integer", "string"] = "integer"
    cancelled_progress: Literal["100%", "0%", ""] = "100%"
    error_fields: Literal["by_endpoint", "code", "all"] = "by_endpoint"
    unauthorized: Literal["without_code", "with_code", "success_false"] = "without_code"
    balance_code: Literal["insufficient_balance", ""] = "insufficient_balance"
    several_errors: Literal["first", "joined"] = "first"
    model_case: Literal["exact", "ignored"] = "exact"
    completed_event: Literal["completed", "succeeded"] = "completed"
    other_body: Literal["first_task", "refused"] = "first_task"
    resubmitted: Literal["current", "as_submitted"] = "current"
    refused_key: Literal["free", "used"] = "free"
    long_wait: Literal["capped", "refused"] = "capped"
    unfinished_status: Literal[200, 202] = 200
    billing_status: Literal["completed", "ended", "never"] = "completed"
    expires_at: Literal["fixed", "recomputed"] = "fixed"
    reset_at: Literal["seconds", "milliseconds", "iso"] = "seconds"
    window_fields: Literal["in_error", "beside_error"] = "in_error"
    unreadable_video: Literal["refused", "billed"] = "refused"
    unreachable_video: Literal["assumed", "unreadable"] = "assumed"
    quote: Literal["public", "with_key", "portal_only", "absent"] = "public"
    quote_code: Literal[0, 200, "success"] = 0
    quote_status: Literal["as_submit", "always_200"] = "as_submit"
    estimate_field: Literal["cost", "pre_consumed_cost"] = "cost"
    intelligence_shots: Literal["allowed", "refused"] = "allowed"
    elements: Literal["entries", "pictures"] = "entries"

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):
            choices, value = get_args(hints[field.name]), getattr(self, field.name)
            if value not in choices:
                message = tr("{name} must be one of {allowed}, not {value!r}")
                allowed = ", ".join(map(repr, choices))
                raise ValueError(message.format(name=field.name, allowed=allowed, value=value))
