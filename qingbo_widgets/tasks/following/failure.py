"""``failure_of``: the error of a failed task, with what its code means and what became of its cost."""

from __future__ import annotations

from ...exceptions import TaskFailed
from ...i18n import sentences, tr
from ...service.contract.error_codes import explanation
from ...service.contract.quota import quota_text
from ...service.contract.snapshot import TaskSnapshot

__all__ = ["failure_of"]


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


def _refund(snapshot: TaskSnapshot, contract: str) -> str:
    """Return a sentence about the cost of a failed task: as reported, or as the documentation promises."""
    if snapshot.cost:
        text = tr(
            "The service reports that it cost {cost} all the same: see its dashboard, or ask the service."
        )
        return text.format(cost=quota_text(snapshot.cost, contract))
    if snapshot.billing_status in _PENDING:
        return tr("Its refund is pending at the service.")
    if snapshot.cost == 0 or snapshot.billing_status == "refunded":
        return tr("The service charged nothing for it.")
    return tr("The service refunds failed tasks.")
