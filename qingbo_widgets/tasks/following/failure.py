"""The errors of tasks that ended without a video: the reason, and what became of the cost."""

from __future__ import annotations

from ...exceptions import TaskCancelled, TaskFailed
from ...i18n import sentences, tr
from ...service.contract.error_codes import explanation
from ...service.contract.quota import quota_text
from ...service.contract.snapshot import TaskSnapshot

__all__ = ["cancellation_of", "failure_of"]


#: The states of the service's ledger before a refund is final (documentation of contract 2026-11, account).
_PENDING = ("reserved", "pricing_pending", "settlement_pending", "refund_pending")


def failure_of(snapshot: TaskSnapshot, contract: str) -> TaskFailed:
    """Return the error of a failed task.

    Args:
        snapshot: the answer that reports the failure.
        contract: the date of the task's contract.
    """
    reason = snapshot.error
    text = reason.message if reason and reason.message else tr("the service gave no reason")
    code = reason.code if reason else None
    message = (
        tr("The task {task} failed ({code}): {reason}") if code else tr("The task {task} failed: {reason}")
    )
    message = message.format(task=snapshot.task_id, code=code, reason=text)
    message = sentences(message, *explanation(code), _refund(snapshot, contract))
    return TaskFailed(message, task_id=snapshot.task_id, code=code)


def cancellation_of(snapshot: TaskSnapshot, contract: str) -> TaskCancelled:
    """Return the error of a cancelled task, with its cost if the service does not report it as refunded.

    Args:
        snapshot: the answer to the cancel, or the status after it.
        contract: the date of the task's contract.
    """
    message = sentences(tr("The task was cancelled."), _charge(snapshot, contract))
    return TaskCancelled(message, task_id=snapshot.task_id)


def _refund(snapshot: TaskSnapshot, contract: str) -> str:
    """Return a sentence about the cost of a failed task: as reported, or as the documentation promises."""
    if charge := _charge(snapshot, contract):
        return charge
    if snapshot.cost == 0 or snapshot.billing_status == "refunded":
        return tr("The service charged nothing for it.")
    return tr("The service refunds failed tasks.")


def _charge(snapshot: TaskSnapshot, contract: str) -> str:
    """Return a sentence about a cost that remains or is not refunded yet; empty if none is reported."""
    if snapshot.cost:
        text = tr(
            "The service reports that it cost {cost} all the same: see its dashboard, or ask the service."
        )
        return text.format(cost=quota_text(snapshot.cost, contract))
    if snapshot.billing_status in _PENDING:
        return tr("Its refund is pending at the service.")
    if snapshot.cost is None and snapshot.raw.get("refunded") is False:
        return tr("The service reports that it was not refunded: see its dashboard, or ask the service.")
    return ""
