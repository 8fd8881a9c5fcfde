"""The JSON bodies of the answers of contract 2026-11, from the service's documentation."""

from __future__ import annotations

from datetime import UTC, datetime

from ...gaps import Gaps
from ..contract import QUOTA, Json
from ..refusal import Refusal
from ..task_state import TaskState

#: Codes of the sandbox for errors that the documentation shows without one.
_WITHOUT_CODE = ("rate_limit_exceeded", "internal_error")


def submitted(task: TaskState, gaps: Gaps) -> Json:
    """Return the answer to a submit that created the task; ``progress`` is an integer here."""
    return {
        **_head(task, gaps),
        "progress": 0 if gaps.submit_progress == "integer" else "",
        "pre_consumed_cost": task.frozen,
    }


def waited(task: TaskState, gaps: Gaps) -> Json:
    """Return the status, with the frozen price if the task has not ended."""
    return status(task, gaps) | ({} if task.ended is not None else {"pre_consumed_cost": task.frozen})


def status(task: TaskState, gaps: Gaps) -> Json:
    """Return the status with the cost, the result or the error."""
    body = _head(task, gaps) | {"progress": _progress(task, gaps)}
    if task.ended is not None:
        body["completed_at"] = _time(task.ended, gaps)
        body["cost"] = task.charged
        if gaps.billing_status == "ended" or (gaps.billing_status, task.status) == ("completed",) * 2:
            body["billing_status"] = "settled" if task.status == "completed" else "refunded"
    if task.status == "failed":
        body["error"] = {"message": task.error_message, "code": task.error_code}
    if task.status == "completed" and task.ended is not None:
        begin = task.ended if gaps.expires_at == "fixed" else task.now
        expires = _time(begin + task.expires - task.ended, gaps)
        body["result"] = {"videos": [{"url": [task.video_url], "expires_at": expires}]}
    return body | {"urls": {"get": task.url, "cancel": f"{task.url}/cancel"}}


def cancelled(task: TaskState) -> Json:
    """Return the refund of a cancelled task."""
    return {
        "task_id": task.task_id,
        "status": "cancelled",
        "refunded": True,
        "refunded_quota": task.frozen,
    }


def error(refusal: Refusal, gaps: Gaps, *, is_submit: bool) -> Json:
    """Return the body of an error; its fields depend on the endpoint."""
    if refusal.status == 401 and gaps.unauthorized == "success_false":
        return {"success": False, "message": refusal.message}
    body: Json = {"message": refusal.message}
    if refusal.code and not _is_without_code(refusal, gaps):
        body["code"] = refusal.code
    has_all = gaps.error_fields == "all" or (gaps.error_fields == "by_endpoint" and is_submit)
    if refusal.param and has_all:
        body["param"] = refusal.param
    if has_all or refusal.status == 401:  # the one page that shows a 401 shows this field
        body["type"] = "invalid_request_error" if refusal.status < 500 else "api_error"
    details = {
        name: _reset_at(value, gaps) if name == "reset_at" else value
        for name, value in refusal.details.items()
    }
    if gaps.window_fields == "in_error":
        return {"error": body | details}
    return {"error": body, **details}


def balance(granted: int, charged: int, now: float) -> Json:
    """Return the balance in US dollars: granted = used + available."""
    return {
        "object": "credit_summary",
        "currency": "USD",
        "total_granted_usd": granted / QUOTA,
        "total_used_usd": charged / QUOTA,
        "total_available_usd": (granted - charged) / QUOTA,
        "as_of": int(now),
    }


def usage(charged: int) -> Json:
    """Return what the account has spent since its beginning, in cents of a US dollar."""
    return {"object": "list", "total_usage": 100 * charged / QUOTA}


def subscription(granted: int) -> Json:
    """Return the credit of the account in US dollars, spent or not, as each of its limits."""
    credit = granted / QUOTA
    return {
        "object": "billing_subscription",
        "has_payment_method": True,
        "hard_limit_usd": credit,
        "soft_limit_usd": credit,
        "system_hard_limit_usd": credit,
        "access_until": 0,
    }


def _head(task: TaskState, gaps: Gaps) -> Json:
    return {
        "task_id": task.task_id,
        "model": task.body["model"],
        "action": task.body.get("action", "generate"),
        "status": task.status,
        "created_at": _time(task.created, gaps),
    }


def _progress(task: TaskState, gaps: Gaps) -> str:
    if task.status == "cancelled":
        return gaps.cancelled_progress
    if task.status == "queued":
        return ""
    return "100%" if task.status in ("completed", "failed") else f"{task.percent}%"


def _is_without_code(refusal: Refusal, gaps: Gaps) -> bool:
    return refusal.code in _WITHOUT_CODE or (refusal.status == 401 and gaps.unauthorized == "without_code")


def _time(seconds: float, gaps: Gaps) -> int:
    return int(seconds * 1000) if gaps.times == "milliseconds" else int(seconds)


def _reset_at(seconds: float, gaps: Gaps) -> int | str:
    if gaps.reset_at == "iso":
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return int(seconds * 1000) if gaps.reset_at == "milliseconds" else int(seconds)
