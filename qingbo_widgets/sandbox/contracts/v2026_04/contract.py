"""``Contract202604``: contract 2026-04 as the sandbox keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ...order import Order
from .. import contract as base
from ..contract import QUOTA, InputVideo, Json, Price
from ..refusal import Refusal
from ..task_state import TaskState
from . import rules
from .request import order_of, quota_of

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    429: "rate_limit_error",
}


class Contract202604(base.Contract):
    """The contract of April: parameters in ``extra``, times in milliseconds, links of 24 hours."""

    date = "2026-04"
    link_lifetime = 86_400.0
    has_account = False
    model_list_key = base.KeyPlaces()

    @property
    def prices(self) -> dict[str, Json]:
        """None: the contract documents no prices."""
        return {}

    @property
    def price_answers(self) -> None:
        """None: the contract has no endpoints for prices."""

    def models(self, _: Mapping[str, Json]) -> dict[str, Json]:
        """Return the four models; the documentation gives no form of the items."""
        return {name: {"id": name, "object": "model"} for name in rules.MODELS}

    def violations(self, body: object) -> list[base.Violation]:
        """Return every violation by a submit body."""
        return rules.violations(body)

    def input_video(self, _: Json) -> InputVideo | None:
        """Return ``None``: no model takes a video."""
        return None

    def order(self, body: Json, _: int) -> Order:
        """Return the video that a valid body describes."""
        return order_of(body)

    def price(self, body: Json, order: Order, _: int, __: Mapping[str, Json]) -> Price:
        """Return the price whose quota a cancelled task gets back."""
        return Price(Decimal(quota_of(body)) / QUOTA, "second", order.seconds)

    def wait_seconds(self, _: str) -> int:
        """Return 0: a submit answers at once."""
        return 0

    def calls_back(self, _: Json, __: str) -> bool:
        """Return True: every end is called back."""
        return True

    def submitted(self, task: TaskState) -> Json:
        """Return the first fields of the task and its progress."""
        return {**_head(task), "progress": task.percent}

    def resubmitted(self, task: TaskState) -> Json:
        """Return what a submit answers, with the current status.

        The service documents ``Idempotency-Key`` from contract 2026-11 on; a client of 2026-04 sends no key,
        or a new one each time.
        """
        return self.submitted(task)

    def status(self, task: TaskState) -> Json:
        """Return the status with the result or the error."""
        body = _head(task)
        if task.started is not None:
            body["start_time"] = _milliseconds(task.started)
        if task.ended is not None:
            body["completed_at"] = _milliseconds(task.ended)
        body["progress"] = task.percent
        if task.status == "failed":
            body["error"] = {"message": task.error_message, "code": task.error_code}
        if task.status == "completed":
            video = {"url": task.video_url, "expires_at": _milliseconds(task.expires)}
            body["result"] = {"images": [], "videos": [video]}
        return body | {"urls": {"get": task.url, "cancel": f"{task.url}/cancel"}}

    def cancelled(self, task: TaskState) -> Json:
        """Return the refund."""
        return {
            "task_id": task.task_id,
            "status": "cancelled",
            "refunded": True,
            "refunded_quota": task.frozen,
        }

    def error(self, refusal: Refusal, *, is_submit: bool) -> Json:  # noqa: ARG002 - alike for all requests
        """Return the documented error body: ``{"error": {"message", "code", "type", "param"?}}``."""
        error: dict[str, Any] = {
            "message": refusal.message,
            "code": refusal.code,
            "type": _TYPES.get(refusal.status, "api_error"),
        }
        if refusal.param:
            error["param"] = refusal.param
        return {"error": error | dict(refusal.details)}

    def billing(self, _: int, __: int, ___: float) -> dict[str, Json]:
        """Return nothing: the contract documents no account."""
        return {}


def _head(task: TaskState) -> Json:
    return {
        "task_id": task.task_id,
        "model": task.body["model"],
        "action": task.body.get("action", "generate"),
        "status": task.status,
        "created_at": _milliseconds(task.created),
    }


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
